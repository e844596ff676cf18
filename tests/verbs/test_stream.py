from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
import pytest

from striate.errors import PictureError
from striate.runs.run import Run
from striate.types import Picture
from striate.verbs.model import Model, load
from striate.verbs.stream import stream

PURE = {"red": (230, 20, 10), "green": (30, 220, 15), "blue": (5, 25, 240)}
ORDER = ("blue", "red", "red", "green", "bad", "blue", "green", "red", "bad", "bad", "green")


def read(name: str) -> Picture:
    if name == "bad":
        raise PictureError(name, "it is bad", remedy="none")
    return np.full((7, 3, 3), PURE[name], np.uint8)


@pytest.fixture
def model(make_run: Callable[..., Run]) -> Model:
    return load(make_run())


@pytest.mark.parametrize(("batch_size", "workers"), [(1, 1), (3, 2), (100, 4), (2, 8)])
def test_answers_in_order_whatever_the_batch(model: Model, batch_size: int, workers: int) -> None:
    found = list(
        stream(model.task, model.graphs(1), ORDER, read, batch_size=batch_size, workers=workers)
    )
    assert tuple(name for name, _, _ in found) == ORDER
    for name, result, error in found:
        assert (result is None) == (name == "bad") == (error is not None)
        assert result is None or result.to_dict()["label"] == name


def test_nothing_in_nothing_out(model: Model) -> None:
    assert list(stream(model.task, model.graphs(1), [], read, batch_size=4, workers=2)) == []


def test_sources_are_taken_as_needed_and_threads_end(model: Model) -> None:
    taken = 0

    def endless() -> object:
        nonlocal taken
        while True:
            taken += 1
            yield "red"

    before = threading.active_count()
    answers = stream(model.task, model.graphs(1), endless(), read, batch_size=2, workers=2)  # type: ignore[arg-type]
    for _ in range(5):
        next(answers)
    assert taken <= 2 * 2 * 3 + 8
    answers.close()  # type: ignore[attr-defined]
    assert threading.active_count() == before


def test_a_bug_in_reading_is_not_swallowed(model: Model) -> None:
    def broken(name: str) -> Picture:
        raise ZeroDivisionError(name)

    with pytest.raises(ZeroDivisionError):
        list(stream(model.task, model.graphs(1), ["a"], broken, batch_size=1, workers=1))
