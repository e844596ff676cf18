"""All channels of a layer as one small picture, in colours that tell below from above zero."""

from __future__ import annotations

import base64
import io
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from striate.types import Array

__all__ = ["Scale", "Sprite", "ramp", "sprite_of"]

_MOST_PIXELS = 400_000
_FADE = 0.97
"""By how much a scale that was needed earlier shrinks with each frame."""


@dataclass(frozen=True, slots=True)
class Sprite:
    """Tiles of `tile_hw` pixels in `columns`, in the order of the channels; `uri`: a PNG."""

    uri: str
    columns: int
    tile_hw: tuple[int, int]
    channels: int

    def to_dict(self) -> dict[str, Any]:
        """For the page."""
        return {
            "uri": self.uri,
            "columns": self.columns,
            "tile": list(self.tile_hw),
            "channels": self.channels,
        }


class Scale:
    """What counts as bright: the highest that each channel showed lately, or that any did."""

    def __init__(self) -> None:
        self._highest: Array | None = None

    def levels(self, values: Array, *, together: bool) -> Array:
        """`values` (C, h, w) as uint8: 128 is zero, 255 the highest seen lately, 1 as far below."""
        peaks = np.abs(values).max(axis=(1, 2))
        if self._highest is None or len(self._highest) != len(peaks):
            self._highest = peaks
        self._highest = np.maximum(peaks, self._highest * _FADE)
        scale = np.full_like(peaks, self._highest.max()) if together else self._highest
        safe = np.where(scale > 0, scale, 1.0)[:, None, None]
        found: Array = np.rint(128 + 127 * (values / safe).clip(-1, 1)).astype(np.uint8)
        return found


def ramp() -> Array:
    """The colours of the 256 levels, uint8 (256, 3): blue, near black at 128, amber, white."""
    stops = (0, 64, 128, 192, 255)
    colours = np.array(
        [(150, 200, 255), (40, 90, 200), (14, 17, 24), (230, 120, 20), (255, 246, 214)], np.float64
    )
    steps = np.arange(256)
    found = np.stack([np.interp(steps, stops, colours[:, one]) for one in range(3)], axis=1)
    return np.rint(found).astype(np.uint8)


def sprite_of(levels: Array) -> Sprite:
    """`levels` uint8 (C, h, w) as tiles; large maps are averaged so that all tiles stay small."""
    channels, height, width = levels.shape
    every = max(1, math.ceil(math.sqrt(levels.size / _MOST_PIXELS)))
    every = min(every, height, width)
    if every > 1:
        tall, wide = height // every, width // every
        cut = levels[:, : tall * every, : wide * every]
        blocks = cut.reshape(channels, tall, every, wide, every)
        levels = blocks.mean(axis=(2, 4)).round().astype(np.uint8)
        height, width = tall, wide
    columns = max(1, min(channels, round(math.sqrt(channels * height / width * 1.5))))
    rows = -(-channels // columns)
    sheet = np.full((rows * columns, height, width), 128, np.uint8)
    sheet[:channels] = levels
    whole = sheet.reshape(rows, columns, height, width).transpose(0, 2, 1, 3)
    image = Image.fromarray(np.ascontiguousarray(whole.reshape(rows * height, columns * width)))
    image = image.convert("L")
    coloured = Image.frombytes("P", image.size, image.tobytes())
    coloured.putpalette(ramp().tobytes())
    file = io.BytesIO()
    coloured.save(file, "PNG", compress_level=3)
    uri = f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode('ascii')}"
    return Sprite(uri, columns, (height, width), channels)
