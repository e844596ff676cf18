"""Advice tried: with a training that is only pretended."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from striate.errors import UsageError
from striate.pictures import write
from striate.runs.run import Run
from striate.stress.card_page import render_card
from striate.stress.registry import AXES
from striate.verbs.model import Model, load
from striate.verbs.stress import StressReport, stress_card
from striate.verbs.stress_fix import check_training_pictures, right_under, try_advice


@pytest.fixture
def pictures(tmp_path: Path, rng: np.random.Generator) -> Path:
    root = tmp_path / "pictures"
    for place, name in enumerate(("red", "green", "blue")):
        (root / name).mkdir(parents=True)
        for number in range(10):
            picture = rng.integers(60, 110, (12, 16, 3), dtype=np.uint8)
            picture[..., place] = rng.integers(115, 140)
            write(picture, root / name / f"{number}.png")
    return root


def stored(root: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted(root.rglob("*.png"))]


@pytest.fixture
def report(make_run: Callable[..., Run], pictures: Path) -> StressReport:
    run = make_run(trained_on=stored(pictures))
    found = stress_card(run, pictures, axes=("warm-light", "fog"), severities=(4, 5))
    assert found.card.advice, [one.verdict for one in found.card.curves]
    return found


def test_advice_is_tried(report: StressReport, pictures: Path, tmp_path: Path) -> None:
    asked: list[dict[str, Any]] = []

    def train(source: str, *, out: Path, task: str, **settings: Any) -> Model:
        asked.append({"task": task, **settings})
        shutil.copytree(report.model.run.folder, out, dirs_exist_ok=True)
        return load(out)

    found = try_advice(
        report, str(pictures), out=tmp_path / "trials", seeds=(0, 1), train=train, time_budget=600
    )
    first = found.card.advice[0]
    assert first.gain is not None
    assert first.gain.gain == 0  # the same run every time
    assert first.gain.low <= 0 <= first.gain.high
    assert "No measurable effect" in first.gain.statement
    assert "On the pictures as they are: +0.0 points" in first.gain.statement
    assert len(asked) == 1 + 2 * 2  # a pilot, then with and without, with either seed
    changed = [one for one in asked if first.settings.items() <= one.items()]
    assert len(changed) == 2
    assert {one["seed"] for one in changed} == {0, 1}
    assert first.gain.statement in render_card(found.card)
    assert found.card.to_dict()["advice"][0]["measured"]["seeds"] == 2


def test_marks_under_an_axis(report: StressReport) -> None:
    axis = AXES["warm-light"]
    marks, clean = right_under(report.model, report.stock.records, axis, (4, 5))
    curve = report.card.measured.curve("warm-light")
    assert curve is not None
    assert marks.mean() == pytest.approx(np.mean([one.score.value for one in curve.levels]))
    assert clean == pytest.approx(report.card.clean.value)


def test_other_pictures_are_refused(
    report: StressReport, coloured: Path, make_run: Callable[..., Run]
) -> None:
    with pytest.raises(UsageError, match="30 are not in") as error:
        check_training_pictures(report.model, str(coloured))
    assert "--train DATA" in error.value.remedy
    with pytest.raises(UsageError, match="does not list"):
        check_training_pictures(load(make_run(name="bare")), str(coloured))


def test_nothing_to_try(report: StressReport, pictures: Path) -> None:
    with pytest.raises(UsageError, match="nothing to try"):
        try_advice(report.with_advice(()), str(pictures))
