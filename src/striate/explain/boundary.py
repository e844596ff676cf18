"""Where a classifier changes its mind: its own answers on a plane through three pictures.

All pictures A + u·e₁ + v·e₂ between and around three given ones lie on a plane in the space of pixels.
At each point of a grid on it the picture is made, rounded to whole levels, and shown to the run: what is
drawn is the run's own answer, not a model of it. Inside the triangle every picture is a mixture of the
three; outside, values may leave 0 to 255 and are cut off, which takes the picture off the plane.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from striate.errors import UsageError
from striate.explain.inside import call_size
from striate.explain.judging import label_of, sureness_of
from striate.explain.steadiness import answer_all
from striate.graphs import Graph
from striate.task import Task
from striate.types import Array, Picture, PictureArray

__all__ = ["AnswerMap", "Plane", "answers_on", "corner_rows", "vote_map"]

_MARGIN = 0.3
"""How far beyond the triangle the plane is shown, as a share of its larger side."""
_NEIGHBOURS = 15


@dataclass(frozen=True, slots=True)
class AnswerMap:
    """Answers on a square grid (G, G), row 0 at the top.

    `names`: classes that occur, those of the corners first, then by area. `classes`: int64 (G, G),
    indices into `names`. `sureness`: float64 (G, G), 0 to 1. `x_range`, `y_range`: what the outer edges
    of the grid are, y upwards.
    """

    names: tuple[str, ...]
    classes: Array
    sureness: Array
    x_range: tuple[float, float]
    y_range: tuple[float, float]

    @property
    def shares(self) -> tuple[float, ...]:
        """Part of the area of each name."""
        counts = np.bincount(self.classes.ravel(), minlength=len(self.names))
        return tuple((counts / self.classes.size).tolist())


@dataclass(frozen=True, slots=True)
class Plane:
    """The plane through three pictures uint8 (h, w, 3).

    `corners_xy` (3, 2): where they lie on it: the first at (0, 0), the second to its right. Lengths are
    root mean squares over a picture's numbers, in grey levels.
    """

    first: Picture
    axes: Array
    corners_xy: Array

    @classmethod
    def through(cls, pictures: Sequence[Picture]) -> Plane:
        """A `UsageError` where two of the three are equal, or all lie on a line."""
        a, b, c = (one.astype(np.float64) for one in pictures)
        right, other = b - a, c - a
        length = _size(right)
        if not length > 0 or not _size(other) > 0 or not _size(c - b) > 0:
            raise UsageError("two of the three pictures are equal", expected="three different pictures")
        right /= length
        along = float((other * right).mean())
        up = other - along * right
        height = _size(up)
        if height < 1e-6 * _size(other):
            raise UsageError("the three pictures lie on a line", expected="pictures that span a plane")
        return cls(
            pictures[0],
            np.stack([right, up / height]),
            np.array([[0.0, 0.0], [length, 0.0], [along, height]]),
        )

    def span(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """Ends of x and of y of a square around the three pictures."""
        low, high = self.corners_xy.min(axis=0), self.corners_xy.max(axis=0)
        half = float((high - low).max()) * (0.5 + _MARGIN)
        middle = (low + high) / 2
        return (float(middle[0] - half), float(middle[0] + half)), (
            float(middle[1] - half),
            float(middle[1] + half),
        )

    def pictures_at(self, points_xy: Array) -> tuple[PictureArray, Array]:
        """The pictures at `points_xy` (P, 2), uint8 (P, h, w, 3), and what part of each was cut (P,)."""
        exact = self.first.astype(np.float64) + np.tensordot(points_xy, self.axes, axes=1)
        whole = np.rint(exact)
        cut = ((whole < 0) | (whole > 255)).mean(axis=(1, 2, 3))
        return np.clip(whole, 0, 255).astype(np.uint8), cut


def _size(vector: Array) -> float:
    return float(np.sqrt(np.mean(vector**2)))


def answers_on(
    plane: Plane,
    task: Task[Any, Any],
    graph: Graph,
    *,
    grid: int,
    listen: Callable[[int, int], None] | None = None,
) -> tuple[AnswerMap, float]:
    """The run's answers at `grid` × `grid` points of the plane, and the part of them that was cut off.

    A point counts as cut off where over a hundredth of its values left 0 to 255.
    """
    x_range, y_range = plane.span()
    xs, ys = _centres(x_range, grid), _centres(y_range, grid)[::-1]
    points = np.stack(np.meshgrid(xs, ys), axis=-1).reshape(-1, 2)  # (G·G, 2), rows from the top
    labels: list[str] = []
    sure: list[float] = []
    cut = 0
    step = call_size(plane.first.shape[:2])
    for start in range(0, len(points), step):
        pictures, lost = plane.pictures_at(points[start : start + step])
        found = answer_all(task, graph, [pictures])
        labels += [label_of(one) for one in found]
        sure += [sureness_of(one) for one in found]
        cut += int((lost > 0.01).sum())
        if listen is not None:
            listen(min(start + step, len(points)), len(points))
    corners = [label_of(one) for one in answer_all(task, graph, [_corners(plane)])]
    names = _names(labels, corners)
    index = {name: at for at, name in enumerate(names)}
    classes = np.array([index[label] for label in labels]).reshape(grid, grid)
    found_map = AnswerMap(names, classes, np.array(sure).reshape(grid, grid), x_range, y_range)
    return found_map, cut / len(points)


def _corners(plane: Plane) -> PictureArray:
    return plane.pictures_at(plane.corners_xy)[0]


def _centres(ends: tuple[float, float], count: int) -> Array:
    edges = np.linspace(ends[0], ends[1], count + 1)
    return (edges[:-1] + edges[1:]) / 2


def _names(labels: Sequence[str], first: Sequence[str] = ()) -> tuple[str, ...]:
    """The names that occur, `first` before the others, those by how often."""
    found, counts = np.unique(np.array(labels, dtype=object), return_counts=True)
    order = [str(found[at]) for at in np.argsort(-counts, kind="stable")]
    return tuple(dict.fromkeys([*(one for one in first if one in order), *order]))


# -- which three ------------------------------------------------------------------------------


def corner_rows(truths: Sequence[str], results: Sequence[Any]) -> list[int]:
    """Three pictures: a typical one of each of the three classes that a classifier mixes up most.

    Mixed up: the mean probability that pictures of one class give to the other, both ways. Typical:
    answered right with the middle probability. With two classes, the third is another picture of the
    first. A `UsageError` with fewer than three pictures.
    """
    if len(results) < 3:
        raise UsageError(f"there are {len(results)} pictures", expected="three or more to span a plane")
    shares = np.stack([one.probabilities for one in results])  # (N, K)
    index = {name: at for at, name in enumerate(results[0].names)}
    chosen: list[int] = []
    for name in _mixed_up(truths, shares, index):
        own = [row for row, truth in enumerate(truths) if truth == name]
        right = [row for row in own if label_of(results[row]) == name] or own
        column = index.get(name)
        ranked = sorted(
            right, key=lambda row: (0.0 if column is None else float(shares[row, column]), row)
        )
        chosen.append(ranked[len(ranked) // 2])
    spare = [row for row in range(len(truths)) if row not in chosen]
    return [*chosen, *spare][:3]


def _mixed_up(truths: Sequence[str], shares: Array, index: Mapping[str, int]) -> list[str]:
    """Up to three truths: the pair with most in common, and what has most in common with it."""
    names = sorted(set(truths))
    if len(names) < 3:
        return names
    # several labels at once are no column of their own: nothing is given to them
    padded = np.concatenate([shares, np.zeros((len(shares), 1))], axis=1)
    columns = [index.get(name, shares.shape[1]) for name in names]
    own = np.asarray(truths, dtype=object)
    given = np.stack([padded[own == name][:, columns].mean(axis=0) for name in names])
    shared = given + given.T
    np.fill_diagonal(shared, -1.0)
    first, second = (int(one) for one in np.unravel_index(int(shared.argmax()), shared.shape))
    rest = shared[first] + shared[second]
    rest[[first, second]] = -np.inf
    return [names[first], names[second], names[int(rest.argmax())]]


# -- pictures laid out in a plane -------------------------------------------------------------


def vote_map(points_xy: Array, labels: Sequence[str], *, grid: int) -> AnswerMap:
    """The answer of the majority of the 15 nearest of `points_xy` (N, 2), at `grid` × `grid` points.

    Not the run's answer: how its answers `labels` to these pictures lie in two directions.
    """
    low, high = points_xy.min(axis=0), points_xy.max(axis=0)
    reach = np.maximum(high - low, 1e-9) * 0.06
    x_range, y_range = (
        (float(one), float(other)) for one, other in zip(low - reach, high + reach, strict=True)
    )
    names = _names(labels)
    index = {name: at for at, name in enumerate(names)}
    votes = np.array([index[label] for label in labels])
    scale = np.array([x_range[1] - x_range[0], y_range[1] - y_range[0]])
    xs, ys = _centres(x_range, grid), _centres(y_range, grid)[::-1]
    count = min(_NEIGHBOURS, len(votes))
    classes, sure = np.empty((grid, grid), np.int64), np.empty((grid, grid))
    for row, y in enumerate(ys.tolist()):
        cells = np.stack([xs, np.full(grid, y)], axis=1) / scale
        apart = ((cells[:, None] - (points_xy / scale)[None]) ** 2).sum(axis=2)  # (G, N)
        near = votes[np.argpartition(apart, count - 1, axis=1)[:, :count]]
        tally = np.stack([(near == at).sum(axis=1) for at in range(len(names))], axis=1)
        classes[row], sure[row] = tally.argmax(axis=1), tally.max(axis=1) / count
    return AnswerMap(names, classes, sure, x_range, y_range)
