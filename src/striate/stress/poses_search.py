"""Looking for poses that fool a run: at random, by evolution, by differences, and nearest by."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from striate.data.meshes.rotation import angle_between_deg, axis_angle_to_matrix
from striate.stress.poses import (
    FREE,
    Answers,
    Ask,
    Deadline,
    Poses,
    PoseSpace,
    join_answers,
    join_poses,
)
from striate.types import Array

__all__ = ["METHODS", "Nearest", "Search", "ask_all", "climb", "evolve", "find_nearest"]

Method: TypeAlias = Literal["evolution", "differences"]
METHODS: tuple[Method, ...] = ("evolution", "differences")

_DIM = 3 + len(FREE)
_SPREAD = np.array([0.45, 0.45, 0.45, 0.12, 0.1, 0.1, 0.12, 0.12])
"""First step of a search along each number: radians, then shares of the ranges."""
_FINE = np.array([0.035, 0.035, 0.035, 0.02, 0.015, 0.015, 0.015, 0.03])
"""Half the distance over which differences are taken: renderings are not smooth below that."""
_SURE = 0.99
_FIRST, _BATCH = 8, 32
"""Poses after which progress is told and the time is looked at: few first, since they may take long."""


def ask_all(ask: Ask, poses: Poses, deadline: Deadline) -> tuple[Poses, Answers]:
    """The answers to as many of `poses`, in order, as there is time for; one batch at least."""
    parts: list[Answers] = []
    ends = [*range(_FIRST, len(poses), _BATCH), len(poses)]
    for start, end in itertools.pairwise([0, *ends]):
        if parts and deadline.over:
            break
        some = poses.take(slice(start, end))
        parts.append(ask(some))
        deadline.count(len(some))
    answers = join_answers(parts)
    return poses.take(slice(0, len(answers))), answers


@dataclass(frozen=True, slots=True, eq=False)
class Search:
    """What a search from `starts`, each read rightly, came to.

    `best`, `answers`: the pose of the greatest loss from each. `fooled_after` int64 (S,): poses asked
    from that start until the first that was misread, −1 where none was. `asked`: in all.
    """

    method: Method
    starts: Poses
    best: Poses
    answers: Answers
    fooled_after: Array
    asked: int

    @property
    def fooled(self) -> int:
        """From how many starts a misread pose was found."""
        return int((self.fooled_after >= 0).sum())

    @property
    def turned_deg(self) -> Array:
        """How far each best pose is turned from its start, degrees (S,)."""
        return angle_between_deg(self.starts.turns, self.best.turns)


class _Front:
    """The best pose of each start so far."""

    def __init__(self, starts: Poses, answers: Answers) -> None:
        self.poses, self.answers = starts, answers
        self.after = np.full(len(starts), -1, np.int64)
        self.used = np.zeros(len(starts), np.int64)

    def see(self, which: Array, poses: Poses, answers: Answers, each: int) -> None:
        """`each` answers for every start in `which`, in order."""
        self.used[which] += each
        wrong = answers.wrong.reshape(len(which), each).any(axis=1)
        first = which[wrong & (self.after[which] < 0)]
        self.after[first] = self.used[first]
        loss = answers.loss.reshape(len(which), each)
        row = loss.argmax(axis=1) + each * np.arange(len(which))
        better = answers.loss[row] > self.answers.loss[which]
        rows = np.arange(len(self.poses))
        rows[which[better]] = len(rows) + row[better]
        self.poses = join_poses([self.poses, poses]).take(rows)
        self.answers = join_answers([self.answers, answers]).take(rows)

    @property
    def open(self) -> Array:
        """Starts that are not yet misread with great confidence."""
        done = self.answers.wrong & (self.answers.sure >= _SURE) & (self.after >= 0)
        return np.flatnonzero(~done)


def evolve(
    ask: Ask,
    space: PoseSpace,
    starts: Poses,
    answers: Answers,
    *,
    budget: int,
    rng: np.random.Generator,
    deadline: Deadline,
) -> Search:
    """CMA-ES from every start (Hansen 2016, "The CMA evolution strategy: a tutorial"), all at once.

    `answers`: to the starts. `budget`: poses in all. Strategies that fooled the run surely stop, the
    others go on with what is left.
    """
    front, asked, offspring = _Front(starts, answers), 0, 4 + int(3 * np.log(_DIM))
    strategies = [_Strategy(offspring) for _ in range(len(starts))]
    while len(open_ := front.open) and not deadline.over:
        open_ = open_[: max(0, budget - asked) // offspring]
        if not len(open_):
            break
        steps = np.concatenate([strategies[one].drawn(rng) for one in open_])
        poses = space.stepped(starts.take(np.repeat(open_, offspring)), steps)
        found = ask(poses)
        for at, one in enumerate(open_):
            rows = slice(at * offspring, (at + 1) * offspring)
            strategies[one].learn(steps[rows], found.loss[rows])
        asked += len(poses)
        deadline.count(len(poses))
        front.see(open_, poses, found, offspring)
    return Search("evolution", starts, front.poses, front.answers, front.after, asked)


class _Strategy:
    """One covariance matrix adaptation in units of `_SPREAD`, with the tutorial's usual constants."""

    def __init__(self, offspring: int) -> None:
        parents = offspring // 2
        weights = np.log(parents + 0.5) - np.log(np.arange(1, parents + 1))
        self._weights = weights / weights.sum()
        self._mass = 1 / float((self._weights**2).sum())
        n, m = _DIM, self._mass
        self._c_sigma = (m + 2) / (n + m + 5)
        self._damp = 1 + 2 * max(0.0, np.sqrt((m - 1) / (n + 1)) - 1) + self._c_sigma
        self._c_path = (4 + m / n) / (n + 4 + 2 * m / n)
        self._c_one = 2 / ((n + 1.3) ** 2 + m)
        self._c_mu = min(1 - self._c_one, 2 * (m - 2 + 1 / m) / ((n + 2) ** 2 + m))
        self._usual = np.sqrt(n) * (1 - 1 / (4 * n) + 1 / (21 * n * n))
        self._offspring, self._mean, self._sigma = offspring, np.zeros(n), 1.0
        self._cov, self._path, self._path_sigma = np.eye(n), np.zeros(n), np.zeros(n)

    def drawn(self, rng: np.random.Generator) -> Array:
        """Steps from the start (λ, 8)."""
        values, axes = np.linalg.eigh(self._cov)
        spread = axes * np.sqrt(np.maximum(values, 1e-12))
        z = rng.standard_normal((self._offspring, _DIM))
        found: Array = (self._mean + self._sigma * z @ spread.T) * _SPREAD
        return found

    def learn(self, steps: Array, loss: Array) -> None:
        """Move towards the steps of greater loss."""
        order = np.argsort(-loss, kind="stable")[: len(self._weights)]
        moves = (steps[order] / _SPREAD - self._mean) / self._sigma
        mean = self._weights @ moves
        self._mean = self._mean + self._sigma * mean
        values, axes = np.linalg.eigh(self._cov)
        whitened = axes @ ((axes.T @ mean) / np.sqrt(np.maximum(values, 1e-12)))
        cs, cc = self._c_sigma, self._c_path
        self._path_sigma = (1 - cs) * self._path_sigma + np.sqrt(cs * (2 - cs) * self._mass) * whitened
        self._path = (1 - cc) * self._path + np.sqrt(cc * (2 - cc) * self._mass) * mean
        ranked = (moves * self._weights[:, None]).T @ moves
        rest = 1 - self._c_one - self._c_mu
        self._cov = (
            rest * self._cov + self._c_one * np.outer(self._path, self._path) + self._c_mu * ranked
        )
        length = float(np.linalg.norm(self._path_sigma)) / self._usual
        self._sigma = float(np.clip(self._sigma * np.exp(cs / self._damp * (length - 1)), 0.02, 4.0))


def climb(
    ask: Ask,
    space: PoseSpace,
    starts: Poses,
    answers: Answers,
    *,
    budget: int,
    deadline: Deadline,
) -> Search:
    """Up the slope of the loss from every start, the slope taken by central differences through the
    renderer, as Alcorn et al. do: 16 renderings a slope, one a step. Steps grow while they help.
    """
    front, asked = _Front(starts, answers), 0
    here, loss = starts, answers.loss.copy()
    length = np.full(len(starts), 0.35)
    nudges = np.concatenate([np.diag(_FINE), -np.diag(_FINE)])  # (16, 8)
    each = len(nudges) + 1
    while len(open_ := front.open) and not deadline.over:
        open_ = open_[: max(0, budget - asked) // each]
        if not len(open_):
            break
        around = space.stepped(
            here.take(np.repeat(open_, len(nudges))), np.tile(nudges, (len(open_), 1))
        )
        tried = ask(around)
        sides = tried.loss.reshape(len(open_), 2, _DIM)
        slope = (sides[:, 0] - sides[:, 1]) / (2 * _FINE) * _SPREAD  # in units of the first step
        size = np.linalg.norm(slope, axis=1, keepdims=True)
        way = np.divide(slope, size, out=np.zeros_like(slope), where=size > 0)
        moved = space.stepped(here.take(open_), way * length[open_, None] * _SPREAD)
        found = ask(moved)
        front.see(open_, around, tried, len(nudges))
        front.see(open_, moved, found, 1)
        better = found.loss > loss[open_]
        rows = np.arange(len(here))
        rows[open_[better]] = len(here) + np.flatnonzero(better)
        here = join_poses([here, moved]).take(rows)
        loss[open_[better]] = found.loss[better]
        length[open_] *= np.where(better, 1.4, 0.5)
        flat = open_[length[open_] < 0.02]
        length[flat] = 0.35
        asked += len(around) + len(moved)
        deadline.count(len(around) + len(moved))
    return Search("differences", starts, front.poses, front.answers, front.after, asked)


@dataclass(frozen=True, slots=True, eq=False)
class Nearest:
    """The smallest turn of the canonical pose, all else as it is, that is misread.

    `pose`, `answer`: one of each, or None where no turn tried was misread. `turned_deg`: by how much;
    0 where the canonical pose itself is misread. `axes`: directions tried; `upto_deg`: how far.
    """

    pose: Poses | None
    answer: Answers | None
    turned_deg: float
    axes: int
    upto_deg: float
    asked: int


def find_nearest(
    ask: Ask,
    space: PoseSpace,
    *,
    axes: int,
    step_deg: float,
    rng: np.random.Generator,
    deadline: Deadline,
) -> Nearest:
    """Turn the canonical pose about evenly drawn axes, farther and farther, until one is misread; then
    halve the last step until it is a quarter of a degree."""
    directions = rng.standard_normal((axes, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    start = space.canonical.turns[0]

    def turned(which: Array, angle_deg: float) -> tuple[Poses, Answers]:
        turns = axis_angle_to_matrix(directions[which] * np.deg2rad(angle_deg)) @ start
        poses = space.turned(turns)
        deadline.count(len(poses))
        return poses, ask(poses)

    asked, low, angle, which = 0, 0.0, 0.0, np.arange(axes)
    found: tuple[Poses, Answers] | None = None
    while angle <= 180.0 and not (angle and deadline.over):
        poses, answers = turned(which if angle else which[:1], angle)
        asked += len(poses)
        if answers.wrong.any():
            found, which = _only(poses, answers, answers.wrong), which[: len(poses)][answers.wrong]
            break
        low, angle = angle, angle + step_deg
    if found is None:
        return Nearest(None, None, float("nan"), axes, low, asked)
    while angle - low > 0.25 and not deadline.over:
        middle = (low + angle) / 2
        poses, answers = turned(which, middle)
        asked += len(poses)
        if answers.wrong.any():
            angle, found = middle, _only(poses, answers, answers.wrong)
            which = which[answers.wrong]
        else:
            low = middle
    surest = np.array([int(found[1].loss.argmax())])
    return Nearest(found[0].take(surest), found[1].take(surest), angle, axes, angle, asked)


def _only(poses: Poses, answers: Answers, chosen: Array) -> tuple[Poses, Answers]:
    rows = np.flatnonzero(chosen)
    return poses.take(rows), answers.take(rows)
