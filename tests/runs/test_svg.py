from __future__ import annotations

import math
import re
from collections.abc import Sequence
from itertools import pairwise
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from striate.figures import Curve, Lines, Matrix, Scatter
from striate.runs import svg

NAN = math.nan


def lines(*curves: Curve, y_range: tuple[float, float] | None = None, diagonal: bool = False) -> Lines:
    return Lines("A & B", "", curves, "x <axis>", "y", diagonal, y_range)


def parsed(text: str) -> ElementTree.Element:
    """The drawing, which must be well-formed XML with no number that is not one."""
    assert not re.search(r"nan|inf", re.sub(r"<text[^>]*>[^<]*|aria-label=\"[^\"]*\"", "", text))
    return ElementTree.fromstring(text)


@given(st.floats(-1e12, 1e12), st.floats(1e-9, 1e12))
def test_ticks_are_few_round_and_within(low: float, width: float) -> None:
    high = low + width
    if high - low < 1e-9 * max(1.0, abs(low)):
        return
    found = svg.ticks(low, high)
    assert 1 <= len(found) <= 8
    assert all(low - width * 1e-6 <= tick <= high + width * 1e-6 for tick in found)
    steps = {round((b - a) / width, 3) for a, b in pairwise(found)}
    assert len(steps) <= 2


def test_known_ticks() -> None:
    assert svg.ticks(0, 1) == [0, 0.2, 0.4, 0.6, 0.8, 1.0]
    assert svg.ticks(-100, 100) == [-100, -50, 0, 50, 100]
    assert svg.ticks(0, 0.001) == [0, 0.0002, 0.0004, 0.0006, 0.0008, 0.001]


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=6))
def test_ends_are_round_and_hold_everything(values: list[float]) -> None:
    low, high = svg.round_ends(values)
    assert low <= 0 <= high
    assert low < high
    finite = [value for value in values if abs(value) < 1e299]
    room = (high - low) * 1e-6
    assert all(low - room <= value <= high + room for value in finite)


def test_known_ends() -> None:
    assert svg.round_ends([0.4, 0.9]) == (0, 1)
    assert svg.round_ends([0.12]) == (0, 0.15)
    assert svg.round_ends([3.27]) == (0, 4)
    assert svg.round_ends([-0.032, -0.012]) == (-0.04, 0)
    assert svg.round_ends([]) == (0, 1)


def test_a_curve_goes_from_its_first_to_its_last_point() -> None:
    text = svg.draw_lines(lines(Curve("a", [0, 1], [0, 10]), y_range=(0, 10)))
    path = re.search(r'class="line hue1" d="([^"]+)"', text)
    assert path is not None
    left, right = svg.LEFT, svg.WIDTH - svg.RIGHT
    assert path[1] == f"M{left}.0 {svg.HEIGHT - svg.BOTTOM}.0L{right}.0 {svg.TOP}.0"
    assert 'aria-label="A &amp; B. a: 2 points from 0 to 10, lowest 0, highest 10"' in text
    assert "x &lt;axis&gt;" in text


def test_gaps_split_a_curve_and_lone_points_show() -> None:
    curve = Curve("a", list(range(7)), [1, 2, NAN, 3, NAN, 4, 5])
    text = svg.draw_lines(lines(curve))
    assert text.count('class="line') == 2
    assert text.count("<circle") == 5
    parsed(text)


@pytest.mark.parametrize(
    "curves",
    [
        [],
        [Curve("a", [], [])],
        [Curve("a", [1], [NAN])],
        [Curve("a", [NAN], [1])],
        [Curve("a", [1, 2], [math.inf, -math.inf])],
    ],
)
def test_nothing_to_draw(curves: Sequence[Curve]) -> None:
    assert svg.draw_lines(lines(*curves)) == ""


@pytest.mark.parametrize(
    "curve",
    [
        Curve("one", [3], [7]),
        Curve("zero", [0], [0]),
        Curve("flat", [1, 2, 3], [5, 5, 5]),
        Curve("tiny", [1, 2], [1e-300, 2e-300]),
        Curve("huge", [1, 2], [-9e299, 9e299]),
        Curve("none", [1, 2, 3], [None, 2, 3]),  # type: ignore[list-item]
        Curve("band", [1, 2, 3], [1, 2, 3], [0, NAN, 2], [2, 3, 4]),
        Curve("short band", [1, 2], [1, 2], [0, NAN], [2, NAN]),
        Curve("down", [3, 2, 1], [1, 2, 3]),
    ],
)
@pytest.mark.parametrize("y_range", [None, (0.0, 1.0), (1.0, 1.0)])
def test_odd_curves_are_drawn(curve: Curve, y_range: tuple[float, float] | None) -> None:
    parsed(svg.draw_lines(lines(curve, y_range=y_range, diagonal=True)))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(), st.floats()), max_size=30), st.booleans())
def test_any_numbers_are_drawn(points: list[tuple[float, float]], diagonal: bool) -> None:
    x, y = [a for a, _ in points], [b for _, b in points]
    for text in (
        svg.draw_lines(lines(Curve("a", x, y, y, y), diagonal=diagonal)),
        svg.draw_scatter(Scatter("s", "", x, y, "x", "y", diagonal)),
    ):
        if text:
            parsed(text)


def test_a_spike_survives_thinning() -> None:
    y = [0.0] * 100_000
    y[54_321] = 9.0
    text = svg.draw_lines(lines(Curve("a", list(range(100_000)), y)))
    assert f" {svg._Axes(0, 99_999, 0, 9.54).y(9):.1f}" in text
    assert len(text) < 20_000


def test_many_dots_are_thinned_and_told() -> None:
    count = 30_000
    text = svg.draw_scatter(Scatter("s", "", list(range(count)), list(range(count)), "x", "y", True))
    assert text.count("<circle") == 2000
    assert "30000 points, 2000 of them drawn" in text.replace("\u202f", "")
    parsed(text)


def test_a_diagonal_makes_the_axes_alike() -> None:
    root = parsed(svg.draw_scatter(Scatter("s", "", [0, 1], [10, 20], "x", "y", True)))
    dots = [one for one in root.iter() if one.tag == "circle"]
    axes = svg._Axes(0, 20.6, 0, 20.6)  # 10 to 20 with air above
    assert float(dots[1].get("cx", "")) == pytest.approx(axes.x(1), abs=0.1)
    assert float(dots[1].get("cy", "")) == pytest.approx(axes.y(20), abs=0.1)


def test_seventh_curve_is_told_from_the_first() -> None:
    assert svg.hue(0) == "hue1"
    assert svg.hue(6) == "hue1 dash0"
    assert len({svg.hue(index) for index in range(24)}) == 24


# -- heat maps --------------------------------------------------------------------------------


def test_levels_are_shares_of_the_row() -> None:
    values = np.array([[10, 0, 0], [5, 5, 0], [0, 0, 0], [999, 1, 0]])
    assert svg.heat_levels(values).tolist() == [[10, 0, 0], [5, 5, 0], [0, 0, 0], [10, 1, 0]]
    odd = np.array([[np.nan, np.inf, 1.0], [-5.0, 5.0, 0.0]])
    assert svg.heat_levels(odd).tolist() == [[0, 0, 10], [0, 10, 0]]


def heat(values: np.ndarray, names: Sequence[str] | None = None) -> str:
    rows = names or [f"r{i}" for i in range(values.shape[0])]
    columns = names or [f"c{i}" for i in range(values.shape[1])]
    return svg.draw_heat_map(Matrix("m", "", values, rows, columns, "is", "taken for"))


def test_a_square_map_parts_right_from_wrong() -> None:
    values = np.diag(np.full(50, 9)) + np.eye(50, k=1, dtype=int)
    text = heat(values, [f"n{i}" for i in range(50)])
    kinds = set(re.findall(r'class="cell (\w+)"', text))
    assert kinds == {"ok9", "ok10", "er1"}
    parsed(text)


@pytest.mark.parametrize("shape", [(1, 40), (40, 1), (31, 60), (1000, 1000), (121, 500)])
def test_maps_of_any_size(shape: tuple[int, int], rng: np.random.Generator) -> None:
    text = heat(rng.integers(0, 3, shape))
    parsed(text)
    assert len(text) < 900_000


def test_blocks_keep_the_sum() -> None:
    values = np.zeros((240, 240))
    values[239, 0] = 1
    text = heat(values)
    assert text.count('class="cell') == 1
    assert "er10" not in text  # names differ, so nothing is wrong here
    assert "ok10" in text
