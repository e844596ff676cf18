"""An airliner. Metres; it faces z."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from striate.data.meshes.mesh import Mesh, join
from striate.data.meshes.shapes import RGB, loft, patch, tube

__all__ = ["plane"]

_RADIUS = 1.9
_GLASS: RGB = (46, 60, 84)
# z, radius as a share, height of the middle: from the tail to the nose
_HULL = (
    (-17.5, 0.10, 1.15), (-15.5, 0.34, 0.95), (-11.5, 0.74, 0.45), (-7.0, 1.0, 0.0), (10.5, 1.0, 0.0),
    (13.6, 0.9, -0.1), (15.6, 0.66, -0.3), (16.8, 0.34, -0.5), (17.2, 0.08, -0.6),
)  # fmt: skip


def plane(paint: RGB = (38, 92, 178)) -> Mesh:
    """An airliner with two engines, 35 m; `paint` is on its tail and engines."""
    path = np.array([(0.0, y, z) for z, _, y in _HULL])
    hull = tube(path, [_RADIUS * one for _, one, _ in _HULL], (238, 240, 242), "fuselage", sides=14)
    parts = [hull, *_cabin()]
    for side in (-1.0, 1.0):
        parts += [
            _sheet([(side * 1.2, -0.7, 4.2), (side * 15.5, 0.6, -6.0)], (7.2, 1.9), 0.5, "wings"),
            _sheet([(side * 0.3, 1.1, -13.2), (side * 5.6, 1.5, -16.6)], (3.4, 1.5), 0.28, "tail"),
            tube([(side * 5.2, -1.75, z) for z in (0.0, 1.2, 3.6, 4.3)], [0.7, 1.0, 1.1, 1.0], paint,
                 "engines", sides=10),
            tube([(side * 5.2, -1.75, 4.25), (side * 5.2, -1.75, 4.36)], 0.85, (40, 42, 50), "engines",
                 sides=10),
        ]  # fmt: skip
    parts.append(_sheet([(0.0, 1.4, -11.0), (0.0, 7.2, -16.4)], (5.6, 2.2), 0.4, "fin", paint))
    return join(parts)


def _sheet(
    ends: Sequence[tuple[float, float, float]],
    chords: tuple[float, float],
    thick: float,
    part: str,
    colour: RGB = (206, 210, 216),
) -> Mesh:
    """A wing from its root to its tip; points are leading edges, chords reach back from them."""
    root, tip = np.asarray(ends, np.float64)
    along = (tip - root) / np.linalg.norm(tip - root)
    out = np.cross((0.0, 0.0, 1.0), along)
    out /= np.linalg.norm(out)
    rings = []
    for edge, chord, depth in ((root, chords[0], thick), (tip, chords[1], thick * 0.35)):
        back = np.array([0.0, 0.0, -1.0])
        shares = ((0.0, 0.0), (0.25, 0.5), (1.0, 0.0), (0.25, -0.5))
        rings.append([edge + chord * share * back + depth * up * out for share, up in shares])
    return loft(np.array(rings), colour, part, smooth=False)


def _cabin() -> list[Mesh]:
    """The windscreen, and a row of windows on either side."""
    found = []
    for side in (-1.0, 1.0):
        for k in range(16):
            z, wide = 10.2 - 1.12 * k, 0.5
            # on the hull, a little above its middle
            low, high = 0.35, 0.95
            xs = [side * np.sqrt(_RADIUS**2 - y * y) for y in (low, high)]
            corners = [
                (xs[0], low, z),
                (xs[0], low, z - wide),
                (xs[1], high, z - wide),
                (xs[1], high, z),
            ]
            found.append(patch(corners if side > 0 else corners[::-1], _GLASS, "windows", lift=0.1))
        screen = [(0.05, 1.22, 14.25), (1.35, 0.8, 13.95), (1.12, 0.28, 15.4), (0.05, 0.62, 15.75)]
        turned = [(side * x, y, z) for x, y, z in screen]
        found.append(patch(turned[::-1] if side > 0 else turned, _GLASS, "windows", lift=0.12))
    return found
