"""Curves of a card: a few large ones, many small ones, and axes that end at round numbers."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from striate.stress.card_page import render_card
from striate.stress.card_plots import draw_curves, round_marks

Make = Callable[..., Any]


@given(st.floats(1e-9, 1e9))
def test_marks_are_round_and_reach_the_end(high: float) -> None:
    found = round_marks(high)
    assert found[0] == 0.0
    assert found[-1] >= high * (1 - 1e-9)
    assert found[-2] < high
    assert 3 <= len(found) <= 8
    assert f"{found[1]:e}"[0] in "125"  # 1, 2 or 5 times a power of ten
    assert float(f"{found[1]:.1g}") == found[1]


@pytest.mark.parametrize(("count", "columns"), [(1, 1), (2, 2), (3, 3), (4, 2)])
def test_few_curves_fill_the_page(curve: Make, card: Make, read: Make, count: int, columns: int) -> None:
    curves = [curve(name, 0.8, 0.5, family="noise") for name in "abcd"[:count]]
    drawn = draw_curves(card(*curves))
    read(drawn)
    assert f"--columns:{columns};" in drawn
    assert drawn.count("<h3>") == count
    assert "<h4>" not in drawn
    assert ('class="levels"' in drawn) == (count == 1)


def test_a_curve_alone_tells_every_level(curve: Make, card: Make, read: Make) -> None:
    page = render_card(card(curve("fog", 0.9, 0.74, 0.58)))
    start = page.index('<table class="levels">')
    text = read(page[start : page.index("</table>", start) + 8])
    for words in ("as they are", "1 stop", "3 stops", "0.580", "20\N{NO-BREAK SPACE}%"):
        assert words in text
    assert "Fog, 3 stops" in read(page)  # among the large numbers


def test_many_curves_stand_by_family(curve: Make, card: Make, read: Make) -> None:
    curves = [curve(name, 0.8, family="noise" if name == "e" else "light") for name in "abcde"]
    page = render_card(card(*curves))
    read(page)
    assert page.count("<h4>") == 5
    assert 'class="plots few"' not in page


def test_errors_have_round_numbers_at_their_axis(curve: Make, card: Make) -> None:
    found = card(curve("fog", 0.47, 0.63))
    scorer = type("Errors", (), {"name": "error", "more_is_better": False, "chance": 1.03, "note": ""})
    drawn = draw_curves(replace(found, measured=replace(found.measured, scorer=scorer())))
    marks = re.findall(r'class="end"[^>]*>([^<]+)<', drawn)
    assert marks == ["0", "0.2", "0.4", "0.6", "0.8", "1", "1.2"]
    assert "chance" in drawn


def test_what_has_no_chance_has_no_line_for_it(curve: Make, card: Make) -> None:
    found = card(curve("fog", 0.47))
    for chance, lines in ((0.1, 2), (float("nan"), 0)):
        kinds = {"name": "AP50", "more_is_better": True, "chance": chance, "note": ""}
        scorer = type("Boxes", (), kinds)()
        drawn = draw_curves(replace(found, measured=replace(found.measured, scorer=scorer)))
        assert drawn.count('class="ideal"') == lines  # in the key, and in the plot
