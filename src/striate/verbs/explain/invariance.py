"""What shift, rotation and scale do to a run's answers and layers, written as a page and as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from striate.errors import MissingExtraError
from striate.explain.equivariance import LayerMotion, measure_motion
from striate.explain.judging import judge_of
from striate.explain.moves import Border, scaled, shifted, turned
from striate.explain.orientation import hierarchy_layers
from striate.explain.steadiness import AxisName, Moved, measure_steadiness
from striate.explain.steadiness_report import (
    axis_section,
    method_section,
    motion_section,
    motion_statements,
    moved_statements,
)
from striate.pictures.lettering import spaced
from striate.runs.atomic import write_text
from striate.runs.page import Tiles, write_page
from striate.runs.plain import json_ready
from striate.runs.run import Run
from striate.types import Picture, Problem
from striate.verbs.evaluate import SplitChoice
from striate.verbs.explain.pictures import PictureSet, fitted, labelled, some
from striate.verbs.explain.tuning import look_inside
from striate.verbs.model import FilePath, Model, load
from striate.verbs.outputs import writable

__all__ = ["FILES", "Invariance", "invariance"]

FILES = ("report.html", "invariance.json")
_LAYER_PICTURES = 64


@dataclass(frozen=True, slots=True)
class Invariance:
    """The curves of a run's answers, `moved`, and of its layers, `motion` (empty without onnx).

    `available`: pictures in the split, of which `moved.pictures` were taken.
    """

    run: str
    source: str
    split: str
    available: int
    moved: Moved
    motion: tuple[LayerMotion, ...]
    example: Picture
    problems: tuple[Problem, ...]

    @property
    def statements(self) -> list[str]:
        """What was found, in sentences."""
        layers = motion_statements(self.motion, self.moved) if self.motion else []
        return [*moved_statements(self.moved), *layers]

    def to_dict(self) -> dict[str, Any]:
        """The line of `striate explain invariance --json`."""
        judge = self.moved.judge
        return {
            "run": self.run,
            "source": self.source,
            "split": self.split,
            "pictures": self.moved.pictures,
            "available": self.available,
            "border": self.moved.border,
            "quality": judge.quality_name,
            "likeness": judge.likeness_name,
            "statements": self.statements,
            "steady": {one.name: list(one.ends(self.moved.steady)) for one in self.moved.axes},
            "curves": {
                one.name: [level.to_dict(judge) for level in one.levels] for one in self.moved.axes
            },
            "layers": [one.to_dict() for one in self.motion],
            "problems": [one.to_dict() for one in self.problems],
        }

    def save(self, folder: FilePath, *, overwrite: bool = False) -> Path:
        """Write report.html and invariance.json to `folder`; the page's path."""
        page, data = (writable(Path(folder) / name, overwrite=overwrite) for name in FILES)
        write_text(data, json.dumps(json_ready(self.to_dict()), allow_nan=False) + "\n")
        sections = [axis_section(self.moved, self._examples())]
        if self.motion:
            sections.append(motion_section(self.motion, self.moved))
        sections.append(method_section(self.moved, min(_LAYER_PICTURES, self.moved.pictures)))
        taken = f"{spaced(self.moved.pictures)} of {spaced(self.available)} pictures of {self.source}"
        return write_page(
            page,
            f"What moving does to {self.run}",
            _INTRO,
            sections,
            kind="striate explain invariance",
            facts=f"{taken} ({self.split})",
            numbers=self._tiles(),
            overwrite=overwrite,
        )

    def _tiles(self) -> Tiles:
        return [
            ("steady under a shift of", self._steady("right", "{:g} to {:g} px")),
            ("under a rotation of", self._steady("rotation", "{:g} to {:g}°")),
            ("under a scale of", self._steady("scale", "×{:g} to ×{:g}")),
        ]

    def _steady(self, name: AxisName, form: str) -> str:
        low, high = self.moved.axis(name).ends(self.moved.steady)
        return form.format(low, high).replace("-", "−") if low < high else "none"

    def _examples(self) -> list[tuple[str, Picture]]:
        batch, border = self.example[None], self.moved.border
        far = max(1, self.moved.size_hw[1] // 8)
        return [
            ("as it is", self.example),
            (f"{far} px to the right", shifted(batch, 0, far, border=border)[0]),
            ("turned by 45°", turned(batch, 45.0, border=border)[0]),
            ("×0.6", scaled(batch, 0.6, border=border)[0]),
            ("×1.7", scaled(batch, 1.7, border=border)[0]),
        ]


_INTRO = (
    "A network is often said not to mind where a thing stands. Here it is measured: pictures are "
    "shifted, turned and scaled, and the answers compared with the truth and with the answer to the "
    "unmoved picture. Maps that move along with the picture (equivariance) are told from answers that "
    "stay (invariance)."
)


def invariance(
    run: FilePath | Run,
    source: FilePath,
    *,
    split: SplitChoice = "auto",
    border: Border = "reflect",
    at_most: int = 500,
    seed: int = 0,
    threads: int = 0,
    listen: Callable[[int, int], None] | None = None,
) -> Invariance:
    """Move the pictures of `source` and measure what `run` makes of it.

    `at_most`: of more pictures, so many are drawn by `seed`. `border`: what comes in from beyond the
    edge. Errors: `UsageError` for a task whose answers cannot be compared; those of `evaluate`.
    """
    model = load(run, threads=threads)
    judge = judge_of(model.task)
    whole, name = labelled(model, source, split)
    pictures = fitted(some(whole, at_most, seed), model.task.prepare, model.task.read_at_least_hw)
    truths = [one.target for one in pictures.records]
    graph = model.graphs(threads)["main"]
    moved = measure_steadiness(
        model.task, graph, judge, pictures.pixels, truths, border=border, seed=seed, listen=listen
    )
    return Invariance(
        run=model.run.name,
        source=pictures.root,
        split=name,
        available=len(whole),
        moved=moved,
        motion=_motion(model, pictures, border, threads),
        example=pictures.pixels[0],
        problems=pictures.problems,
    )


def _motion(model: Model, pictures: PictureSet, border: Border, threads: int) -> tuple[LayerMotion, ...]:
    """Of the layers from first to last and the first output; () where onnx is not installed."""
    try:
        inside = look_inside(model, threads=threads)
    except MissingExtraError:
        return ()
    layers = [*hierarchy_layers(inside), inside.layer(inside.output_names[0])]
    rows = np.unique(
        np.linspace(0, len(pictures) - 1, min(_LAYER_PICTURES, len(pictures))).round().astype(int)
    )
    return tuple(measure_motion(inside, layers, pictures.pixels[rows], border=border))
