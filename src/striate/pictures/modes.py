"""Every kind of pixel that a file may hold, and what becomes of it: one table, nothing implicit.

| stored | becomes |
|---|---|
| 1 bit, grey, palette, RGB, YCbCr, HSV, Lab | sRGB, by the ICC profile if there is one |
| CMYK | sRGB by the ICC profile, else 255 - min(255, ink + black) as Pillow does |
| 16-bit grey | full range: round(value / 257); 16-bit RGB(A): the high byte (all that Pillow keeps) |
| 32-bit whole numbers | as 16-bit if all lie in 0-65535, else smallest → 0 and largest → 255 |
| floating point | × 255 if all lie in 0-1, else smallest → 0 and largest → 255; NaN → 0 |
| alpha, or a transparent colour | laid over the background colour |
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image

from striate.types import Array, PictureArray

__all__ = ["CONVERSIONS", "to_rgb"]

Base = tuple[Image.Image, Image.Image | None]
"""A picture in L, RGB, CMYK or LAB, and its alpha (L) if it has one."""


def to_rgb(image: Image.Image, background_rgb: tuple[int, int, int]) -> Image.Image:
    """A loaded Pillow image of any mode as RGB (sRGB), alpha laid over `background_rgb`.

    A `ValueError` for a mode that is not in the table.
    """
    if image.mode == "RGB" and not image.info.keys() & {"icc_profile", "transparency"}:
        return image
    if image.mode not in CONVERSIONS:
        raise ValueError(f"pixels of kind {image.mode} are not supported")
    key = _key_alpha(image) if image.mode != "P" else None
    base, alpha = CONVERSIONS[image.mode](image)
    rgb = _coloured(base, image.info.get("icc_profile"))
    alpha = key if alpha is None else alpha
    if alpha is None:
        return rgb
    canvas = Image.new("RGB", rgb.size, background_rgb)
    canvas.paste(rgb, mask=alpha)
    return canvas


def _coloured(base: Image.Image, profile: object) -> Image.Image:
    if isinstance(profile, bytes) and profile:
        from striate.pictures.profiles import to_srgb

        if (converted := to_srgb(base, profile)) is not None:
            return converted
    return base if base.mode == "RGB" else base.convert("RGB")


def _key_alpha(image: Image.Image) -> Image.Image | None:
    """Alpha (0 or 255) of a picture in which one colour is declared transparent (PNG tRNS, GIF)."""
    key = image.info.pop("transparency", None)
    if key is None or isinstance(key, bytes):
        return None
    pixels = np.asarray(image.convert("L") if image.mode == "1" else image)
    clear = (pixels == np.array(key)).all(axis=-1) if isinstance(key, tuple) else pixels == key
    return Image.fromarray(np.where(clear, 0, 255).astype(np.uint8))


def _opaque(image: Image.Image) -> Base:
    return image, None


def _grey(image: Image.Image) -> Base:
    return image.convert("L"), None


def _colour(image: Image.Image) -> Base:
    return image.convert("RGB"), None


def _grey_alpha(image: Image.Image) -> Base:
    straight = image if image.mode == "LA" else image.convert("LA")
    return straight.getchannel("L"), straight.getchannel("A")


def _colour_alpha(image: Image.Image) -> Base:
    straight = image if image.mode == "RGBA" else image.convert("RGBA")
    return straight.convert("RGB"), straight.getchannel("A")


def _palette(image: Image.Image) -> Base:
    return _colour_alpha(image) if image.has_transparency_data else _colour(image)


def _sixteen(image: Image.Image) -> Base:
    return Image.fromarray(_scaled_16(np.asarray(image))), None


def _integers(image: Image.Image) -> Base:
    values = np.asarray(image)
    if values.min() >= 0 and values.max() <= 65535:
        return Image.fromarray(_scaled_16(values)), None
    return Image.fromarray(_stretched(values, values.min(), values.max())), None


def _floats(image: Image.Image) -> Base:
    values = np.asarray(image)
    known = values[np.isfinite(values)]
    low, high = (known.min(), known.max()) if known.size else (0.0, 1.0)
    if low >= 0 and high <= 1:
        low, high = 0.0, 1.0
    return Image.fromarray(_stretched(values, low, high)), None


def _scaled_16(values: Array) -> PictureArray:
    """round(values / 257) for 0-65535: the full range onto the full range."""
    return ((values.astype(np.uint32) + 128) // 257).astype(np.uint8)


def _stretched(values: Array, low: float, high: float) -> PictureArray:
    """`low` → 0, `high` → 255, linear; what is no number → 0; all 0 where `low` equals `high`."""
    low, high = float(low), float(high)
    if high == low:
        return np.zeros(values.shape, np.uint8)
    inside = np.nan_to_num(values.astype(np.float64), nan=low, posinf=high, neginf=low)
    return np.rint((inside - low) / (high - low) * 255).astype(np.uint8)


CONVERSIONS: dict[str, Callable[[Image.Image], Base]] = {
    "1": _grey,
    "L": _opaque,
    "LA": _grey_alpha,
    "La": _grey_alpha,
    "P": _palette,
    "PA": _colour_alpha,
    "RGB": _opaque,
    "RGBA": _colour_alpha,
    "RGBa": _colour_alpha,
    "RGBX": _colour,
    "CMYK": _opaque,
    "YCbCr": _colour,
    "LAB": _opaque,
    "HSV": _colour,
    "I": _integers,
    "I;16": _sixteen,
    "I;16L": _sixteen,
    "I;16B": _sixteen,
    "I;16N": _sixteen,
    "F": _floats,
}
