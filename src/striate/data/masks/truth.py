"""The truth of a segmented picture: one class a pixel, read when it is asked for."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

import numpy as np

from striate.data.masks.classes import MaskClasses
from striate.data.masks.stored import stored_colours, stored_ids
from striate.data.origins import FileOrigin
from striate.data.scenes.origin import SceneOrigin
from striate.errors import LabelError, PictureError
from striate.pictures.sources import shown_name
from striate.types import Array

__all__ = ["IGNORED", "BinaryMasks", "ClassMap", "MaskFile", "SceneMask", "SegmentationTarget"]

IGNORED = 255
"""What a pixel holds that is not judged."""

ClassMap: TypeAlias = Array
"""uint8 (H, W): indices into the data set's `names`, or `IGNORED`."""

_NAMED = 5
_BINARY_LEVELS = 2


class SegmentationTarget(Protocol):
    """Where the class map of one picture comes from. Its `repr` tells its content, not its place."""

    def read(self) -> ClassMap:
        """The class map; a `PictureError` where the file cannot be read, a `LabelError` for what it may
        not hold."""
        ...


@dataclass(frozen=True, slots=True, repr=False)
class MaskFile:
    """One file that holds the ids, palette indices or colours of all classes."""

    path: str
    key: str
    classes: MaskClasses = field(compare=False)

    def __repr__(self) -> str:
        return f"mask {_hash(self.path)}"

    def read(self) -> ClassMap:
        """The class map, uint8 (H, W)."""
        found = stored_ids(self.path)
        if found is None or not self.classes.by_id:
            return self._by_colour(stored_colours(self.path))
        return self._by_id(found)

    def _by_id(self, ids: Array) -> ClassMap:
        known = np.asarray(sorted(self.classes.by_id), np.int64)
        table = np.asarray([self.classes.by_id[int(one)] for one in known], np.uint8)
        place = np.searchsorted(known, ids).clip(max=len(known) - 1)
        if not (good := known[place] == ids).all():
            foreign = np.unique(ids[~good])
            raise LabelError(
                f"mask {shown_name(self.key)} holds {_listed(foreign.tolist())}, which names no class "
                f"({int((~good).sum())} pixels)",
                expected=f"ids {_spans(known.tolist())}",
                remedy="name it in the class file, list it there as ignored, or mend the mask",
            )
        found: ClassMap = table[place]
        return found

    def _by_colour(self, colours: Array) -> ClassMap:
        if not self.classes.by_colour:
            raise LabelError(
                f"mask {shown_name(self.key)} is stored in colours, and no file tells their classes",
                expected="ids as a grey or paletted PNG, or a colour map such as class_dict.csv",
                remedy="add class_dict.csv with the columns name, r, g, b",
            )
        packed = colours.astype(np.int64) @ np.array([65536, 256, 1])  # (H, W)
        pairs = sorted((r * 65536 + g * 256 + b, at) for (r, g, b), at in self.classes.by_colour.items())
        known = np.asarray([one for one, _ in pairs])
        place = np.searchsorted(known, packed).clip(max=len(known) - 1)
        if not (good := known[place] == packed).all():
            foreign = [f"#{one:06x}" for one in np.unique(packed[~good]).tolist()]
            raise LabelError(
                f"mask {shown_name(self.key)} holds the colour {_listed(foreign)}, which names no class "
                f"({int((~good).sum())} pixels)",
                expected="the colours of the colour map, exactly: no JPEG, no smoothing",
                remedy="add it to the colour map, or save the mask as PNG",
            )
        found: ClassMap = np.asarray([at for _, at in pairs], np.uint8)[place]
        return found


@dataclass(frozen=True, slots=True, repr=False)
class BinaryMasks:
    """A file a class: what is not 0 belongs to it; the rest is class 0, the background.

    `parts`: (class index, path, key). Pixels that two classes claim are not judged. `size_hw`: of the
    picture, where there is no part.
    """

    parts: tuple[tuple[int, str, str], ...]
    size_hw: tuple[int, int] = field(compare=False)

    def __repr__(self) -> str:
        return "masks " + " ".join(f"{index} {_hash(path)}" for index, path, _ in self.parts)

    def read(self) -> ClassMap:
        """The class map, uint8 (H, W)."""
        found: ClassMap = np.zeros(self.size_hw, np.uint8)
        for index, path, key in self.parts:
            inside = _binary(path, key)
            if inside.shape != self.size_hw:
                raise LabelError(_sizes(key, inside.shape, self.size_hw), remedy=_SAME_SIZE)
            twice = inside & (found > 0)
            found[inside] = index
            found[twice] = IGNORED
        return found


@dataclass(frozen=True, slots=True)
class SceneMask:
    """The class map of a drawn scene."""

    origin: SceneOrigin

    def read(self) -> ClassMap:
        """The class map, uint8 (H, W)."""
        return self.origin.scene().semantic


_SAME_SIZE = "save the mask in the size of its picture"


def _sizes(key: str, mask: tuple[int, ...], picture: tuple[int, ...]) -> str:
    return (
        f"mask {shown_name(key)} has {mask[1]} × {mask[0]} pixels, "
        f"its picture {picture[1]} × {picture[0]}"
    )


def _binary(path: str, key: str) -> Array:
    found = stored_ids(path)
    ids = stored_colours(path).max(axis=2) if found is None else found
    levels = np.unique(ids)
    if len(levels) > _BINARY_LEVELS or (len(levels) == _BINARY_LEVELS and levels[0] != 0):
        raise LabelError(
            f"mask {shown_name(key)} holds {len(levels)} levels: {_listed(levels.tolist())}",
            expected="two in a folder of one class: 0 and another",
            remedy="save it as PNG without smoothing, or as one mask of ids with a classes.json",
        )
    inside: Array = ids > 0
    return inside


def _hash(path: str) -> str:
    """Its content; what is wrong with a file that cannot be read is told by reading it."""
    try:
        return FileOrigin(path).content_hash()
    except PictureError:
        return hashlib.sha256(b"").hexdigest()


def _listed(values: list[int] | list[str]) -> str:
    more = f" and {len(values) - _NAMED} more" if len(values) > _NAMED else ""
    return ", ".join(map(str, values[:_NAMED])) + more


def _spans(ids: list[int]) -> str:
    """Whole numbers in short: 0 to 11, 255."""
    spans: list[list[int]] = []
    for one in ids:
        if spans and one == spans[-1][1] + 1:
            spans[-1][1] = one
        else:
            spans.append([one, one])
    return ", ".join(f"{a} to {b}" if b > a else str(a) for a, b in spans)
