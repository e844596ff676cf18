"""Two runs compared axis by axis."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from striate.stress.card import Against
from striate.stress.curves import Estimate, Level, StressCurve, estimate
from striate.stress.judged import Measure
from striate.stress.knee import Loss
from striate.stress.resamples import Resamples, resamples_for
from striate.stress.rivals import Difference, differences, rival_words
from striate.types import Array

Make = Callable[..., Any]
AXES = 44


def test_a_difference_is_paired_and_averaged_over_severities(curve: Make) -> None:
    ours = [
        curve("fog", 0.9, 0.8),
        curve("noise", 0.5, 0.4),
        curve("jpeg", 0.9, 0.9),
        curve("snow", 0.9),
    ]
    theirs = [curve("noise", 0.9, 0.8), curve("fog", 0.7, 0.6), curve("jpeg", 0.9, 0.9)]
    fog, noise, jpeg = differences(ours, theirs, more_is_better=True)
    assert fog.gain.value == pytest.approx(0.2)
    assert 0.1 < fog.gain.low < 0.2 < fog.gain.high < 0.3
    assert noise.gain.high < 0
    assert jpeg.gain.low < 0 == jpeg.gain.value < jpeg.gain.high  # alike, of what was seen
    flipped = differences(ours, theirs, more_is_better=False)
    assert flipped[0].gain.value == pytest.approx(-0.2)
    short = [replace(one, levels=one.levels[:1]) for one in theirs]
    assert differences(ours, short, more_is_better=True) == []  # other severities


def test_who_is_better_is_said(curve: Make, card: Make, judged: Make) -> None:
    ours, theirs = [curve("fog", 0.9, 0.8)], [curve("fog", 0.7, 0.6)]
    said = rival_words("a", "b", differences(ours, theirs, more_is_better=True))
    assert said == (
        "Averaged over severities a is surely better than b on 1 of 1 axes (Fog by 0.2), surely worse "
        "on 0."
    )
    against = Against("other", estimate(judged(0.7).headline), tuple(theirs))
    found = card(*ours, against=against)
    assert "other has 0.700 (" in " ".join(found.statements)
    assert found.to_dict()["against"]["better_by"][0]["value"] == pytest.approx(0.2)
    assert "Surely" not in said  # a single axis needs no more


def curves_of_marks(axis: Make, marks: Array, resamples: Resamples) -> list[StressCurve]:
    """Curves of one severity, of `marks` (K, N)."""
    draws, score = resamples.means(np.ascontiguousarray(marks.T)).T, Estimate(1, 1, 1)
    found = []
    for at, own in enumerate(marks):
        measure = Measure(float(own.mean()), draws[at], len(own), is_share=True)
        level = Level(1, 1.0, estimate(measure), Loss(0, 0, 0), {}, 0)
        found.append(StressCurve(axis(f"a{at}"), (level,), draws[at][None], len(own), (0, 1), score))
    return found


def compared(axis: Make, seed: int, *, pictures: int, lead: float = 0.0) -> list[Difference]:
    """Two runs along 44 axes: some pictures are hard for both, some axes hard, and each has its luck;
    along the first four the first run has a `lead`."""
    rng = np.random.default_rng([1, seed])
    hard, own = rng.normal(size=pictures), rng.normal(size=(2, 1, pictures))
    alone = rng.normal(size=(2, AXES, pictures))
    skill = 1 + rng.normal(size=(AXES, 1)) / 2 - hard + 0.5 * own + 0.7 * alone
    skill[0, :4] += lead
    resamples = resamples_for(pictures, seed=seed)
    ours, theirs = (curves_of_marks(axis, one > 0, resamples) for one in skill)
    return differences(ours, theirs, more_is_better=True)


@pytest.mark.parametrize("pictures", [20, 100])
def test_equal_runs_are_rarely_told_apart_on_any_axis(axis: Make, pictures: int) -> None:
    repeats = [compared(axis, seed, pictures=pictures) for seed in range(30)]
    named = [sum(one.surely != 0 for one in found) for found in repeats]
    alone = [sum(not one.gain.low <= 0 <= one.gain.high for one in found) for found in repeats]
    assert sum(count > 0 for count in named) <= 4  # 1.5 of 30 are expected
    if pictures == 100:
        assert np.mean(alone) > 1  # each axis by itself would be misled
    for one in repeats[0]:
        assert one.together[0] <= one.gain.value <= one.together[1]


def test_a_better_run_is_still_found(axis: Make) -> None:
    repeats = [compared(axis, seed, pictures=200, lead=1.5) for seed in range(10)]
    assert np.mean([[one.surely == 1 for one in found[:4]] for found in repeats]) > 0.9
    assert sum(one.surely != 0 for found in repeats for one in found[4:]) <= 2
    said = rival_words("a", "b", repeats[0])
    assert "surely better than b on 4 of 44 axes" in said
    assert "intervals of all 44 axes hold at once" in said
    written = repeats[0][0].to_dict()
    assert written["surely"] == "better"
    assert written["interval_of_all"][0] > 0
    assert repeats[0][10].to_dict()["surely"] is None


def test_one_axis_is_judged_as_ever_and_more_only_make_it_harder(curve: Make) -> None:
    [alone] = differences([curve("fog", 0.9)], [curve("fog", 0.8)], more_is_better=True)
    names = [f"other{at}" for at in range(20)]
    ours = [curve("fog", 0.9), *(curve(name, 0.5) for name in names)]
    theirs = [curve("fog", 0.8), *(curve(name, 0.5) for name in names)]
    among = differences(ours, theirs, more_is_better=True)[0]
    assert alone.surely == 1
    assert alone.together[0] == pytest.approx(alone.gain.low, abs=0.01)
    assert among.together[0] <= alone.together[0]


def test_resamples_without_a_score_are_left_out(axis: Make) -> None:
    resamples = resamples_for(50, seed=0)
    marks = np.ones(50, np.float32)
    [one] = curves_of_marks(axis, marks[None], resamples)
    few = replace(one, draws=np.where(np.arange(1000) < 50, one.draws, np.nan))
    [known] = differences([few], [one], more_is_better=True)
    assert known.together[0] < 0 < known.together[1]
    none = replace(one, draws=np.full((1, 1000), np.nan))
    [unknown] = differences([none], [one], more_is_better=True)
    assert unknown.surely == 0
    assert unknown.to_dict()["interval_of_all"] is None


def test_an_axis_without_draws_leaves_the_others_their_answer(axis: Make) -> None:
    resamples = resamples_for(50, seed=0)
    good, bad = np.ones(50, np.float32), np.zeros(50, np.float32)
    [one], [other] = (curves_of_marks(axis, marks[None], resamples) for marks in (good, bad))
    blind = replace(one, draws=np.full((1, 1000), np.nan))
    [known, unknown] = differences(
        [one, replace(blind, axis=replace(one.axis, name="blind"))],
        [other, replace(blind, axis=replace(one.axis, name="blind"))],
        more_is_better=True,
    )
    assert (known.surely, unknown.surely) == (1, 0)
    assert "On 1 of them that cannot be told" in rival_words("a", "b", [known, unknown])
