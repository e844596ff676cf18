"""Moving pictures: which files are videos, and the frames of animated GIF, WEBP, AVIF and PNG files.

Frames of videos proper need a decoder that this floor does not know; see `verbs.predict.frames`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from striate.errors import PictureError
from striate.pictures.formats import HEAD_BYTES, open_header, sniff
from striate.pictures.modes import to_rgb
from striate.pictures.quiet import quiet
from striate.pictures.read import MAX_PIXELS, probe
from striate.pictures.sources import Source, fetch
from striate.types import Picture

__all__ = ["VIDEO_SUFFIXES", "Still", "animation", "is_animation", "is_video_name"]

VIDEO_SUFFIXES = (
    ".3gp", ".avi", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts", ".ogv", ".ts",
    ".webm", ".wmv",
)  # fmt: skip
"""File name endings of videos, lower case."""

_ANIMATED = ("GIF", "WEBP", "AVIF", "PNG")
_SHORTEST_S = 0.02
_USUAL_S = 0.1
"""What browsers make of frames that ask for less than 20 ms: a tenth of a second."""


@dataclass(frozen=True, slots=True)
class Still:
    """One frame of an animation: uint8 (H, W, 3) RGB, and for how many seconds it is shown."""

    picture: Picture
    seconds: float


def is_video_name(path: str | os.PathLike[str]) -> bool:
    """Whether `path` ends like the name of a video.

    >>> is_video_name("Clip.MP4"), is_video_name("clip.gif")
    (True, False)
    """
    return os.path.splitext(os.fsdecode(path))[1].lower() in VIDEO_SUFFIXES  # noqa: PTH122


def is_animation(source: Source) -> bool:
    """Whether `source` is a picture file with several frames; False for what cannot be read."""
    try:
        info = probe(source)
    except PictureError:
        return False
    return info.format in _ANIMATED and info.frames > 1


def animation(
    source: Source, *, background_rgb: tuple[int, int, int] = (255, 255, 255)
) -> Iterator[Still]:
    """The frames of an animated picture file, whole and in order; a still picture is one frame.

    A `PictureError` where the file cannot be read, or at the frame that is damaged; frames before it
    have been given.
    """
    stored = fetch(source)
    try:
        head = stored.stream.read(HEAD_BYTES)
        stored.stream.seek(0)
        kind = sniff(head)
        if kind is None:
            raise PictureError(stored.name, "it is no picture", remedy="name a picture or a video")
        image = open_header(stored.stream, kind)
        if image.width * image.height > MAX_PIXELS:
            raise PictureError(
                stored.name,
                f"its frames have {image.width} × {image.height} pixels; the limit is {MAX_PIXELS:,}",
                remedy="scale it down",
            )
        for number in range(int(getattr(image, "n_frames", 1))):
            with quiet():
                image.seek(number)
                image.load()
            frame = np.array(to_rgb(image.copy(), background_rgb))
            yield Still(frame, _seconds(image.info.get("duration")))
    except PictureError:
        raise
    except Exception as error:  # decoders raise a dozen types
        raise PictureError(
            stored.name, f"a frame is damaged ({error})", remedy="save it again, or leave it out"
        ) from error
    finally:
        stored.stream.close()


def _seconds(milliseconds: object) -> float:
    told = float(milliseconds) / 1000 if isinstance(milliseconds, int | float) else 0.0
    return told if told >= _SHORTEST_S else _USUAL_S
