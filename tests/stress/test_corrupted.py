"""mCE and its kin, of curves made by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from striate.stress.card_page import render_card
from striate.stress.corrupted import corrupted_from
from striate.stress.corruptions import COMMON, mce_against
from striate.stress.curves import curve_of, estimate, mean_of
from striate.stress.judged import Judged, Measure
from striate.stress.resamples import resamples_for, unseen

Make = Callable[..., Any]


def test_mean_corruption_error(judged: Make, curve: Make) -> None:
    ours = [curve(name, 0.8, 0.7, 0.6, 0.5, 0.4) for name in COMMON]
    theirs = [curve(name, 0.7, 0.6, 0.5, 0.4, 0.3) for name in COMMON]
    alone = corrupted_from("classify", judged(0.9).headline, ours)
    assert alone is not None
    assert alone.overall.value == pytest.approx(0.4)
    assert alone.overall.low < 0.4 < alone.overall.high
    assert alone.baseline is None
    found = corrupted_from(
        "classify", judged(0.9).headline, ours, baseline=("b", judged(0.85).headline, theirs)
    )
    assert found is not None
    errors = {name: [0.2, 0.3, 0.4, 0.5, 0.6] for name in COMMON}
    others = {name: [0.3, 0.4, 0.5, 0.6, 0.7] for name in COMMON}
    expected = mce_against(errors, others, title="b", clean=0.1, other_clean=0.15)
    assert found.overall.value == pytest.approx(expected.mce)
    assert found.relative is not None
    assert found.relative.value == pytest.approx(expected.relative_mce)
    assert found.to_dict()["by_corruption"]["fog"] == pytest.approx(0.8)
    assert corrupted_from("classify", judged(0.9).headline, ours[:14]) is None
    short = [replace(one, levels=one.levels[:3]) for one in ours]
    assert corrupted_from("classify", judged(0.9).headline, short) is None
    detected = corrupted_from("detect", judged(0.9).headline, ours)
    assert detected is not None
    assert detected.name == "mPC"
    assert detected.relative is not None
    assert detected.relative.value == pytest.approx(0.6 / 0.9)


def test_only_classes_have_an_mce(judged: Make, curve: Make, card: Make, read: Make) -> None:
    ours = [curve(name, 0.8, 0.7, 0.6, 0.5, 0.4) for name in COMMON]
    found = corrupted_from("regress", judged(0.9).headline, ours)
    assert found is not None
    assert "--against" not in found.meaning
    assert "--against" not in read(render_card(card(*ours, task="regress", corrupted=found)))
    classes = corrupted_from("classify", judged(0.9).headline, ours)
    assert "--against" in read(render_card(card(*ours, corrupted=classes)))


def test_a_mean_over_few_pictures_is_not_a_point(axis: Make) -> None:
    one = resamples_for(4, seed=0)
    measure = Measure(1.0, one.means(np.ones(4)), 4, is_share=True)
    alike = Judged(measure, np.ones(4, np.float32), np.ones(4, np.float32), {})
    passes = [(severity, alike) for severity in (1, 2, 3, 4, 5)]
    curves = [
        curve_of(axis(name), alike, passes, 0.1, more_is_better=True, fallen=[0] * 5) for name in COMMON
    ]
    assert curves[0].verdict == "unclear"
    found = corrupted_from("classify", measure, curves)
    assert found is not None
    assert found.overall.low == 0
    assert found.overall.high > 0.5
    assert mean_of(curves).low < 0.5


def test_an_estimate_of_a_share_is_that_of_wilson() -> None:
    from striate.metrics.intervals import wilson_interval

    found = estimate(Measure(0.0, np.zeros(100), 5, is_share=True))
    assert (found.low, found.high) == tuple(float(one) for one in wilson_interval(0, 5))
    whole = estimate(Measure(2.0, np.full(100, 2.0), 1, (0.0, 10.0)))
    assert whole.low < 0.1
    assert whole.high > 9
    assert estimate(Measure(0.1, np.full(100, 0.1))).interval == (0.1, 0.1)


def test_a_shortened_card_promises_no_equal_card(card: Make, read: Make) -> None:
    assert "depends on the machine" in read(render_card(card(shortened="200 of 900 pictures")))
    assert "depends on the machine" not in read(render_card(card()))


def fifteen(curve: Make, **others: tuple[float, ...]) -> list[Any]:
    usual = (0.8, 0.7, 0.6, 0.5, 0.4)
    return [curve(name, *others.get(name, usual)) for name in COMMON]


@pytest.mark.parametrize(
    ("others", "said"),
    [
        ({"fog": (1.0,) * 5}, "divides by the errors of b: there are none under fog."),
        (dict.fromkeys(COMMON, (1.0,) * 5), "shot noise, impulse noise and 12 more."),
        ({"frost": (0.8, 0.7)}, "for b was not measured under frost: there was no time left."),
    ],
)
def test_why_there_is_no_mce_is_said(
    judged: Make, curve: Make, others: dict[str, tuple[float, ...]], said: str
) -> None:
    theirs = fifteen(curve, **others)
    baseline = ("b", judged(0.85).headline, theirs)
    found = corrupted_from("classify", judged(0.9).headline, fifteen(curve), baseline=baseline)
    assert found is not None
    assert "unnormalised" in found.name
    assert found.meaning.endswith(said)
    assert "--against" not in found.meaning
    assert found.baseline == "b"
    assert found.by_corruption is None


def test_without_a_loss_there_is_no_relative_mce(judged: Make, curve: Make) -> None:
    theirs = fifteen(curve, brightness=(0.85,) * 5)
    baseline = ("b", judged(0.85).headline, theirs)
    found = corrupted_from("classify", judged(0.9).headline, fifteen(curve), baseline=baseline)
    assert found is not None
    assert found.name == "mCE"
    assert found.relative is None
    assert "No relative mCE: b loses nothing under brightness." in found.meaning
    assert found.to_dict()["relative"] is None


def drawn(curve: Make, wrong: int, pictures: int) -> list[Any]:
    """Curves of which `wrong` pictures are wrong, one at least under each corruption."""
    one = resamples_for(pictures, seed=0)
    marks = (np.arange(pictures) >= wrong).astype(np.float32)
    measure = Measure(float(marks.mean()), one.means(marks), pictures, is_share=True)
    alike = Judged(measure, marks, marks, {})
    return [
        curve_of(
            curve(name, 1).axis, alike, [(severity, alike) for severity in range(1, 6)], 0.1,
            more_is_better=True, fallen=[0] * 5,
        )
        for name in COMMON
    ]  # fmt: skip


def test_resamples_without_an_error_of_the_baseline_count(curve: Make, judged: Make) -> None:
    def against(wrong: int) -> Any:
        ours, theirs = drawn(curve, 8, 40), drawn(curve, wrong, 40)
        return corrupted_from(
            "classify", judged(0.9).headline, ours, baseline=("b", judged(0.95).headline, theirs)
        )

    rare = against(1)  # missing from one resample in three
    assert rare.overall.value == pytest.approx(8)
    assert np.isnan(rare.overall.interval).all()
    assert rare.to_dict()["interval"] is None
    assert "b makes no error under some corruption: mCE has no interval." in rare.meaning
    some = against(4)  # from one in seventy
    assert "they count against both ends of the interval" in some.meaning
    assert some.overall.low < 2 < some.overall.high < np.inf
    assert "resamples" not in against(12).meaning.split("relative")[0]


@pytest.mark.parametrize("pictures", [20, 100, 400])
def test_ratios_leave_room_for_the_pictures_that_are_missing(curve: Make, pictures: int) -> None:
    ours = drawn(curve, pictures // 4, pictures)
    clean = Measure(1.0, np.ones(1000), pictures, is_share=True)
    found = corrupted_from("classify", clean, ours, baseline=("itself", clean, ours))
    assert found is not None
    room = unseen(pictures)
    for one in (found.overall, found.relative):
        assert one is not None
        assert one.value == pytest.approx(1)  # the same run, in every resample
        assert one.low <= 0.25 * (1 - room) / (0.25 * (1 - room) + room) < 1
        assert one.high >= (0.25 * (1 - room) + room) / (0.25 * (1 - room)) > 1
    share = corrupted_from("detect", clean, drawn(curve, 0, pictures))
    assert share is not None
    assert share.relative is not None
    assert share.relative.value == pytest.approx(1)
    assert share.relative.low <= 1 - room


def test_of_nothing_there_is_no_share(curve: Make) -> None:
    nothing = Measure(0.0, np.zeros(1000), 40, is_share=True)
    found = corrupted_from("detect", nothing, drawn(curve, 40, 40))
    assert found is not None
    assert found.relative is None
    assert "No rPC" in found.meaning
