from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from striate.runs.markup import anchor, escape, escape_markdown, number, span, text_of


@given(st.text())
def test_nothing_escapes(text: str) -> None:
    shown = escape(text)
    assert not set("<>\"'") & set(shown)
    assert "\x00" not in shown
    shown.encode("utf-8")
    line = escape_markdown(text)
    assert "\n" not in line
    assert "<" not in line
    line.encode("utf-8")


def test_names_from_a_hostile_disk() -> None:
    name = b"caf\xe9\x00\x1b[31m.jpg".decode("utf-8", "surrogateescape")
    assert escape(name) == "caf\\udce9\ufffd\ufffd[31m.jpg"
    assert escape_markdown("a\n# b | `c` [d](e)") == "a # b \\| \\`c\\` \\[d\\](e)"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (1.0, "1"),
        (0.93125, "0.9313"),
        (1234.5, "1234"),
        (12345, "12\u202f345"),
        (1234567.8, "1\u202f234\u202f568"),
        (-0.5, "−0.5"),
        (-12345, "−12\u202f345"),
        (1e-7, "1e-7"),
        (2.5e-10, "2.5e-10"),
        (1e300, "1e300"),
        (math.nan, "n/a"),
        (math.inf, "∞"),
        (-math.inf, "−∞"),
    ],
)
def test_numbers(value: float, text: str) -> None:
    assert number(value) == text


@given(st.floats(-1e300, 1e300))
def test_a_number_is_near_what_it_says(value: float) -> None:
    said = float(number(value).replace("\u202f", "").replace("−", "-"))
    assert said == pytest.approx(value, rel=6e-4)


def test_intervals() -> None:
    assert span(0.85, 0.9444) == "0.85–0.944"
    assert span(-0.1, 0.3) == "−0.1 to 0.3"


def test_values_of_settings() -> None:
    assert text_of(True) == "yes"
    assert text_of([]) == "none"
    assert text_of(list(range(13))).endswith("… (13 in all)")
    assert text_of({"a": 0.5, "b": ["x"]}) == "a: 0.5, b: x"


def test_anchors() -> None:
    assert anchor("<b>") == "b"
    assert anchor("猫") == "section"
