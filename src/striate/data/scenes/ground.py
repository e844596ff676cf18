"""The ground plane: meadow, pavements and road as bands across it, and what is painted on them."""

from __future__ import annotations

import math

from PIL import ImageDraw

from striate.data.scenes.chance import stream
from striate.data.scenes.light import Light, Triple
from striate.data.scenes.names import Rgb, StuffName, stuff_id
from striate.data.scenes.paint import FINE
from striate.data.scenes.shapes.solid import lighter
from striate.data.scenes.sketch import Sketch
from striate.data.scenes.world import Camera

__all__ = ["paint_ground", "sketch_markings"]

_FAR = 420.0
_PAINT: Rgb = (240, 238, 228)
_JOINT: Rgb = (120, 110, 100)

# z from, z to, stuff, colour: the ground from far to near.
_BANDS: tuple[tuple[float, float, StuffName, Rgb], ...] = (
    (60.0, _FAR, "vegetation", (158, 190, 128)),
    (17.0, 60.0, "vegetation", (150, 188, 112)),
    (8.3, 17.0, "vegetation", (140, 184, 100)),
    (4.0, 8.3, "pavement", (206, 198, 186)),
    (3.82, 4.0, "pavement", (228, 222, 212)),
    (-4.0, 3.82, "road", (104, 108, 120)),
    (-4.18, -4.0, "pavement", (232, 226, 216)),
    (-7.3, -4.18, "pavement", (200, 191, 179)),
    (-11.0, -7.3, "vegetation", (128, 176, 90)),
    (-16.0, -11.0, "vegetation", (120, 169, 85)),
    (-23.0, -16.0, "vegetation", (129, 177, 92)),
    (-32.0, -23.0, "vegetation", (118, 167, 84)),
    (-45.0, -32.0, "vegetation", (127, 175, 90)),
    (-120.0, -45.0, "vegetation", (116, 165, 82)),
)


def _below(
    polygon: list[tuple[float, float]], plane: tuple[float, float, float]
) -> list[tuple[float, float]]:
    """The part of a polygon of picture points where plane[0] x + plane[1] y + plane[2] < 0."""
    kept: list[tuple[float, float]] = []
    values = [plane[0] * x + plane[1] * y + plane[2] for x, y in polygon]
    for index, (x, y) in enumerate(polygon):
        before, value = values[index - 1], values[index]
        if (before < 0) != (value < 0):
            px, py = polygon[index - 1]
            t = before / (before - value)
            kept.append((px + (x - px) * t, py + (y - py) * t))
        if value < 0:
            kept.append((x, y))
    return kept


def _plane(camera: Camera, weight: Triple) -> tuple[float, float, float]:
    """The linear function of picture points that is `weight` · the ray through them."""
    height, width = camera.size_hw
    right, up, forward = (
        sum(w * b for w, b in zip(weight, axis, strict=True)) for axis in camera.basis.tolist()
    )
    return right, -up, forward * camera.focal_px - right * width / 2 + up * height / 2


def _ground_colour(colour: Rgb, stuff: StuffName, light: Light, depth: float) -> Rgb:
    red, green, blue = (float(channel) for channel in colour)
    if light.snow and stuff != "road":
        red, green, blue = (
            0.18 * c + 0.82 * w for c, w in zip((red, green, blue), (240, 244, 250), strict=True)
        )
    elif light.snow:
        red, green, blue = (0.62 * c + 0.38 * 226 for c in (red, green, blue))
    if light.wet and stuff in ("road", "pavement"):
        red, green, blue = 0.74 * red, 0.77 * green, 0.84 * blue
    tone = light.tone((0.0, 1.0, 0.0))
    veil = 1 - math.exp(-light.fog_per_m * max(0.0, depth - 4.0))
    lit = [
        c * (a + tone * s) * (1 - veil) + f * veil
        for c, a, s, f in zip((red, green, blue), light.ambient, light.sun, light.fog, strict=True)
    ]
    return min(255, int(lit[0])), min(255, int(lit[1])), min(255, int(lit[2]))


def paint_ground(
    pen: ImageDraw.ImageDraw, camera: Camera, light: Light, sheet: ImageDraw.ImageDraw
) -> None:
    """The bands, far to near: each fills the picture from its far edge down to the viewer."""
    height, width = camera.size_hw
    _, py, pz = camera.position
    frame = [(-1.0, -1.0), (width + 1.0, -1.0), (width + 1.0, height + 1.0), (-1.0, height + 1.0)]
    left = _below(frame, _plane(camera, (0.0, 1.0, 0.0)))
    for low, high, stuff, colour in _BANDS:
        if len(left) < 3:
            return
        # Fog and distance need slices: each has the colour of its own distance.
        slices = 4 if high - low > 3 else 1
        for index in range(slices):
            near = high - (high - low) * (index + 1) / slices
            # A ray meets the ground nearer than the line z = near where `line` is negative.
            line = _plane(camera, (0.0, near - pz, py))
            strip = _below(left, (-line[0], -line[1], -line[2]))
            left = _below(left, line)
            if len(strip) < 3:
                continue
            shade = lighter(colour, 0.06 * (slices - 1 - index) / slices)
            fill = _ground_colour(shade, stuff, light, max(1.0, near - pz))
            pen.polygon([(x * FINE, y * FINE) for x, y in strip], fill=fill)
            sheet.polygon(strip, fill=stuff_id(stuff))


class _Slabs:
    """Flat rectangles on the ground; those that reach behind the camera are left out."""

    def __init__(self, sketch: Sketch, camera: Camera, light: Light) -> None:
        self.sketch, self.tone = sketch, light.tone((0.0, 1.0, 0.0))
        (fx, fy, fz), (px, py, pz) = camera.rows[2], camera.position
        self._fx, self._fz, self._rest = fx, fz, -px * fx - py * fy - pz * fz - 1.0

    def seen(self, x: float, z: float) -> bool:
        """Whether a ground point lies at least a metre ahead."""
        return x * self._fx + z * self._fz + self._rest > 0

    def put(
        self,
        xs: tuple[float, float],
        zs: tuple[float, float],
        colour: Rgb,
        alpha: int,
        lean: float = 0.0,
    ) -> None:
        """A slab from xs[0] to xs[1] and zs[0] to zs[1]; its far side is moved by `lean`."""
        (x0, x1), (z0, z1) = xs, zs
        corners = ((x0 + lean, 0.0, z1), (x1 + lean, 0.0, z1), (x1, 0.0, z0), (x0, 0.0, z0))
        if all(self.seen(x, z) for x, _, z in corners):
            self.sketch.face(corners, colour, self.tone, alpha=alpha)


def sketch_markings(sketch: Sketch, camera: Camera, light: Light, seed: int, clutter: float) -> None:
    """Centre line, zebra crossing, joints between slabs, tufts of grass, patches of asphalt."""
    slabs = _Slabs(sketch, camera, light)
    low, high = camera.reach_at(0.0, 60.0)
    _lines(slabs, seed, low, high)
    middle = camera.x_at(camera.size_hw[1] / 2, 0.0) or 0.0
    # Joints narrower than a third of a pixel would only cost time.
    if camera.focal_px * 0.05 / max(4.0, -camera.position[2]) > 0.3:
        for index in range(math.floor((middle - 20) / 1.6), math.ceil((middle + 20) / 1.6)):
            if low - 4 < index * 1.6 < high + 4:
                for zs in ((4.0, 8.3), (-7.3, -4.2)):
                    slabs.put((index * 1.6, index * 1.6 + 0.05), zs, _JOINT, 70)
        for z in (-5.7, 5.4, 6.8):
            slabs.put((low, high), (z, z + 0.05), _JOINT, 60)
    if not light.snow:
        _grass(slabs, seed, middle)
    rng = stream(seed, "patches")
    for _ in range(14):
        x, z, wide = middle + rng.uniform(-12, 12), rng.uniform(-3.6, 3.0), rng.uniform(0.6, 2.2)
        dark, lean, needed = rng.random() < 0.6, rng.uniform(-0.5, 0.5), rng.random()
        if needed < clutter:
            colour: Rgb = (70, 72, 82) if dark else (150, 152, 158)
            slabs.put((x, x + wide), (z, z + wide * 0.4), colour, 130, lean)


def _lines(slabs: _Slabs, seed: int, low: float, high: float) -> None:
    """The dashed centre line, and on some streets a zebra crossing."""
    rng = stream(seed, "lines")
    zebra = rng.uniform(-9, 9) if rng.random() < 0.45 else None
    for index in range(math.floor(low / 4.0), math.ceil(high / 4.0) + 1):
        if zebra is None or abs(index * 4.0 + 1.1 - zebra) > 2.6:
            slabs.put((index * 4.0, index * 4.0 + 2.2), (-0.1, 0.1), _PAINT, 225)
    if zebra is not None:
        for step in range(6):
            z = -3.5 + step * 1.22
            slabs.put((zebra - 1.3, zebra + 1.3), (z, z + 0.62), _PAINT, 225)


def _grass(slabs: _Slabs, seed: int, middle: float) -> None:
    rng = stream(seed, "grass")
    for _ in range(26):
        x, size, light = middle + rng.uniform(-13, 13), rng.uniform(0.12, 0.3), rng.random() < 0.5
        z = rng.choice((rng.uniform(-12, -7.6), rng.uniform(8.6, 9.4)))
        if slabs.seen(x, z):
            blade: Rgb = (158, 200, 112) if light else (104, 158, 74)
            slabs.sketch.stroke(((x, 0, z), (x + 0.06, size, z)), 0.035, blade, 0.5, alpha=200)
