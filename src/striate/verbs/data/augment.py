"""`striate data augment`: what augmentation makes of your own pictures, labels included."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from striate.data.dataset import Dataset
from striate.data.prepared import PreparedSet
from striate.errors import LabelError, LayoutError, MissingExtraError, PictureError, UsageError
from striate.nn.augment.settings import AugmentSettings
from striate.pictures.write import WRITABLE_SUFFIXES, write
from striate.randomness import checked_seed
from striate.runs.atomic import write_text
from striate.task import Task
from striate.types import Picture
from striate.verbs.data.augment_labels import Kind, Material, applied, labelling
from striate.verbs.data.sheet_of_variants import Cell, draw_sheet, sheet_page
from striate.verbs.outputs import writable

if TYPE_CHECKING:
    from striate.verbs.data.augment_reading import Labelled

__all__ = ["Preview", "augment", "check_settings", "check_trainable", "sheet_file"]

_PAGES = (".html", ".htm")
_LEARNT_FROM = 2000
"""Pictures, of all kinds in turn, that the facts of a task, such as its input size, are learnt from."""
_SAMPLE = 16
"""Pictures that are looked at to see whether they show writing, which is not mirrored."""


@dataclass(frozen=True, slots=True, eq=False)
class Preview:
    """Pictures and what augmentation makes of them: a row each, the original first.

    `words`: what is on. `settings`: the resolved settings, JSON-ready. `source`, `task`: of what, and
    for which network. `labels`: what is drawn; `notes`: where labels are missing, or do not follow.
    """

    source: str
    task: str
    rows: tuple[tuple[Cell, ...], ...]
    words: tuple[str, ...]
    settings: Mapping[str, Any]
    labels: Kind = "classes"
    notes: tuple[str, ...] = ()

    def save(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """Write it: a page for a name that ends in .html, else a picture (.png, .jpg …)."""
        target = sheet_file(path, overwrite=overwrite)
        if target.suffix.lower() in _PAGES:
            write_text(target, sheet_page(self.title, self._told, self.rows))
            return target
        write(self.picture(), target, overwrite=overwrite)
        return target

    @property
    def title(self) -> str:
        """What the sheet is of."""
        return f"{Path(self.source).name or self.source}, augmented"

    @property
    def _told(self) -> tuple[str, ...]:
        return (*self.words, *(one.rstrip(".") for one in self.notes))

    def picture(self) -> Picture:
        """The sheet, uint8 (H, W, 3)."""
        return draw_sheet(self.title, self._told, self.rows)

    def to_dict(self) -> dict[str, Any]:
        """The line of `striate data augment --json`."""
        return {
            "source": self.source,
            "task": self.task,
            "pictures": len(self.rows),
            "variants": len(self.rows[0]) - 1,
            "labels": self.labels,
            "notes": list(self.notes),
            "settings": dict(self.settings),
            "words": list(self.words),
        }


def sheet_file(path: str | Path, *, overwrite: bool = False) -> Path:
    """`path`, if a sheet may be written there; a `UsageError` for another ending, or what is there."""
    ending = Path(path).suffix.lower()
    if ending not in (*_PAGES, *WRITABLE_SUFFIXES):
        raise UsageError(
            f"a sheet cannot be written to {Path(path).name}",
            expected=f".html for a page, or for a picture {', '.join(WRITABLE_SUFFIXES)}",
            remedy=f"name it {Path(path).stem or 'sheet'}.png or {Path(path).stem or 'sheet'}.html",
        )
    return writable(path, overwrite=overwrite)


def augment(
    source: str | Path,
    *,
    task: str | None = None,
    pictures: int = 5,
    variants: int = 6,
    seed: int = 0,
    **settings: Any,
) -> Preview:
    """What training would see of `source`: `pictures` of it, each in `variants` versions.

    `source`: a data set, any folder of pictures, one picture, or a pattern; no labels are needed.
    `task`: for which it is trained; by default what its labels are for, else classify. `settings`:
    fields of `AugmentSettings` and of the task's own. Pictures have the size of the network's input;
    versions are drawn as training draws them, an epoch each, by `seed`. Labels are drawn as they follow:
    boxes and masks moved, shares of mixed pictures told. Raises a `MissingExtraError` without torch.
    """
    checked_seed(seed)
    if pictures < 1 or variants < 1:
        raise UsageError(f"{pictures} pictures in {variants} variants", expected="at least 1 of each")
    made = _read(str(source), task, settings, pictures, seed)
    rows = _varied(made, variants, seed)
    return Preview(
        str(source),
        made.task.name,
        tuple(rows[:pictures]),
        _words(made.settings),
        made.settings.to_toml_dict(),
        made.kind,
        tuple(one for one in (made.note, *made.recipe.augment_remarks(made.settings)) if one),
    )


def check_settings(task: str, settings: Mapping[str, Any]) -> None:
    """Refuse, before anything is read, settings that no training for `task` could have together."""
    recipes, reading = _training()
    request = reading.Request.of("", task, settings)
    learnt = request.new_task().learn(reading.stand_in(request))
    recipes.recipe_for(learnt).augment(request.augment, np.zeros((2, *learnt.input_hw, 3), np.uint8))


def check_trainable(source: str, task: str, settings: Mapping[str, Any]) -> None:
    """Refuse, before anything is written, what has no labels to train with."""
    reading = _training()[1]
    new = reading.Request.of(source, task, settings).new_task()
    try:
        new.learn(reading.to_train(new.read(source)))
    except (LayoutError, LabelError) as error:
        raise type(error)(
            f"{error.what.rstrip('.')}; --ablate trains, and so needs labels",
            expected=error.expected,
            remedy=f"{error.remedy or 'give each picture one'}; a sheet needs none: leave out --ablate",
        ) from error


def _training() -> tuple[Any, Any]:
    """What needs torch; a `MissingExtraError` without it."""
    try:
        from striate.verbs.data import augment_reading
        from striate.verbs.training import recipes
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            str(error.name), "train", needed_for="augmentation, which works on tensors"
        ) from error
    return recipes, augment_reading


def _words(settings: AugmentSettings) -> tuple[str, ...]:
    from striate.nn.augment.words import settings_in_words

    return tuple(settings_in_words(settings)) or ("nothing is on: every version is the picture itself",)


# -- what is shown ----------------------------------------------------------------------------


def _read(source: str, task: str | None, values: Mapping[str, Any], count: int, seed: int) -> Material:
    """As many of the pictures as are shown, and of what was asked for what that comes to."""
    recipes, reading = _training()
    # what no task bears is refused before anything is read, the rest before any picture is
    varied = {name: value for name, value in values.items() if name in AugmentSettings.model_fields}
    check_settings(task or "classify", varied if task is None else values)
    found: Labelled = reading.read_labelled(source, task, values)
    request = found.request
    check_settings(request.task, values)
    if found.kind == "masks" and request.augment.policy == "augmix":
        raise UsageError(
            "augmix lays moved copies of a picture over it, whose masks would then lie",
            remedy="use --policy randaugment or trivialaugment",
        )
    some = found.dataset.take(_order(found.dataset, seed)[:_LEARNT_FROM])
    learnt, aligned = reading.learnt_from(found.kind, request, some)
    even = count + count % 2  # records are mixed in pairs
    chosen, prepared = _prepared(learnt, aligned, max(even, _SAMPLE))
    recipe = recipes.recipe_for(learnt)
    settings = recipe.augment(request.augment, prepared.pixels)
    shown = PreparedSet(prepared.pixels[:even], prepared.geometry[:even], prepared.kept[:even], ())
    few = chosen.take(range(len(shown)))
    return Material(learnt, recipe, found.kind, few, shown, settings, found.note)


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
    """Labels by name; numbers, boxes and masks are one kind each, the empty or no truth another."""
    if isinstance(target, tuple) and target and isinstance(target[0], str):
        return ", ".join(target)
    return "" if target is None or target == () else "some"


# -- versions ---------------------------------------------------------------------------------


def _varied(made: Material, variants: int, seed: int) -> list[tuple[Cell, ...]]:
    """A row a picture: as it is, and in each version."""
    from striate.nn.augment.augmenter import Augmenter

    augmenter = Augmenter(made.settings, made.task.input_hw, seed=seed)
    pixels = np.ascontiguousarray(made.prepared.pixels)
    label = labelling(made)
    columns = [label(pixels, None)]
    for epoch in range(variants):
        plan = augmenter.plan(epoch, np.arange(len(pixels)))
        columns.append(label(applied(augmenter, pixels, plan), plan))
    return [tuple(cells) for cells in zip(*columns, strict=True)]
