"""Things on wheels. Metres; wheels stand on y = 0; they face z."""

from __future__ import annotations

import numpy as np

from striate.data.meshes.mesh import Mesh, join
from striate.data.meshes.shapes import RGB, Point, drawn_out, patch, ring, tube, wheel
from striate.data.meshes.solids.walls import Body, lighter

__all__ = ["bicycle", "bus", "car", "truck", "van"]

_GLASS: RGB = (52, 68, 88)
_LAMP: RGB = (255, 248, 214)
_TAIL: RGB = (206, 32, 32)
_DARK: RGB = (44, 46, 52)
_PLATE: RGB = (238, 236, 222)


def _wheels(half: float, zs: tuple[float, ...], radius: float, width: float = 0.12) -> list[Mesh]:
    return [wheel((x, radius, z), radius, width) for z in zs for x in (-half, half)]


def _arches(half: float, zs: tuple[float, ...], radius: float) -> list[Mesh]:
    """Dark half-discs over the wheels, on both sides."""
    turn = np.linspace(0.0, np.pi, 9)
    found = []
    for z in zs:
        for x in (-half, half):
            around = [
                (x, float(radius + 1.28 * radius * np.sin(t)), float(z + 1.28 * radius * np.cos(t)))
                for t in turn
            ]
            found.append(patch(around if x < 0 else around[::-1], _DARK, "body"))
    return found


def car(paint: RGB = (200, 44, 40)) -> Mesh:
    """A family car, 4.3 m."""
    shade = lighter(paint, -0.25)
    side = [
        (-2.12, 0.3), (2.1, 0.3), (2.15, 0.42), (2.12, 0.66), (1.97, 0.78), (0.95, 0.92),
        (-1.55, 0.95), (-2.05, 0.92), (-2.15, 0.7),
    ]  # fmt: skip
    hull = drawn_out(side, (-0.87, 0.87), paint, "body")
    cabin = Body(0.84, (-1.62, 1.05), (0.92, 1.46), 0.62, (-1.08, 0.22))
    nose = Body.straight(0.87, (-2.13, 2.135), (0.3, 0.78))
    parts = [
        hull,
        cabin.mesh(paint, "cabin"),
        cabin.patch("front", (0.07, 0.93), (0.08, 0.92), _GLASS, "windows"),
        cabin.patch("back", (0.09, 0.91), (0.15, 0.9), _GLASS, "windows"),
        *cabin.along((0.12, 0.47), (0.12, 0.88), _GLASS, "windows"),
        *cabin.along((0.52, 0.84), (0.12, 0.88), _GLASS, "windows"),
        *_arches(0.87, (-1.32, 1.32), 0.33),
        *_wheels(0.8, (-1.32, 1.32), 0.33),
        *nose.pair("front", (0.05, 0.26), (0.52, 0.82), _LAMP, "lamps"),
        nose.patch("front", (0.3, 0.7), (0.5, 0.78), _DARK, "body"),
        nose.patch("front", (0.04, 0.96), (0.02, 0.3), shade, "body"),
        nose.patch("front", (0.38, 0.62), (0.1, 0.3), _PLATE, "body", lift=0.03),
        *nose.pair("back", (0.04, 0.24), (0.62, 0.98), _TAIL, "lamps"),
        nose.patch("back", (0.04, 0.96), (0.02, 0.3), shade, "body"),
        nose.patch("back", (0.36, 0.64), (0.5, 0.75), _PLATE, "body", lift=0.03),
        *_seams(paint),
    ]
    return join(parts)


def _seams(paint: RGB) -> list[Mesh]:
    """Lines between the doors, and their handles."""
    doors = Body.straight(0.87, (-1.0, 0.85), (0.4, 0.9))
    found = []
    for at in (0.0, 0.5, 0.98):
        found += doors.along((at, at + 0.02), (0.0, 1.0), lighter(paint, -0.45), "body")
    for at in (0.36, 0.86):
        found += doors.along((at, at + 0.1), (0.72, 0.82), lighter(paint, -0.5), "body")
    return found


def bus(paint: RGB = (240, 178, 32)) -> Mesh:
    """A city bus, 10.5 m: doors on its right, a sign above the windscreen."""
    hull = Body.straight(1.25, (-5.2, 5.2), (0.38, 3.05))
    roof = Body(1.25, (-5.2, 5.2), (3.05, 3.22), 1.05, (-4.95, 4.95))
    dark, frame = lighter(paint, -0.35), lighter(paint, -0.12)
    parts = [
        hull.mesh(paint),
        roof.mesh(lighter(paint, 0.55), "roof"),
        hull.patch("front", (0.05, 0.95), (0.34, 0.8), _GLASS, "windows"),
        hull.patch("front", (0.49, 0.51), (0.34, 0.8), frame, "windows", lift=0.03),
        hull.patch("front", (0.16, 0.84), (0.84, 0.97), _DARK, "body"),
        hull.patch("front", (0.24, 0.76), (0.87, 0.94), (255, 176, 60), "lamps", lift=0.03),
        *hull.pair("front", (0.05, 0.2), (0.1, 0.2), _LAMP, "lamps"),
        hull.patch("front", (0.0, 1.0), (0.0, 0.06), _DARK, "body"),
        hull.patch("back", (0.14, 0.86), (0.55, 0.86), _GLASS, "windows"),
        *hull.pair("back", (0.04, 0.13), (0.12, 0.36), _TAIL, "lamps"),
        hull.patch("back", (0.25, 0.75), (0.14, 0.4), dark, "body"),
        *hull.along((0.0, 1.0), (0.0, 0.07), _DARK, "body"),
        *hull.along((0.0, 1.0), (0.34, 0.39), dark, "body"),
        *_wheels(1.17, (-2.9, 3.1), 0.5, 0.16),
        *_arches(1.25, (-2.9, 3.1), 0.46),
        *_panes(hull),
        hull.patch("right", (0.86, 0.97), (0.05, 0.84), frame, "doors"),
        hull.patch("right", (0.87, 0.912), (0.1, 0.81), _GLASS, "doors", lift=0.03),
        hull.patch("right", (0.918, 0.96), (0.1, 0.81), _GLASS, "doors", lift=0.03),
        *(_mirror(x) for x in (-1.0, 1.0)),
    ]
    return join(parts)


def _panes(hull: Body) -> list[Mesh]:
    """The long row of windows."""
    found = []
    for k in range(7):
        start = 0.15 + 0.119 * k
        found += hull.along((start, start + 0.108), (0.46, 0.84), _GLASS, "windows")
    found.append(hull.patch("left", (0.03, 0.135), (0.42, 0.84), _GLASS, "windows"))
    return found


def _mirror(side: float) -> Mesh:
    points = [(side * 1.2, 2.5, 5.15), (side * 1.45, 2.5, 5.3), (side * 1.45, 2.1, 5.3)]
    return tube(points, [0.03, 0.04, 0.09], _DARK, "mirrors", sides=5)


def truck(paint: RGB = (44, 96, 176), load: RGB = (236, 236, 230)) -> Mesh:
    """A lorry, 8 m: a cab before a tall box."""
    cab = Body(1.2, (2.0, 4.0), (0.55, 2.75), 1.12, (2.0, 3.72))
    box = Body.straight(1.25, (-4.0, 1.65), (1.05, 3.6))
    frame = Body.straight(0.5, (-3.9, 3.6), (0.6, 1.05))
    edge = lighter(load, -0.25)
    parts = [
        frame.mesh(_DARK, "frame"),
        cab.mesh(paint, "cab"),
        box.mesh(load, "box"),
        cab.patch("front", (0.06, 0.94), (0.52, 0.9), _GLASS, "windows"),
        cab.patch("front", (0.2, 0.8), (0.2, 0.44), _DARK, "cab"),
        cab.patch("front", (0.0, 1.0), (0.0, 0.13), lighter(paint, -0.4), "cab"),
        *cab.pair("front", (0.04, 0.18), (0.16, 0.3), _LAMP, "lamps"),
        *cab.along((0.18, 0.72), (0.52, 0.88), _GLASS, "windows"),
        *cab.along((0.12, 0.14), (0.06, 0.9), lighter(paint, -0.4), "cab"),
        *cab.along((0.76, 0.78), (0.06, 0.9), lighter(paint, -0.4), "cab"),
        *box.along((0.0, 1.0), (0.0, 0.05), edge, "box"),
        *box.along((0.0, 1.0), (0.95, 1.0), edge, "box"),
        *box.along((0.18, 0.82), (0.36, 0.64), paint, "box"),
        box.patch("back", (0.06, 0.49), (0.05, 0.95), edge, "box"),
        box.patch("back", (0.51, 0.94), (0.05, 0.95), edge, "box"),
        *(
            Body.straight(0.9, (-4.02, -3.7), (0.7, 0.95)).pair(
                "back", (0, 0.25), (0, 1), _TAIL, "lamps"
            )
        ),
        *_wheels(1.02, (-3.2, -2.0, 2.95), 0.5, 0.2),
    ]
    return join(parts)


def van(paint: RGB = (236, 238, 240)) -> Mesh:
    """A delivery van, 5.3 m: a short sloping nose, no windows behind."""
    side = [
        (-2.6, 0.35), (2.5, 0.35), (2.65, 0.55), (2.6, 0.95), (2.3, 1.12), (1.75, 1.25),
        (0.95, 2.15), (0.55, 2.32), (-2.45, 2.32), (-2.6, 2.15),
    ]  # fmt: skip
    hull = drawn_out(side, (-0.98, 0.98), paint, "body")
    flank = Body.straight(0.98, (-2.6, 2.65), (0.35, 2.32))
    screen = Body(0.98, (0.0, 1.75), (1.25, 2.15), 0.98, (0.0, 0.95))
    shade = lighter(paint, -0.3)
    parts = [
        hull,
        screen.patch("front", (0.07, 0.93), (0.05, 0.95), _GLASS, "windows"),
        *_quarter(screen),
        flank.patch("back", (0.08, 0.47), (0.55, 0.9), _GLASS, "windows"),
        flank.patch("back", (0.53, 0.92), (0.55, 0.9), _GLASS, "windows"),
        *flank.pair("back", (0.0, 0.06), (0.2, 0.5), _TAIL, "lamps"),
        flank.patch("back", (0.495, 0.505), (0.05, 0.95), shade, "body"),
        *flank.along((0.4, 0.406), (0.12, 0.95), shade, "body"),
        *flank.along((0.7, 0.706), (0.12, 0.95), shade, "body"),
        *flank.along((0.02, 0.98), (0.0, 0.1), _DARK, "body"),
        *flank.pair("front", (0.04, 0.22), (0.16, 0.3), _LAMP, "lamps"),
        flank.patch("front", (0.28, 0.72), (0.14, 0.28), _DARK, "body"),
        flank.patch("front", (0.0, 1.0), (0.0, 0.1), _DARK, "body"),
        *_arches(0.98, (-1.6, 1.6), 0.35),
        *_wheels(0.9, (-1.6, 1.6), 0.36),
    ]
    return join(parts)


def _quarter(screen: Body) -> list[Mesh]:
    """The windows of the doors, whose front edge follows the windscreen."""
    left: list[Point] = [(0.98, 1.3, 1.5), (0.98, 1.3, 0.55), (0.98, 2.05, 0.55), (0.98, 2.05, 0.85)]
    right: list[Point] = [(-x, y, z) for x, y, z in left[::-1]]
    return [patch(corners, _GLASS, "windows") for corners in (left, right)]


def bicycle(paint: RGB = (24, 120, 92)) -> Mesh:
    """A bicycle, 1.75 m: two spoked wheels, a frame, handlebars, a saddle."""
    hub_back, hub_front = (0.0, 0.34, -0.52), (0.0, 0.34, 0.54)
    crank, seat, head = (0.0, 0.3, -0.08), (0.0, 0.82, -0.24), (0.0, 0.78, 0.36)
    grip = (0.0, 0.99, 0.33)

    def rod(a: Point, b: Point, radius: float = 0.022, colour: RGB = paint, part: str = "frame") -> Mesh:
        return tube([a, b], radius, colour, part, sides=6)

    parts = [
        *(_spoked(hub) for hub in (hub_back, hub_front)),
        rod(hub_back, crank), rod(hub_back, (0, 0.76, -0.22)), rod(crank, seat), rod(crank, head),
        rod((0, 0.76, -0.22), head, 0.026), rod(head, hub_front), rod(head, grip),
        rod(seat, (0, 0.93, -0.27), 0.02, _DARK),
        tube([(0, 0.95, -0.42), (0, 0.97, -0.3), (0, 0.96, -0.1)], [0.09, 0.07, 0.03], _DARK, "saddle",
             round_ends=True, flat=(1.0, 0.45)),
        tube([(-0.29, 1.0, 0.22), (-0.22, 1.02, 0.36), (0, 1.0, 0.36), (0.22, 1.02, 0.36),
              (0.29, 1.0, 0.22)], 0.022, _DARK, "handlebars", sides=6),
        tube([(-0.05, 0.3, -0.08), (0.05, 0.3, -0.08)], 0.09, (150, 154, 160), "pedals", sides=10),
        rod((0.06, 0.3, -0.08), (0.06, 0.14, 0.0), 0.015, (150, 154, 160), "pedals"),
        rod((-0.06, 0.3, -0.08), (-0.06, 0.46, -0.16), 0.015, (150, 154, 160), "pedals"),
        rod((0.04, 0.14, 0.0), (0.16, 0.14, 0.0), 0.03, _DARK, "pedals"),
        rod((-0.04, 0.46, -0.16), (-0.16, 0.46, -0.16), 0.03, _DARK, "pedals"),
    ]  # fmt: skip
    return join(parts)


def _spoked(hub: Point, radius: float = 0.33) -> Mesh:
    """A wheel one can look through."""
    spokes = []
    for turn in np.arange(6) * np.pi / 6:
        across = radius * np.array([0.0, np.cos(turn), np.sin(turn)])
        ends = np.stack([np.asarray(hub) - across, np.asarray(hub) + across])
        spokes.append(tube(ends, 0.007, (176, 180, 186), "wheels", sides=3))
    return join([ring(hub, radius, 0.026, _DARK, "wheels"), *spokes])
