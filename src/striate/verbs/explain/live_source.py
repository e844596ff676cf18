"""What a live view looks at: a camera, a film or a folder of pictures, as one kind of thing."""

from __future__ import annotations

import os
from collections.abc import Iterator

from striate.errors import DataError, MachineError, PictureError, UsageError
from striate.pictures.formats import is_picture_name
from striate.pictures.read import read
from striate.pictures.sources import shown_name
from striate.pictures.video import is_animation
from striate.types import Picture, SizeHW
from striate.verbs.files import find_pictures
from striate.verbs.predict.frames import Film, Frame, open_camera, open_film

__all__ = ["PictureFolder", "open_source"]


class PictureFolder:
    """The pictures of a folder as a film, one a second. `left_out`: those that could not be read."""

    def __init__(self, source: str, every: int) -> None:
        self.name = shown_name(source)
        self._paths = list(find_pictures([source]))[::every]
        self.fps, self.live = 1.0, False
        self.total: int | None = len(self._paths)
        self.left_out: dict[str, str] = {}
        self.size_hw: SizeHW = (0, 0)
        if not self._paths:
            raise DataError(
                f"{self.name} holds no pictures", expected="a folder of pictures, a film or a camera"
            )
        first = next(self.frames(), None)
        if first is None:
            reason = next(iter(self.left_out.values()))
            raise DataError(f"not one picture of {self.name} can be read: {reason}")
        self.size_hw = (first.picture.shape[0], first.picture.shape[1])

    def frames(self) -> Iterator[Frame]:
        """Those that can be read, in the order of their names."""
        for number, path in enumerate(self._paths):
            picture = self._picture(path)
            if picture is not None:
                yield Frame(number, float(number), picture)

    def file_name(self, number: int) -> str:
        """Of the picture that is frame `number`."""
        return shown_name(os.path.basename(self._paths[number]))  # noqa: PTH119 - names need not be UTF-8

    def _picture(self, path: str) -> Picture | None:
        try:
            return read(path)
        except PictureError as error:
            self.left_out[shown_name(path)] = error.reason
            return None

    def close(self) -> None:
        """Nothing is kept open."""


def open_source(source: str, *, every: int = 1) -> Film:
    """The camera of that number, the film or animation of that name, or the pictures of a folder.

    A file or folder that is named like a number is meant before the camera. Errors: `MachineError` for a
    camera that gives no picture, `DataError` for what is no film and holds no picture.
    """
    if every < 1:
        raise UsageError(f"--every was given {every}", expected="a number from 1")
    if source.isdecimal() and not os.path.lexists(source):
        return _camera(int(source), every)
    still = is_picture_name(source) and os.path.isfile(source) and not is_animation(source)  # noqa: PTH113
    if os.path.isdir(source) or still:  # noqa: PTH112
        return PictureFolder(source, every)
    return open_film(source, every=every)


def _camera(number: int, every: int) -> Film:
    try:
        return open_camera(number, every=every)
    except MachineError as error:
        raise MachineError(
            error.what,
            expected=error.expected,
            remedy=f"try --live {0 if number else 1}, a film or a folder, or close "
            "other programs that use it",
        ) from error
