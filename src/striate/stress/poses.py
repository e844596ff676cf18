"""Poses of a rendered object, many at a time, and what a run answers to them.

Alcorn et al. 2019, "Strike (with) a pose: neural networks are easily fooled by strange poses of familiar
objects": six degrees of freedom of a rendered object, searched for poses that are misread.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import numpy as np

from striate.data.meshes.rotation import (
    axis_angle_to_matrix,
    matrix_to_angles,
    uniform_rotations,
)
from striate.data.meshes.view import Light, View
from striate.types import Array

__all__ = ["FREE", "Answers", "Ask", "Deadline", "PoseSpace", "Poses", "join_answers", "join_poses"]

FREE = ("scale", "right", "down", "light_azimuth_deg", "light_height_deg")
"""What varies besides the rotation."""


@dataclass(frozen=True, slots=True, eq=False)
class Poses:
    """N poses: `turns` float64 (N, 3, 3), rotations; `free` float64 (N, 5), in the order of `FREE`."""

    turns: Array
    free: Array

    def __len__(self) -> int:
        return len(self.turns)

    def take(self, rows: Array | slice) -> Poses:
        """Some of them."""
        return Poses(self.turns[rows], self.free[rows])

    @property
    def angles_deg(self) -> Array:
        """Yaw, pitch and roll, float64 (N, 3)."""
        return matrix_to_angles(self.turns)

    def view(self, row: int, elevation_deg: float) -> View:
        """One as the renderer takes it."""
        scale, right, down, azimuth, height = self.free[row].tolist()
        light = Light(azimuth_deg=azimuth, height_deg=height)
        return View(self.turns[row], scale, (right, down), elevation_deg, light)

    def to_dict(self, row: int) -> dict[str, float]:
        """One in numbers."""
        angles = dict(zip(("yaw", "pitch", "roll"), self.angles_deg[row].tolist(), strict=True))
        free = dict(zip(FREE, self.free[row].tolist(), strict=True))
        # + 0.0 makes no −0
        return {name: round(value, 4) + 0.0 for name, value in {**angles, **free}.items()}


def join_poses(parts: Sequence[Poses]) -> Poses:
    """All of them, one after the other."""
    return Poses(*(np.concatenate([getattr(one, name) for one in parts]) for name in ("turns", "free")))


@dataclass(frozen=True, slots=True)
class PoseSpace:
    """What is searched: every rotation, and ranges of the rest. `canonical`: how people see the object.

    `elevation_deg`: how steeply the camera looks down, the same for all.
    """

    canonical: Poses
    elevation_deg: float
    low: tuple[float, ...] = (0.4, -0.2, -0.2, -180.0, -10.0)
    high: tuple[float, ...] = (1.1, 0.2, 0.2, 180.0, 80.0)

    @classmethod
    def around(cls, view: View) -> PoseSpace:
        """The space whose canonical pose is `view`."""
        light = view.light
        free = [view.scale, *view.shift_xy, light.azimuth_deg, light.height_deg]
        return cls(Poses(view.turn[None], np.array([free], np.float64)), view.elevation_deg)

    def drawn(self, count: int, rng: np.random.Generator) -> Poses:
        """Poses at random: rotations spread evenly over SO(3), the rest evenly over its ranges."""
        turns = uniform_rotations(rng.random((count, 3)))
        return Poses(turns, rng.uniform(self.low, self.high, (count, len(FREE))))

    def turned(self, turns: Array) -> Poses:
        """The canonical pose with other rotations (N, 3, 3)."""
        return Poses(turns, np.repeat(self.canonical.free, len(turns), axis=0))

    def stepped(self, start: Poses, steps: Array) -> Poses:
        """`start` (1 pose or N) moved by `steps` (N, 8).

        Three numbers of a rotation vector, radians; five shares of the ranges of the rest, which are not
        left; light goes round.
        """
        low, high = np.asarray(self.low), np.asarray(self.high)
        turns = axis_angle_to_matrix(steps[:, :3]) @ start.turns
        free = start.free + steps[:, 3:] * (high - low)
        free[:, 3] = (free[:, 3] + 180.0) % 360.0 - 180.0
        return Poses(turns, np.clip(free, low, high))


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """What a run says of N poses. `said`: its answers in a word. `wrong` bool (N,). `known` bool (N,):
    false where it would rather not say. `sure` float64 (N,): the probability of its answer; for numbers,
    how far they are off. `loss` float64 (N,): what a search raises, more the worse it is read. `off`
    float64 (N, K): errors of numbers, degrees or the targets' units; (N, 0) for classes.
    """

    said: tuple[str, ...]
    wrong: Array
    known: Array
    sure: Array
    loss: Array
    off: Array

    def __len__(self) -> int:
        return len(self.said)

    def take(self, rows: Array) -> Answers:
        """Some of them; `rows` are indices."""
        values = {name: getattr(self, name)[rows] for name in ("wrong", "known", "sure", "loss", "off")}
        return replace(self, said=tuple(self.said[row] for row in rows.tolist()), **values)


def join_answers(parts: Sequence[Answers]) -> Answers:
    """All of them, one after the other."""
    values: dict[str, Any] = {
        name: np.concatenate([getattr(one, name) for one in parts])
        for name in ("wrong", "known", "sure", "loss", "off")
    }
    return Answers(said=tuple(word for one in parts for word in one.said), **values)


Ask: TypeAlias = Callable[[Poses], Answers]
"""Renders poses and asks the run."""


@dataclass(slots=True)
class Deadline:
    """How long may still be rendered. `clock` gives seconds; `budget`: of them, or None; `listen` hears
    (poses asked, of about).
    """

    clock: Callable[[], float]
    budget: float | None
    about: int
    listen: Callable[[int, int], None] | None = None
    asked: int = 0
    cut: bool = False
    _began: float = field(init=False)
    _share: float = 1.0

    def __post_init__(self) -> None:
        self._began = self.clock()

    def until(self, share: float) -> None:
        """What follows has time up to this share of the budget, and what is left of the part before."""
        self._share = share

    @property
    def over(self) -> bool:
        """Whether time is up."""
        if self.budget is None or self.clock() - self._began < self.budget * self._share:
            return False
        self.cut = True
        return True

    def count(self, poses: int) -> None:
        """So many more were asked."""
        self.asked += poses
        if self.listen is not None:
            self.listen(min(self.asked, self.about), self.about)
