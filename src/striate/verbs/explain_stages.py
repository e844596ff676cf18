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
from striate.ops.boxes import clip_xyxy
from striate.ops.deltas import deltas_from_boxes
from striate.pictures import read, write
from striate.runs.atomic import write_text
from striate.runs.page import write_page
from striate.runs.plain import json_ready
from striate.runs.run import Run
from striate.tasks.detect.config import DetectFacts, Method
from striate.tasks.detect.decode import honest
from striate.tasks.detect.task import Detect
from striate.tasks.detect.types import Detections
from striate.types import Array, Picture, Prepared
from striate.verbs.model import FilePath, Model, load
from striate.verbs.outputs import writable
from striate.verbs.stages_drawing import draw_adjusted, draw_judged, draw_kept, draw_regions

__all__ = ["FILES", "GOOD", "METHODS_WITH_STAGES", "Stages", "Step", "Traced", "delta_words", "stages"]

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
GOOD = 0.05
"""A region is good where it need not move or change by this part of its own width and height."""
_MOST_JUDGED = 30
_SAME_PX = 0.05
_REGION_OUTPUTS = ("regions", "region_scores", "region_boxes")


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One look at one region: where it was, and what the network did to it.

    `delta` (4,): dx, dy, dw, dh in the deck's form; `score`: of the label that was kept.
    """

    look: int
    region_xyxy: Array
    adjusted_xyxy: Array
    delta: Array
    score: float

    @property
    def good(self) -> bool:
        """Whether the region lay well already."""
        return bool((np.abs(self.delta) < GOOD).all())

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready, with the delta in words."""
        return {
            "look": self.look,
            "region_xyxy": _edges(self.region_xyxy),
            "score": round(self.score, 4),
            "delta": [round(float(one), 4) for one in self.delta],
            "words": delta_words(self.delta),
            "good": self.good,
            "adjusted_xyxy": _edges(self.adjusted_xyxy),
        }


@dataclass(frozen=True, slots=True, eq=False)
class Traced:
    """A detection that was kept, and the looks that led to it, from the proposal on."""

    label: str
    number: int
    score: float
    box_xyxy: Array
    steps: tuple[Step, ...]

    @property
    def looks_until_good(self) -> int | None:
        """The first look that found its region good; None where none did."""
        return next((step.look for step in self.steps if step.good), None)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready: the last look's region, delta and words, and all looks."""
        return {
            "label": self.label,
            "score": round(self.score, 4),
            "box_xyxy": _edges(self.box_xyxy),
            "proposal_xyxy": _edges(self.steps[0].region_xyxy),
            **{k: v for k, v in self.steps[-1].to_dict().items() if k != "score"},
            "looks_until_good": self.looks_until_good,
            "steps": [step.to_dict() for step in self.steps],
        }


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
        for path, picture in zip(drawings, pictures, strict=True):
            write(picture, path, overwrite=overwrite)
        write_text(data, json.dumps(json_ready(self.to_dict()), allow_nan=False) + "\n")
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
                " ".join(f"{value:+.2f}" for value in step.delta),
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
            f"A row a look. dx and dw are parts of the region's width, dy and dh of its height; below {GOOD:g} "
            "each it is called good. Places are left, top, right, bottom in pixels of the picture."
        )
        return Section(
            "How each box came about",
            "A proposal seldom lies right. The network says how it must move and change, and the box that "
            "comes of it is what is answered; R-CNN cuts the likeliest ones out again and looks once more.",
            [Table("Looks", caption, columns, rows)],
        )


_INTRO = (
    "A region detector answers in stages: regions that may hold anything are proposed, each is judged by "
    "every class, each class moves the box to where its object should be, and of boxes that overlap only "
    "the best is kept. These are the regions that this run really used."
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
            f"the graph of {model.run.name} does not tell of its regions: it has no output {missing[0]!r}",
            remedy="train the run again with this version of striate",
        )
    first = feeds["proposals"].shape[1] if "proposals" in feeds else outputs["regions"].shape[1]
    trace = _Trace.of(
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


@dataclass(frozen=True, slots=True, eq=False)
class _Trace:
    """What a graph tells of its regions, in pixels of the picture.

    `regions_xyxy` (R, 4), `scores` (R, K), honest, `boxes_xyxy` (R, K, 4); `look` (R,): 1 for proposals;
    `real` bool (R,): whether there is a region.
    """

    facts: DetectFacts
    prepared: Prepared
    regions_xyxy: Array
    scores: Array
    boxes_xyxy: Array
    look: Array
    real: Array

    @classmethod
    def of(cls, outputs: Sequence[Array], prepared: Prepared, facts: DetectFacts, first: int) -> _Trace:
        """`outputs`: regions (R, 4), scores (R, K), boxes (R, K, 4); `first`: regions of the first look."""
        regions, scores, boxes = (one.astype(np.float64) for one in outputs)
        scale, offset = np.array(prepared.scale_yx)[::-1], np.array(prepared.offset_yx)[::-1]
        again = max(1, (len(regions) - first) // max(1, facts.looks - 1))
        return cls(
            facts,
            prepared,
            (regions - np.tile(offset, 2)) / np.tile(scale, 2),
            honest(scores, facts) * (scores > 0),
            (boxes - np.tile(offset, 2)) / np.tile(scale, 2),
            np.where(np.arange(len(regions)) < first, 1, 2 + (np.arange(len(regions)) - first) // again),
            (regions[:, 2:] > regions[:, :2]).all(axis=1),
        )

    def proposals_xyxy(self) -> Array:
        """Regions of the first look, best first, (P, 4)."""
        return clip_xyxy(self.regions_xyxy[(self.look == 1) & self.real], self.prepared.size_hw)

    def judged(self) -> Detections:
        """Regions of the first look that some class likes, best first, unmoved."""
        scores, labels = self.scores.max(axis=1), self.scores.argmax(axis=1)
        rows = np.flatnonzero((self.look == 1) & self.real & (scores >= self.facts.show_from))
        rows = rows[np.argsort(-scores[rows], kind="stable")]
        return Detections(
            self.facts.names,
            clip_xyxy(self.regions_xyxy[rows], self.prepared.size_hw).astype(np.float32),
            scores[rows].astype(np.float32),
            labels[rows].astype(np.int64),
        )

    def traced(self, kept: Detections, number: int) -> Traced:
        """How detection `number` of the answer came about."""
        label, box = int(kept.labels[number]), kept.boxes_xyxy[number].astype(np.float64)
        row: int | None = self._row_of(label, box)
        steps: list[Step] = []
        moved_by = label
        while row is not None:
            steps.insert(0, self._step(row, moved_by, label))
            row = self._parent(row)
            if row is not None:
                moved_by = int(self.scores[row].argmax())
        return Traced(self.facts.names[label], label, float(kept.scores[number]), box, tuple(steps))

    def _row_of(self, label: int, box_xyxy: Array) -> int:
        """The region whose box of class `label` is the detection's, the likeliest of equal ones."""
        own = clip_xyxy(self.boxes_xyxy[:, label], self.prepared.size_hw)
        far = np.abs(own - box_xyxy).max(axis=1)
        same = np.flatnonzero(far <= far.min() + _SAME_PX)
        return int(same[self.scores[same, label].argmax()])

    def _parent(self, row: int) -> int | None:
        """The region of the look before that was moved to where region `row` is."""
        before = np.flatnonzero((self.look == self.look[row] - 1) & self.real)
        if not len(before):
            return None
        moved = self.boxes_xyxy[before, self.scores[before].argmax(axis=1)]
        far = np.abs(moved - self.regions_xyxy[row]).max(axis=1)
        return int(before[far.argmin()]) if far.min() <= _SAME_PX else None

    def _step(self, row: int, moved_by: int, label: int) -> Step:
        region, moved = self.regions_xyxy[row], self.boxes_xyxy[row, moved_by]
        return Step(
            int(self.look[row]),
            region,
            moved,
            deltas_from_boxes(region[None], moved[None], form="deck")[0],
            float(self.scores[row, label]),
        )


def delta_words(delta: Array) -> str:
    """What dx, dy, dw and dh in the deck's form say of a region; "good" where all are small.

    >>> delta_words(np.array([0.25, 0, 0, 0])), delta_words(np.array([0, 0, -0.125, 0.01]))
    ('too far left by 0.25 of its width', 'too wide by 0.12 of its width')
    """
    names = (
        ("too far right", "too far left", "width"),
        ("too low", "too high", "height"),
        ("too wide", "too narrow", "width"),
        ("too tall", "too short", "height"),
    )
    found = [
        f"{below if value < 0 else above} by {abs(value):.2f} of its {side}"
        for value, (below, above, side) in zip(delta.tolist(), names, strict=True)
        if abs(value) >= GOOD
    ]
    return ", ".join(found) or "good"


def _edges(box: Array) -> list[float]:
    return [round(float(edge), 2) for edge in box]


def _places(box: Array) -> str:
    return " ".join(f"{edge:.0f}" for edge in box)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _were(number: int) -> str:
    return "was" if number == 1 else "were"
