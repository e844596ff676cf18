"""Where the objects are, as far as the data tells: for axes that leave them alone, or push them out.

Nothing is guessed. Scenes and solids know their objects to the pixel; a folder of masks says what its
maker drew; boxes say where objects may be. Anything else says nothing, and axes that need to know are
left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np

from striate.data.boxes.truth import Box
from striate.data.dataset import Record
from striate.data.meshes.origin import SolidOrigin
from striate.data.scenes.origin import SceneOrigin
from striate.errors import DataError, UsageError
from striate.pictures.read import read
from striate.stress.axes.background import CLUTTER
from striate.stress.changes import Axis
from striate.types import Array, Prepared, SizeHW

__all__ = ["Known", "MaskFolder", "known_objects", "object_mask", "usable_axes"]

Known: TypeAlias = Literal["exact", "boxes", "nothing"]
"""What the data says about where objects are."""

_SUFFIXES = (".png", ".bmp", ".tif", ".tiff", ".webp", ".gif", ".jpg", ".jpeg")


@dataclass(frozen=True, slots=True)
class MaskFolder:
    """Masks that the user gives: for the picture `a/b.jpg` the file `a/b.png` in `root`, of the same
    size (or shape, where the picture was decoded smaller), 0 (black) where the object is not."""

    root: Path

    def __post_init__(self) -> None:
        if not self.root.is_dir():
            raise UsageError(
                f"{self.root} is no folder",
                expected="a folder of masks, named as the pictures are",
                remedy="give the folder to --masks, or leave it out",
            )

    def mask(self, key: str, size_hw: SizeHW) -> Array:
        """Where the object of record `key` is, bool (H', W') in the mask's own size; a `DataError` if
        it is missing or has another shape than the picture of `size_hw`."""
        stem = self.root / Path(key).with_suffix("")
        path = next((p for s in _SUFFIXES if (p := stem.with_name(stem.name + s)).is_file()), None)
        if path is None:
            raise DataError(
                f"{self.root} has no mask for {key}",
                expected=f"{stem.name}.png, as the picture lies in its folder",
                remedy="add it, all black where the picture has no object",
            )
        found: Array = np.any(read(path), axis=2)
        if not _alike(found.shape, size_hw):
            raise DataError(
                f"{path} is {found.shape[1]} × {found.shape[0]} pixels, its picture "
                f"{size_hw[1]} × {size_hw[0]}",
                expected="a mask of the picture's size",
                remedy="draw it on the upright picture, at full size",
            )
        return found


def known_objects(records: Sequence[Record[Any]], folder: MaskFolder | None = None) -> Known:
    """What a data set says of where its objects are: the least that any record says."""
    if folder is not None and records:
        return "exact"
    if records and all(isinstance(one.origin, SceneOrigin | SolidOrigin) for one in records):
        return "exact"
    boxed = [isinstance(box, Box) for one in records for box in _targets(one.target)]
    return "boxes" if boxed and all(boxed) else "nothing"


def object_mask(
    record: Record[Any], prepared: Prepared, folder: MaskFolder | None = None
) -> Array | None:
    """Where the objects of a record are in the network's input, bool (h, w); None if nothing says so.

    Of scenes of one object, it alone; of streets all objects. A pixel belongs to the object if
    its middle does. Errors: `DataError` for a mask that is missing or of another size.
    """
    if folder is not None:
        return _into_input(folder.mask(record.key, prepared.size_hw), prepared)
    if isinstance(record.origin, SceneOrigin):
        scene = record.origin.scene()
        alone = record.origin.only is not None and scene.main is not None
        own = scene.instances == (scene.main or 0) + 1 if alone else scene.instances > 0
        return _into_input(own, prepared)
    if isinstance(record.origin, SolidOrigin):
        return _into_input(record.origin.rendered().mask, prepared)
    targets = _targets(record.target)
    if any(isinstance(box, Box) for box in targets):
        return _of_boxes([box for box in targets if isinstance(box, Box)], prepared)
    return None


def usable_axes(
    axes: Sequence[Axis], known: Known
) -> tuple[tuple[Axis, ...], tuple[tuple[Axis, str], ...]]:
    """The axes that can be measured with what is known of objects, and the others with the reason."""
    kept, left_out = [], []
    for axis in axes:
        reason = _why_not(axis, known)
        if reason:
            left_out.append((axis, reason))
        else:
            kept.append(axis)
    return tuple(kept), tuple(left_out)


def _why_not(axis: Axis, known: Known) -> str:
    if not axis.needs_masks or known == "exact":
        return ""
    if known == "nothing":
        return "the data does not say where the object is, and a guess would not be honest; --masks DIR"
    if axis.name == CLUTTER.name:
        return ""
    return "the data has boxes, and cutting out needs masks; --masks DIR"


def _alike(mask_hw: tuple[int, ...], size_hw: SizeHW) -> bool:
    """Whether the sides are as those of the picture, or the same number of times as long."""
    scale_y, scale_x = mask_hw[0] / size_hw[0], mask_hw[1] / size_hw[1]
    if min(scale_y, scale_x) <= 1:
        return mask_hw == size_hw
    # a picture decoded smaller has its sides rounded up to whole pixels
    return abs(scale_y - scale_x) <= scale_y / size_hw[0] + scale_x / size_hw[1]


def _targets(target: Any) -> tuple[Any, ...]:
    return target if isinstance(target, tuple) else ()


def _middles(prepared: Prepared) -> tuple[Array, Array]:
    """Middles of the input's pixels in the original: y (h,), x (w,)."""
    sides = prepared.pixels.shape[:2]
    y, x = (
        (np.arange(side) + 0.5 - offset) / scale
        for side, scale, offset in zip(sides, prepared.scale_yx, prepared.offset_yx, strict=True)
    )
    return y, x


def _into_input(mask: Array, prepared: Prepared) -> Array:
    """A mask (H, W) of the original, perhaps larger than it was read, in the input's pixels."""
    rows, columns = (
        np.floor(places * (own / read)).astype(np.int64)
        for places, own, read in zip(_middles(prepared), mask.shape, prepared.size_hw, strict=True)
    )
    inside = [(at >= 0) & (at < side) for at, side in zip((rows, columns), mask.shape, strict=True)]
    clipped = mask[np.clip(rows, 0, mask.shape[0] - 1)][:, np.clip(columns, 0, mask.shape[1] - 1)]
    found: Array = clipped & inside[0][:, None] & inside[1]
    return found


def _of_boxes(boxes: Sequence[Box], prepared: Prepared) -> Array:
    """Everything in any of the boxes, turned ones as they are."""
    y, x = _middles(prepared)
    found = np.zeros(prepared.pixels.shape[:2], bool)
    for box in boxes:
        x0, y0, x1, y1 = box.box_xyxy
        turn = np.radians(box.angle_deg)
        across, down = x[None] - (x0 + x1) / 2, y[:, None] - (y0 + y1) / 2
        u, v = across * np.cos(turn) + down * np.sin(turn), down * np.cos(turn) - across * np.sin(turn)
        found |= (np.abs(u) <= (x1 - x0) / 2) & (np.abs(v) <= (y1 - y0) / 2)
    return found
