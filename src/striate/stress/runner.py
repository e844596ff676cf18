"""All passes over the pictures: every axis at every severity, changed and asked, on all cores.

Each worker takes a few pictures through all steps, change, network and answer, with a graph of one
thread, as `verbs.stream` does: nothing waits for anything, and passes flow into one another. A pass is
scored when its last pictures are in, while the workers go on with the next.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

import numpy as np

from striate.graphs import Graph
from striate.stress.changes import Axis, Changed
from striate.stress.heat import CELLS, heat_from, occluded
from striate.stress.scoring import Scorer
from striate.stress.stock import Stock
from striate.task import Task
from striate.types import Array, PictureArray, Prepared

__all__ = ["Answered", "Engine", "Pass", "Spent"]

Found = TypeVar("Found")

_CHUNK_PIXELS = 512 * 32 * 32
_CHUNK_LEAST, _CHUNK_MOST = 8, 512
"""Pictures that are changed together: many of small ones, few of large ones."""
_CALLS = (8, 16, 32, 64)
"""Pictures a call of the graph that are tried."""
_TRIED = 128
_AHEAD = 2
"""Chunks in flight for each worker beside the one that it works on."""
_PROBED = 48


@dataclass(frozen=True, slots=True)
class Pass:
    """Pictures changed along `axis` at one severity; without an axis, unchanged.

    `rows`: which of them; all without.
    """

    axis: Axis | None
    severity: int
    rows: Sequence[int] | None = None

    @property
    def level(self) -> float:
        """Of the severity, in the axis's unit."""
        return 0.0 if self.axis is None else self.axis.levels[self.severity - 1]


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds of the workers, added up."""

    change: float = 0.0
    graph: float = 0.0
    decode: float = 0.0

    def __add__(self, other: Spent) -> Spent:
        return Spent(self.change + other.change, self.graph + other.graph, self.decode + other.decode)

    @property
    def total(self) -> float:
        """Of all steps."""
        return self.change + self.graph + self.decode


@dataclass(frozen=True, slots=True, eq=False)
class Answered:
    """The answers of one pass, its truths (moved where places moved), and what it took."""

    made: Pass
    results: list[Any]
    truths: list[Any]
    spent: Spent


class Engine:
    """Asks one run. `graph` must bear being called from several threads at once.

    `call`: pictures a call of the graph; 0 measures what is fastest here.
    """

    def __init__(self, task: Task[Any, Any], graph: Graph, *, workers: int, call: int = 0) -> None:
        self.task, self.graph, self.workers, self.call = task, graph, workers, call

    def settle(self, stock: Stock) -> None:
        """Measure how many pictures a call are answered fastest, all workers at once."""
        if self.call:
            return
        tried = np.ascontiguousarray(stock.pixels[:_TRIED])
        if len(tried) < _TRIED:
            self.call = _CALLS[0]
            return
        timings: dict[int, float] = {}
        with ThreadPoolExecutor(self.workers, "striate-try") as pool:
            for _ in range(2):
                for size in _CALLS:
                    began = time.perf_counter()
                    starts = range(0, _TRIED, size)
                    list(pool.map(lambda at, size=size: self._raw(tried[at : at + size]), starts))
                    took = time.perf_counter() - began
                    timings[size] = min(timings.get(size, took), took)
        self.call = min(timings, key=lambda size: timings[size])

    def _raw(self, pixels: PictureArray) -> dict[str, Any]:
        return self.graph(self.task.feeds(pixels))

    def ask(self, pixels: PictureArray, prepared: Sequence[Prepared]) -> tuple[list[Any], Spent]:
        """Answers to pictures uint8 (B, h, w, 3) of the network's size."""
        call = self.call or _CALLS[0]
        began = time.perf_counter()
        parts = [
            self._raw(np.ascontiguousarray(pixels[at : at + call])) for at in range(0, len(pixels), call)
        ]
        outputs = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        asked = time.perf_counter()
        results = self.task.decode(outputs, prepared)
        return results, Spent(0.0, asked - began, time.perf_counter() - asked)

    def changed(self, stock: Stock, made: Pass, rows: slice) -> Changed:
        """The pictures at `rows` as the network is to see them."""
        pixels = np.ascontiguousarray(stock.pixels[rows])
        if made.axis is None:
            return Changed(pixels)
        material = stock.material(rows, with_heat=made.axis.needs_heat)
        found = made.axis.change(pixels, made.level, material)
        assert found.pictures.shape == pixels.shape, (made.axis.name, found.pictures.shape)
        return found

    def answer(self, stock: Stock, made: Pass, rows: slice) -> Answered:
        """Change, ask and answer for the pictures at `rows`."""
        began = time.perf_counter()
        changed = self.changed(stock, made, rows)
        truths = self.truths(stock, changed, rows)
        took = time.perf_counter() - began
        results, spent = self.ask(changed.pictures, stock.prepared[rows])
        return Answered(made, results, truths, replace(spent, change=took))

    def truths(self, stock: Stock, changed: Changed, rows: slice) -> list[Any]:
        """Those of the pictures at `rows` after they were `changed`."""
        if changed.truths is not None:
            return list(changed.truths)
        before = [one.target for one in stock.records[rows]]
        if changed.moves is None:
            return before
        moving = zip(before, stock.prepared[rows], changed.moves, strict=True)
        return [self.task.moved(target, one, move) for target, one, move in moving]

    def passes(
        self,
        stock: Stock,
        wanted: Iterable[Pass],
        *,
        listen: Callable[[int], None] | None = None,
    ) -> Iterator[Answered]:
        """Each of `wanted`, in order, as it becomes ready; `listen` hears of pictures done."""
        parts: list[Answered] = []
        for one in self._spread(job for made in wanted for job in self._jobs(stock, made)):
            parts.append(one)
            if listen is not None:
                listen(len(one.results))
            if sum(len(part.results) for part in parts) == len(one.made.rows or stock):
                yield _joined(parts)
                parts = []

    def _jobs(self, stock: Stock, made: Pass) -> Iterator[Callable[[], Answered]]:
        """A pass, some pictures at a time."""
        chunk = chunk_size(stock.pixels.shape[1:3])
        own = stock if made.rows is None else stock.take(made.rows)
        for at in range(0, len(own), chunk):
            yield partial(self.answer, own, made, slice(at, min(at + chunk, len(own))))

    def _spread(self, jobs: Iterable[Callable[[], Found]]) -> Iterator[Found]:
        """Jobs over the workers, what they give in order, a few in flight; none is left when it ends."""
        pending: deque[Future[Found]] = deque()
        waiting = iter(jobs)
        pool = ThreadPoolExecutor(self.workers, "striate-stress")
        try:
            while True:
                while len(pending) < self.workers * (1 + _AHEAD) and (job := next(waiting, None)):
                    pending.append(pool.submit(job))
                if not pending:
                    return
                yield pending.popleft().result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def probe(self, stock: Stock, axes: Sequence[Axis], severities: Sequence[int]) -> float:
        """Seconds of a worker that one picture takes: clean, its heat where an axis asks, and along all
        `axes` at all `severities`. Measured on a few pictures at severity 3.
        """
        count = min(_PROBED, len(stock))
        # what is hot does not matter to how long it takes
        few = replace(stock.take(range(count)), heat=np.zeros((count, CELLS, CELLS), np.float32))
        wanted = [Pass(None, 0), *(Pass(axis, 3) for axis in axes)]
        jobs = (partial(self.answer, few, made, slice(0, count)) for made in wanted)
        costs = [one.spent.total / count for one in self._spread(jobs)]
        heat = CELLS**2 if any(axis.needs_heat for axis in axes) else 0
        return costs[0] * (1 + heat) + len(severities) * sum(costs[1:])

    def heated(
        self, stock: Stock, clean: Sequence[Any], scorer: Scorer, *, listen: Callable[[int], None]
    ) -> Stock:
        """`stock` with what its clean answers rest on."""
        chunk = max(4, chunk_size(stock.pixels.shape[1:3]) // 4)
        rows = [slice(at, min(at + chunk, len(stock))) for at in range(0, len(stock), chunk)]

        def one(part: slice) -> Array:
            answered = clean[part]
            covered = [
                self.ask(pixels, stock.prepared[part])[0] for pixels in occluded(stock.pixels[part])
            ]
            return heat_from(lambda results: scorer.support(results, answered), answered, covered)

        maps = []
        for found in self._spread(partial(one, part) for part in rows):
            maps.append(found)
            listen(len(found))
        return replace(stock, heat=np.concatenate(maps))


def chunk_size(size_hw: tuple[int, ...]) -> int:
    """Pictures of this size that are changed together."""
    return max(_CHUNK_LEAST, min(_CHUNK_MOST, _CHUNK_PIXELS // (size_hw[0] * size_hw[1])))


def _joined(parts: Sequence[Answered]) -> Answered:
    spent = sum((part.spent for part in parts), Spent())
    results = [one for part in parts for one in part.results]
    return Answered(parts[0].made, results, [one for part in parts for one in part.truths], spent)
