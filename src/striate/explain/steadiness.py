"""Does the answer stay when the picture moves? Curves against shift, rotation and scale.

The picture is moved as the network sees it, at its input size, so that a shift is in input pixels. The
truth is taken as unchanged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from striate.explain.inside import call_size
from striate.explain.judging import Judge
from striate.explain.moves import Border, scaled, shifted, turned
from striate.graphs import Graph, collect_outputs
from striate.metrics.intervals import bootstrap_mean
from striate.metrics.plain import plain, plain_pair
from striate.task import Result, Task
from striate.types import Array, PictureArray, Prepared, SizeHW

__all__ = [
    "AXES",
    "Axis",
    "AxisName",
    "Level",
    "Moved",
    "answer_all",
    "levels_for",
    "measure_steadiness",
]

AxisName: TypeAlias = Literal["right", "down", "rotation", "scale"]
AXES: tuple[AxisName, ...] = ("right", "down", "rotation", "scale")

_ROTATIONS = (5.0, 10.0, 20.0, 30.0, 45.0, 60.0, 90.0, 135.0)
_SCALES = (0.4, 0.5, 0.6, 0.7, 0.85, 1.2, 1.4, 1.7, 2.0, 2.5)
_SHIFTS = (1 / 32, 1 / 16, 1 / 8, 3 / 16, 1 / 4, 3 / 8)
"""Shares of the side, beside one, two and three pixels."""


@dataclass(frozen=True, slots=True)
class Level:
    """One strength of one move: means over the pictures with 95 % intervals, a column a target.

    `quality`: accuracy or error; `likeness`: share of equal answers, or change.
    """

    value: float
    quality: tuple[float, ...]
    quality_intervals: tuple[tuple[float, float], ...]
    likeness: tuple[float, ...]
    likeness_intervals: tuple[tuple[float, float], ...]

    def to_dict(self, judge: Judge) -> dict[str, Any]:
        """JSON-ready, by target."""
        columns = enumerate(judge.names)
        return {
            "value": self.value,
            "targets": {
                name: {
                    "quality": plain(self.quality[k]),
                    "quality_interval": plain_pair(self.quality_intervals[k]),
                    "likeness": plain(self.likeness[k]),
                    "likeness_interval": plain_pair(self.likeness_intervals[k]),
                }
                for k, name in columns
            },
        }


@dataclass(frozen=True, slots=True)
class Axis:
    """All strengths of one move, ascending, the unmoved picture among them."""

    name: AxisName
    levels: tuple[Level, ...]

    @property
    def rest(self) -> float:
        """The value that moves nothing."""
        return 1.0 if self.name == "scale" else 0.0

    def at(self, value: float) -> Level:
        """The level nearest to `value`."""
        return min(self.levels, key=lambda one: abs(one.value - value))

    def ends(self, steady: Callable[[Level], bool]) -> tuple[float, float]:
        """The lowest and the highest value up to which all levels, from the unmoved one on, hold."""
        below = [one for one in self.levels if one.value <= self.rest][::-1]
        above = [one for one in self.levels if one.value >= self.rest]
        return _last(below, steady), _last(above, steady)


def _last(levels: Sequence[Level], steady: Callable[[Level], bool]) -> float:
    value = levels[0].value
    for one in levels:
        if not steady(one):
            break
        value = one.value
    return value


@dataclass(frozen=True, slots=True)
class Moved:
    """The curves of a run. `judge`: what the columns are."""

    judge: Judge
    axes: tuple[Axis, ...]
    pictures: int
    size_hw: SizeHW
    border: Border

    @property
    def unmoved(self) -> Level:
        """The level that moves nothing."""
        return self.axes[0].at(self.axes[0].rest)

    def axis(self, name: AxisName) -> Axis:
        """By name."""
        return next(one for one in self.axes if one.name == name)

    def steady(self, level: Level) -> bool:
        """Whether the answers stay: the same for 90 % of the pictures; for numbers, a change that is on
        average no larger than the error without any move."""
        if self.judge.shares:
            return min(level.likeness) >= 0.9
        return all(one <= rest for one, rest in zip(level.likeness, self.unmoved.quality, strict=True))


def levels_for(axis: AxisName, size_hw: SizeHW) -> tuple[float, ...]:
    """The values of an axis for pictures of this size, ascending.

    >>> levels_for("right", (8, 8))
    (-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0)
    """
    if axis == "rotation":
        return (*(-one for one in _ROTATIONS[::-1]), 0.0, *_ROTATIONS, 180.0)
    if axis == "scale":
        return tuple(sorted((*_SCALES, 1.0)))
    side = size_hw[1] if axis == "right" else size_hw[0]
    steps = {1, 2, 3, *(round(share * side) for share in _SHIFTS)}
    ways = sorted(one for one in steps if 0 < one < side)
    return (*(-float(one) for one in ways[::-1]), 0.0, *(float(one) for one in ways))


def measure_steadiness(
    task: Task[Any, Any],
    graph: Graph,
    judge: Judge,
    pixels: PictureArray,
    truths: Sequence[Any],
    *,
    border: Border = "reflect",
    seed: int = 0,
    listen: Callable[[int, int], None] | None = None,
) -> Moved:
    """Answers to `pixels` uint8 (N, h, w, 3), moved along every axis, against truths and themselves."""
    size_hw: SizeHW = (pixels.shape[1], pixels.shape[2])
    wanted = {axis: levels_for(axis, size_hw) for axis in AXES}
    total = sum(len(values) for values in wanted.values())
    before = answer_all(task, graph, [pixels])
    done = 0
    axes = []
    for axis, values in wanted.items():
        levels = []
        for value in values:
            results = answer_all(task, graph, _batches(pixels, axis, value, border))
            quality, likeness = judge.quality(results, truths), judge.likeness(results, before)
            levels.append(_level(value, quality, likeness, seed))
            done += 1
            if listen is not None:
                listen(done, total)
        axes.append(Axis(axis, tuple(levels)))
    return Moved(judge, tuple(axes), len(pixels), size_hw, border)


def answer_all(
    task: Task[Any, Any], graph: Graph, batches: Sequence[PictureArray] | Iterator[PictureArray]
) -> list[Result]:
    """Answers to pictures that have the network's size already."""
    results: list[Result] = []
    for pixels in batches:
        outputs = collect_outputs(graph, pixels)
        size_hw: SizeHW = (pixels.shape[1], pixels.shape[2])
        results += task.decode(outputs, [Prepared(one, size_hw) for one in pixels])
    return results


def _batches(
    pixels: PictureArray, axis: AxisName, value: float, border: Border
) -> Iterator[PictureArray]:
    """A few pictures at a time, moved."""
    step = call_size(pixels.shape[1:3])
    for start in range(0, len(pixels), step):
        yield _move(pixels[start : start + step], axis, value, border)


def _move(pixels: PictureArray, axis: AxisName, value: float, border: Border) -> PictureArray:
    match axis:
        case "right":
            return shifted(pixels, 0, int(value), border=border)
        case "down":
            return shifted(pixels, int(value), 0, border=border)
        case "rotation":
            return turned(pixels, value, border=border)
        case "scale":
            return scaled(pixels, value, border=border)


def _level(value: float, quality: Array, likeness: Array, seed: int) -> Level:
    def means(found: Array) -> tuple[float, ...]:
        return tuple(float(one) for one in found.mean(axis=0))

    def intervals(found: Array) -> tuple[tuple[float, float], ...]:
        return tuple(bootstrap_mean(column, seed=seed) for column in found.T)

    return Level(value, means(quality), intervals(quality), means(likeness), intervals(likeness))
