from __future__ import annotations

import math
from typing import Any

from striate.figures import Lines
from striate.runs.history import training_section


def epoch(number: int, **more: Any) -> dict[str, Any]:
    metrics = {"n": 10, "headline_score": 0.1 * number, "accuracy": 0.1 * number, "f1": 0.5}
    return {"number": number, "loss": 1 / number, "lr": 0.01, "metrics": metrics, "best": False} | more


def drawn(rows: list[dict[str, Any]], headline: str = "headline_score") -> list[Lines]:
    section = training_section(rows, headline)
    assert section is not None
    return [figure for figure in section.figures if isinstance(figure, Lines)]


def test_loss_metric_and_rate() -> None:
    loss, metric, rate = drawn([epoch(1), epoch(2, best=True), epoch(3)])
    assert loss.title == "Loss"
    assert list(loss.curves[0].x) == [1, 2, 3]
    assert list(loss.curves[0].y) == [1, 1 / 2, 1 / 3]
    assert metric.title == "Validation accuracy"  # the name people know for an alias
    assert list(metric.curves[0].y) == [0.1, 0.2, 0.1 * 3]
    assert list(rate.curves[0].y) == [0.01] * 3
    section = training_section([epoch(1), epoch(2, best=True), epoch(3)])
    assert section is not None
    assert section.intro == "3 epochs. The best was epoch 2."


def test_rows_that_a_resumed_run_wrote_again_count_once() -> None:
    loss = drawn([epoch(1), epoch(2, loss=9.0), epoch(2, loss=0.5), epoch(3)])[0]
    assert list(loss.curves[0].x) == [1, 2, 3]
    assert loss.curves[0].y[1] == 0.5


def test_undefined_values_are_gaps() -> None:
    rows = [epoch(1), epoch(2, loss=None, metrics={"headline_score": None}), epoch(3)]
    loss, metric, _ = drawn(rows)
    assert math.isnan(loss.curves[0].y[1])
    assert math.isnan(metric.curves[0].y[1])


def test_validation_loss_beside_training_loss() -> None:
    rows = [epoch(k, metrics={"loss": 0.5, "accuracy": 0.5, "x": 1.0}) for k in (1, 2)]
    assert [curve.name for curve in drawn(rows)[0].curves] == ["training", "validation"]


def test_an_unknown_headline_gives_way_to_the_first_number() -> None:
    rows = [epoch(1, metrics={"names": ["a"], "mae": 2.0, "flag": True})]
    assert drawn(rows, "nothing")[1].title == "Validation mae"


def test_steps_without_epochs() -> None:
    rows = [{"event": "step", "step": k, "loss": 1 / k} for k in (1, 2, 3)]
    (loss,) = drawn(rows)
    assert loss.x_label == "step"


def test_nothing_to_draw() -> None:
    assert training_section([]) is None
    assert training_section([{"event": "note", "text": "hello"}]) is None
    assert training_section([{"number": 1, "loss": None, "metrics": {}}]) is None
