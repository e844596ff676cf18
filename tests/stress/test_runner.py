"""Passes over pictures: order, batches, seeds, truths that move, what it costs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from striate.data.dataset import Dataset
from striate.explain.moves import shifted
from striate.stress.changes import Axis, Changed, Material
from striate.stress.measuring import measure_axes, worst_cases
from striate.stress.resamples import resamples_for
from striate.stress.runner import Engine, Pass, chunk_size
from striate.stress.stock import Stock, read_stock
from striate.task import Task, task_type
from striate.types import Array, PictureArray

SIZE_HW = (6, 8)
NAMES = ("red", "green", "blue")
PURE = {"red": (200, 40, 40), "green": (40, 200, 40), "blue": (40, 40, 200)}


@dataclass
class MeanGraph:
    """Logits are the mean colours over 25. Counts its calls."""

    calls: int = 0
    input_names: tuple[str, ...] = ("pictures",)
    output_names: tuple[str, ...] = ("logits",)

    def __call__(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        self.calls += 1
        return {"logits": (feeds["pictures"].mean(axis=(1, 2)) / 25).astype(np.float32)}


def classifier() -> Task[Any, Any]:
    kind = task_type("classify")
    facts = {
        "model": "small-cnn",
        "names": NAMES,
        "counts": (5, 5, 5),
        "size_hw": SIZE_HW,
        "fit": "squash",
        "channels": 3,
    }
    return kind(kind.config_type.parse({}), kind.facts_type.parse(facts))


def _darker(pictures: PictureArray, level: float, material: Material) -> Changed:
    """The red goes; at the last level all of it."""
    found = pictures.copy()
    found[..., 0] = np.rint(found[..., 0] * (1 - level)).astype(np.uint8)
    return Changed(found)


def _seeded(pictures: PictureArray, level: float, material: Material) -> Changed:
    """All one colour, which only the seed decides."""
    found = np.zeros_like(pictures)
    found[np.arange(len(found)), ..., :] = (material.seeds % 251).astype(np.uint8)[:, None, None, None]
    return Changed(found)


def _moved(pictures: PictureArray, level: float, material: Material) -> Changed:
    step = int(level)
    return Changed(
        shifted(pictures, 0, step, border="grey"),
        (lambda points: np.add(points, (step, 0)),) * len(pictures),
    )


def _hot(pictures: PictureArray, level: float, material: Material) -> Changed:
    assert material.heat is not None
    assert material.heat.shape == pictures.shape[:3]
    return Changed(np.where(material.heat[..., None] > 1 - level, 0, pictures).astype(np.uint8))


def axis(name: str, change: Any, levels: Any = (0.2, 0.4, 0.6, 0.8, 1.0), **more: Any) -> Axis:
    return Axis(name, name.capitalize(), "light", "share", levels, change, **more)


DARKER = axis("darker", _darker)


@pytest.fixture
def stock(make_dataset: Callable[..., Dataset[Any]]) -> Stock:
    def paint(picture: Array, target: tuple[str, ...]) -> None:
        picture[:] = np.clip(picture // 8 + np.array(PURE[target[0]]), 0, 255)

    targets = [(NAMES[row % 3],) for row in range(30)]
    dataset = make_dataset(targets, NAMES, size_hw=SIZE_HW, paint=paint)
    return read_stock(classifier(), dataset, seed=3, workers=2)


def engine(call: int = 4, workers: int = 2) -> Engine:
    return Engine(classifier(), MeanGraph(), workers=workers, call=call)


def test_passes_come_in_order_and_whole(stock: Stock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("striate.stress.runner._CHUNK_PIXELS", 1)
    assert chunk_size(SIZE_HW) == 8
    wanted = [Pass(None, 0), Pass(DARKER, 1), Pass(DARKER, 5)]
    heard: list[int] = []
    found = list(engine().passes(stock, wanted, listen=heard.append))
    assert [one.made for one in found] == wanted
    assert [len(one.results) for one in found] == [30, 30, 30]
    assert sum(heard) == 90
    assert [one.label for one in found[0].results] == [NAMES[row % 3] for row in range(30)]
    assert "red" not in {one.label for one in found[2].results}
    assert found[1].spent.total > 0


def test_chance_does_not_depend_on_chunks(stock: Stock, monkeypatch: pytest.MonkeyPatch) -> None:
    seeded = axis("seeded", _seeded)
    (whole,) = engine().passes(stock, [Pass(seeded, 1)])
    monkeypatch.setattr("striate.stress.runner._CHUNK_PIXELS", 1)
    (parts,) = engine(workers=1).passes(stock, [Pass(seeded, 1)])
    for one, other in zip(whole.results, parts.results, strict=True):
        np.testing.assert_array_equal(one.probabilities, other.probabilities)
    assert len(set(stock.seeds.tolist())) == 30


def test_an_error_in_an_axis_stops_everything(stock: Stock) -> None:
    def broken(pictures: PictureArray, level: float, material: Material) -> Changed:
        raise RuntimeError("no such change")

    with pytest.raises(RuntimeError, match="no such change"):
        list(engine().passes(stock, [Pass(axis("broken", broken), 1)]))


def test_stopping_early_leaves_no_thread(stock: Stock) -> None:
    import threading

    before = threading.active_count()
    passes = engine().passes(stock, [Pass(DARKER, 1 + at % 5) for at in range(50)])
    next(passes)
    passes.close()
    assert threading.active_count() == before


def test_the_fastest_call_is_measured(stock: Stock, make_dataset: Callable[..., Any]) -> None:
    found = Engine(classifier(), MeanGraph(), workers=2)
    found.settle(stock)
    assert found.call == 8  # too few pictures to try anything
    targets = [("red",)] * 130
    large = read_stock(classifier(), make_dataset(targets, NAMES, size_hw=SIZE_HW), seed=0, workers=2)
    found = Engine(classifier(), MeanGraph(), workers=2)
    found.settle(large)
    assert found.call in (8, 16, 32, 64)


def test_measured_along_an_axis(stock: Stock) -> None:
    found = measure_axes(engine(), stock, [DARKER], (1, 3, 5), resamples_for(30, seed=0))
    assert found.clean.headline.value == 1.0
    (curve,) = found.curves
    assert [one.severity for one in curve.levels] == [1, 3, 5]
    assert curve.levels[-1].score.value == pytest.approx(2 / 3)
    assert curve.levels[-1].flipped == 10
    assert curve.levels[-1].loss.value == pytest.approx((1 / 3) / (1 - 1 / 3))
    assert found.passes == 4 * 30
    assert curve.verdict in ("bends", "unclear")


def test_an_axis_that_needs_heat_gets_it(stock: Stock) -> None:
    hot = axis("hot", _hot, needs_heat=True)
    found = measure_axes(engine(), stock, [hot], (1,), resamples_for(30, seed=0))
    assert found.stock.heat is not None
    assert found.stock.heat.shape == (30, 4, 4)
    assert 0 <= found.stock.heat.min() <= found.stock.heat.max() == 1
    (case, *_) = [*worst_cases(engine(), found, hot, most=1, spare=set()), None]
    assert case is None or case.pixels.shape == (*SIZE_HW, 3)


def test_time_that_ends_leaves_axes_out(stock: Stock) -> None:
    found = measure_axes(engine(), stock, [DARKER], (1,), resamples_for(30, seed=0), until=0.0)
    assert not found.curves
    assert found.left_out[0][0] is DARKER
    assert "time budget" in found.left_out[0][1]


def test_the_worst_cases_fall_first_and_surest(stock: Stock) -> None:
    found = measure_axes(engine(), stock, [DARKER], (1, 2, 3, 4, 5), resamples_for(30, seed=0))
    spare: set[int] = set()
    cases = worst_cases(engine(), found, DARKER, most=3, spare=spare)
    assert len(cases) == 3 == len(spare)
    assert {found.stock.records[one.row].target for one in cases} == {("red",)}
    assert [one.severity for one in cases] == sorted(one.severity for one in cases)
    assert cases[0].after.label != "red" == cases[0].before.label
    again = worst_cases(engine(), found, DARKER, most=30, spare=spare)
    assert len(again) == 7  # no picture twice


def test_truths_that_move(make_dataset: Callable[..., Any]) -> None:
    class Movable:
        """What the engine asks of a task."""

        def feeds(self, pixels: PictureArray) -> Mapping[str, Array]:
            return {"pictures": pixels}

        def decode(self, outputs: Any, prepared: Any) -> list[Any]:
            return [None] * len(prepared)

        def moved(self, target: Any, prepared: Any, move: Any) -> Any:
            ((x, _),) = move(np.array([[0.0, 0.0]]))
            return (target, float(x))

    dataset = make_dataset([("red",)] * 3, NAMES, size_hw=SIZE_HW)
    stock = read_stock(classifier(), dataset, seed=0, workers=1)
    moving = axis("moved", _moved, (1.0, 2.0, 3.0, 4.0, 5.0))
    found = Engine(Movable(), MeanGraph(), workers=1, call=4)  # type: ignore[arg-type]
    (answered,) = found.passes(stock, [Pass(moving, 2)])
    assert answered.truths == [(("red",), 2.0)] * 3
