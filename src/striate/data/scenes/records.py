"""Scenes as data sets: classes to tell apart, objects to count or to find, values to estimate."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias, overload

from striate.data.boxes.truth import Boxes
from striate.data.dataset import Dataset, Record
from striate.data.scenes.chance import stream
from striate.data.scenes.names import OBJECT_NAMES, ObjectName
from striate.data.scenes.origin import SceneOrigin
from striate.data.scenes.settings import SceneSettings
from striate.errors import SettingError, UnknownNameError
from striate.types import Split

__all__ = ["COUNTED", "KINDS", "VALUE_NAMES", "SceneKind", "scenes_dataset"]

SceneKind: TypeAlias = Literal["class", "count", "values", "boxes"]
KINDS: tuple[SceneKind, ...] = ("class", "count", "values", "boxes")

COUNTED: tuple[ObjectName, ...] = ("car", "bus", "truck", "bicycle", "pedestrian", "dog")
"""What moves: the classes of the "count" and "boxes" sets."""

VALUE_NAMES: tuple[str, ...] = ("illumination", "viewpoint_deg")
_VALUES = {"count": ("count",), "values": VALUE_NAMES}

_USUAL_N = {"class": 1200, "count": 600, "values": 600, "boxes": 600}
_MOST_N = 1_000_000
_VIEWPOINT_DEG = 60.0


@overload
def scenes_dataset(
    kind: Literal["class"] = "class",
    *,
    n: int | None = None,
    seed: int = 0,
    settings: SceneSettings | None = None,
) -> Dataset[tuple[str, ...]]: ...
@overload
def scenes_dataset(
    kind: Literal["boxes"],
    *,
    n: int | None = None,
    seed: int = 0,
    settings: SceneSettings | None = None,
) -> Dataset[Boxes]: ...
@overload
def scenes_dataset(
    kind: Literal["count", "values"],
    *,
    n: int | None = None,
    seed: int = 0,
    settings: SceneSettings | None = None,
) -> Dataset[tuple[float, ...]]: ...
def scenes_dataset(
    kind: SceneKind = "class",
    *,
    n: int | None = None,
    seed: int = 0,
    settings: SceneSettings | None = None,
) -> Dataset[Any]:
    """`n` scenes with their targets; pictures are rendered when they are read.

    "class": one object each, the target its class name; `names` are the classes of the settings
    (all ten by default), equally often; 1200 pictures by default. "count": a street each, the
    target how many cars, buses, lorries, bicycles, people and dogs can be seen; 600 by default.
    "values": a street each, the targets its illumination, 0..1, and viewpoint, degrees; 600.
    "boxes": the streets of "count", the target a box around the visible part of each object; 600.
    Objects of which less than a tenth, or than 5 pixels a side, can be seen are marked difficult.

    70 % train, 15 % validation, 15 % test. Without `settings`, viewpoint, light and clutter vary
    mildly from picture to picture; with them, every picture has exactly these factors (of "values"
    all but the two that are to be estimated). Errors: `SettingError` for `n`, `UnknownNameError`
    for `kind`.
    """
    if kind not in KINDS:
        raise UnknownNameError("kind of scenes", kind, KINDS)
    count = _USUAL_N[kind] if n is None else n
    if not 1 <= count <= _MOST_N:
        raise SettingError(f"setting 'n' was given {n!r}", expected=f"1 to {_MOST_N} scenes")
    records = tuple(_record(kind, index, count, seed, settings) for index in range(count))
    names: tuple[str, ...] = ("count",) if kind == "count" else VALUE_NAMES
    if kind == "boxes":
        names = COUNTED if settings is None else _classes(settings)
    if kind == "class":
        names = _classes(settings)
    return Dataset(records, names, root="scenes", layout=f"generated street scenes: {kind}")


def _classes(settings: SceneSettings | None) -> tuple[ObjectName, ...]:
    """The classes of the settings in the usual order, each once."""
    chosen = OBJECT_NAMES if settings is None else settings.classes
    return tuple(name for name in OBJECT_NAMES if name in chosen)


def _record(
    kind: SceneKind, index: int, count: int, seed: int, settings: SceneSettings | None
) -> Record[Any]:
    chosen = _settings(kind, index, seed, settings)
    drawn = "count" if kind == "boxes" else kind  # the same streets
    scene_seed = stream(seed, "scene", drawn, index).getrandbits(48)
    only: ObjectName | None = None
    if kind == "class":
        classes = _classes(settings)
        only = classes[index % len(classes)]
    origin = SceneOrigin(chosen, scene_seed, only)
    target: tuple[str, ...] | tuple[float, ...] | Boxes
    if only is not None:
        target = (only,)
    elif kind == "boxes":
        target = origin.boxes()
    else:
        target = origin.values(_VALUES[kind])
    rows = len(_classes(settings)) if kind == "class" else 1
    return Record(f"scenes/{index:05d}", origin, target, _split(index // rows, -(-count // rows)))


def _split(row: int, rows: int) -> Split:
    """Shares of 70, 15 and 15 % of the rows, spread evenly: every class, every split alike."""
    if rows < 3:
        return "train"
    # In each twenty rows: 14 train, 3 validation, 3 test; short sets keep one of each.
    turn = row % 20 if rows >= 20 else row * 20 // rows
    return "train" if turn < 14 else "validation" if turn < 17 else "test"


def _settings(kind: SceneKind, index: int, seed: int, settings: SceneSettings | None) -> SceneSettings:
    """The settings of one record: the given ones, or mildly varied ones."""
    rng = stream(seed, "factors", "count" if kind == "boxes" else kind, index)
    viewpoint, light, clutter = rng.uniform(-1, 1), rng.random(), rng.random()
    varied: dict[str, Any] = {}
    if kind == "values":
        varied = {
            "illumination": round(light, 3),
            "viewpoint_deg": round(viewpoint * _VIEWPOINT_DEG, 1),
        }
    elif settings is None:
        varied = {
            "viewpoint_deg": round(45 * viewpoint, 1),
            "illumination": round(1 - 0.5 * light * light, 3),
            "clutter": round(0.6 * clutter, 3),
        }
    if settings is None and kind in ("count", "boxes"):
        varied |= {"objects": (0, 8), "classes": COUNTED}
    return (settings or SceneSettings()).model_copy(update=varied)
