"""What the units of a run look for, written as a page, a picture and JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from striate.errors import UsageError
from striate.explain.neuron_report import (
    LayerView,
    hierarchy_statement,
    layer_section,
    layer_statement,
    method_section,
    sheet_rows,
)
from striate.explain.top_patches import strongest
from striate.figures import Section
from striate.pictures.lettering import spaced
from striate.pictures.panels import contact_sheet
from striate.pictures.write import write
from striate.runs.atomic import write_text
from striate.runs.page import Tiles, write_page
from striate.runs.plain import json_ready
from striate.runs.run import Run
from striate.types import Problem
from striate.verbs.evaluate import SplitChoice
from striate.verbs.explain.neurons_asked import asked_layers
from striate.verbs.explain.neurons_data import shown_pictures
from striate.verbs.explain.neurons_view import Viewer, has_network, network_of
from striate.verbs.explain.tuning import look_inside
from striate.verbs.model import FilePath, load
from striate.verbs.outputs import writable

__all__ = ["FILES", "Neurons", "neurons"]

FILES = ("report.html", "neurons.json", "neurons.png")
_COUNT, _A_LEVEL = 8, 4
"""Channels of a layer, and of each of several, where their number is not given."""
Watch: TypeAlias = Callable[[str, int, int | None], None]


@dataclass(frozen=True, slots=True)
class Neurons:
    """What was found of some channels of one layer, or of several from low to high.

    `source`: what was shown, "" for nothing; `pictures` of `available` ones.
    """

    run: str
    source: str
    split: str
    pictures: int
    available: int
    views: tuple[LayerView, ...]
    steps: int
    seed: int
    problems: tuple[Problem, ...]

    @property
    def statements(self) -> tuple[str, ...]:
        """The result in sentences."""
        found = [layer_statement(one, self.pictures) for one in self.views]
        if len(self.views) == 1:
            found += [f"{one.name}: {one.statement}" for one in self.views[0].channels]
        found.append(hierarchy_statement(self.views))
        notes = dict.fromkeys(one.note for one in self.views)
        return tuple(one for one in (*found, *notes) if one)

    def to_dict(self) -> dict[str, Any]:
        """The line of `striate explain RUN --neurons LAYER --json`."""
        return {
            "run": self.run,
            "source": self.source or None,
            "split": self.split or None,
            "pictures": self.pictures,
            "available": self.available,
            "steps": self.steps,
            "seed": self.seed,
            "statements": list(self.statements),
            "layers": [one.to_dict() for one in self.views],
            "problems": [one.to_dict() for one in self.problems],
        }

    def save(self, folder: FilePath, *, overwrite: bool = False) -> Path:
        """Write report.html, neurons.json and neurons.png to `folder`; the page's path."""
        page, data, sheet = (writable(Path(folder) / name, overwrite=overwrite) for name in FILES)
        write_text(data, json.dumps(json_ready(self.to_dict()), allow_nan=False) + "\n")
        pictures, titles, columns = sheet_rows(self.views)
        if pictures:
            write(contact_sheet(pictures, titles, columns, cell=290), sheet, overwrite=overwrite)
        single = self.views[0].layer.name if len(self.views) == 1 else ""
        return write_page(
            page,
            f"What {single or 'the layers'} of {self.run} look{'s' if single else ''} for",
            self._intro(),
            [*self._sections(), method_section(self._terms())],
            kind="striate explain --neurons",
            facts=self._facts(),
            numbers=self._tiles() if single else (),
            overwrite=overwrite,
        )

    def _sections(self) -> list[Section]:
        if len(self.views) == 1:
            return [layer_section(self.views[0], "Channels", self.pictures)]
        return [
            layer_section(view, f"{_level(at, len(self.views))}: {view.layer.name}", self.pictures)
            for at, view in enumerate(self.views)
        ]

    def _intro(self) -> str:
        shown = [one for view in self.views for one in view.channels]
        made = any(one.synthesised is not None for one in shown)
        sent = any(patch.projection is not None for one in shown for patch in one.patches)
        if not self.source:
            return _INTRO_MADE
        parts = [_MADE_PART] * made + [_PATCH_PART] + [_SENT_PART] * sent
        rows = f"Each row is one channel: {'; '.join(parts)}."
        return " ".join(one for one in (rows, hierarchy_statement(self.views)) if one)

    def _facts(self) -> str:
        if not self.source:
            return "no pictures were shown: only what was made from noise"
        taken = f"{spaced(self.pictures)} of {spaced(self.available)} pictures"
        return f"{taken} of {self.source} ({self.split})"

    def _tiles(self) -> Tiles:
        view = self.views[0]
        sees = "all" if view.whole else f"{view.sees_hw[0]} × {view.sees_hw[1]} px"
        silent = [] if view.silent is None else [("silent channels", str(view.silent))]
        return [("channels", str(view.layer.channels)), ("a unit sees", sees), *silent]

    def _terms(self) -> list[tuple[str, str]]:
        shown = [one for view in self.views for one in view.channels]
        rows: list[tuple[str, str]] = []
        if any(one.patches for one in shown):
            rows += _PATCH_TERMS
        if any(patch.projection is not None for one in shown for patch in one.patches):
            rows += _PROJECTION_TERMS
        if any(one.synthesised is not None for one in shown):
            rows.append(("made for it", _MADE.format(steps=self.steps, seed=self.seed)))
        rows.append(("names", _NAMES.format(run=self.run)))
        return rows


_MADE_PART = "a picture made from noise so that the channel answers as much as it can"
_PATCH_PART = "the parts of real pictures that it answers to most"
_SENT_PART = "what of those parts it answers to, projected back to the pixels (Zeiler and Fergus 2014)"
_INTRO_MADE = (
    "Each picture was made from noise so that one channel answers as much as it can (Olah, Mordvintsev "
    "and Schubert 2017). With --data, parts of real pictures would stand beside it."
)
_PATCH_TERMS = [
    (
        "where it is strongest",
        "exactly the pixels that the unit sees, cut from the picture as the network gets it; a picture "
        "counts once, at its strongest place",
    ),
    (
        "which channels",
        "the most selective ones, first the best for each class, unless they were named",
    ),
]
_PROJECTION_TERMS = [
    (
        "what of it counts",
        "the one activation sent back: filters transposed, maxima to where they were found, signals "
        "rectified at every nonlinearity (GELU and SiLU are treated as ReLU), added branches both ways. "
        "Grey is nothing; each patch has its own scale",
    )
]
_MADE = (
    "activation maximisation: Fourier coefficients weighed by 1/f, colours that do not vary together, "
    "shifted, turned and scaled by chance at each of {steps} steps, neighbouring pixels kept alike; "
    "seed {seed}. What is climbed is the channel's mean over the stronger half of its map"
)
_NAMES = (
    "those of the exported graph, as striate explain tuning {run} --list tells them; "
    "striate layers {run} --out layers.html shows what any unit sees"
)


def neurons(
    run: FilePath | Run,
    layer: str = "",
    *,
    data: FilePath | None = None,
    split: SplitChoice = "auto",
    channels: Sequence[int] = (),
    class_name: str = "",
    count: int = 0,
    top: int = 9,
    at_most: int = 2000,
    steps: int = 160,
    seed: int = 0,
    threads: int = 0,
    listen: Watch | None = None,
) -> Neurons:
    """Show what channels of `layer` look for: its name, "all" (low to high), "head" or "head:CLASS".

    `data`: pictures to take the strongest patches from, labelled or not; without them there are only
    pictures made from noise. `channels`: these; by default the `count` most selective ones (8, or 4 a
    layer of "all"). `class_name`: the output for that class, of "head" or instead of a layer. `top`:
    patches a channel. `at_most`: of more pictures, so many are drawn by `seed`. `steps` of the
    synthesis; 0 leaves it out. `listen` hears what is done, how much of it, and of how much. Errors:
    `UsageError` for what there is not, with the choices; `MissingExtraError` without torch, which
    deconvolution and synthesis need.
    """
    _check(top=top, count=count, steps=steps)
    say: Watch = listen or (lambda stage, done, of: None)
    model = load(run, threads=threads)
    inside = look_inside(model, threads=threads)
    layers, named = asked_layers(model, inside, layer, class_name, channels)
    if data is None and (steps == 0 or not has_network(model)):
        raise UsageError(
            "there is nothing to show: no pictures, and none to be made",
            remedy="add --data DIR" if steps else "add --data DIR, or leave --steps 0 out",
        )
    shown = best = None
    if data is not None:
        shown = shown_pictures(model, data, split=split, at_most=at_most, seed=seed)
        lots = shown.lots(lambda done, of: say("showing pictures", done, of))
        best = strongest(inside.watch(layers), lots, top=top, classes=len(model.names))
    network = network_of(model, inside, layers)
    few = count or (_A_LEVEL if len(layers) > 1 else _COUNT)
    views = []
    for at, one in enumerate(layers):
        heard = partial(_one_of_several, say, at, len(layers))
        viewer = Viewer(model, inside, shown, network, steps, seed, heard)
        views.append(viewer.view(one, named, few, None if best is None else best[one.name]))
    return Neurons(
        run=model.run.name,
        source="" if shown is None else shown.dataset.shown_root(),
        split="" if shown is None else shown.split,
        pictures=0 if best is None else next(iter(best.values())).pictures,
        available=0 if shown is None else shown.available,
        views=tuple(views),
        steps=steps,
        seed=seed,
        problems=() if shown is None else tuple(shown.problems),
    )


def _check(*, top: int, count: int, steps: int) -> None:
    if not 1 <= top <= 100:
        raise UsageError(f"{top} patches were asked for", expected="1 to 100")
    if count < 0 or steps < 0:
        raise UsageError(f"count {count} and steps {steps} were given", expected="0 or more of each")


def _one_of_several(say: Watch, at: int, layers: int, done: int, of: int) -> None:
    """One layer after the other, as one."""
    say("making their pictures", at * of + done, layers * of)


def _level(at: int, of: int) -> str:
    if at == of - 1:
        return "Output"
    return ("Low", "Middle", "High")[min(2, 3 * at // max(1, of - 1))]
