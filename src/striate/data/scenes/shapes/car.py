"""A car: hatchback, saloon, estate, off-roader or coupé."""

from __future__ import annotations

import random
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from striate.data.scenes.chance import jittered
from striate.data.scenes.light import Triple
from striate.data.scenes.names import PAINTS, Rgb
from striate.data.scenes.shapes.glass import LAMP, PLATE, TAIL, glare, window_colour
from striate.data.scenes.shapes.plane import Plane, end_of, side_of
from striate.data.scenes.shapes.solid import (
    Point,
    darker,
    extrude,
    lighter,
    near_side,
    rounded,
    treads,
    wheel,
)
from striate.data.scenes.sketch import Sketch
from striate.data.scenes.world import View

__all__ = ["Car", "make_car"]

CAR_PAINTS = ("red", "blue", "green", "yellow", "white", "black", "grey", "orange", "purple")


@dataclass(frozen=True, slots=True)
class _Body:
    """Proportions, metres; `cabin` is x of rear foot, rear roof, front roof and front foot as
    shares of half the length."""

    length: float
    height: float
    belt: float
    bonnet: float
    boot: float
    cabin: tuple[float, float, float, float]
    clearance: float
    wheel: float


_BODIES: MappingProxyType[str, _Body] = MappingProxyType(
    {
        "hatchback": _Body(4.0, 1.52, 0.95, 0.84, 0.93, (-0.97, -0.72, 0.16, 0.52), 0.26, 0.34),
        "saloon": _Body(4.6, 1.46, 0.92, 0.82, 0.90, (-0.66, -0.36, 0.14, 0.48), 0.24, 0.34),
        "estate": _Body(4.7, 1.52, 0.94, 0.83, 0.94, (-0.98, -0.84, 0.14, 0.48), 0.25, 0.34),
        "off-roader": _Body(4.5, 1.82, 1.12, 1.04, 1.10, (-0.97, -0.88, 0.20, 0.46), 0.38, 0.42),
        "coupé": _Body(4.4, 1.30, 0.84, 0.74, 0.86, (-0.82, -0.28, 0.06, 0.42), 0.20, 0.34),
    }
)


@dataclass(frozen=True, slots=True)
class Car:
    """One car; `size` is length, height, width in metres."""

    label: ClassVar[str] = "car"
    solid: ClassVar[bool] = True
    kind: str
    colour: str
    paint: Rgb
    size: Triple
    body: _Body
    roof: Rgb
    rim: Rgb
    stripe: bool

    def draw(self, sketch: Sketch, view: View) -> None:
        """Treads, body, cabin, the end that is seen, the near side, its wheels."""
        side, half, reach = near_side(view), self.size[2] / 2, self.size[0] / 2
        axles = (-0.60 * reach, 0.62 * reach)
        treads(sketch, view, axles, half, self.body.wheel)
        extrude(sketch, view, self._outline(), lambda _: half, self.paint)
        self._cabin(sketch, view)
        if abs(view.eye[0]) > reach:
            self._end(end_of(sketch, view, 1 if view.eye[0] > 0 else -1, reach), view)
        if abs(view.eye[2]) <= half:
            return
        flank = side_of(sketch, view, side, half)
        self._windows(sketch, view, side)
        self._flank(flank, view)
        sketch.ball(
            (self._cabin_x()[3] - 0.3, self.body.belt + 0.07, side * (half + 0.08)),
            0.085,
            darker(self.paint, 0.1),
            flank.tone,
        )
        radius = self.body.wheel
        for x in axles if view.eye[0] > 0 else axles[::-1]:
            name = "front-wheel" if x > 0 else "rear-wheel"
            flank.disc(x, radius * 1.04, radius * 1.2, darker(self.paint, 0.62), tone=0.0)
            wheel(flank, x, radius, part=f"wheel:{name}", rim=self.rim)
            sketch.key(name, (x, radius, side * half))

    def _cabin_x(self) -> tuple[float, float, float, float]:
        """x of rear foot, rear roof, front roof, front foot, metres."""
        rear, back, front, foot = (share * self.size[0] / 2 for share in self.body.cabin)
        return rear, back, front, foot

    def _outline(self) -> list[Point]:
        body, reach = self.body, self.size[0] / 2
        rear, _, _, foot = self._cabin_x()
        return rounded(
            [
                (-reach, body.clearance, 0.08),
                (reach, body.clearance, 0.1),
                (reach, body.bonnet - 0.12, 0.22),
                (foot, body.belt, 0.2),
                (rear, body.belt, 0.1),
                (-reach, body.boot - 0.06, 0.16),
            ]
        )

    def _half_at(self, y: float) -> float:
        """Half the cabin's width at height y: it leans inwards."""
        rise = max(0.0, (y - self.body.belt) / (self.body.height - self.body.belt))
        return self.size[2] / 2 * (0.97 - 0.17 * rise)

    def _cabin(self, sketch: Sketch, view: View) -> None:
        rear, back, front, foot = self._cabin_x()
        top, belt = self.body.height, self.body.belt - 0.02
        outline = rounded([(rear, belt, 0), (foot, belt, 0), (front, top, 0.16), (back, top, 0.16)], 2)
        extrude(sketch, view, outline, self._half_at, self.roof, side_colour=self.paint)
        for part, low, high in (("windscreen", foot, front), ("rear-window", rear, back)):
            # Seen when the eye is in front of the pane's plane.
            sign = 1 if part == "windscreen" else -1
            nx, ny = (top - belt) * sign, (low - high) * sign
            if nx * (view.eye[0] - low) + ny * (view.eye[1] - belt) > 0:
                self._pane(sketch, view, low, high, part=part)

    def _pane(self, sketch: Sketch, view: View, low: float, high: float, *, part: str) -> None:
        """Windscreen or rear window: foot at x = `low`, roof at x = `high`."""
        belt, top = self.body.belt, self.body.height

        def at(across: float, rise: float) -> Triple:
            y = belt + (top - belt) * rise
            return low + (high - low) * rise, y, across * self._half_at(y)

        tone = 0.5 + 0.4 * view.tone(1 if low > high else -1, 0, 0)
        pane = Plane(sketch, at, tone, view.px_per_m)
        corners = ((-0.92, 0.06), (0.92, 0.06), (0.86, 0.88), (-0.86, 0.88))
        pane.poly(corners, window_colour(view), part=part)
        streak = ((-0.4, 0.1), (-0.05, 0.1), (0.3, 0.85), (0.05, 0.85))
        pane.poly(streak, glare(view), tone=0.8, alpha=70)

    def _post(self) -> float:
        """x of the post between the side windows."""
        rear, back, front, foot = self._cabin_x()
        return (rear + back) * 0.08 + (front + foot) * 0.14

    def _windows(self, sketch: Sketch, view: View, side: int) -> None:
        rear, back, front, foot = self._cabin_x()
        low, high, post = self.body.belt + 0.03, self.body.height - 0.1, self._post()
        share = (high - low) / (self.body.height - low)

        def at(x: float, y: float) -> Triple:
            return x, y, side * self._half_at(y)

        glass = Plane(sketch, at, 0.35 + 0.5 * view.tone(0, 0, side), view.px_per_m)
        colour = window_colour(view)
        rear_top, front_top = rear + (back - rear) * share + 0.14, foot + (front - foot) * share - 0.12
        behind = ((rear + 0.14, low), (post - 0.05, low), (post - 0.05, high), (rear_top, high))
        before = ((post + 0.05, low), (foot - 0.14, low), (front_top, high), (post + 0.05, high))
        glass.poly(behind, colour, part="window:rear")
        glass.poly(before, colour, part="window:front")
        streak = ((post + 0.2, low), (post + 0.42, low), (post + 0.62, high), (post + 0.4, high))
        glass.poly(streak, glare(view), tone=0.8, alpha=60)

    def _flank(self, flank: Plane, view: View) -> None:
        """Sill, crease, door, handles, and the corners of the lamps that wrap round."""
        body, reach, low = self.body, self.size[0] / 2, self.body.clearance
        sill = (
            (-reach + 0.08, low),
            (reach - 0.1, low),
            (reach - 0.04, low + 0.15),
            (-reach + 0.03, low + 0.15),
        )
        flank.poly(sill, darker(self.paint, 0.28))
        line = body.belt - 0.16
        crease = (
            (-reach + 0.1, line),
            (reach - 0.45, line - 0.06),
            (reach - 0.45, line - 0.02),
            (-reach + 0.1, line + 0.05),
        )
        flank.poly(crease, lighter(self.paint, 0.3), alpha=150)
        if view.px_per_m > 12:
            self._door(flank, line)
        if self.stripe:
            flank.rect((-reach + 0.06, reach - 0.06), (0.55, 0.62), lighter(self.paint, 0.75), alpha=220)
        y = body.bonnet - 0.2
        lamp = (
            (reach - 0.36, y),
            (reach - 0.03, y - 0.06),
            (reach - 0.05, y + 0.1),
            (reach - 0.3, y + 0.13),
        )
        flank.poly(lamp, LAMP, tone=0.9, part="headlight:side", glow=0.75 * view.lamps)
        y = body.boot - 0.22
        tail = (
            (-reach + 0.02, y),
            (-reach + 0.22, y + 0.03),
            (-reach + 0.2, y + 0.15),
            (-reach + 0.04, y + 0.14),
        )
        flank.poly(tail, TAIL, tone=0.8, part="taillight:side", glow=0.6 * view.lamps)

    def _door(self, flank: Plane, line: float) -> None:
        body, post, foot = self.body, self._post() - 0.02, self._cabin_x()[3]
        sill, belt = body.clearance + 0.16, body.belt - 0.03
        door = ((post, sill), (foot - 0.06, sill), (foot - 0.1, belt), (post, belt))
        flank.line((*door, door[0]), 0.012, darker(self.paint, 0.28), part="door")
        for x in (post + 0.16, post - 0.6):
            flank.rect((x, x + 0.2), (line + 0.06, line + 0.11), darker(self.paint, 0.45))

    def _end(self, end: Plane, view: View) -> None:
        """Bumper, grille, lamps and plate."""
        half, body, front = self.size[2] / 2, self.body, view.eye[0] > 0
        low = body.clearance
        end.rect((-half * 0.94, half * 0.94), (low + 0.02, low + 0.16), darker(self.paint, 0.45))
        top = body.bonnet - 0.18 if front else body.boot - 0.12
        if front:
            end.rect((-half * 0.5, half * 0.5), (top - 0.17, top - 0.02), (44, 46, 54))
        lamp, name = (LAMP, "headlight") if front else (TAIL, "taillight")
        for side in (-1, 1):
            across = (side * half * 0.56, side * half * 0.93)
            glow = 0.85 * view.lamps
            end.rect(across, (top - 0.17, top), lamp, tone=0.9, part=f"{name}:{side}", glow=glow)
        end.rect((-0.26, 0.26), (low + 0.1, low + 0.22), PLATE, tone=max(end.tone, 0.4), part="plate")


def make_car(rng: random.Random) -> Car:
    """A car drawn by `rng`."""
    kind = rng.choice(tuple(_BODIES))
    body = _BODIES[kind]
    colour = rng.choice(CAR_PAINTS)
    paint = jittered(rng, PAINTS[colour])
    two_tone = rng.random() < 0.16 and colour != "black"
    return Car(
        kind=kind,
        colour=colour,
        paint=paint,
        size=(body.length * rng.uniform(0.95, 1.06), body.height, rng.uniform(1.74, 1.88)),
        body=body,
        roof=jittered(rng, (52, 54, 60)) if two_tone else paint,
        rim=rng.choice(((206, 210, 216), (176, 180, 188), (228, 228, 226), (120, 124, 134))),
        stripe=rng.random() < 0.1,
    )
