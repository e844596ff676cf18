"""Two runs compared axis by axis."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from striate.stress.card import Against
from striate.stress.curves import estimate
from striate.stress.rivals import differences, rival_words

Make = Callable[..., Any]


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
