"""From the fine canvas to the picture: light that spreads, weather, lens and sensor."""

from __future__ import annotations

import math

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from striate.data.scenes.chance import stream
from striate.data.scenes.light import Light
from striate.data.scenes.paint import FINE
from striate.data.scenes.settings import SceneSettings
from striate.types import Picture

__all__ = ["finish"]


def _rain(picture: Image.Image, settings: SceneSettings, seed: int) -> Image.Image:
    """Slanting streaks, most of them faint."""
    width, height = picture.size
    rng = stream(seed, "rain")
    veil = Image.new("L", (width * FINE, height * FINE), 0)
    pen = ImageDraw.Draw(veil)
    for _ in range(90):
        x, y = rng.uniform(-0.1, 1.1) * width * FINE, rng.uniform(-0.1, 1.0) * height * FINE
        reach = rng.uniform(0.03, 0.085) * height * FINE
        pen.line(
            (x, y, x - reach * 0.22, y + reach),
            fill=rng.randint(50, 120),
            width=max(1, round(width / 160)),
        )
    bright = int(150 + 70 * settings.illumination)
    picture.paste(
        (bright, bright, min(255, bright + 10)), mask=veil.resize((width, height), Image.Resampling.BOX)
    )
    return picture


def _snow(picture: Image.Image, settings: SceneSettings, seed: int) -> Image.Image:
    """Flakes, the near ones larger."""
    width, height = picture.size
    rng = stream(seed, "snow")
    veil = Image.new("L", (width * FINE, height * FINE), 0)
    pen = ImageDraw.Draw(veil)
    for _ in range(130):
        x, y = rng.random() * width * FINE, rng.random() * height * FINE
        size = (0.4 + 1.1 * rng.random() ** 3) * width / 160 * FINE * 0.75
        pen.ellipse((x - size, y - size, x + size, y + size), fill=rng.randint(130, 240))
    white = int(120 + 135 * settings.illumination)
    picture.paste(
        (white, white, min(255, white + 6)), mask=veil.resize((width, height), Image.Resampling.BOX)
    )
    return picture


def _sensor(picture: Picture, settings: SceneSettings, seed: int) -> Picture:
    """Gaussian noise, the same on every machine for a seed."""
    chance = np.random.default_rng((seed, 0x6E6F6973))
    grain = chance.standard_normal(picture.shape, dtype=np.float32) * np.float32(255 * settings.noise)
    return np.clip(picture.astype(np.float32) + grain + 0.5, 0, 255).astype(np.uint8)


def finish(
    canvas: Image.Image, glow: Image.Image | None, light: Light, settings: SceneSettings, seed: int
) -> Picture:
    """The picture, uint8 (H, W, 3), from a canvas `FINE` times its size."""
    picture = canvas.reduce(FINE)
    if glow is not None:
        picture = ImageChops.screen(picture, glow)
    if light.wet:
        picture = _rain(picture, settings, seed)
    if light.snow:
        picture = _snow(picture, settings, seed)
    if settings.blur_px > 0:
        picture = picture.filter(ImageFilter.GaussianBlur(settings.blur_px))
    pixels = np.array(picture)
    return _sensor(pixels, settings, seed) if settings.noise > 0 else pixels


def tint_of(light: Light) -> tuple[int, int, int]:
    """The colour of a shadow: what the sky alone lights."""
    red, green, blue = (int(28 * math.sqrt(a)) for a in light.ambient)
    return red, green, blue + 8
