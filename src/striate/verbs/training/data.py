"""From a source to arrays: read, split, learn the facts, prepare once into memory maps."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from striate.data.cache import PreparedSet, prepare_all
from striate.data.dataset import Dataset
from striate.data.duplicates import near_duplicates
from striate.data.guess import require_trainable
from striate.data.named import SAME_NAME
from striate.data.split import split
from striate.engine.events import Event, Note, Stage, Step
from striate.errors import TrainingError
from striate.task import Task
from striate.types import Problem, Split

__all__ = ["Material", "gather"]

_HELD_AT_MOST = 5000
"""Validation pictures beyond this sharpen nothing that matters and are better trained on."""
_HELD_FRACTION = 0.2
_COMPARED_AT_MOST = 60_000
"""Comparing takes about half a millisecond a picture."""


@dataclass(frozen=True, slots=True)
class Material:
    """What training works with: the whole data set with its splits, and each split prepared."""

    dataset: Dataset[Any]
    task: Task[Any, Any]
    prepared: Mapping[Split, PreparedSet]
    parts: Mapping[Split, Dataset[Any]]
    """The records that could be read, in the order of `prepared`."""
    problems: tuple[Problem, ...]
    fingerprint: str
    """sha256 of the whole data set: keys, truths, splits and contents."""


def gather(
    task: Task[Any, Any],
    source: str,
    *,
    seed: int,
    tell: Callable[[Event], None],
    leads: bool = True,
    wait: Callable[[], None] = lambda: None,
) -> Generator[Event, None, Material]:
    """Read `source`, split it where it is not, learn the task's facts, prepare every split.

    `tell` hears of progress within a step, between the events that are yielded. Of several processes
    one `leads`; `wait` returns when all have called it.
    """

    def progress(done: int) -> None:
        tell(Step(done))

    yield Stage("read", f"reading {source}")
    raw = task.read(source)
    yield from (Note(f"{one.reason}; {one.repair}") for one in raw.problems if one.kind == SAME_NAME)
    clusters: list[list[str]] = []
    if "validation" not in raw.splits:
        pool = raw.only("train") if raw.splits else raw
        if len(pool) <= _COMPARED_AT_MOST:
            yield Stage("compare", "looking for near duplicates, which must not part", total=len(pool))
            clusters = near_duplicates(pool, on_progress=progress)
        else:
            yield Note(
                f"{len(pool)} pictures are too many to compare all: only equal files stay together"
            )
    dataset, notes = _with_held_out(raw, seed, clusters)
    require_trainable(dataset.only("train"))
    yield from notes
    learnt = task.learn(dataset.only("train"))
    dataset = learnt.align(dataset)
    yield Note(_describe(dataset))
    if not leads:
        wait()  # the leader fills the cache first
    prepared: dict[Split, PreparedSet] = {}
    parts: dict[Split, Dataset[Any]] = {}
    for name in dataset.splits:
        part = dataset.only(name)
        prepared[name] = yield from _prepare(learnt, part, name, progress)
        parts[name] = part.take(prepared[name].kept.tolist())
    if leads:
        wait()
    problems = dataset.problems + tuple(p for one in prepared.values() for p in one.problems)
    untold = tuple(one for one in problems if one.kind != SAME_NAME)
    if untold:
        yield Note(_count(untold), "warning")
    if not len(parts["train"]):
        raise TrainingError(
            "not one training picture could be read",
            remedy=f"see what is wrong with: striate data check {source}",
        )
    return Material(dataset, learnt, prepared, parts, problems, dataset.fingerprint())


def _with_held_out(
    dataset: Dataset[Any], seed: int, clusters: list[list[str]]
) -> tuple[Dataset[Any], list[Note]]:
    if "validation" in dataset.splits:
        return dataset, []
    total = len(dataset) if not dataset.splits else len(dataset.only("train"))
    fraction = min(_HELD_FRACTION, _HELD_AT_MOST / max(1, total))
    divided = split(dataset, validation=fraction, test=0.0, seed=seed, clusters=clusters)
    held = len(divided.only("validation")) if "validation" in divided.splits else 0
    return divided, [
        Note(f"no validation split was given: {held} training pictures are held out for it")
    ]


def _prepare(
    task: Task[Any, Any], part: Dataset[Any], name: str, progress: Callable[[int], None]
) -> Generator[Event, None, PreparedSet]:
    yield Stage("cache", f"preparing {len(part)} {name} pictures", total=len(part))
    found = prepare_all(
        part,
        task.prepare,
        at_least_hw=task.read_at_least_hw,
        key=_preparation(task),
        size_hw=task.input_hw,
        on_progress=progress,
    )
    return found


def _preparation(task: Task[Any, Any]) -> str:
    """A name for what `task.prepare` does: the hash of what it makes of fixed pictures.

    Whatever changes preparation, a setting or our own code, changes the name by itself.
    """
    rng = np.random.default_rng(0)
    probes = [
        rng.integers(0, 256, (*shape, 3), dtype=np.uint8) for shape in ((97, 131), (300, 80), (5, 7))
    ]
    made = b"".join(task.prepare(probe).pixels.tobytes() for probe in probes)
    return f"{task.name}-{hashlib.sha256(made).hexdigest()[:16]}-{task.read_at_least_hw}"


def _describe(dataset: Dataset[Any]) -> str:
    counts = ", ".join(f"{len(dataset.only(name))} {name}" for name in dataset.splits)
    names = ", ".join(dataset.names[:6]) + (" …" if len(dataset.names) > 6 else "")
    return f"{dataset.layout}: {counts}; {len(dataset.names)} names: {names}"


def _count(problems: tuple[Problem, ...]) -> str:
    kinds: dict[str, int] = {}
    for problem in problems:
        kinds[problem.kind] = kinds.get(problem.kind, 0) + 1
    listed = ", ".join(f"{count} × {kind}" for kind, count in kinds.items())
    return f"the data has {len(problems)} problems ({listed}); all are listed in the report"
