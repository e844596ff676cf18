"""How a detector that judges regions came to its answer: proposed, judged, adjusted, kept."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from striate.errors import RunError, UsageError
from striate.figures import Gallery, GalleryItem, Section, Table
from striate.pictures import read, write
from striate.runs.atomic import write_text
from striate.runs.page import write_page
from striate.runs.plain import json_ready
from striate.runs.run import Run
from striate.tasks.detect.config import Method
from striate.tasks.detect.task import Detect
from striate.tasks.detect.types import Detections
from striate.types import Array, Picture
from striate.verbs.explain.stages_drawing import draw_adjusted, draw_judged, draw_kept, draw_regions
from striate.verbs.explain.stages_trace import GOOD, Trace, Traced, delta_words
from striate.verbs.model import FilePath, Model, load
from striate.verbs.outputs import writable

__all__ = ["FILES", "METHODS_WITH_STAGES", "Stages", "stages"]

METHODS_WITH_STAGES: tuple[Method, ...] = ("rcnn", "fast-rcnn", "faster-rcnn")
"""Methods whose graph tells of the regions that it judged."""
FILES = (
    "1-proposals.png",
    "2-judged.png",
    "3-adjusted.png",
    "4-kept.png",
    "stages.json",
    "stages.html",
)
_MOST_JUDGED = 30
_REGION_OUTPUTS = ("regions", "region_scores", "region_boxes")


@dataclass(frozen=True, slots=True, eq=False)
class Stages:
    """The stages of one picture, in its pixels.

    `proposals_xyxy` (P, 4), best first; `judged`: those that some class likes; `kept`: the answer, and
    `traced`: how each of its detections came about. `shown`: most regions drawn; `looks`: how many the
    method takes.
    """

    run: str
    path: str
    method: Method
    picture: Picture
    proposals_xyxy: Array
    judged: Detections
    liked: int
    traced: tuple[Traced, ...]
    kept: Detections
    looks: int
    show_from: float
    shown: int

    def to_dict(self) -> dict[str, Any]:
        """The line of `striate explain stages --json`, and stages.json."""
        return {
            "run": self.run,
            "picture": self.path,
            "method": self.method,
            "size_hw": list(self.picture.shape[:2]),
            "proposals": len(self.proposals_xyxy),
            "judged": self.liked,
            "kept": len(self.kept),
            "looks": self.looks,
            "good_below": GOOD,
            "show_from": round(self.show_from, 4),
            "detections": [one.to_dict() for one in self.traced],
        }

    def statements(self) -> list[str]:
        """The stages in sentences."""
        good = sum(one.looks_until_good is not None for one in self.traced)
        first = sum(one.looks_until_good == 1 for one in self.traced)
        found = [
            f"{_count(len(self.proposals_xyxy), 'region')} {_were(len(self.proposals_xyxy))} proposed.",
            f"{_count(self.liked, 'region')} {_were(self.liked)} liked by some class (score from "
            f"{self.show_from:.2f}).",
            f"{_count(len(self.kept), 'detection')} {_were(len(self.kept))} kept after adjustment and "
            "suppression.",
        ]
        if self.traced:
            found.append(
                f"{first} of them came from a proposal that was good already, {good} were good within "
                f"{_count(self.looks, 'look')} (no side or place off by {GOOD:g} of the region)."
            )
        return found

    def pictures(self) -> list[Picture]:
        """The four stages drawn."""
        return [
            draw_regions(self.picture, self.proposals_xyxy, self.shown),
            draw_judged(self.picture, self.judged, self.liked, self.show_from),
            draw_adjusted(
                self.picture,
                [
                    (one.number, [step.region_xyxy for step in one.steps], one.box_xyxy)
                    for one in self.traced
                ],
            ),
            draw_kept(self.picture, self.kept, self.show_from),
        ]

    def save(self, folder: FilePath, *, overwrite: bool = False) -> Path:
        """Write the four pictures, stages.json and stages.html to `folder`; the page's path."""
        *drawings, data, page = (writable(Path(folder) / one, overwrite=overwrite) for one in FILES)
        pictures = self.pictures()
        # makes the folder, which pictures do not
        write_text(data, json.dumps(json_ready(self.to_dict()), allow_nan=False) + "\n")
        for path, picture in zip(drawings, pictures, strict=True):
            write(picture, path, overwrite=overwrite)
        return write_page(
            page,
            f"How {self.run} sees {Path(self.path).name}",
            _INTRO,
            [_gallery(pictures), self._table()],
            kind="striate explain stages",
            facts=f"{self.method} · {self.picture.shape[1]} × {self.picture.shape[0]} pixels",
            numbers=[
                ("proposed", str(len(self.proposals_xyxy))),
                ("liked", str(self.liked)),
                ("kept", str(len(self.kept))),
                ("looks", str(self.looks)),
            ],
            overwrite=overwrite,
        )

    def _table(self) -> Section:
        rows = [
            (
                row,
                one.label,
                f"{one.score:.2f}",
                f"{step.look} of {self.looks}",
                f"{step.score:.2f}",
                _places(step.region_xyxy),
                " ".join(f"{value:+.2f}" for value in np.round(step.delta, 2) + 0.0),
                delta_words(step.delta),
                _places(step.adjusted_xyxy),
            )
            for row, one in enumerate(self.traced, start=1)
            for step in one.steps
        ]
        columns = (
            "detection",
            "class",
            "kept with",
            "look",
            "scored",
            "region",
            "dx dy dw dh",
            "the region is",
            "moved to",
        )
        caption = (
            "A row a look. dx and dw are parts of the region's width, dy and dh of its height; below "
            f"{GOOD:g} each it is called good. Places are left, top, right, bottom in pixels."
        )
        return Section(
            "How each box came about",
            "A proposal seldom lies right. The network says how it must move and change, and the box "
            "that comes of it is the answer; R-CNN cuts the likeliest ones out again and looks again.",
            [Table("Looks", caption, columns, rows)],
        )


_INTRO = (
    "A region detector answers in stages: regions that may hold anything are proposed, each is judged "
    "by every class, each class moves the box to where its object should be, and of boxes that overlap "
    "only the best is kept. These are the regions that this run really used."
)
_TITLES = (
    ("1 · Proposed", "the best regions, from yellow for the first to blue"),
    ("2 · Judged", "those that some class likes, with its score"),
    ("3 · Adjusted", "dashed: the region; whole: where it was moved to"),
    ("4 · Kept", "the answer, after suppression"),
)


def _gallery(pictures: Sequence[Picture]) -> Section:
    items = [
        GalleryItem(picture, title, note)
        for picture, (title, note) in zip(pictures, _TITLES, strict=True)
    ]
    return Section("The stages", "", [Gallery("From regions to the answer", "", items, large=True)])


def stages(run: FilePath | Run | Model, picture: FilePath, *, most: int = 40) -> Stages:
    """What a region detector made of the picture file `picture`, stage by stage.

    `most`: proposals that are drawn. Errors: `UsageError` where the run's method judges no regions;
    `RunError` where its graph does not tell of them; `PictureError` where the file cannot be read.
    """
    if most < 1:
        raise UsageError(f"at most {most} regions were asked for", expected="1 or more")
    model = run if isinstance(run, Model) else load(run)
    task = _detector(model)
    shown = read(picture)
    prepared = task.prepare(shown)
    feeds = task.feeds(prepared.pixels[None])
    outputs = model.graphs()["main"](feeds)
    missing = [name for name in _REGION_OUTPUTS if name not in outputs]
    if missing:
        raise RunError(
            f"the graph of {model.run.name} does not tell of its regions: no output {missing[0]!r}",
            remedy="train the run again with this version of striate",
        )
    first = feeds["proposals"].shape[1] if "proposals" in feeds else outputs["regions"].shape[1]
    trace = Trace.of(
        [np.asarray(outputs[name][0]) for name in _REGION_OUTPUTS], prepared, task.facts, first
    )
    kept = task.decode(outputs, [prepared])[0].above(task.facts.show_from)
    judged = trace.judged()
    return Stages(
        run=model.run.name,
        path=os.fsdecode(picture),
        method=task.facts.method,
        picture=shown,
        proposals_xyxy=trace.proposals_xyxy(),
        judged=judged.take(np.arange(min(_MOST_JUDGED, len(judged)))),
        liked=len(judged),
        traced=tuple(trace.traced(kept, row) for row in range(len(kept))),
        kept=kept,
        looks=task.facts.looks if task.facts.method == "rcnn" else 1,
        show_from=task.facts.show_from,
        shown=most,
    )


def _detector(model: Model) -> Detect:
    """The run's task, if its method has stages."""
    task = model.task
    expected = f"a run of the method {', '.join(METHODS_WITH_STAGES[:-1])} or {METHODS_WITH_STAGES[-1]}"
    if not isinstance(task, Detect):
        raise UsageError(f"{model.run.name} is a run of the task {task.name}", expected=expected)
    if task.facts.method not in METHODS_WITH_STAGES:
        raise UsageError(
            f"{model.run.name} detects by the method {task.facts.method}, which judges no regions",
            expected=expected,
            remedy="train one with: striate train DATA --task detect --method rcnn",
        )
    return task


def _places(box: Array) -> str:
    return " ".join(f"{edge:.0f}" for edge in box)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _were(number: int) -> str:
    return "was" if number == 1 else "were"
