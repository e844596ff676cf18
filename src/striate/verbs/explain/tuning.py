"""Oriented bars to the units of a run, written as a page and as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from striate.cores import usable_cores
from striate.errors import UsageError
from striate.explain.inside import Inside, Layer
from striate.explain.orientation import (
    Experiment,
    LayerTuning,
    hierarchy_layers,
    tune_layers,
)
from striate.explain.orientation_report import (
    hierarchy_section,
    hierarchy_statement,
    unit_section,
    unit_statement,
)
from striate.explain.units import UnitTuning, tune_unit
from striate.figures import Section
from striate.runs.atomic import write_text
from striate.runs.page import Tiles, write_page
from striate.runs.plain import json_ready
from striate.runs.run import Run
from striate.verbs.model import FilePath, Model, load
from striate.verbs.outputs import writable

__all__ = ["FILES", "Tuning", "look_inside", "tuning", "unit_layers"]

_EXAMPLES = 6
"""Layers of which the sharpest unit is shown, where no unit was named."""


@dataclass(frozen=True, slots=True)
class Tuning:
    """What was measured: `layers` where no unit was named, and single `units`.

    `note`: where the graph has few layers to look at, as hand-made features do, a sentence that says so.
    """

    run: str
    experiment: Experiment
    layers: tuple[LayerTuning, ...]
    units: tuple[UnitTuning, ...]
    note: str = ""

    @property
    def statements(self) -> tuple[str, ...]:
        """The result in sentences."""
        whole = hierarchy_statement(self.layers)
        found = [whole] if whole else []
        return (*found, *filter(None, [self.note]), *map(unit_statement, self.units))

    def to_dict(self) -> dict[str, Any]:
        """The line of `striate explain tuning --json`."""
        return {
            "run": self.run,
            "step_deg": self.experiment.step_deg,
            "ground": self.experiment.ground,
            "statements": list(self.statements),
            "layers": [one.to_dict() for one in self.layers],
            "units": [one.to_dict() for one in self.units],
        }

    def sections(self) -> list[Section]:
        """What the page shows."""
        whole = [hierarchy_section(self.layers, self.experiment)] if self.layers else []
        return [*whole, *map(unit_section, self.units)]

    def save(self, folder: FilePath, *, overwrite: bool = False) -> Path:
        """Write report.html and tuning.json to `folder`; the page's path."""
        page, data = (writable(Path(folder) / name, overwrite=overwrite) for name in FILES)
        write_text(data, json.dumps(json_ready(self.to_dict()), allow_nan=False) + "\n")
        return write_page(
            page,
            f"Oriented bars to {self.run}",
            f"{_INTRO} {self.note}".rstrip(),
            self.sections(),
            kind="striate explain tuning",
            numbers=self._tiles(),
            overwrite=overwrite,
        )

    def _tiles(self) -> Tiles:
        if len(self.units) != 1 or self.units[0].silent:
            return ()
        (one,) = self.units
        half = one.bar.half_width_deg
        return [
            ("best angle", f"{one.bar.peak_deg:.0f}°"),
            ("half width", "none" if half is None else f"{half:.0f}°"),
            ("selectivity", f"{one.bar.selectivity:.2f}"),
            ("position tolerance", f"{one.tolerance_px:.1f} px"),
        ]


FILES = ("report.html", "tuning.json")
_INTRO = (
    "Bars and gratings at all angles are shown to single units, as Hubel and Wiesel did to cells of the "
    "visual cortex (1959). An answer counts as far as it exceeds the one to an even grey picture. All "
    "stimuli are grey and seen through a round window, so that no angle is longer than another."
)
_FEW = "This run's graph has few layers to listen to."
_HAND_MADE = (
    "This run's graph has few layers: its features are made by hand, not learnt, and only their steps "
    "that are named can be listened to."
)


def look_inside(run: FilePath | Run | Model, *, threads: int = 0) -> Inside:
    """The layers of a run's graph; its file is verified. `MissingExtraError` without onnx."""
    model = run if isinstance(run, Model) else load(run)
    data = model.run.file(model.header.graphs["main"]).read_bytes()
    return Inside(data, threads=threads or usable_cores())


def unit_layers(run: FilePath | Run) -> tuple[Layer, ...]:
    """The layers that units can be named from, in order."""
    return look_inside(run).layers


def tuning(
    run: FilePath | Run,
    units: Sequence[str] = (),
    *,
    step_deg: float = 7.5,
    ground: int = 128,
    listen: Callable[[int, int], None] | None = None,
) -> Tuning:
    """Play oriented bars and gratings to `units` of `run`: LAYER:CHANNEL, optionally @ROW,COLUMN.

    Without units: all channels of the layers from first to last, and the sharpest unit of some.
    `ground`: grey level around a bar, 0 to 255. Errors: `UsageError` for a unit, step or ground that
    cannot be; unknown layers list the choices.
    """
    if not 1 <= step_deg <= 45:
        raise UsageError(f"the step is {step_deg:g}°", expected="1 to 45 degrees")
    if not 0 <= ground <= 255:
        raise UsageError(f"the ground is {ground}", expected="a grey level from 0 to 255")
    opened = load(run)
    inside = look_inside(opened)
    experiment = Experiment(step_deg, ground)
    named = [inside.unit(text) for text in units]
    layers: list[LayerTuning] = []
    if not named:
        layers = tune_layers(inside, hierarchy_layers(inside), experiment, listen=listen)
        named = [inside.unit(name) for name in _examples(layers)]
    found = tuple(tune_unit(inside, unit, experiment) for unit in named)
    return Tuning(opened.run.name, experiment, tuple(layers), found, _note(opened, inside))


def _note(model: Model, inside: Inside) -> str:
    if "+" in str(model.header.facts.get("model", "")):  # a feature and a learner
        return _HAND_MADE
    return _FEW if sum(one.is_activation for one in inside.layers) < 3 else ""


def _examples(layers: Sequence[LayerTuning]) -> list[str]:
    """The sharpest unit of layers spread evenly."""
    answering = [one for one in layers if one.answering]
    count = min(_EXAMPLES, len(answering))
    rows = {round(at * (len(answering) - 1) / max(1, count - 1)) for at in range(count)}
    return [f"{answering[row].layer.name}:{answering[row].sharpest}" for row in sorted(rows)]
