"""A person and a dog, whose limbs turn at their joints. Metres; they face z, standing on y = 0."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np

from striate.data.meshes.mesh import Mesh, join
from striate.data.meshes.rotation import angles_to_matrix
from striate.data.meshes.shapes import RGB, Point, ball, tube
from striate.data.meshes.solids.head import HAIR, SKIN, head_template
from striate.data.meshes.solids.tints import Tinted, tinted
from striate.data.meshes.solids.walls import lighter
from striate.types import Array

__all__ = ["Joints", "Paws", "dog", "person"]

Pair = tuple[float, float]
"""For the figure's left (towards +x) and right."""


@dataclass(frozen=True, slots=True)
class Joints:
    """Angles of a person, degrees; all 0 stands straight with hanging arms.

    `shoulders`, `hips`: forward. `raised`: arms out to the side. `apart`: legs out to the side.
    `elbows`, `knees`: bent, 0 straight. `bow`: of the trunk, forward. `glance`: of the head, leftwards.
    """

    shoulders: Pair = (0.0, 0.0)
    raised: Pair = (9.0, 9.0)
    elbows: Pair = (12.0, 12.0)
    hips: Pair = (0.0, 0.0)
    apart: Pair = (4.0, 4.0)
    knees: Pair = (0.0, 0.0)
    bow: float = 0.0
    glance: float = 0.0

    @classmethod
    def drawn(cls, rng: np.random.Generator, deformation: float) -> Joints:
        """A posture as far from standing as `deformation`, 0 to 1, says: a walk, a wave, a squat."""
        usual = cls()

        def one(rest: float, low: float, high: float) -> float:
            return float(rest + deformation * (rng.uniform(low, high) - rest))

        def pair(rest: Pair, low: float, high: float) -> Pair:
            return one(rest[0], low, high), one(rest[1], low, high)

        return cls(
            shoulders=pair(usual.shoulders, -50, 150),
            raised=pair(usual.raised, 5, 95),
            elbows=pair(usual.elbows, 5, 115),
            hips=pair(usual.hips, -30, 75),
            apart=pair(usual.apart, 2, 25),
            knees=pair(usual.knees, 0, 95),
            bow=one(usual.bow, -8, 35),
            glance=one(usual.glance, -50, 50),
        )


def _turned(vector: Point, forward_deg: float, out_deg: float, side: float) -> Array:
    """A limb's direction swung forward about x, then out to its side about z."""
    a, b = math.radians(forward_deg), math.radians(out_deg)
    x, y, z = vector
    y, z = y * math.cos(a) + z * math.sin(a), z * math.cos(a) - y * math.sin(a)
    x, y = x * math.cos(b) - side * y * math.sin(b), y * math.cos(b) + side * x * math.sin(b)
    return np.array([x, y, z])


def person(
    shirt: RGB = (196, 62, 54),
    trousers: RGB = (52, 70, 116),
    skin: RGB = SKIN[1],
    hair: RGB = HAIR[1],
    *,
    joints: Joints | None = None,
) -> Mesh:
    """A person, 1.75 m."""
    at = joints or Joints()
    parts = []
    bow = math.radians(at.bow)
    waist = np.array([0.0, 0.98, 0.0])

    def bent(point: Point) -> Array:
        """A point of the trunk, bowed at the waist."""
        x, y, z = np.asarray(point) - waist
        cos, sin = math.cos(bow), math.sin(bow)
        found: Array = waist + np.array([x, y * cos - z * sin, y * sin + z * cos])
        return found

    trunk = np.stack([bent((0, y, 0)) for y in (0.95, 1.1, 1.28, 1.42, 1.49)])
    parts.append(
        tube(trunk, [0.155, 0.15, 0.185, 0.185, 0.08], shirt, "torso", sides=12, flat=(1, 0.62))
    )
    parts.append(ball((0, 0.94, 0), (0.16, 0.1, 0.115), trousers, "hips", rings=5, sides=12))
    parts.append(_head(bent((0, 1.62, 0.01)), at.bow, at.glance, skin, hair, shirt))
    for k, side in enumerate((1.0, -1.0)):
        parts += _arm(bent((side * 0.2, 1.42, 0)), at, k, side, shirt, skin)
        parts += _leg(np.array([side * 0.088, 0.92, 0.0]), at, k, side, trousers)
    mesh = join(parts)
    low, _ = mesh.bounds
    return mesh.moved(np.eye(3), (0, -float(low[1]), 0))


def _head(where: Array, bow: float, glance: float, skin: RGB, hair: RGB, shirt: RGB) -> Mesh:
    found = head_template(0.2, 1.0).painted(skin, hair, shirt, (62, 72, 90))
    return found.moved(angles_to_matrix(glance, -0.6 * bow, 0), where.tolist())


def _arm(shoulder: Array, at: Joints, k: int, side: float, shirt: RGB, skin: RGB) -> list[Mesh]:
    """Upper arm, lower arm and hand."""
    forward, out = at.shoulders[k] + at.bow, at.raised[k]
    elbow = shoulder + 0.29 * _turned((0, -1, 0), forward, out, side)
    wrist = elbow + 0.25 * _turned((0, -1, 0), forward + at.elbows[k], out, side)
    hand = wrist + 0.08 * _turned((0, -1, 0), forward + at.elbows[k], out, side)
    return [
        tube(np.stack([shoulder, elbow]), [0.06, 0.048], shirt, "arms", round_ends=True),
        tube(np.stack([elbow, wrist]), [0.046, 0.034], skin, "arms", round_ends=True),
        tube(np.stack([wrist, hand]), [0.036, 0.04], skin, "hands", round_ends=True, sides=6),
    ]


def _leg(hip: Array, at: Joints, k: int, side: float, trousers: RGB) -> list[Mesh]:
    """Upper leg, lower leg and shoe."""
    forward, out = at.hips[k], at.apart[k]
    knee = hip + 0.43 * _turned((0, -1, 0), forward, out, side)
    shin = forward - at.knees[k]
    ankle = knee + 0.42 * _turned((0, -1, 0), shin, out, side)
    toe = ankle + _turned((0, -0.03, 0.17), shin, out, side)
    heel = ankle + _turned((0, -0.03, -0.06), shin, out, side)
    return [
        tube(np.stack([hip, knee]), [0.088, 0.062], trousers, "legs", round_ends=True),
        tube(np.stack([knee, ankle]), [0.06, 0.046], trousers, "legs", round_ends=True),
        tube(np.stack([heel, toe]), [0.046, 0.042], (48, 44, 46), "shoes", sides=8, round_ends=True),
    ]


@dataclass(frozen=True, slots=True)
class Paws:
    """Angles of a dog, degrees: `fore` and `hind` legs forward (left, right), `nod` of the head down,
    `wag` of the tail up."""

    fore: Pair = (0.0, 0.0)
    hind: Pair = (0.0, 0.0)
    nod: float = 0.0
    wag: float = 40.0

    @classmethod
    def drawn(cls, rng: np.random.Generator, deformation: float) -> Paws:
        """As far from standing as `deformation`, 0 to 1, says."""
        one, two, three, four, nod, wag = (deformation * rng.uniform(-1, 1, 6)).tolist()
        return cls((42 * one, 42 * two), (42 * three, 42 * four), 35 * nod, 40 + 40 * wag)


def dog(coat: RGB = (176, 122, 70), *, paws: Paws | None = None) -> Mesh:
    """A dog, 0.75 m long."""
    at = paws or Paws()
    nod, wag = math.radians(at.nod), math.radians(at.wag)
    parts = [
        tube([(0, 0.44, -0.3), (0, 0.45, -0.22), (0, 0.43, 0.0), (0, 0.44, 0.18), (0, 0.47, 0.27)],
             [0.07, 0.1, 0.105, 0.13, 0.08], coat, "body", sides=12, round_ends=True),
        tube([(0, 0.48, 0.2), (0, 0.63, 0.36)], [0.088, 0.062], coat, "neck", sides=10, round_ends=True),
        tube([(0, 0.46, -0.3), (0, 0.46 + 0.14 * math.sin(wag), -0.3 - 0.14 * math.cos(wag)),
              (0, 0.46 + 0.29 * math.sin(wag * 1.1), -0.3 - 0.25 * math.cos(wag))],
             [0.028, 0.024, 0.012], coat, "tail", sides=6, round_ends=True),
    ]  # fmt: skip
    tilt = np.array([[1, 0, 0], [0, math.cos(nod), -math.sin(nod)], [0, math.sin(nod), math.cos(nod)]])
    parts.append(_skull().painted(coat).moved(tilt, (0, 0.68, 0.4)))
    for k, side in enumerate((1.0, -1.0)):
        parts += _dog_leg((side * 0.075, 0.42, 0.2), at.fore[k], 8.0, coat)
        parts += _dog_leg((side * 0.075, 0.43, -0.23), at.hind[k], -26.0, coat)
    mesh = join(parts)
    low, _ = mesh.bounds
    return mesh.moved(np.eye(3), (0, -float(low[1]), 0))


@cache
def _skull() -> Tinted:
    return tinted(_dog_head, 1)


def _dog_head(coat: RGB) -> Mesh:
    """About the end of its neck."""
    dark, ear = (44, 34, 30), lighter(coat, -0.4)
    skull = [
        ball((0, 0, 0.02), (0.075, 0.072, 0.088), coat, "head", rings=7, sides=12),
        tube(
            [(0, -0.022, 0.07), (0, -0.03, 0.18)],
            [0.05, 0.034],
            coat,
            "muzzle",
            sides=9,
            round_ends=True,
        ),
        ball((0, -0.012, 0.212), (0.02, 0.016, 0.016), dark, "nose", rings=4, sides=8),
    ]
    for side in (1.0, -1.0):
        skull += [
            ball((side * 0.036, 0.026, 0.088), (0.012, 0.013, 0.01), dark, "eyes", rings=4, sides=7),
            tube([(side * 0.05, 0.05, -0.01), (side * 0.085, 0.03, -0.01), (side * 0.092, -0.055, 0.01)],
                 [0.022, 0.034, 0.026], ear, "ears", sides=7, round_ends=True, flat=(0.45, 1.0)),
        ]  # fmt: skip
    return join(skull)


def _dog_leg(top: Point, forward: float, fold: float, coat: RGB) -> list[Mesh]:
    """Two bones and a paw; `fold`: how far the joint between them is bent."""
    start = np.asarray(top)
    middle = start + 0.2 * _turned((0, -1, 0), forward - fold * 0.35, 0, 1)
    end = middle + 0.19 * _turned((0, -1, 0), forward + fold, 0, 1)
    return [
        tube(np.stack([start, middle]), [0.062, 0.036], coat, "legs", sides=7, round_ends=True),
        tube(np.stack([middle, end]), [0.032, 0.026], coat, "legs", sides=7, round_ends=True),
        ball(
            (end[0], end[1] - 0.012, end[2] + 0.025),
            (0.034, 0.022, 0.046),
            coat,
            "legs",
            rings=4,
            sides=8,
        ),
    ]
