"""Colour histograms, and the picture of them."""

from __future__ import annotations

import numpy as np

from striate.features.vectors.colour import HUES, SATURATIONS, VALUES
from striate.types import Array, Picture, check_picture

__all__ = ["colour_histogram", "histogram_picture"]

_HEIGHT, _WIDTH, _GAP = 240, 720, 16
_LOOKED_AT = 1000
"""Longest side of what the drawing is made from, pixels."""


def colour_histogram(picture: Picture) -> Array:
    """Shares float32 (12, 3, 3) of hue, saturation and brightness, joint (HSV, Smith 1978)."""
    rgb = check_picture(picture).reshape(-1, 3).astype(np.float32)
    most, least = rgb.max(axis=1), rgb.min(axis=1)
    spread = most - least
    divisor = np.maximum(spread, 1.0)
    red, green, blue = rgb.T
    sixths = np.where(
        red == most,
        (green - blue) / divisor + 6.0,
        np.where(green == most, (blue - red) / divisor + 2.0, (red - green) / divisor + 4.0),
    )
    turns = sixths * np.float32(1 / 6)
    hue = np.where(spread > 0, turns - np.floor(turns), 0.0)
    saturation = spread / np.maximum(most, 1.0)
    parts = [
        np.clip(np.floor(value * count), 0, count - 1).astype(np.int64)
        for value, count in (
            (hue, HUES),
            (saturation, SATURATIONS),
            (most * np.float32(1 / 255), VALUES),
        )
    ]
    joint = (parts[0] * SATURATIONS + parts[1]) * VALUES + parts[2]
    counts = np.bincount(joint, minlength=HUES * SATURATIONS * VALUES).astype(np.float32)
    return (counts / len(rgb)).reshape(HUES, SATURATIONS, VALUES)


def histogram_picture(picture: Picture) -> Picture:
    """`picture` beside the share of each hue in its colour, over the curves of red, green and blue."""
    from PIL import Image, ImageDraw

    from striate.pictures.resize import resize

    longest = max(picture.shape[:2])
    if longest > _LOOKED_AT:  # shares hardly change, and twelve megapixels take seconds
        height, width = (max(1, round(side * _LOOKED_AT / longest)) for side in picture.shape[:2])
        picture = resize(picture, (height, width), how="box")
    shares = colour_histogram(picture)
    height, width = picture.shape[:2]
    shown = resize(picture, (_HEIGHT * 2, max(1, round(width * _HEIGHT * 2 / height))))
    board = Image.new("RGB", (_WIDTH, _HEIGHT * 2), (24, 24, 28))
    draw = ImageDraw.Draw(board)
    _hue_bars(draw, shares)
    _channel_lines(draw, picture)
    return np.concatenate([shown, np.asarray(board)], axis=1)


def _hue_bars(draw: object, shares: Array) -> None:
    import colorsys

    from PIL import ImageDraw

    assert isinstance(draw, ImageDraw.ImageDraw)
    coloured = shares[:, 1:, 1:].sum(axis=(1, 2))
    greys = float(shares.sum() - coloured.sum())
    bars = [
        *(
            (float(value), colorsys.hsv_to_rgb((k + 0.5) / HUES, 0.75, 0.95))
            for k, value in enumerate(coloured)
        ),
        (greys, (0.6, 0.6, 0.6)),
    ]
    tallest = max(0.01, *(value for value, _ in bars))
    room = (_WIDTH - 2 * _GAP) / len(bars)
    for index, (value, rgb) in enumerate(bars):
        left = _GAP + index * room
        top = _HEIGHT - _GAP - (_HEIGHT - 3 * _GAP) * value / tallest
        fill = tuple(round(255 * part) for part in rgb)
        draw.rectangle([left + 3, top, left + room - 3, _HEIGHT - _GAP], fill=fill)
        if value >= 0.005:
            draw.text((left + room / 2, top - 12), f"{value:.0%}", fill=(220, 220, 220), anchor="ma")


def _channel_lines(draw: object, picture: Picture) -> None:
    from PIL import ImageDraw

    assert isinstance(draw, ImageDraw.ImageDraw)
    counts = [np.bincount(picture[:, :, k].ravel() // 4, minlength=64) for k in range(3)]
    tallest = max(1, *(int(np.sort(one)[-3]) for one in counts))
    bottom, room = 2 * _HEIGHT - _GAP, (_WIDTH - 2 * _GAP) / 63
    for one, fill in zip(counts, ((240, 96, 96), (96, 220, 120), (110, 150, 255)), strict=True):
        heights = np.minimum(1.0, one / tallest) * (_HEIGHT - 2 * _GAP)
        draw.line(
            [(_GAP + k * room, bottom - float(h)) for k, h in enumerate(heights)], fill=fill, width=3
        )
    draw.line([(_GAP, bottom), (_WIDTH - _GAP, bottom)], fill=(120, 120, 128), width=1)
