"""The pictures to explain: files, folders, arrays, and records of embedded sets with their parts."""

# Strings throughout: names come back as they were given, bytes that are not UTF-8 included.
# ruff: noqa: PTH112, PTH120, PTH207

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from striate.data.dataset import Record
from striate.data.embedded import EMBEDDED_PREFIX
from striate.data.named import embedded_name
from striate.errors import DataError, PictureError, UsageError
from striate.explain.whereabouts import NamedArea
from striate.pictures.read import read
from striate.types import Picture, SizeHW, check_picture
from striate.verbs.files import find_pictures
from striate.verbs.model import FilePath, Model, OnePicture

if TYPE_CHECKING:
    from striate.data.scenes.truth import Scene

__all__ = ["Source", "check_apart", "no_pictures", "one_picture", "source_of", "sources_of", "taken"]

_FEWEST_PIXELS = 4
"""Parts of fewer pixels are not told apart from what is beside them."""


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """Something to explain: its name, and how it is read.

    `read(at_least_hw)`: the picture, and its parts and objects where it is known to have such; or a
    `PictureError`.
    """

    name: str
    read: Callable[[SizeHW | None], tuple[Picture, tuple[NamedArea, ...]]]


def source_of(name: str, given: OnePicture) -> Source:
    """A picture without parts: a path, bytes, an open file or an array."""

    def whole(at_least_hw: SizeHW | None) -> tuple[Picture, tuple[NamedArea, ...]]:
        if isinstance(given, np.ndarray):
            return check_picture(given), ()
        return read(given, at_least_hw=at_least_hw), ()

    return Source(name, whole)


def _areas(scene: Scene) -> tuple[NamedArea, ...]:
    """Parts, and the objects that have none."""
    names = scene.names
    parts = [
        NamedArea(one.name.replace("_", " "), one.box_xyxy, names[one.item])
        for one in scene.parts
        if one.pixels >= _FEWEST_PIXELS
    ]
    with_parts = {one.item for one in scene.parts}
    whole = [
        NamedArea(name, (float(box[0]), float(box[1]), float(box[2]), float(box[3])))
        for item, (name, box) in enumerate(zip(names, scene.boxes_xyxy, strict=True))
        if item not in with_parts
    ]
    return (*parts, *whole)


def sources_of(model: Model, given: Iterable[Any], *, skip: FilePath | None = None) -> Iterator[Source]:
    """Files, folders, patterns, arrays, and embedded sets: all of one (`scenes`) or a record of it
    (`scenes/00012`, as its keys are)."""
    for one in given:
        if not isinstance(one, str | os.PathLike):
            yield source_of("picture", one)
            continue
        records = _embedded(model, os.fspath(one))
        if records is not None:
            yield from records
        else:
            yield from (source_of(_shown(path), path) for path in find_pictures([one], skip=skip))


def one_picture(
    model: Model, given: OnePicture, at_least_hw: SizeHW | None = None
) -> tuple[str, Picture]:
    """The name and the pixels of the one picture that is given, of an embedded set too.

    A `DataError` where there is none, a `UsageError` where there are several.
    """
    sources = list(islice(sources_of(model, [given]), 2))
    if not sources:
        raise no_pictures(str(given))
    if len(sources) > 1:
        raise UsageError("several pictures were given", expected="one")
    return sources[0].name, sources[0].read(at_least_hw)[0]


def no_pictures(where: str) -> DataError:
    """What is said where nothing was found."""
    return DataError(
        f"there are no pictures in {where}",
        expected="JPEG, PNG, WEBP, AVIF, TIFF, BMP or GIF files",
    )


def check_apart(given: Iterable[Any], out: FilePath) -> None:
    """A `UsageError` where one of the pictures lies in the folder `out`: a sheet could replace it.

    Folders within `out` may hold pictures, and `out` may lie within a folder of them.
    """
    folder = os.path.realpath(out)
    for one in given:
        name = os.fspath(one) if isinstance(one, str | os.PathLike) else ""
        for path in [name] if os.path.lexists(name) else glob.iglob(name, recursive=True):
            if _lies_in(path, folder):
                raise UsageError(
                    f"{_shown(path)} and what is made of it cannot lie in one folder",
                    remedy="choose a folder for --out that holds none of the pictures",
                )


def _lies_in(path: str, folder: str) -> bool:
    """Whether a file lies in `folder`, a real path, or is a link into it; or it is that folder."""
    real = os.path.realpath(path)
    if os.path.isdir(path):
        return real == folder
    return folder in (os.path.dirname(real), os.path.realpath(os.path.dirname(path) or os.curdir))


def _shown(path: str) -> str:
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _embedded(model: Model, name: str) -> Sequence[Source] | None:
    """The test split of an embedded set or one of its records; None if `name` means no such set."""
    prefix = EMBEDDED_PREFIX if name.startswith(EMBEDDED_PREFIX) else ""
    plain = name.removeprefix(prefix)
    whole = plain.partition("/")[0]
    a_file = not prefix and plain != whole and os.path.lexists(name)
    if a_file or embedded_name(prefix + whole) is None:
        return None
    dataset = model.task.read(EMBEDDED_PREFIX + whole)
    if plain != whole:
        found = [
            one for one in dataset if one.key == plain or one.key.endswith(f"/{plain.partition('/')[2]}")
        ]
        if not found:
            first, last = dataset.records[0].key, dataset.records[-1].key
            raise UsageError(f"{whole} has no picture {plain!r}", expected=f"one of {first} to {last}")
    else:
        chosen = dataset.only("test") if "test" in dataset.splits else dataset
        found = list(chosen)
    return [_recorded(one) for one in found]


def _recorded(record: Record[Any]) -> Source:
    """A record of an embedded set; drawn scenes have parts."""
    from striate.data.scenes.origin import SceneOrigin

    origin = record.origin

    def drawn(at_least_hw: SizeHW | None) -> tuple[Picture, tuple[NamedArea, ...]]:
        if not isinstance(origin, SceneOrigin):
            return origin.read(at_least_hw), ()
        scene = origin.scene()
        return scene.picture, _areas(scene)

    return Source(record.key, drawn)


def taken(
    sources: Iterable[Source], read_at_least: SizeHW | None
) -> Iterator[tuple[Source, Picture | None, tuple[NamedArea, ...], PictureError | None]]:
    """Each source with its picture, or with the error why it has none."""
    for source in sources:
        try:
            picture, areas = source.read(read_at_least)
        except PictureError as error:
            yield source, None, (), error
        else:
            yield source, picture, areas, None
