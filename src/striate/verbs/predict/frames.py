"""Frames of a video file, an animation or a camera, one after another, through OpenCV and Pillow."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

import numpy as np

from striate.errors import DataError, MachineError, UsageError
from striate.features.opencv import cv2_module
from striate.pictures.read import probe
from striate.pictures.sources import shown_name
from striate.pictures.video import animation, is_animation
from striate.types import Picture, SizeHW

__all__ = ["Film", "Frame", "open_camera", "open_film"]

_USUAL_FPS = 25.0
_MOST_FPS = 1000.0
_READABLE = "a video that FFmpeg reads: MP4, MOV, MKV, WEBM, AVI, …, or an animated GIF or WEBP"


@dataclass(frozen=True, slots=True)
class Frame:
    """`number` counts all frames of the film from 0, `time_s` from its start, in seconds."""

    number: int
    time_s: float
    picture: Picture


class Film(Protocol):
    """Something that has frames. `total`: how many will be read, as the file tells; None if it does not.
    `fps`: of the frames that are read. `live`: a camera, which does not wait."""

    name: str
    size_hw: SizeHW
    fps: float
    total: int | None
    live: bool

    def frames(self) -> Iterator[Frame]: ...

    def close(self) -> None: ...


def open_film(path: str | os.PathLike[str], *, every: int = 1) -> Film:
    """The film in the file `path`, of which each `every`-th frame is read.

    A `DataError` where the file is missing, is no film, or has no frame that can be decoded.
    """
    _check_every(every)
    name = shown_name(path)
    if not Path(path).is_file():
        reason = "it is a folder" if Path(path).is_dir() else "there is no such file"
        raise DataError(f"cannot read video {name}: {reason}", expected=_READABLE)
    if is_animation(path):
        return _Animation(path, every)
    cv2 = _cv2()
    capture = cv2.VideoCapture(os.fspath(path), cv2.CAP_FFMPEG) if name == os.fspath(path) else None
    if capture is None:
        raise DataError(f"cannot read video {name}: its name is not UTF-8", remedy="rename it")
    film = _Capture(capture, name, every, live=False)
    if film.first is None:
        film.close()
        opened = "it has no frame that can be decoded" if film.opened else "it is no video, or damaged"
        raise DataError(f"cannot read video {name}: {opened}", expected=_READABLE)
    return film


def open_camera(number: int, *, every: int = 1) -> Film:
    """The camera `number`, counted from 0; it is read until `close`, or until it is unplugged."""
    _check_every(every)
    if number < 0:
        raise UsageError(f"--camera was given {number}", expected="the number of a camera, from 0")
    cv2 = _cv2()
    film = _Capture(cv2.VideoCapture(number), f"camera {number}", every, live=True)
    if film.first is None:
        film.close()
        raise MachineError(
            f"camera {number} gives no picture",
            expected="a camera that is plugged in and that this user may use",
            remedy="try --camera 1, or close other programs that use it",
        )
    return film


def _check_every(every: int) -> None:
    if every < 1:
        raise UsageError(f"--every was given {every}", expected="a number from 1")


def _cv2() -> ModuleType:
    """OpenCV, with FFmpeg held silent: what is wrong with a file is told by us."""
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # FFmpeg reads it when first used
    cv2 = cv2_module()
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    return cv2


class _Capture:
    """What OpenCV captures from. The first frame is read at once, as only it tells the true size."""

    def __init__(self, capture: Any, name: str, every: int, *, live: bool) -> None:
        self._capture, self._every, self.name, self.live = capture, every, name, live
        self.opened: bool = capture.isOpened()
        cv2 = _cv2()
        told = float(capture.get(cv2.CAP_PROP_FPS)) if self.opened else 0.0
        self._fps = told if math.isfinite(told) and 0 < told <= _MOST_FPS else _USUAL_FPS
        self.fps = self._fps / every
        count = capture.get(cv2.CAP_PROP_FRAME_COUNT) if self.opened and not live else 0
        self.total = math.ceil(count / every) if 0 < count < 1e9 else None
        self.first = self._picture() if self.opened and capture.grab() else None
        self.size_hw = (0, 0) if self.first is None else (self.first.shape[0], self.first.shape[1])

    def frames(self) -> Iterator[Frame]:
        number, time_s = 0, 0.0
        picture, self.first = self.first, None
        while picture is not None:
            yield Frame(number, round(time_s, 6), picture)
            picture = None
            while self._capture.grab():
                number += 1
                if number % self._every == 0:
                    time_s = max(time_s, self._time_s(number))
                    picture = self._picture()
                    break

    def _picture(self) -> Picture | None:
        """The frame that was grabbed, in RGB; None where it cannot be decoded."""
        got, pixels = self._capture.retrieve()
        if not got or pixels is None or not pixels.size:
            return None
        cv2 = _cv2()
        kind = cv2.COLOR_GRAY2RGB if pixels.ndim == 2 else cv2.COLOR_BGR2RGB
        found: Picture = cv2.cvtColor(pixels, kind)
        return found

    def _time_s(self, number: int) -> float:
        """What the file says, as frames need not be evenly apart; else by counting."""
        told = float(self._capture.get(_cv2().CAP_PROP_POS_MSEC)) / 1000
        return told if told > 0 and not self.live else number / self._fps

    def close(self) -> None:
        self._capture.release()


class _Animation:
    """A picture file with several frames."""

    def __init__(self, path: str | os.PathLike[str], every: int) -> None:
        info = probe(path)
        self._path, self._every = path, every
        self.name, self.size_hw, self.live = shown_name(path), info.size_hw, False
        self.total: int | None = math.ceil(info.frames / every)
        self.fps = 1 / (next(animation(path)).seconds * every)

    def frames(self) -> Iterator[Frame]:
        time_s = 0.0
        for number, still in enumerate(animation(self._path)):
            if number % self._every == 0:
                yield Frame(number, round(time_s, 6), np.ascontiguousarray(still.picture))
            time_s += still.seconds

    def close(self) -> None:
        """Nothing is kept open."""
