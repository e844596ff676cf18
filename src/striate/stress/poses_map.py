"""Maps of pose space, and what a share of misread poses depends on."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from striate.data.meshes.rotation import angle_between_deg, angles_to_matrix
from striate.metrics.intervals import wilson_interval
from striate.stress.poses import Answers, Ask, Deadline, Poses, PoseSpace
from striate.stress.poses_search import ask_all
from striate.types import Array

__all__ = ["Marginal", "PoseMap", "marginals", "pose_map"]


@dataclass(frozen=True, slots=True, eq=False)
class PoseMap:
    """Answers over a grid of two angles, the third 0 and all else canonical.

    `x_deg`, `y_deg`: the grid. `answers`: row by row, y outer; fewer than all where time ran out.
    """

    title: str
    x_name: str
    y_name: str
    x_deg: tuple[float, ...]
    y_deg: tuple[float, ...]
    answers: Answers

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "x": self.x_name,
            "y": self.y_name,
            "x_deg": list(self.x_deg),
            "y_deg": list(self.y_deg),
            "answers": list(self.answers.said),
            "wrong": self.answers.wrong.astype(int).tolist(),
            "sure": np.round(self.answers.sure, 4).tolist(),
        }


def pose_map(ask: Ask, space: PoseSpace, y_name: str, step_deg: float, deadline: Deadline) -> PoseMap:
    """Yaw across, `y_name` ("pitch" or "roll") upwards."""
    xs = np.arange(-180.0, 180.0, step_deg)
    ends = (-90.0, 90.0) if y_name == "pitch" else (-180.0, 180.0 - step_deg)
    ys = np.arange(ends[0], ends[1] + 1e-6, step_deg)
    yaw, other = np.meshgrid(xs, ys)
    zero = np.zeros_like(yaw)
    angles = (yaw, other, zero) if y_name == "pitch" else (yaw, zero, other)
    turns = angles_to_matrix(*(one.ravel() for one in angles))
    _, answers = ask_all(ask, space.turned(turns), deadline)
    fixed = "roll 0" if y_name == "pitch" else "pitch 0"
    title = f"Yaw and {y_name}, {fixed}"
    return PoseMap(title, "yaw", y_name, tuple(xs.tolist()), tuple(ys.tolist()), answers)


@dataclass(frozen=True, slots=True)
class Marginal:
    """The share of misread poses along one number, whatever the others are.

    `edges`: of the bins. For runs that give numbers, `shares` are mean errors and ends their standard
    errors' 95 % interval.
    """

    name: str
    unit: str
    edges: tuple[float, ...]
    shares: tuple[float, ...]
    lows: tuple[float, ...]
    highs: tuple[float, ...]
    counts: tuple[int, ...]

    @property
    def middles(self) -> tuple[float, ...]:
        """Of the bins."""
        ends = self.edges
        return tuple((a + b) / 2 for a, b in pairwise(ends))

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "name": self.name,
            "unit": self.unit,
            "edges": list(self.edges),
            "misread": [None if np.isnan(one) else round(one, 4) for one in self.shares],
            "intervals": [
                [round(low, 4), round(high, 4)] for low, high in zip(self.lows, self.highs, strict=True)
            ],
            "poses": list(self.counts),
        }


def marginals(space: PoseSpace, poses: Poses, answers: Answers) -> tuple[Marginal, ...]:
    """Along the turn from the canonical pose, yaw, pitch, roll, size, place and light."""
    yaw, pitch, roll = poses.angles_deg.T
    turned = angle_between_deg(space.canonical.turns, poses.turns)
    away = np.hypot(poses.free[:, 1], poses.free[:, 2])
    columns = [
        ("turned from the usual pose", "degrees", turned, np.linspace(0, 180, 10)),
        ("yaw", "degrees", yaw, np.linspace(-180, 180, 13)),
        ("pitch", "degrees", pitch, np.linspace(-90, 90, 10)),
        ("roll", "degrees", roll, np.linspace(-180, 180, 13)),
        ("size", "share of the picture", poses.free[:, 0], np.linspace(space.low[0], space.high[0], 7)),
        ("away from the middle", "share of the picture", away, np.linspace(0, 0.28, 6)),
        ("light from", "degrees from the camera", poses.free[:, 3], np.linspace(-180, 180, 9)),
        ("light above the horizon", "degrees", poses.free[:, 4],
         np.linspace(space.low[4], space.high[4], 7)),
    ]  # fmt: skip
    return tuple(_marginal(name, unit, values, edges, answers) for name, unit, values, edges in columns)


def _marginal(name: str, unit: str, values: Array, edges: Array, answers: Answers) -> Marginal:
    bins = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, len(edges) - 2)
    counts = np.bincount(bins, minlength=len(edges) - 1)
    if answers.off.shape[1]:
        shares, lows, highs = _means(answers.sure, bins, counts)
    else:
        wrong = np.bincount(bins, weights=answers.wrong, minlength=len(counts))
        shares = np.divide(wrong, counts, out=np.full(len(counts), np.nan), where=counts > 0)
        lows, highs = wilson_interval(wrong, counts)
    return Marginal(
        name,
        unit,
        tuple(edges.tolist()),
        tuple(shares.tolist()),
        tuple(lows.tolist()),
        tuple(highs.tolist()),
        tuple(counts.tolist()),
    )


def _means(values: Array, bins: Array, counts: Array) -> tuple[Array, Array, Array]:
    """Mean of each bin and its ends, two standard errors away."""
    blank = np.full(len(counts), np.nan)
    total = np.bincount(bins, weights=values, minlength=len(counts))
    squares = np.bincount(bins, weights=values**2, minlength=len(counts))
    mean = np.divide(total, counts, out=blank.copy(), where=counts > 0)
    spread = np.divide(squares, counts, out=blank.copy(), where=counts > 0) - mean**2
    error = 1.96 * np.sqrt(np.maximum(spread, 0) / np.maximum(counts - 1, 1))
    return mean, mean - error, mean + error
