"""What is told of pictures and their versions: labels as they follow, boxes and masks moved along."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from striate.data.dataset import Dataset
from striate.data.masks.read import read_target
from striate.data.prepared import PreparedSet
from striate.task import Task
from striate.types import Array, Problem
from striate.verbs.data.sheet_of_variants import NO_CLASS, Cell

if TYPE_CHECKING:
    from striate.nn.augment.plan import Plan
    from striate.nn.augment.settings import AugmentSettings

__all__ = ["Kind", "Label", "Material", "applied", "labelling"]

Kind: TypeAlias = Literal["classes", "boxes", "numbers", "masks", "none"]
"""What is known of pictures."""

_SEEN = 0.005
"""A smaller share of a mixed picture is not told."""
_UNKNOWN = "no label"


Label: TypeAlias = Callable[[Array, "Plan | None"], list[Cell]]
"""From pictures uint8 (B, H, W, 3), and what was done to them, to cells."""


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """Chosen pictures, prepared, with their truths (None: no label), and how they are varied."""

    task: Task[Any, Any]
    recipe: Any
    kind: Kind
    dataset: Dataset[Any]
    prepared: PreparedSet
    settings: AugmentSettings
    note: str


def labelling(made: Material) -> Label:
    """How the truths of `made` are told."""
    return _LABELLINGS[made.kind](made)


def applied(augmenter: Any, pixels: Array, plan: Plan) -> Array:
    """uint8 (B, H, W, 3) after `plan`."""
    found = augmenter.apply(pixels.copy(), plan).float().round().clamp(0, 255)
    shown: Array = found.byte().permute(0, 2, 3, 1).contiguous().numpy()
    return shown


def _with_names(made: Material) -> Label:
    """Class names, and of mixed pictures the share of each."""
    return _named(
        [_UNKNOWN if one is None else ", ".join(one) or _UNKNOWN for one in made.dataset.targets]
    )


def _with_values(made: Material) -> Label:
    """Numbers by name; they stay what they are, but for shares of a mixed picture."""
    columns = made.dataset.names
    return _named(
        [
            _UNKNOWN
            if target is None
            else ", ".join(f"{name} {value:.3g}" for name, value in zip(columns, target, strict=True))
            for target in made.dataset.targets
        ]
    )


def _with_files(made: Material) -> Label:
    """Names of the files, where there is nothing else to tell."""
    return _named([Path(record.key).name for record in made.dataset])


def _named(names: Sequence[str]) -> Label:
    def label(pixels: Array, plan: Plan | None) -> list[Cell]:
        return [Cell(one, words) for one, words in zip(pixels, _mixed(names, plan), strict=True)]

    return label


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


def _with_boxes(made: Material) -> Label:
    """Boxes where they are now; those that left the picture are not drawn, as they are not trained."""
    names, targets = made.dataset.names, made.dataset.targets
    encoded = made.recipe.encode([target or () for target in targets], made.prepared)

    def label(pixels: Array, plan: Plan | None) -> list[Cell]:
        moved = encoded if plan is None else made.recipe.follow(encoded, plan)
        cells = []
        parts = (moved[name].numpy() for name in ("boxes", "angles", "labels"))
        for picture, target, boxes, angles, labels in zip(pixels, targets, *parts, strict=True):
            there = labels >= 0
            here = tuple(names[label] for label in labels[there].tolist())
            words = _UNKNOWN if target is None else _counted(here)
            cells.append(Cell(picture, words, boxes[there], here, labels[there], angles[there]))
        return cells

    return label


def _counted(names: Sequence[str]) -> str:
    """ "car (2), bus"."""
    if not names:
        return "nothing"
    counts = {name: names.count(name) for name in names}
    return ", ".join(f"{name} ({count})" if count > 1 else name for name, count in counts.items())


def _with_masks(made: Material) -> Label:
    """Classes where their pixels are now, the largest first; of mixed ones that which shows most."""
    from striate.nn.augment.augmenter import Augmenter

    names, size_hw = made.dataset.names, made.task.input_hw
    maps = np.stack([_class_map(made, row) for row in range(len(made.dataset))])
    present = [one for one in np.unique(maps).tolist() if one < len(names)]
    augmenter = Augmenter(made.settings, size_hw, seed=0)

    def moved(plan: Plan) -> Array:
        """Each class as a picture of its own, moved as the picture was; what is half there counts."""
        only = replace(plan.moves_of(slice(None)), steps=None, mix=plan.mix)
        most, found = np.full(maps.shape, 127, np.uint8), np.full_like(maps, NO_CLASS)
        for one in present:
            layer = np.repeat((255 * (maps == one)).astype(np.uint8)[..., None], 3, axis=3)
            share = applied(augmenter, layer, only)[..., 0]
            found[share > most] = one
            most = np.maximum(most, share)
        return found

    def label(pixels: Array, plan: Plan | None) -> list[Cell]:
        cells = []
        for picture, one in zip(pixels, maps if plan is None else moved(plan), strict=True):
            counts = np.bincount(one.ravel(), minlength=len(names))[: len(names)]
            here = [names[place] for place in np.argsort(-counts).tolist() if counts[place]]
            cells.append(Cell(picture, ", ".join(here) or "no mask here", class_map=one))
        return cells

    return label


def _class_map(made: Material, row: int) -> Array:
    """The classes of a picture in the network's input, uint8 (h, w)."""
    found = read_target(made.dataset.records[row])
    if isinstance(found, Problem):
        return np.full(made.task.input_hw, NO_CLASS, np.uint8)
    height, width, *rest = made.prepared.geometry[row]
    places = []
    for side, own, read, scale, offset in zip(
        made.task.input_hw, found.shape, (height, width), rest[:2], rest[2:], strict=True
    ):
        at = np.floor((np.arange(side) + 0.5 - offset) / scale * (own / read)).astype(np.int64)
        places.append(np.where((at >= 0) & (at < own), at, own))
    beyond = np.pad(found, ((0, 1), (0, 1)), constant_values=NO_CLASS)
    seen: Array = beyond[np.ix_(*places)]
    return seen


_LABELLINGS: Mapping[Kind, Callable[[Material], Label]] = MappingProxyType(
    {
        "classes": _with_names,
        "numbers": _with_values,
        "boxes": _with_boxes,
        "masks": _with_masks,
        "none": _with_files,
    }
)
"""How truths are shown."""
