"""The map of pictures drawn: where names stand, and colours and shapes that tell groups apart."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from striate.pictures.palette import FAINT, colour_of
from striate.verbs.explain.tsne_page import MapPage, render_map_page
from striate.verbs.explain.tsne_picture import draw_map, middles, shape_of


def cloud(x: float, y: float, count: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal((x, y), 1.0, (count, 2))


def thumbnails(count: int) -> np.ndarray:
    return np.full((count, 8, 8, 3), 200, np.uint8)


def has(picture: np.ndarray, colour: tuple[int, int, int]) -> bool:
    return bool((picture == np.array(colour)).all(-1).any())


def test_the_middle_of_a_group_in_two_parts_lies_in_the_larger_one() -> None:
    points = np.concatenate([cloud(0, 0, 90, 0), cloud(40, 0, 30, 1), cloud(20, 0, 50, 2)])
    groups = [0] * 120 + [2] * 50
    first, none, third = middles(points, groups, 3)
    assert none is None
    assert first is not None
    assert np.hypot(*first) < 2
    assert third is not None
    assert abs(third[0] - 20) < 2


@pytest.mark.parametrize("count", [1, 2, 3, 5000])
def test_a_group_of_any_size_has_a_middle(count: int) -> None:
    points = cloud(3, -4, count, 7)
    (found,) = middles(points, [0] * count, 1)
    assert found is not None
    low, high = points.min(0), points.max(0)
    assert (low <= found).all()
    assert (np.array(found) <= high).all()


def test_names_are_written_in_the_colour_of_their_group() -> None:
    points = np.concatenate([cloud(0, 0, 20, 0), cloud(50, 30, 20, 1)])
    groups = [0] * 20 + [1] * 20
    plain = draw_map(points, groups, thumbnails(40))
    named = draw_map(points, groups, thumbnails(40), ("cat", "a very long name of a class that is cut"))
    for group in (0, 1):
        before, after = ((one == np.array(colour_of(group))).all(-1).sum() for one in (plain, named))
        assert after > before + 300
    assert named.shape == plain.shape


def test_points_without_a_group_are_grey_and_points_at_one_place_are_drawn() -> None:
    drawn = draw_map(np.ones((6, 2)), [-1] * 6, thumbnails(6))
    assert has(drawn, FAINT)
    assert drawn.shape[0] < 100


def test_a_name_that_would_hide_another_is_left_out() -> None:
    points = np.concatenate([cloud(0, 0, 30, 0), cloud(0, 0, 30, 0), cloud(40, 0, 5, 1)])
    groups = [0] * 30 + [1] * 30 + [2] * 5
    named = draw_map(points, groups, thumbnails(65), ("first", "second", "third"))
    plain = draw_map(points, groups, thumbnails(65))
    grown = [
        int((named == np.array(colour_of(group))).all(-1).sum())
        - int((plain == np.array(colour_of(group))).all(-1).sum())
        for group in range(3)
    ]
    assert grown[0] > 300
    assert grown[1] <= 0
    assert grown[2] > 300


def test_colours_come_again_with_another_shape() -> None:
    marks = {(colour_of(at), shape_of(at)) for at in range(48)}
    assert len(marks) == 48
    assert [shape_of(at) for at in (0, 11, 12, 47, 48)] == [0, 0, 1, 3, 0]


def test_the_page_holds_names_marks_and_middles() -> None:
    points = np.concatenate([cloud(0, 0, 9, 0), cloud(9, 0, 9, 1)])
    page = MapPage(
        title="x",
        facts="",
        intro="",
        points=points,
        groups=[0] * 9 + [13] * 9,
        names=[f"class {at}" for at in range(14)],
        labels=[""] * 18,
        thumbnails=thumbnails(18),
        numbers=(),
        terms=(),
    )
    text = render_map_page(page)
    found = re.search(r'<script type="application/json" id="map">(.*?)</script>', text)
    assert found is not None
    told = json.loads(found[1])
    assert told["shapes"][13] == 1
    assert told["tints"][13] == told["tints"][1]
    assert [at for at, one in enumerate(told["middles"]) if one is not None] == [0, 13]
    assert text.count('<button type="button" data-group=') == 2  # of groups that have points
    assert 'class="shape1"' in text
