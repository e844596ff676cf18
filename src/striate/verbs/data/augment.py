"""`striate data augment`: what augmentation makes of your own pictures, labels included."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from striate.data.dataset import Dataset
from striate.data.prepared import PreparedSet
from striate.errors import MissingExtraError, PictureError, UsageError
from striate.pictures.write import write
from striate.runs.atomic import write_text
from striate.task import Task
from striate.types import Array, Picture
from striate.verbs.data.sheet_of_variants import Cell, draw_sheet, sheet_page
from striate.verbs.outputs import writable

if TYPE_CHECKING:
    from striate.nn.augment.plan import Plan
    from striate.nn.augment.settings import AugmentSettings

__all__ = ["Preview", "augment"]

_PAGES = (".html", ".htm")
_LEARNT_FROM = 2000
"""Pictures, of all kinds in turn, that the facts of a task, such as its input size, are learnt from."""
_SAMPLE = 16
"""Pictures that are looked at to see whether they show writing, which is not mirrored."""
_SEEN = 0.005
"""A smaller share of a mixed picture is not told."""


@dataclass(frozen=True, slots=True, eq=False)
class Preview:
    """Pictures and what augmentation makes of them: a row each, the original first.

    `words`: what is on. `settings`: the resolved settings, JSON-ready. `source`, `task`: of what.
    """

    source: str
    task: str
    rows: tuple[tuple[Cell, ...], ...]
    words: tuple[str, ...]
    settings: Mapping[str, Any]

    def save(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """Write it: a page for a name that ends in .html, else a picture (.png, .jpg …)."""
        target = writable(path, overwrite=overwrite)
        if target.suffix.lower() in _PAGES:
            write_text(target, sheet_page(self.title, self.words, self.rows))
            return target
        write(self.picture(), target, overwrite=overwrite)
        return target

    @property
    def title(self) -> str:
        """What the sheet is of."""
        return f"{Path(self.source).name or self.source}, augmented"

    def picture(self) -> Picture:
        """The sheet, uint8 (H, W, 3)."""
        return draw_sheet(self.title, self.words, self.rows)

    def to_dict(self) -> dict[str, Any]:
        """The line of `striate data augment --json`."""
        return {
            "source": self.source,
            "task": self.task,
            "pictures": len(self.rows),
            "variants": len(self.rows[0]) - 1,
            "settings": dict(self.settings),
            "words": list(self.words),
        }


def augment(
    source: str | Path,
    *,
    task: str = "classify",
    pictures: int = 5,
    variants: int = 6,
    seed: int = 0,
    **settings: Any,
) -> Preview:
    """What training would see of `source`: `pictures` of it, each in `variants` versions.

    `settings`: fields of `AugmentSettings` and of the task's own. Pictures have the size of the
    network's input; versions are drawn as training draws them, an epoch each, by `seed`. Labels are
    drawn as they follow: boxes moved, shares of mixed pictures told. Raises a `MissingExtraError`
    without torch.
    """
    if pictures < 1 or variants < 1:
        raise UsageError(f"{pictures} pictures in {variants} variants", expected="at least 1 of each")
    made = _Material.read(str(source), task, settings, pictures, seed)
    rows = _varied(made, variants, seed)
    words = _words(made.settings)
    return Preview(str(source), task, tuple(rows[:pictures]), words, made.settings.to_toml_dict())


def _words(settings: AugmentSettings) -> tuple[str, ...]:
    from striate.nn.augment.words import settings_in_words

    return tuple(settings_in_words(settings)) or ("nothing is on: every version is the picture itself",)


# -- what is shown ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class _Material:
    """Chosen pictures, prepared, with their truths, and how they are varied."""

    task: Task[Any, Any]
    recipe: Any
    dataset: Dataset[Any]
    prepared: PreparedSet
    settings: AugmentSettings

    @classmethod
    def read(cls, source: str, task: str, values: Mapping[str, Any], count: int, seed: int) -> _Material:
        try:
            from striate.verbs.training.recipes import recipe_for
            from striate.verbs.training.request import Request
        except ModuleNotFoundError as error:
            raise MissingExtraError(
                str(error.name), "train", needed_for="augmentation, which works on tensors"
            ) from error
        request = Request.of(source, task, values)
        new = request.new_task()
        whole = new.read(source)
        whole = whole.only("train") if "train" in whole.splits else whole
        some = whole.take(_order(whole, seed)[:_LEARNT_FROM])
        learnt = new.learn(some)
        even = count + count % 2  # records are mixed in pairs
        chosen, prepared = _prepared(learnt, learnt.align(some), max(even, _SAMPLE))
        recipe = recipe_for(learnt)
        settings = recipe.augment(request.augment, prepared.pixels)
        shown = PreparedSet(prepared.pixels[:even], prepared.geometry[:even], prepared.kept[:even], ())
        return cls(learnt, recipe, chosen.take(range(len(shown))), shown, settings)


def _prepared(
    task: Task[Any, Any], dataset: Dataset[Any], count: int
) -> tuple[Dataset[Any], PreparedSet]:
    """The first `count` pictures that can be read."""
    rows, made = [], []
    for row in range(len(dataset)):
        try:
            made.append(task.prepare(dataset.records[row].origin.read(task.read_at_least_hw)))
        except PictureError:
            continue
        rows.append(row)
        if len(rows) == count:
            break
    if not rows:
        raise UsageError(
            f"not one picture of {dataset.shown_root()} could be read",
            remedy="see what is wrong with: striate data check",
        )
    geometry = np.array([[*one.size_hw, *one.scale_yx, *one.offset_yx] for one in made], np.float64)
    pixels = np.stack([one.pixels for one in made])
    return dataset.take(rows), PreparedSet(pixels, geometry, np.arange(len(rows)), ())


def _order(dataset: Dataset[Any], seed: int) -> list[int]:
    """Rows in which kinds of truths take turns; those with something in them first."""
    order = np.random.default_rng(seed).permutation(len(dataset)).tolist()
    seen: dict[str, int] = {}
    turns: list[tuple[bool, int, int, int]] = []
    for row in order:
        kind = _kind(dataset.records[row].target)
        seen[kind] = seen.get(kind, 0) + 1
        turns.append((not kind, seen[kind], len(turns), row))
    return [turn[-1] for turn in sorted(turns)]


def _kind(target: Any) -> str:
    """Labels by name; numbers and boxes are one kind each, the empty truth another."""
    if isinstance(target, tuple) and target and isinstance(target[0], str):
        return ", ".join(target)
    return "some" if not isinstance(target, tuple) or target else ""


# -- versions ---------------------------------------------------------------------------------


def _varied(made: _Material, variants: int, seed: int) -> list[tuple[Cell, ...]]:
    """A row a picture: as it is, and in each version."""
    from striate.nn.augment.augmenter import Augmenter

    augmenter = Augmenter(made.settings, made.task.input_hw, seed=seed)
    encoded = made.recipe.encode(made.dataset.targets, made.prepared)
    pixels = np.ascontiguousarray(made.prepared.pixels)
    label = _LABELLED[made.task.name]
    columns = [label(made, pixels, encoded, None)]
    for epoch in range(variants):
        plan = augmenter.plan(epoch, np.arange(len(pixels)))
        found = augmenter.apply(pixels.copy(), plan).float().round().clamp(0, 255)
        shown = found.byte().permute(0, 2, 3, 1).contiguous().numpy()
        columns.append(label(made, shown, made.recipe.follow(encoded, plan), plan))
    return [tuple(cells) for cells in zip(*columns, strict=True)]


def _with_labels(
    made: _Material, pixels: Array, encoded: Mapping[str, Any], plan: Plan | None
) -> list[Cell]:
    """Class names, and of mixed pictures the share of each."""
    names = [", ".join(target) or "no label" for target in made.dataset.targets]
    return [Cell(one, words) for one, words in zip(pixels, _mixed(names, plan), strict=True)]


def _mixed(names: Sequence[str], plan: Plan | None) -> list[str]:
    r""" "0.70 cat\n+ 0.30 dog", where a picture was mixed with another."""
    if plan is None or plan.mix is None:
        return list(names)
    said = []
    for row, (partner, share) in enumerate(
        zip(plan.mix.partner.tolist(), plan.mix.share.tolist(), strict=True)
    ):
        parts = [(share, names[row]), (1.0 - share, names[partner])]
        parts = [part for part in sorted(parts, reverse=True) if part[0] >= _SEEN]
        whole = len(parts) == 1 or names[row] == names[partner]
        said.append(parts[0][1] if whole else "\n+ ".join(f"{part:.2f} {name}" for part, name in parts))
    return said


def _with_values(
    made: _Material, pixels: Array, encoded: Mapping[str, Any], plan: Plan | None
) -> list[Cell]:
    """Numbers by name; they stay what they are, but for shares of a mixed picture."""
    columns = made.dataset.names
    names = [
        ", ".join(f"{name} {value:.3g}" for name, value in zip(columns, target, strict=True))
        for target in made.dataset.targets
    ]
    return [Cell(one, words) for one, words in zip(pixels, _mixed(names, plan), strict=True)]


def _with_boxes(
    made: _Material, pixels: Array, encoded: Mapping[str, Any], plan: Plan | None
) -> list[Cell]:
    """Boxes where they are now; those that left the picture are not drawn, as they are not trained."""
    names = made.dataset.names
    cells = []
    parts = (encoded[name].numpy() for name in ("boxes", "angles", "labels"))
    for picture, boxes, angles, labels in zip(pixels, *parts, strict=True):
        there = labels >= 0
        here = [(names[label]) for label in labels[there].tolist()]
        cells.append(
            Cell(picture, _counted(here), boxes[there], tuple(here), labels[there], angles[there])
        )
    return cells


def _counted(names: Sequence[str]) -> str:
    """ "car (2), bus"."""
    if not names:
        return "nothing"
    counts = {name: names.count(name) for name in names}
    return ", ".join(f"{name} ({count})" if count > 1 else name for name, count in counts.items())


_Labelled = Callable[["_Material", Array, Mapping[str, Any], "Plan | None"], list[Cell]]

_LABELLED: Mapping[str, _Labelled] = MappingProxyType(
    {"classify": _with_labels, "regress": _with_values, "detect": _with_boxes}
)
"""How truths are shown, by task."""
