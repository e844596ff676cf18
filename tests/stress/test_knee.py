"""Losses, knees and verdicts against cases worked by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from striate.stress.knee import Loss, Verdict, knee_of, loss_of, steepest, verdict_of
from striate.stress.resamples import ends, resamples_for, unseen, with_room

MANY: dict[str, Any] = {"more_is_better": True, "pictures": 10**6}
NOTHING = Loss(float("nan"), float("nan"), float("nan"))


def sure(value: float) -> Loss:
    return Loss(value, value - 0.01, value + 0.01)


def test_loss_is_the_share_of_what_is_beyond_chance() -> None:
    draws = np.array([0.9, 0.9, 0.9])
    found = loss_of((0.9, draws), (0.5, np.array([0.5, 0.5, 0.5])), 0.1, **MANY)
    assert found.value == pytest.approx(0.5)
    assert (found.low, found.high) == (pytest.approx(0.5, abs=1e-4), pytest.approx(0.5, abs=1e-4))
    error = loss_of(
        (2.0, draws * 0 + 2), (6.0, draws * 0 + 6), 10.0, more_is_better=False, pictures=10**6
    )
    assert error.value == pytest.approx(0.5)


def test_nothing_to_lose_at_chance() -> None:
    rng = np.random.default_rng(0)
    draws = 0.5 + 0.05 * rng.standard_normal(400)
    assert not loss_of((0.51, draws), (0.4, draws - 0.1), 0.5, **MANY).is_known
    assert not loss_of((0.4, draws - 0.1), (0.4, draws), 0.5, **MANY).is_known
    assert verdict_of([NOTHING, NOTHING]) == "nothing to lose"
    assert knee_of([NOTHING]) is None
    assert steepest([NOTHING]) is None


@pytest.mark.parametrize(
    ("losses", "verdict", "knee"),
    [
        ([sure(0.0), sure(0.02)], "holds", None),
        ([sure(-0.1), sure(-0.2)], "holds", None),
        ([sure(0.05), sure(0.2)], "bends", 1),
        ([sure(0.2), sure(0.8)], "breaks", 0),
        ([Loss(0.3, -0.2, 0.7)], "unclear", None),
        ([Loss(0.2, 0.05, 0.4)], "unclear", None),
        ([Loss(0.05, -0.5, 0.6)], "unclear", None),
        ([Loss(0.05, -0.05, 0.4)], "holds", None),
        ([], "nothing to lose", None),
    ],
)
def test_verdicts(losses: list[Loss], verdict: str, knee: int | None) -> None:
    assert verdict_of(losses) == verdict
    assert knee_of(losses) == knee


def test_steepest_counts_the_fall_from_clean() -> None:
    assert steepest([sure(0.4), sure(0.5), sure(0.6)]) == 0
    assert steepest([sure(0.1), sure(0.5), sure(0.6)]) == 1
    assert steepest([sure(-0.1), sure(-0.2)]) is None


@given(st.lists(st.floats(-0.5, 1.5), min_size=1, max_size=5))
def test_a_knee_is_there_where_it_does_not_hold(values: list[float]) -> None:
    losses = [sure(one) for one in values]
    assert (knee_of(losses) is None) == (verdict_of(losses) in ("holds", "unclear"))


def test_paired_intervals_are_narrower() -> None:
    """What the same resamples are for: the loss is known far better than either score."""
    rng = np.random.default_rng(1)
    right = (rng.random(500) < 0.8).astype(np.float32)
    fewer = right.copy()
    fewer[np.flatnonzero(right)[:20]] = 0
    same = resamples_for(500, seed=0)
    other = resamples_for(500, seed=1)
    paired = ends(same.means(right) - same.means(fewer))
    apart = ends(same.means(right) - other.means(fewer))
    assert paired[1] - paired[0] < 0.6 * (apart[1] - apart[0])
    assert paired[0] <= 20 / 500 <= paired[1]


def test_resamples() -> None:
    found = resamples_for(40, seed=2)
    assert found.counts.shape == (1000, 40)
    assert (found.counts.sum(axis=1) == 40).all()
    values = np.linspace(0, 1, 40)
    assert found.means(values).mean() == pytest.approx(0.5, abs=0.01)
    assert found.means(np.stack([values, 1 - values], axis=1)).shape == (1000, 2)
    np.testing.assert_array_equal(found.counts, resamples_for(40, seed=2).counts)
    assert len(resamples_for(40_000, seed=0)) == 300
    assert len(resamples_for(1, seed=0)) == 1000
    assert np.isnan(ends(np.array([np.nan]))).all()


def test_what_was_not_seen_is_that_of_clopper_and_pearson() -> None:
    from scipy.stats import binomtest

    for pictures in (1, 5, 10, 100, 5000):
        expected = binomtest(0, pictures).proportion_ci(method="exact").high
        assert unseen(pictures) == pytest.approx(expected)


def test_an_interval_has_room_for_what_was_not_seen() -> None:
    assert with_room(1.0, (1.0, 1.0), 1, (0.0, 1.0)) == (pytest.approx(0.025), 1.0)
    assert with_room(0.5, (0.4, 0.6), 1000, (0.0, 1.0)) == (0.4, 0.6)
    assert np.isnan(with_room(0.5, (np.nan, np.nan), 10, (0.0, 1.0))).all()


@pytest.mark.parametrize(
    ("pictures", "after", "verdict"),
    [
        (1, 0, "unclear"),
        (1, 1, "unclear"),
        (5, 0, "unclear"),
        (5, 1, "unclear"),
        (10, 0, "breaks"),
        (10, 1, "holds"),
        (200, 1, "holds"),
    ],
)
def test_few_pictures_that_are_all_alike(pictures: int, after: int, verdict: Verdict) -> None:
    """All right before; after it all wrong or all right: resampling alone has no width at all."""
    resamples = resamples_for(pictures, seed=0)
    before, now = np.ones(pictures), np.full(pictures, float(after))
    found = loss_of(
        (1.0, resamples.means(before)),
        (float(after), resamples.means(now)),
        0.1,
        more_is_better=True,
        pictures=pictures,
    )
    assert found.low <= found.value <= found.high
    assert found.high - found.low >= unseen(pictures) * 0.7
    assert verdict_of([found]) == verdict


def test_a_sure_loss_is_no_more_often_wrong_than_it_says() -> None:
    """Of runs that lose exactly half, at most one in forty may be said to lose more."""
    rng = np.random.default_rng(3)
    wrong = 0
    for _ in range(400):
        right = rng.random(12) < 0.5
        resamples = resamples_for(12, seed=0, most=200)
        clean, changed = np.ones(12), right.astype(float)
        found = loss_of(
            (1.0, resamples.means(clean)),
            (float(changed.mean()), resamples.means(changed)),
            0.0,
            more_is_better=True,
            pictures=12,
        )
        wrong += found.low > 0.5
    assert wrong / 400 < 0.05
