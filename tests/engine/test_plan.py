from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from striate.engine.plan import Schedule, choose_steps
from striate.engine.settings import TrainSettings
from striate.errors import SettingError, UnknownNameError


@given(
    total=st.integers(2, 500),
    warmup=st.floats(0, 0.5),
    final=st.floats(0, 0.5),
)
def test_schedule_rises_then_falls_within_bounds(total: int, warmup: float, final: float) -> None:
    schedule = Schedule(total_steps=total, warmup=warmup, final_lr=final)
    factors = [schedule.factor(step) for step in range(total + 1)]
    assert all(0 <= factor <= 1 + 1e-9 for factor in factors)
    peak = factors.index(max(factors))
    assert all(a <= b + 1e-9 for a, b in pairwise(factors[: peak + 1]))
    assert all(a >= b - 1e-9 for a, b in pairwise(factors[peak:]))
    assert factors[-1] == pytest.approx(final, abs=1e-9)


def test_schedule_is_the_cosine_of_the_paper() -> None:
    schedule = Schedule(total_steps=10, warmup=0.0, final_lr=0.0)
    for step in range(11):
        assert schedule.factor(step) == pytest.approx(0.5 * (1 + math.cos(math.pi * step / 10)))


@given(total=st.integers(10, 300), at=st.floats(0.05, 0.95), new=st.integers(1, 400))
def test_replanning_never_jumps_and_ends_at_the_end(total: int, at: float, new: int) -> None:
    schedule = Schedule(total_steps=total, warmup=0.1, final_lr=0.0)
    step = max(1, int(total * at))
    bent = schedule.replanned(step, new)
    assert bent.total_steps > step
    assert bent.factor(step) == pytest.approx(schedule.factor(step))
    assert bent.factor(bent.total_steps) == pytest.approx(0.0, abs=1e-9)


def test_a_budget_buys_whole_steps() -> None:
    # 1000 pictures in batches of 100 at 200 pictures/s: two steps a second
    assert choose_steps(pictures=1000, batch_size=100, epochs=0, seconds=30, pictures_per_s=200) == (
        10,
        60,
    )
    # epochs given too: the smaller of both
    assert choose_steps(pictures=1000, batch_size=100, epochs=2, seconds=30, pictures_per_s=200) == (
        10,
        20,
    )
    assert choose_steps(pictures=3, batch_size=100, epochs=5, seconds=None, pictures_per_s=0) == (1, 5)


@pytest.mark.parametrize(("text", "seconds"), [("90", 90), ("60s", 60), ("5m", 300), ("1.5h", 5400)])
def test_durations(text: str, seconds: float) -> None:
    assert TrainSettings.parse({"time_budget": text}).time_budget == seconds


def test_a_wrong_duration_and_a_wrong_name_say_what_was_expected() -> None:
    with pytest.raises(SettingError, match=r"90s, 5m or 1\.5h"):
        TrainSettings.parse({"time_budget": "soon"})
    with pytest.raises(UnknownNameError, match="did you mean 'epochs'"):
        TrainSettings.parse({"epoch": 3})
