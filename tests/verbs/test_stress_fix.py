"""Advice tried: with a training that is only pretended."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from striate.errors import Interrupted, UsageError
from striate.nn.augment.plan import draw_plan
from striate.nn.augment.presets import resolve
from striate.nn.augment.settings import AugmentSettings
from striate.pictures import write
from striate.runs.run import Run
from striate.stress.card_page import render_card
from striate.stress.registry import AXES
from striate.verbs.model import Model, load
from striate.verbs.stress.card import StressReport, stress_card
from striate.verbs.stress.fix import (
    augment_of,
    check_fixable,
    check_training_pictures,
    right_under,
    try_advice,
)


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


def copying(run: Run, asked: list[dict[str, Any]]) -> Callable[..., Model]:
    """A training that gives `run` every time."""

    def train(source: str, *, out: Path, task: str, **settings: Any) -> Model:
        asked.append({"task": task, **settings})
        shutil.copytree(run.folder, out, dirs_exist_ok=True)
        return load(out)

    return train


def test_advice_is_tried(
    report: StressReport, pictures: Path, tmp_path: Path, make_run: Callable[..., Run]
) -> None:
    asked: list[dict[str, Any]] = []
    every = stored(pictures)
    train = copying(make_run(name="trial", trained_on=every[1::3] + every[2::3]), asked)
    found = try_advice(
        report, str(pictures), out=tmp_path / "trials", seeds=(0, 1), train=train, time_budget=600
    )
    first = found.card.advice[0]
    assert first.gain is not None
    assert first.gain.gain == 0  # the same run every time
    assert first.gain.low <= 0 <= first.gain.high
    assert "No measurable effect" in first.gain.statement
    # of thirty pictures the trials were trained on twenty, which tell nothing
    assert "10 pictures, those on the card that it was not trained on" in first.gain.statement
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


def test_pictures_that_were_trained_on_tell_nothing(
    report: StressReport, pictures: Path, tmp_path: Path, make_run: Callable[..., Run]
) -> None:
    train = copying(make_run(name="trial", trained_on=stored(pictures)[5:]), [])
    with pytest.raises(UsageError, match="of the 30 pictures on the card 5 are new") as error:
        try_advice(report, str(pictures), out=tmp_path / "trials", train=train, time_budget=600)
    assert "--train DATA" in error.value.remedy


def test_trials_are_gone_on_with_unless_they_are_to_be_replaced(
    report: StressReport, pictures: Path, tmp_path: Path, make_run: Callable[..., Run]
) -> None:
    asked: list[dict[str, Any]] = []
    train = copying(make_run(name="trial", trained_on=stored(pictures)[10:]), asked)
    told: dict[str, Any] = {"out": tmp_path / "trials", "seeds": (0, 1), "time_budget": 600}

    def stops(source: str, **settings: Any) -> Model:
        if len(asked) == 3:
            raise Interrupted("Ctrl-C")
        return train(source, **settings)

    with pytest.raises(Interrupted):
        try_advice(report, str(pictures), train=stops, **told)
    found = try_advice(report, str(pictures), train=train, **told)
    assert found.card.advice[0].gain is not None
    assert len(asked) == 1 + 2 * 2  # nothing twice
    try_advice(report, str(pictures), train=train, overwrite=True, **told)
    assert len(asked) == 2 * (1 + 2 * 2)


def test_a_policy_that_is_advised_is_carried_out() -> None:
    """Laid over the settings that a run without one has kept, all of them resolved."""
    kept = resolve(AugmentSettings(), size_hw=(32, 32), grey=False).model_dump()
    assert (kept["policy"], kept["policy_ops"], kept["policy_magnitude"]) == ("none", 0, 0.0)
    against = augment_of(kept)
    assert against["translate"] == kept["translate"]
    assert not [name for name in against if name.startswith("policy")]
    for advised in ({"policy": "trivialaugment"}, {"policy": "augmix", "exposure": 1.0}):
        made = resolve(AugmentSettings(**{**against, **advised}), size_hw=(32, 32), grey=False)
        plan = draw_plan(made, (32, 32), seed=0, epoch=0, indices=np.arange(8))
        assert plan.steps is not None or plan.mixture is not None
    plain = resolve(AugmentSettings(**against), size_hw=(32, 32), grey=False)
    assert plain.model_dump() == kept
    had = {**kept, "policy": "randaugment", "policy_ops": 3, "policy_magnitude": 5.0}
    assert augment_of(had)["policy_ops"] == 3


def test_whether_it_can_be_fixed_is_known_before_anything_is_measured(
    report: StressReport, pictures: Path, coloured: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check_fixable(report.model, str(pictures))
    with pytest.raises(UsageError, match="30 are not in"):
        check_fixable(report.model, str(coloured))
    monkeypatch.setattr("striate.verbs.stress.fix.is_hand_made", lambda model: True)
    with pytest.raises(UsageError, match="hand-made"):
        check_fixable(report.model, str(pictures))


def test_trials_are_stressed_with_the_masks_of_the_card(
    make_run: Callable[..., Run], pictures: Path, tmp_path: Path
) -> None:
    masks = tmp_path / "masks"
    for path in pictures.rglob("*.png"):
        own = masks / path.relative_to(pictures)
        own.parent.mkdir(parents=True, exist_ok=True)
        mask = np.zeros((12, 16, 3), np.uint8)
        mask[3:9, 4:12] = 255
        write(mask, own)
    card = stress_card(make_run(), pictures, axes=("background-noise",), severities=(5,), masks=masks)
    assert card.masks == masks
    axis, records = AXES["background-noise"], card.stock.records
    marks, _ = right_under(card.model, records, axis, (5,), masks=masks)
    assert marks.mean() == pytest.approx(card.card.curves[0].levels[0].score.value)
