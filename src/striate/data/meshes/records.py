"""Solids as data sets: what it is, how a head is turned, what a figure does."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias, overload

from striate.data.boxes.truth import Box, Boxes
from striate.data.dataset import Dataset, Record
from striate.data.meshes.origin import SolidOrigin
from striate.data.meshes.settings import SolidSettings
from striate.data.meshes.solids import CLASS_NAMES
from striate.errors import SettingError, UnknownNameError
from striate.randomness import hash64
from striate.types import Split

__all__ = ["ANGLE_NAMES", "KINDS", "SolidKind", "solids_dataset"]

SolidKind: TypeAlias = Literal["class", "heads", "boxes"]
KINDS: tuple[SolidKind, ...] = ("class", "heads", "boxes")
ANGLE_NAMES: tuple[str, ...] = ("yaw", "pitch", "roll")

_USUAL_N = {"class": 1600, "heads": 3000, "boxes": 1600}
# two minutes on two quiet cores go through some 80 000 heads: enough to learn 1050 by heart
_MOST_N = 1_000_000
_HEADS = SolidSettings(
    yaw_deg=75.0,
    pitch_deg=40.0,
    roll_deg=35.0,
    elevation_deg=(0.0, 0.0),
    scale=(0.95, 1.2),
)


@overload
def solids_dataset(
    kind: Literal["class"] = "class",
    *,
    n: int | None = None,
    seed: int = 0,
    settings: SolidSettings | None = None,
) -> Dataset[tuple[str, ...]]: ...
@overload
def solids_dataset(
    kind: Literal["heads"],
    *,
    n: int | None = None,
    seed: int = 0,
    settings: SolidSettings | None = None,
) -> Dataset[tuple[float, ...]]: ...
@overload
def solids_dataset(
    kind: Literal["boxes"],
    *,
    n: int | None = None,
    seed: int = 0,
    settings: SolidSettings | None = None,
) -> Dataset[Boxes]: ...
def solids_dataset(
    kind: SolidKind = "class",
    *,
    n: int | None = None,
    seed: int = 0,
    settings: SolidSettings | None = None,
) -> Dataset[Any]:
    """`n` pictures of solids with their targets, rendered when they are read.

    "class": one object each in a natural pose (upright, any yaw), the target its name, equally often;
    1600 by default. "boxes": the same pictures, the target the box around it. "heads": a head each, the
    targets its yaw, pitch and roll in degrees, as `rotation` defines them; 3000.

    70 % train, 15 % validation, 15 % test. Errors: `SettingError` for `n`, `UnknownNameError` for
    `kind`.
    """
    if kind not in KINDS:
        raise UnknownNameError("kind of solids", kind, KINDS)
    count = _USUAL_N[kind] if n is None else n
    if not 1 <= count <= _MOST_N:
        raise SettingError(f"setting 'n' was given {n!r}", expected=f"1 to {_MOST_N} pictures")
    chosen = settings or (_HEADS if kind == "heads" else SolidSettings())
    records = tuple(_record(kind, index, count, seed, chosen) for index in range(count))
    names = ANGLE_NAMES if kind == "heads" else CLASS_NAMES
    root = "scenes-heads" if kind == "heads" else "scenes-3d"
    return Dataset(records, names, root=root, layout=f"rendered solids: {kind}")


def _record(kind: SolidKind, index: int, count: int, seed: int, settings: SolidSettings) -> Record[Any]:
    drawn = "heads" if kind == "heads" else "class"  # "boxes" are the same pictures
    name = "head" if kind == "heads" else CLASS_NAMES[index % len(CLASS_NAMES)]
    origin = SolidOrigin(name, settings, hash64(seed, "solids", drawn, index) >> 16)
    target: tuple[str, ...] | tuple[float, ...] | Boxes = (name,)
    if kind == "heads":
        target = origin.angles()
    elif kind == "boxes":
        box = origin.rendered().box_xyxy
        target = () if box is None else (Box(name, box, difficult=False),)
    each = 1 if kind == "heads" else len(CLASS_NAMES)
    root = "scenes-heads" if kind == "heads" else "scenes-3d"
    return Record(f"{root}/{index:05d}", origin, target, _split(index // each, -(-count // each)))


def _split(row: int, rows: int) -> Split:
    """Shares of 70, 15 and 15 % of the rows, spread evenly: every class, every split alike."""
    if rows < 3:
        return "train"
    turn = row % 20 if rows >= 20 else row * 20 // rows
    return "train" if turn < 14 else "validation" if turn < 17 else "test"
