"""Class maps as pictures: one scale for all, and the picture stays to be seen."""

from __future__ import annotations

import numpy as np
import pytest

from striate.explain.class_map_drawing import COLOURS, draw_best, draw_probability
from striate.pictures.palette import PALETTE
from striate.types import Picture


def noise(size_hw: tuple[int, int] = (240, 320)) -> Picture:
    return np.random.default_rng(0).integers(0, 256, (*size_hw, 3), dtype=np.uint8)


def test_a_colour_means_the_same_in_every_map() -> None:
    picture = np.full((240, 320, 3), 120, np.uint8)
    faint, strong = np.full((240, 320), 0.2), np.full((240, 320), 0.2)
    strong[:, 200:] = 0.95
    ours, theirs = draw_probability(picture, faint), draw_probability(picture, strong)
    np.testing.assert_array_equal(ours[:240, :150], theirs[:240, :150])
    np.testing.assert_array_equal(ours[240:], theirs[240:])  # the bar


def test_the_less_probable_the_more_of_the_picture() -> None:
    picture = noise()
    shares = [np.full((240, 320), p) for p in (0, 0.1, 0.4, 1)]
    seen = [draw_probability(picture, share)[:240, :, 0].std() for share in shares]
    assert seen == sorted(seen, reverse=True)
    assert seen[-1] > 0.25 * seen[0]  # never hidden
    nothing = draw_probability(picture, np.zeros((240, 320)))[:240]
    assert (nothing[..., 0] == nothing[..., 2]).all()


def test_a_line_goes_around_what_is_above_one_half() -> None:
    share = np.full((240, 320), 0.3)
    share[100:140, 50:90] = 0.8
    drawn = draw_probability(np.full((240, 320, 3), 120, np.uint8), share)[:240]
    rows, columns = np.nonzero((drawn == 255).all(axis=-1))
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (99, 140, 49, 90)
    share[100:140, 50:90] = 0.4
    assert not (draw_probability(noise(), share)[:240] == 255).all(axis=-1).any()


def test_each_place_has_the_colour_of_its_class() -> None:
    best = np.full((240, 320), -1)
    best[:, :100], best[:, 100:200] = 0, COLOURS - 1
    keys = [(f"class {at}", "9 %") for at in range(COLOURS)]
    drawn = draw_best(np.zeros((240, 320, 3), np.uint8), best, np.ones((240, 320)), keys, "3 %")
    ground = 0.3 * 30
    for at, column in ((0, 20), (COLOURS - 1, 150)):
        expected = [round(ground + 0.7 * one) for one in PALETTE[at]]
        assert drawn[200, column].tolist() == pytest.approx(expected, abs=1)
    assert np.ptp(drawn[200, 300].astype(int)) < 15  # others: grey
    assert (drawn[240:] == PALETTE[0]).all(axis=-1).any()  # in the key
    assert (drawn[:240] == PALETTE[0]).all(axis=-1).any()  # the name, where it is surest
    assert (drawn[:240] == PALETTE[2]).all(axis=-1).sum() == 0  # a class that is nowhere


@pytest.mark.parametrize("size_hw", [(1, 1), (1, 720), (720, 1), (18, 720), (700, 33)])
def test_any_form(size_hw: tuple[int, int]) -> None:
    share = np.linspace(0, 1, size_hw[0] * size_hw[1]).reshape(size_hw)
    drawn = draw_probability(noise(), share)
    assert drawn.shape[0] > size_hw[0]
    assert drawn.shape[1] >= max(size_hw[1], 200)
    keys = [("a name that is far too long for any key " * 3, "100 %"), ("猫", "<1 %")]
    found = draw_best(noise(), np.zeros(size_hw, int), share, keys)
    assert found.shape[1] == drawn.shape[1]
