"""Colours that can be told apart without red and green, too, and text that can be read on them."""

from __future__ import annotations

from typing import Literal, TypeAlias

__all__ = ["CLASS_COLOURS", "PALETTE", "RGB", "TONES", "Tone", "colour_of", "contrast", "ink_on"]

RGB: TypeAlias = tuple[int, int, int]
Tone: TypeAlias = Literal["good", "bad", "plain"]

PALETTE: tuple[RGB, ...] = (
    (0, 114, 178),  # blue
    (230, 159, 0),  # orange
    (0, 158, 115),  # bluish green
    (204, 121, 167),  # reddish purple
    (86, 180, 233),  # sky blue
    (213, 94, 0),  # vermilion
    (240, 228, 66),  # yellow
)
"""Okabe and Ito (2008), "Color Universal Design", without black: seven colours, in an order that
keeps the first ones furthest apart."""

CLASS_COLOURS: tuple[RGB, ...] = (
    *PALETTE[:3],
    (252, 12, 84),  # crimson
    (84, 216, 252),  # cyan
    (96, 60, 24),  # brown
    (240, 156, 180),  # pink
    (156, 132, 252),  # violet
    (180, 216, 144),  # pale green
    (120, 48, 72),  # plum
    (120, 108, 0),  # olive
    (60, 60, 120),  # indigo
)
"""For classes: twelve that can be told apart, on white and on a dark page. Found by search: beside the
first three of the palette, those whose closest two lie furthest apart (CIEDE2000), also with
deuteranopia and protanopia. The tests hold the distances."""

TONES: dict[Tone, RGB] = {"good": (0, 110, 80), "bad": (170, 62, 0), "plain": (38, 43, 51)}
"""Grounds for white text: the green and the vermilion of the palette, darkened until white text on
them has a contrast of at least 6 : 1."""

WHITE: RGB = (255, 255, 255)
INK: RGB = (14, 17, 22)
FAINT: RGB = (107, 114, 128)
TRACK: RGB = (229, 231, 235)
BLUE: RGB = PALETTE[0]
VERMILION: RGB = PALETTE[5]


def colour_of(index: int) -> RGB:
    """The colour of class `index`; repeats after twelve."""
    return CLASS_COLOURS[index % len(CLASS_COLOURS)]


def contrast(one: RGB, other: RGB) -> float:
    """The contrast of two colours, 1 (none) to 21 (black on white); text wants 4.5 (WCAG 2.2, 1.4.3).

    >>> contrast((0, 0, 0), (255, 255, 255))
    21.0
    """
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def ink_on(ground: RGB) -> RGB:
    """White or near-black, whichever can be read better on `ground`.

    >>> ink_on((240, 228, 66)), ink_on((0, 114, 178))
    ((14, 17, 22), (255, 255, 255))
    """
    return WHITE if contrast(WHITE, ground) >= contrast(INK, ground) else INK


def _luminance(colour: RGB) -> float:
    """Relative luminance, 0-1 (WCAG 2.2, from IEC 61966-2-1)."""
    linear = [
        value / 255 / 12.92 if value <= 10 else ((value / 255 + 0.055) / 1.055) ** 2.4
        for value in colour
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
