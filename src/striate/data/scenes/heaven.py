"""What lies beyond the ground: sky, stars, moon, clouds and hills."""

from __future__ import annotations

import math

import numpy as np
from PIL import Image

from striate.data.scenes.chance import stream
from striate.data.scenes.light import Light, Triple
from striate.data.scenes.names import Rgb
from striate.data.scenes.paint import FINE
from striate.data.scenes.shapes.solid import lighter
from striate.data.scenes.sketch import Sketch
from striate.data.scenes.world import Camera

__all__ = ["sketch_heaven", "sketch_hills", "sky_canvas"]


def sky_canvas(camera: Camera, light: Light) -> Image.Image:
    """A canvas `FINE` times the picture, filled with sky from the horizon upwards."""
    height, width = camera.size_hw
    up_x, up_y, rise = camera.tilt()
    xs = (np.arange(width * FINE, dtype=np.float32) + 0.5) / FINE - width / 2
    ys = (np.arange(height * FINE, dtype=np.float32) + 0.5) / FINE - height / 2
    # The colour changes fast near the horizon and slowly above.
    t = np.linspace(0.0, 1.0, 256)[:, None] ** 0.75
    table = (np.array(light.horizon) * (1 - t) + np.array(light.zenith) * t).astype(np.uint8)
    scale = np.float32(255 / (0.62 * camera.focal_px))
    down = (ys * up_y - rise)[:, None] * scale
    if abs(up_x) < 1e-9:
        column = np.clip(down, 0, 255).astype(np.uint8)
        return Image.fromarray(table[column]).resize((width * FINE, height * FINE))
    steps = np.clip(down + (xs * up_x * scale)[None, :], 0, 255).astype(np.uint8)
    sheet = Image.fromarray(steps)
    sheet.putpalette(table.tobytes())
    return sheet.convert("RGB")


def _direction(camera: Camera, azimuth: float, elevation: float, distance: float) -> Triple:
    """The world point seen from the camera at azimuth (from +z towards +x) and elevation, radians."""
    x, y, z = camera.position
    flat = distance * math.cos(elevation)
    return x + flat * math.sin(azimuth), y + distance * math.sin(elevation), z + flat * math.cos(azimuth)


def sketch_heaven(sketch: Sketch, camera: Camera, light: Light, seed: int) -> None:
    """Stars, the moon, clouds."""
    rng = stream(seed, "stars")
    middle = math.atan2(camera.basis[2][0], camera.basis[2][2])
    for _ in range(int(60 * light.stars)):
        azimuth, elevation, size = middle + rng.uniform(-1.1, 1.1), rng.uniform(0.08, 1.0), rng.random()
        point = _direction(camera, azimuth, elevation, 300)
        alpha = int(90 + 150 * size * light.stars)
        sketch.ball(point, 0.3 + 0.4 * size, (232, 236, 255), alpha=alpha, glow=0.9)
    rng = stream(seed, "heaven")
    moon = (middle + rng.uniform(-0.4, 0.4), rng.uniform(0.16, 0.3))
    if light.stars > 0.4:
        sketch.ball(_direction(camera, *moon, 300), 15.0, (236, 236, 214), alpha=40, glow=0.9)
        sketch.ball(_direction(camera, *moon, 300), 8.0, (246, 244, 224), glow=1.0)
        sketch.ball(
            _direction(camera, moon[0] + 0.012, moon[1] + 0.008, 300),
            6.6,
            (226, 226, 208),
            alpha=90,
            glow=0.9,
        )
    white = tuple(
        int(0.55 * h + 0.45 * 255 * max(a, 0.15) * 1.35)
        for h, a in zip(light.horizon, light.ambient, strict=True)
    )
    cloud: Rgb = (min(255, white[0]), min(255, white[1]), min(255, white[2]))
    for _ in range(9):
        azimuth, elevation = middle + rng.uniform(-0.9, 0.9), rng.uniform(0.09, 0.5)
        size, puffs = rng.uniform(6, 13), rng.randint(3, 5)
        for index in range(puffs):
            along = (index - (puffs - 1) / 2) * size * 1.05 / 300
            bulge = size * (1.0 - 0.35 * abs(index - (puffs - 1) / 2)) * rng.uniform(0.85, 1.1)
            point = _direction(camera, azimuth + along, elevation + bulge * 0.25 / 300, 300)
            sketch.ball(point, bulge, cloud, alpha=215, glow=1.0)
        base = [
            _direction(camera, azimuth + s * size * puffs * 0.55 / 300, elevation - 0.002, 300)
            for s in (-1, 1)
        ]
        sketch.stroke(base, size * 0.3, cloud, alpha=215)


def sketch_hills(sketch: Sketch, camera: Camera, seed: int, snow: float) -> None:
    """Two ranges of hills far away."""
    rng = stream(seed, "hills")
    middle = math.atan2(camera.basis[2][0], camera.basis[2][2])
    for distance, colour, height in ((400.0, (140, 170, 164), 26.0), (300.0, (124, 166, 122), 14.0)):
        waves = [(rng.uniform(2, 9), rng.uniform(0, 6.3), rng.uniform(0.3, 1.0)) for _ in range(4)]
        line = []
        for step in range(41):
            azimuth = (step - 20) * 0.075 + middle
            swell = sum(share * math.sin(pace * azimuth + start) for pace, start, share in waves) / 4
            x, _, z = _direction(camera, azimuth, 0.0, distance)
            line.append((x, height * (0.6 + 0.5 * swell), z))
        foot = [(line[-1][0], -6.0, line[-1][2]), (line[0][0], -6.0, line[0][2])]
        sketch.face([*line, *foot], lighter(colour, 0.6 * snow), 0.3)
