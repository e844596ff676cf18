"""Pictures as data: the grid, the vector and back, the neighbours, the dimensions."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from striate.errors import UnknownNameError
from striate.pictures import (
    dimension_report,
    flatten,
    grey_levels,
    neighbours_view,
    number_grid,
    read,
    separated_neighbours,
    unflatten,
)

SIDES = st.integers(1, 12)


def noise(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(8).integers(0, 256, (height, width, 3)).astype(np.uint8)


def test_grey_levels_are_those_of_pillow() -> None:
    picture = noise(40, 50)
    expected = np.asarray(Image.fromarray(picture).convert("L")).astype(int)
    assert np.abs(grey_levels(picture).astype(int) - expected).max() <= 1
    greys = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    np.testing.assert_array_equal(grey_levels(greys)[0], np.arange(256))


@settings(max_examples=25)  # each draws two figures
@given(hnp.arrays(np.uint8, st.tuples(SIDES, SIDES, st.just(3))))
def test_the_text_holds_exactly_the_numbers(picture: np.ndarray) -> None:
    grid = number_grid(picture)
    blocks = [block.splitlines()[1:] for block in grid.text.split("\n\n")]
    found = np.array([[[int(n) for n in line.split()] for line in block] for block in blocks])
    np.testing.assert_array_equal(found.transpose(1, 2, 0), picture)
    np.testing.assert_array_equal(grid.values, picture)
    grey = number_grid(picture, channels="grey")
    rows = np.array([[int(n) for n in line.split()] for line in grey.text.splitlines()])
    np.testing.assert_array_equal(rows, grey_levels(picture))


def test_the_decks_example_is_h_w_3() -> None:
    grid = number_grid(np.zeros((1080, 1080, 3), np.uint8))
    assert "1080 × 1080 × 3 = 3 499 200 numbers from 0 to 255" in grid.statement
    assert grid.region == (532, 532, 16, 16)
    assert grid.statement.startswith("Only rows 532-547 and columns 532-547")
    assert json.loads(json.dumps(grid.to_dict()))["size_hw"] == [1080, 1080]


def test_a_region_is_shown_as_asked() -> None:
    picture = noise(30, 40)
    grid = number_grid(picture, region=(3, 5, 4, 6), channels="rgb")
    np.testing.assert_array_equal(grid.values, picture[3:7, 5:11])
    for wrong in ((-1, 0, 2, 2), (0, 0, 0, 2), (29, 0, 2, 2), (0, 39, 1, 2)):
        with pytest.raises(ValueError, match="does not lie in"):
            number_grid(picture, region=wrong)
    with pytest.raises(UnknownNameError, match="grey"):
        number_grid(picture, channels="gray")  # type: ignore[arg-type]


@pytest.mark.parametrize("channels", ["grey", "rgb"])
def test_cells_are_drawn_in_their_own_colour(channels: str) -> None:
    picture = np.array([[[0, 0, 0], [255, 255, 255]], [[200, 10, 10], [10, 10, 200]]], np.uint8)
    grid = number_grid(picture, channels=channels)  # type: ignore[arg-type]
    colours = {tuple(c) for c in grid.plot().reshape(-1, 3).tolist()}
    expected = picture if channels == "rgb" else np.repeat(grid.values[..., None], 3, -1)
    assert {tuple(c) for c in expected.reshape(-1, 3).tolist()} <= colours
    np.testing.assert_array_equal(read(io.BytesIO(grid._repr_png_())), grid.picture)


@given(
    hnp.arrays(
        st.sampled_from([np.uint8, np.float32, np.int64]), st.tuples(SIDES, SIDES, st.integers(1, 4))
    )
)
def test_flattening_is_exactly_reversible(picture: np.ndarray) -> None:
    height, width, channels = picture.shape
    vector = flatten(picture)
    assert vector.shape == (height * width * channels,)
    back = unflatten(vector, (height, width), channels)
    np.testing.assert_array_equal(back.reshape(picture.shape), picture)
    assert back.dtype == picture.dtype
    y, x, c = height - 1, width // 2, channels - 1
    np.testing.assert_array_equal(vector[(y * width + x) * channels + c], picture[y, x, c])
    vector[:] = 0
    assert not np.shares_memory(vector, picture)


def test_flattening_refuses_what_does_not_fit() -> None:
    with pytest.raises(ValueError, match="needs a vector of 18 numbers"):
        unflatten(np.zeros(17), (2, 3), 3)
    with pytest.raises(ValueError, match="needs a vector"):
        unflatten(np.zeros((2, 9)), (2, 3), 3)
    with pytest.raises(ValueError, match="expected a picture"):
        flatten(np.zeros(5))
    assert unflatten(np.arange(6), (2, 3), 1).shape == (2, 3)


@given(SIDES, SIDES, st.integers(1, 3))
def test_neighbours_counted_one_by_one(height: int, width: int, channels: int) -> None:
    place = np.arange(height * width * channels).reshape(height, width, channels)[..., 0]
    side, stacked = np.abs(np.diff(place, axis=1)).ravel(), np.abs(np.diff(place, axis=0)).ravel()
    found = separated_neighbours((height, width), channels)
    every = np.concatenate([side, stacked])
    assert (found.side_pairs, found.stacked_pairs) == (side.size, stacked.size)
    assert set(side) <= {found.side_distance}
    assert set(stacked) <= {found.stacked_distance}
    assert found.kept == (every == channels).sum()
    assert found.separated == (every > channels).sum()
    assert found.furthest == every.max(initial=0)
    y, x = np.divmod(np.arange(height * width), width)
    touching = np.abs(np.diff(y)) + np.abs(np.diff(x)) == 1
    assert found.false_pairs == (~touching).sum()
    assert found.to_dict()["separated"] == found.separated


def test_neighbours_need_a_picture() -> None:
    with pytest.raises(ValueError, match="1 or more"):
        separated_neighbours((0, 4))
    assert "2 pairs meet" in str(separated_neighbours((3, 4)))


@pytest.mark.parametrize("shape", [(32, 32), (1, 1), (1, 40), (40, 1), (300, 200), (3, 5)])
def test_neighbours_view_of_any_picture(shape: tuple[int, int]) -> None:
    picture = np.full((*shape, 3), 90, np.uint8)
    corners = [None, (0, 0), (shape[0] - 1, shape[1] - 1)]
    for at in corners:
        figure = neighbours_view(picture, at)
        assert figure.dtype == np.uint8
        assert (figure == 90).all(-1).any()
        assert (figure == (213, 94, 0)).all(-1).any()
    with pytest.raises(ValueError, match="does not lie"):
        neighbours_view(picture, shape)


@pytest.mark.parametrize(
    ("size_hw", "dimensions", "weights"),
    [
        ((768, 1024), 786_432, 805_306_368),
        ((32, 32), 1024, 1_048_576),
        ((1000, 1000), 10**6, 1_024_000_000),
    ],
)
def test_the_decks_figures(size_hw: tuple[int, int], dimensions: int, weights: int) -> None:
    found = dimension_report(size_hw)
    assert found.dimensions == found.regressor_parameters == dimensions
    assert found.first_layer_weights == weights
    assert (weights > 10**9) == (dimensions >= 10**6)
    assert str(dimensions)[-3:] in str(found)


def test_dimensions_agree_with_a_vector() -> None:
    found = dimension_report((7, 9), channels=3, nodes=5)
    assert found.dimensions == flatten(noise(7, 9)).size
    assert found.first_layer_weights == np.zeros((5, found.dimensions)).size
    assert json.loads(json.dumps(found.to_dict()))["size_hw"] == [7, 9]
    with pytest.raises(ValueError, match="1 or more"):
        dimension_report((7, 9), channels=0)
