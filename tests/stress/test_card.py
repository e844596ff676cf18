"""The card: words, JSON, page, advice; of curves made by hand."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from striate.stress.card import (
    Against,
    Shown,
    level_words,
    range_words,
    severity_words,
)
from striate.stress.card_page import beside, render_card
from striate.stress.curves import estimate, mean_of
from striate.stress.registry import AXES, FAMILIES
from striate.types import Problem

Make = Callable[..., Any]


def test_curves_knees_and_verdicts(curve: Make) -> None:
    found = curve("fog", 0.88, 0.8, 0.7, 0.4, 0.2)
    assert found.verdict == "breaks"
    assert found.knee is not None
    assert found.knee.severity == 3  # 0.2 of 0.8 lost; at 2, 0.125, its interval reaches below a tenth
    assert found.steepest is not None
    assert found.steepest.severity == 4
    assert found.mean_loss == pytest.approx(np.mean([0.02, 0.1, 0.2, 0.5, 0.7]) / 0.8)
    assert found.worst_loss == pytest.approx(0.7 / 0.8)
    assert curve("calm", 0.9, 0.9, 0.89, 0.9, 0.9).verdict == "holds"
    level = found.levels[2]
    assert level.loss.low < level.loss.value < level.loss.high
    assert found.at(3) is level
    assert found.at(7) is None
    whole = mean_of([found])
    assert whole.value == pytest.approx(0.596)
    assert whole.low < whole.value < whole.high


def test_the_card_in_words_and_numbers(curve: Make, card: Make) -> None:
    found = card(curve("fog", 0.88, 0.8, 0.7, 0.4, 0.2), curve("calm", 0.9, 0.9, 0.89, 0.9, 0.9))
    said = " ".join(found.statements)
    assert "Accuracy 0.900 (0.8" in said
    assert "Breaks (1): Fog −38" in said
    assert "Holds (1): Calm 0 %." in said
    assert "that the run loses, the mean of severities 1 to 5." in said
    assert "Not measured: clutter" in said
    data = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    first = data["axes"][0]
    assert first["verdict"] == "breaks"
    assert first["knee"] == {"severity": 3, "level": 3}
    assert [one["score"] for one in first["levels"]] == pytest.approx([0.88, 0.8, 0.7, 0.4, 0.2])
    assert first["levels"][0]["interval"][0] < 0.88 < first["levels"][0]["interval"][1]
    assert data["left_out"][0]["reason"] == "no masks"
    assert data["variation"] == {"left_out": "no onnx"}


def test_the_page_is_whole_and_escaped(judged: Make, curve: Make, card: Make, read: Make) -> None:
    case = Shown(
        "a<b>.png", "fog", "Fog", 2, "severity 2", np.zeros((8, 8, 3), np.uint8),
        np.full((8, 8, 3), 90, np.uint8), "cat", "cat 98 %", "dog 97 %",
    )  # fmt: skip
    curves = [
        curve(name, 0.88, 0.8, 0.7, 0.4, 0.2, family=family)
        for family, name in zip(FAMILIES, "abcdefghi", strict=True)
    ]
    found = card(
        *curves,
        cases=(case,),
        problems=(Problem("unreadable", "error", "x.jpg", "it is text", "remove it"),),
        shortened="200 of 900 pictures",
        against=Against("other", estimate(judged(0.8).headline), (curves[0],)),
    )
    page = render_card(found)
    text = read(page)
    assert "my <run>" in text
    assert "<run>" not in page
    for words in ("cat 98 % → dog 97 %", "a<b>.png", "200 of 900 pictures", "no masks", "it is text"):
        assert words in text
    assert page.count('class="plot"') == 9
    assert page.count('class="other"') == 2  # in the key, and beside the one curve that it has
    assert page.count('class="knee"') == 10
    assert "<script" not in page


def test_a_card_without_curves(card: Make, read: Make) -> None:
    text = read(render_card(card()))
    assert "No picture that was right became wrong" in text
    assert "No axis bends or breaks" in text


def test_what_rests_on_few_pictures_says_so(curve: Make, card: Make) -> None:
    whole, few = curve("calm", 0.9), replace(curve("fog", 0.2), pictures=18)
    found = card(whole, few, severities=(1,))
    told = " ".join(found.statements)
    assert f"(on 18 of {found.pictures} pictures)" in told
    assert told.count(" pictures)") == 1
    assert "that the run loses, at severity 1." in told
    assert [one["pictures"] for one in found.to_dict()["axes"]] == [found.pictures, 18]


def test_few_severities(curve: Make, card: Make, read: Make) -> None:
    found = card(curve("fog", 0.8), severities=(1,))
    text = read(render_card(found))
    assert text.count("severity 1") >= 1
    assert "severity 5" not in text


def test_levels_in_words() -> None:
    assert level_words(5, "quality") == "quality 5"
    assert level_words(4, "px (sigma)") == "4 px (sigma)"
    assert level_words(1, "stops less light") == "1 stop less light"
    assert level_words(11, "stops") == "11 stops"
    assert range_words(AXES["rotation"]) == "5 to 90°"
    assert range_words(AXES["fog"]) == "severity 1 to 5"
    assert severity_words(AXES["fog"], 2) == "severity 2"
    assert severity_words(AXES["rotation"], 3) == "30° (severity 3)"


def test_pictures_beside_each_other() -> None:
    small = np.zeros((8, 10, 3), np.uint8)
    assert beside([small, small]).shape == (48, 124, 3)
    assert beside([np.zeros((100, 80, 3), np.uint8)] * 3).shape == (100, 248, 3)
