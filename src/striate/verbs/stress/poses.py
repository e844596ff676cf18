"""Strange poses: which ways of turning an object make a run misread it, as a page and as JSON."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from striate.data.meshes.solids import canonical_view
from striate.engine.settings import TrainSettings
from striate.errors import UsageError
from striate.randomness import checked_seed
from striate.runs.atomic import write_text
from striate.runs.page import contents, document, masthead, tiles
from striate.runs.plain import json_ready
from striate.runs.run import Run
from striate.stress.poses import Ask, Deadline, PoseSpace
from striate.stress.poses_findings import Findings
from striate.stress.poses_map import marginals, pose_map
from striate.stress.poses_report import Draw, page_parts, statements
from striate.stress.poses_report import tiles as first_numbers
from striate.stress.poses_search import ask_all, climb, evolve, find_nearest
from striate.verbs.model import FilePath, load
from striate.verbs.outputs import writable
from striate.verbs.stress.poses_asking import Seen, Stage, Up, asking

__all__ = ["FILES", "Share", "StrangePoses", "poses", "share_of"]

FILES = ("poses.html", "poses.json")

_INTRO = (
    "Networks learn things as photographs show them: upright, from the usual side. Here one object is "
    "turned every way, and moved, scaled and lit, and the run is asked about it each time. The poses "
    "that it misreads are counted at random, then searched for (Alcorn et al. 2019)."
)
_STARTS = 8
"""Poses read rightly from which the searches begin."""
_SLOPES = 4
"""Of them, those from which slopes are followed: a slope costs 17 renderings."""
_MOST_SAMPLES = 1_000_000
_MAP_STEPS_DEG = (15.0, 30.0, 45.0, 60.0, 90.0)
_MOST_AXES = 32


@dataclass(frozen=True, slots=True)
class Share:
    """What `samples` poses at random leave for the rest: each of its parts costs at most as many, but
    the nearest one axis of turns.

    `map_step_deg`: between places of the maps; 0 for no maps. `axes`, `turn_step_deg`: of the nearest.
    """

    samples: int
    map_step_deg: float
    axes: int
    turn_step_deg: float

    @property
    def parts(self) -> dict[str, int]:
        """Renderings at most, by what they are for."""
        return {
            "at random": self.samples,
            "for maps": _places(self.map_step_deg),
            "for the nearest": self.axes * _turns(self.turn_step_deg) + 1,
            "for searches": 2 * max(self.samples // 2, 1),
        }

    @property
    def words(self) -> str:
        """Before anything is rendered."""
        parts = ", ".join(f"{count} {name}" for name, count in self.parts.items() if count)
        return f"renders up to {sum(self.parts.values())} poses: {parts}; --samples changes all of them"


def share_of(samples: int) -> Share:
    """Maps as fine, and as many axes, as cost no more than `samples`, which may be up to a million."""
    if not 1 <= samples <= _MOST_SAMPLES:
        raise UsageError(f"{samples} samples were asked for", expected=f"1 to {_MOST_SAMPLES}")
    map_step = next((step for step in _MAP_STEPS_DEG if _places(step) <= samples), 0.0)
    turn_step = 6.0 if samples >= 10 * _turns(6.0) else 15.0
    axes = int(np.clip(samples // _turns(turn_step), 1, _MOST_AXES))
    return Share(samples, map_step, axes, turn_step)


def _places(step_deg: float) -> int:
    """Of both maps."""
    if not step_deg:
        return 0
    around, upright = round(360 / step_deg), round(180 / step_deg) + 1
    return around * (upright + around)


def _turns(step_deg: float) -> int:
    """Renderings for one axis: all the way round, and the last step halved to a quarter of a degree."""
    return round(180 / step_deg) + math.ceil(math.log2(step_deg / 0.25))


@dataclass(frozen=True, slots=True, eq=False)
class StrangePoses:
    """What was found for one object. `notes`: what of its file is not drawn; what was assumed. `show`:
    draws a pose with what the run says of it."""

    run: str
    object: str
    samples: int
    seed: int
    notes: tuple[str, ...]
    found: Findings
    stage: Stage
    show: Draw

    @property
    def statements(self) -> list[str]:
        """What was found, in sentences."""
        return [*statements(self.found), *self.notes]

    def to_dict(self) -> dict[str, Any]:
        """What `striate stress RUN --poses OBJECT --json` prints, and poses.json holds."""
        return {
            "run": self.run,
            "object": self.object,
            "samples": self.samples,
            "seed": self.seed,
            "rendered_hw": list(self.stage.size_hw),
            "statements": self.statements,
            **self.found.to_dict(),
        }

    def save(self, folder: FilePath, *, overwrite: bool = False) -> Path:
        """Write poses.html and poses.json to `folder`; the page's path."""
        page, data = (writable(Path(folder) / name, overwrite=overwrite) for name in FILES)
        write_text(data, json.dumps(json_ready(self.to_dict()), allow_nan=False) + "\n")
        height, width = self.stage.size_hw
        title = f"Strange poses of a {self.object}"
        facts = f"{self.run}; {self.found.asked} renderings of {height} × {width} pixels"
        body = (
            masthead(title, kind="striate stress --poses", facts=facts)
            + f'<p class="intro" style="margin-bottom:18px">{_INTRO}</p>'
            + tiles(first_numbers(self.found))
            + contents(page_parts(self.found, self.stage.drawn, self.show, f"{height} × {width}"))
        )
        write_text(page, document(f"{title} · striate", body))
        return page


def poses(
    run: FilePath | Run,
    mesh: FilePath,
    *,
    true: str | None = None,
    samples: int = 2000,
    time_budget: float | str | None = None,
    background: FilePath | None = None,
    up: Up | None = None,
    seed: int = 0,
    threads: int = 0,
    listen: Callable[[int, int], None] | None = None,
) -> StrangePoses:
    """Turn, scale, move and light the object `mesh`, and find where `run` misreads it.

    `mesh`: an .obj file, or the name of a built-in solid (`striate.data.meshes.SOLID_NAMES`). `true`:
    the right class; by default the name of the solid or file where it is a class of the run, else what
    the run says of the usual pose. `samples`: poses drawn at random; maps, the nearest pose and the two
    searches together cost at most as many each, but for one axis of turns (`share_of`).
    `time_budget`: seconds, or text such as "2m"; what is not done by then is left out. `background`: a
    picture to stand before; by default a plain studio. `up`: the axis of a file that points upwards, y
    by default.

    For runs that classify, that detect, and that give yaw, pitch or roll; a `UsageError` for others.
    """
    checked_seed(seed)
    share = share_of(samples)
    budget = TrainSettings.parse({"time_budget": time_budget}).time_budget
    deadline = Deadline(time.monotonic, budget, sum(share.parts.values()), listen)
    model = load(run, threads=threads)
    stage = Stage.of(mesh, model.task.input_hw, background, up)
    space = PoseSpace.around(canonical_view(stage.solid))
    asked = asking(model, stage, space, true)
    found = _measured(asked, space, share, seed, deadline)
    least = _places(_MAP_STEPS_DEG[-1])
    few = () if found.maps else (f"No maps are drawn of fewer than {least} samples.",)
    return StrangePoses(
        run=model.run.name,
        object=stage.name,
        samples=samples,
        seed=seed,
        notes=(*few, *stage.notes, *asked.notes),
        found=found,
        stage=stage.at(space.elevation_deg),
        show=asked.show,
    )


def _measured(asked: Seen, space: PoseSpace, share: Share, seed: int, deadline: Deadline) -> Findings:
    """Everything, in the order of its worth; each part has its share of the time."""
    ask: Ask = asked.ask
    drawn, looking, turning = (np.random.default_rng([seed, part]) for part in range(3))
    deadline.until(0.4)
    random, answers = ask_all(ask, space.drawn(share.samples, drawn), deadline)
    deadline.until(0.62)
    step = share.map_step_deg
    maps = tuple(pose_map(ask, space, name, step, deadline) for name in ("pitch", "roll") if step)
    deadline.until(0.72)
    nearest = find_nearest(
        ask, space, axes=share.axes, step_deg=share.turn_step_deg, rng=turning, deadline=deadline
    )
    starts = np.flatnonzero(~answers.wrong)[:_STARTS]
    half = max(share.samples // 2, 1)
    searches = []
    if len(starts):
        begin, said = random.take(starts), answers.take(starts)
        deadline.until(0.86)
        searches.append(evolve(ask, space, begin, said, budget=half, rng=looking, deadline=deadline))
        deadline.until(1.0)
        few = np.arange(min(len(starts), _SLOPES))
        searches.append(
            climb(ask, space, begin.take(few), said.take(few), budget=half, deadline=deadline)
        )
    return Findings(
        truth=asked.truth,
        truth_from=asked.truth_from,
        rule=asked.rule,
        numbers=asked.numbers,
        tolerance=asked.tolerance,
        trained=asked.trained,
        space=space,
        canonical=asked.usual,
        poses=random,
        answers=answers,
        maps=maps,
        marginals=marginals(space, random, answers),
        searches=tuple(searches),
        nearest=nearest,
        asked=deadline.asked,
        cut=deadline.cut,
    )
