from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import map_coordinates

from striate.errors import DataError
from striate.explain import dissection
from striate.explain.dissection import (
    Concepts,
    Dissected,
    active_in,
    dissect_network,
    intersection_over_union,
    seen_mask,
    thinned,
)
from striate.explain.dissection_overlap import AxisCells, active_pixels
from striate.explain.dissection_thresholds import TopValues
from striate.explain.fields import FieldGrid, grids_of_layers
from striate.explain.inside import Inside
from striate.explain.recording import Recorder, extents
from striate.pictures.resize import fit
from striate.types import Array, Prepared

RED, BLUE = 0, 1
CONCEPTS = Concepts(("red", "blue"), (RED, BLUE))


# -- thresholds -------------------------------------------------------------------------------


@given(
    st.integers(1, 12),
    st.integers(1, 3),
    st.tuples(st.integers(1, 5), st.integers(1, 6)),
    st.sampled_from([0.005, 0.05, 0.3, 0.9]),
    st.integers(0, 2**16),
)
@settings(max_examples=60, deadline=None)
def test_thresholds_are_the_quantile(
    pictures: int, channels: int, places_hw: tuple[int, int], top: float, seed: int
) -> None:
    values = np.random.default_rng(seed).normal(size=(pictures, channels, *places_hw)).astype(np.float32)
    found = TopValues(channels, pictures * places_hw[0] * places_hw[1], top)
    for one in values:
        found.add(one[None])
    flat = values.transpose(1, 0, 2, 3).reshape(channels, -1)
    wanted = np.quantile(flat.astype(np.float64), 1 - top, axis=1)
    got = found.thresholds()
    assert found.exact
    if flat.shape[1] == 1:
        assert np.isinf(got).all()  # a value that never changes is never above
    else:
        np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=1e-6)


def test_a_saturated_unit_is_active_where_it_saturates_and_a_dead_one_never() -> None:
    values = np.zeros((1, 2, 10, 10), np.float32)
    values[0, 0, :5] = 6.0
    found = TopValues(2, 100, 0.005)
    found.add(values)
    first, second = found.thresholds().tolist()
    assert 5.99 < first < 6.0
    assert second == np.inf


def test_fewer_values_than_expected_are_still_right(rng: np.random.Generator) -> None:
    values = rng.normal(size=(4, 3, 8, 8)).astype(np.float32)
    found = TopValues(3, 10 * 64, 0.02)
    found.add(values)
    flat = values.transpose(1, 0, 2, 3).reshape(3, -1)
    np.testing.assert_allclose(found.thresholds(), np.quantile(flat, 0.98, axis=1), rtol=1e-5)


def test_too_many_values_are_sampled_and_that_is_told(rng: np.random.Generator) -> None:
    values = rng.normal(size=(50, 2, 20, 20)).astype(np.float32)
    found = TopValues(2, 50 * 400, 0.05, most_kept=600)
    for one in values:
        found.add(one[None])
    assert not found.exact
    assert found._best.size <= 600  # the promise of bounded memory
    flat = values.transpose(1, 0, 2, 3).reshape(2, -1)
    np.testing.assert_allclose(found.thresholds(), np.quantile(flat, 0.95, axis=1), atol=0.1)


# -- overlap ----------------------------------------------------------------------------------


def brute_active(values: Array, thresholds: Array, y: Array, x: Array) -> Array:
    """bool (C, H, W) by SciPy's bilinear interpolation, the nearest value beyond the ends."""
    grid = np.meshgrid(y, x, indexing="ij")
    whole = [map_coordinates(one.astype(np.float64), grid, order=1, mode="nearest") for one in values]
    found: Array = np.stack(whole) > thresholds[:, None, None]
    return found


@given(
    st.integers(1, 3),
    st.tuples(st.integers(1, 7), st.integers(1, 6)),
    st.tuples(st.integers(1, 23), st.integers(1, 19)),
    st.floats(-3, 3),
    st.floats(0.1, 2.5),
    st.sampled_from([0.01, 0.2, 0.6]),
    st.integers(0, 2**16),
)
@settings(max_examples=80, deadline=None)
def test_active_pixels_against_brute_force(
    channels: int,
    places_hw: tuple[int, int],
    size_hw: tuple[int, int],
    start: float,
    step: float,
    top: float,
    seed: int,
) -> None:
    values = np.random.default_rng(seed).normal(size=(channels, *places_hw)).astype(np.float32)
    thresholds = np.quantile(values.reshape(channels, -1), 1 - top, axis=1).astype(np.float32)
    y, x = start + step * np.arange(size_hw[0]), start + step * np.arange(size_hw[1])
    found = np.zeros((channels, *size_hw), int)
    parts = active_pixels(
        values, thresholds, AxisCells.of(y, places_hw[0]), AxisCells.of(x, places_hw[1])
    )
    for unit, row, column in parts:
        np.add.at(found, (unit, row, column), 1)
    assert found.max(initial=0) <= 1  # no pixel twice
    wanted = brute_active(values, thresholds + 1e-4, y, x)
    loose = brute_active(values, thresholds - 1e-4, y, x)
    assert (wanted <= found.astype(bool)).all()
    assert (found.astype(bool) <= loose).all()


def test_iou_by_hand() -> None:
    met, active, shown = np.array([[2, 0], [0, 0]]), np.array([4, 0]), np.array([3, 6])
    np.testing.assert_allclose(intersection_over_union(met, active, shown), [[2 / 5, 0.0], [0.0, 0.0]])
    assert intersection_over_union(np.zeros((1, 1)), np.zeros(1), np.zeros(1)).item() == 0


# -- where maps lie ---------------------------------------------------------------------------


def test_grids_of_strides_and_pads(made: Any) -> None:
    weights = {"weights": [np.ones((2, 3, 3, 3), np.float32) / 3000]}
    again = {"weights": [np.ones((2, 2, 3, 3), np.float32)]}
    steps = [
        ("Conv", {**weights, "pads": [1] * 4, "strides": [2, 2], "name": "/n/a/Conv"}),
        ("Relu", {"name": "/n/r/Relu"}),
        ("MaxPool", {"kernel_shape": [2, 2], "strides": [2, 2], "name": "/n/p/MaxPool"}),
        ("Conv", {**again, "pads": [2] * 4, "dilations": [2, 2], "name": "/n/d/Conv"}),
    ]
    data = made.graph_of(steps, (32, 48))
    inside = Inside(data, threads=1)
    grids = grids_of_layers(data, inside, inside.layers)
    assert grids["a"] == grids["r"] == FieldGrid((0.5, 0.5), (2.0, 2.0))
    assert grids["p"] == FieldGrid((1.5, 1.5), (4.0, 4.0))
    # the output has its own name; measured by what changes when the picture does
    for layer in inside.layers:
        extent = extents(Recorder(inside, [layer], {layer.name: (3, 4)}))[layer.name]
        grid = grids[layer.name]
        centre = [grid.start_yx[axis] + (3, 4)[axis] * grid.step_yx[axis] for axis in (0, 1)]
        np.testing.assert_allclose(extent.centre_yx, centre)


def test_a_lost_way_is_laid_evenly() -> None:
    odd = FieldGrid((0.5, 0.5), (1.0, 1.0))
    assert not odd.fits((4, 4), (32, 32))
    assert odd.fits((32, 32), (32, 32))
    assert FieldGrid.stretched((4, 8), (32, 32)) == FieldGrid((4.0, 2.0), (8.0, 4.0))


# -- whole networks ---------------------------------------------------------------------------


def channels_step(made: Any, **more: Any) -> tuple[str, dict[str, Any]]:
    """A convolution of 1 × 1 that passes red, green and blue on."""
    return "Conv", {"weights": [np.eye(3, dtype=np.float32)[:, :, None, None]], **more}


def pictures_of(masks: Array) -> Array:
    """uint8 (N, h, w, 3): red where the mask is 0, blue where it is 1, black elsewhere."""
    found = np.zeros((*masks.shape, 3), np.uint8)
    found[masks == RED] = (200, 0, 0)
    found[masks == BLUE] = (0, 0, 200)
    return found


def random_masks(rng: np.random.Generator, count: int, size_hw: tuple[int, int]) -> Array:
    """One red and one blue rectangle each, on nothing (class 2)."""
    found = np.full((count, *size_hw), 2, np.uint8)
    for mask in found:
        for label in (RED, BLUE):
            y, x = rng.integers(0, size_hw[0] - 8), rng.integers(0, size_hw[1] - 8)
            mask[y : y + 8, x : x + 8] = label
    return found


def dissected(
    data: bytes, pictures: Array, masks: Array, *, layer: str, top: float, rounds: int = 6
) -> Dissected:
    inside = Inside(data, threads=1)
    prepared = [fit(one, inside.size_hw, how="squash") for one in pictures]
    seen = [seen_mask(thinned(mask), one, CONCEPTS) for mask, one in zip(masks, prepared, strict=True)]
    pixels = np.stack([one.pixels for one in prepared])
    return dissect_network(
        inside, data, [inside.layer(layer)], pixels, seen, CONCEPTS, top=top, rounds=rounds
    )


def test_a_unit_that_is_the_mask(made: Any, rng: np.random.Generator) -> None:
    masks = random_masks(rng, 12, (24, 30))
    data = made.graph_of([channels_step(made, name="/n/c/Conv")], (24, 30), outputs=["t0"])
    share = (masks == RED).mean() * 0.8
    found = dissected(data, pictures_of(masks), masks, layer="t0", top=float(share))
    (layer,) = found.layers
    np.testing.assert_allclose(layer.iou[0, RED], 1.0)
    np.testing.assert_allclose(layer.iou[2, BLUE], 1.0)
    assert layer.iou[0, BLUE] < 0.05
    assert layer.iou[1].max() == 0  # green is nowhere: dead
    assert layer.best.tolist()[::2] == [RED, BLUE]
    assert layer.beyond_chance(0.04).tolist() == [True, False, True]
    assert found.found(0.04) == ("red", "blue")
    assert found.best_unit(BLUE) == (layer, 2)
    assert layer.interval(0, RED) == (1.0, 1.0)
    assert found.chance_of_best(RED) < 0.5
    np.testing.assert_allclose(found.shares, [(masks == RED).mean(), (masks == BLUE).mean()])


def test_alignment_by_receptive_fields(made: Any, rng: np.random.Generator) -> None:
    """A stride of 2 whose window starts one pixel early lies half a place off an even layout."""
    masks = random_masks(rng, 10, (32, 32))
    weights = np.zeros((3, 3, 3, 3), np.float32)
    weights[np.arange(3), np.arange(3), 1, 1] = 1
    step = ("Conv", {"weights": [weights], "pads": [1] * 4, "strides": [4, 4], "name": "/n/c/Conv"})
    data = made.graph_of([step], (32, 32), outputs=["t0"])
    pictures, share = pictures_of(masks), float((masks == RED).mean())
    found = dissected(data, pictures, masks, layer="t0", top=share)
    (layer,) = found.layers
    assert layer.grid == FieldGrid((0.5, 0.5), (4.0, 4.0))
    values = Inside(data, threads=1).watch([layer.layer])(pictures)["t0"]
    mask = seen_mask(thinned(masks[0]), Prepared(pictures[0], (32, 32)), CONCEPTS)

    def overlap(grid: FieldGrid) -> float:
        lit = np.stack([active_in(one, np.full(3, 100, np.float32), grid, mask, 0) for one in values])
        red = masks == RED
        return float((lit & red).sum() / (lit | red).sum())

    right = overlap(layer.grid)
    assert right > 0.5
    shifted = FieldGrid((4.5, 4.5), (4.0, 4.0))
    assert overlap(shifted) < right - 0.25  # one stride off
    assert overlap(FieldGrid.stretched((8, 8), (32, 32))) < right - 0.05


def test_against_brute_force(made: Any, rng: np.random.Generator) -> None:
    """A whole dissection: random units, pooled, a cropped input, ignored pixels."""
    weights = rng.normal(size=(5, 3, 3, 3)).astype(np.float32) / 255
    steps = [
        ("Conv", {"weights": [weights], "pads": [1] * 4, "strides": [2, 2], "name": "/n/c/Conv"}),
        ("LeakyRelu", {"name": "/n/a/LeakyRelu", "out": "last"}),
    ]
    data = made.graph_of(steps, (20, 20), outputs=["last"])
    pictures = rng.integers(0, 256, (7, 30, 41, 3), dtype=np.uint8)
    masks = rng.integers(0, 4, (7, 30, 41), dtype=np.uint8)
    masks[masks == 3] = 255
    inside = Inside(data, threads=1)
    prepared = [fit(one, (20, 20), how="crop") for one in pictures]
    seen = [seen_mask(thinned(mask), one, CONCEPTS) for mask, one in zip(masks, prepared, strict=True)]
    pixels = np.stack([one.pixels for one in prepared])
    layer = inside.layer("last")
    (found,) = dissect_network(inside, data, [layer], pixels, seen, CONCEPTS, top=0.1).layers
    values = inside.watch([layer])(pixels)["last"]
    thresholds = np.quantile(values.transpose(1, 0, 2, 3).reshape(5, -1), 0.9, axis=1)
    np.testing.assert_allclose(found.thresholds, thresholds, rtol=1e-5)
    met, union = np.zeros((5, 2)), np.zeros((5, 2))
    for value, mask in zip(values, masks, strict=True):
        scale = 20 / 30  # the height fits; the width loses (41 − 30) / 2 at both ends
        y = ((np.arange(30) + 0.5) * scale - 0.5) / 2
        x = ((np.arange(41) + 0.5) * scale - (41 - 30) / 2 * scale - 0.5) / 2
        inside_x = (x > -0.25) & (x < (20 - 0.5) / 2)
        active = brute_active(value, found.thresholds, y, x)
        active &= inside_x & (mask != 255)
        for concept in (RED, BLUE):
            there = (mask == concept) & inside_x
            met[:, concept] += (active & there).sum(axis=(1, 2))
            union[:, concept] += (active | there).sum(axis=(1, 2))
    np.testing.assert_allclose(found.iou, met / union, atol=2e-3)


def test_values_that_are_not_finite(made: Any) -> None:
    steps = [channels_step(made, name="/n/c/Conv"), ("Log", {"out": "last"})]
    data = made.graph_of(steps, (4, 4), outputs=["last"])
    masks = np.zeros((2, 4, 4), np.uint8)
    with pytest.raises(DataError, match="layer last gives values that are not finite"):
        dissected(data, np.zeros((2, 4, 4, 3), np.uint8), masks, layer="last", top=0.1)


def test_one_picture_has_no_chance(made: Any, rng: np.random.Generator) -> None:
    masks = random_masks(rng, 1, (12, 12))
    data = made.graph_of([channels_step(made, name="/n/c/Conv")], (12, 12), outputs=["t0"])
    found = dissected(data, pictures_of(masks), masks, layer="t0", top=0.3)
    (layer,) = found.layers
    assert found.rounds == 0
    assert np.isnan(layer.by_chance(0.04))
    assert np.isnan(found.chance_of_best(RED))
    assert layer.beyond_chance(0.04)[0]


def test_large_masks_are_thinned() -> None:
    prepared = Prepared(np.zeros((10, 20, 3), np.uint8), (1500, 3000), (1 / 150, 1 / 150))
    seen = seen_mask(thinned(np.zeros((1500, 3000), np.uint8)), prepared, CONCEPTS)
    assert seen.labels.shape == (300, 600)
    np.testing.assert_allclose(seen.y[[0, -1]], [2.5 / 150, 1497.5 / 150])
    np.testing.assert_array_equal(seen.rows, np.arange(2, 1500, 5))


def test_of_a_large_mask_only_what_is_looked_at_is_kept(rng: np.random.Generator) -> None:
    whole = rng.integers(0, 2, (900, 1300), dtype=np.uint8)
    thin = thinned(whole)
    assert (thin.size_hw, thin.every) == ((900, 1300), 3)
    assert thin.classes.base is None  # a view would keep the whole
    assert max(thin.classes.shape) <= 640
    pixels = np.zeros((300, 400, 3), np.uint8)  # the middle: 16 or 17 columns are cut off at each end
    seen = seen_mask(thin, Prepared(pixels, (900, 1300), (1 / 3, 1 / 3), (0.0, -50 / 3)), CONCEPTS)
    assert 0 < len(seen.columns) < thin.classes.shape[1]
    np.testing.assert_array_equal(seen.labels, CONCEPTS.table[whole[np.ix_(seen.rows, seen.columns)]])
    np.testing.assert_allclose(seen.x, (seen.columns + 0.5) / 3 - 50 / 3)


@pytest.mark.parametrize("count", [254, 255])
def test_as_many_concepts_as_a_mask_can_hold(made: Any, count: int) -> None:
    concepts = Concepts(tuple(f"c{at}" for at in range(count)), tuple(range(count)))
    table = concepts.table
    assert table[:count].tolist() == list(range(count))
    assert (table[count:255] == count).all()
    assert table[255] == count + 1
    data = made.graph_of([channels_step(made, name="/n/c/Conv")], (16, 16), outputs=["t0"])
    inside = Inside(data, threads=1)
    classes = np.arange(256, dtype=np.uint8).reshape(16, 16)  # 255 is not judged
    pixels = np.zeros((2, 16, 16, 3), np.uint8)
    pixels[:, 15, 14, 0] = 200  # class 254
    seen = [seen_mask(thinned(classes), Prepared(one, (16, 16)), concepts) for one in pixels]
    layers = [inside.layer("t0")]
    (found,) = dissect_network(inside, data, layers, pixels, seen, concepts, rounds=1).layers
    assert found.shown.sum(axis=0).tolist() == [2] * count
    assert found.iou[0].max() == (1.0 if count == 255 else 0.0)


def test_what_is_kept_of_a_sample_holds_no_more(rng: np.random.Generator) -> None:
    found = TopValues(2, 50 * 400, 0.05, most_kept=600)
    values = rng.normal(size=(5, 2, 20, 20)).astype(np.float32)
    found.add(values)
    assert found._waiting
    assert all(one.base is None for one in found._waiting)
    for _ in range(9):
        found.add(values)
    found._merge()
    assert found._best.base is None


def test_layers_share_what_may_be_kept(
    made: Any, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dissection, "MOST_KEPT", 900)
    steps = [channels_step(made, name="/n/c/Conv"), ("Relu", {"name": "/n/r/Relu"})]
    data = made.graph_of(steps, (24, 30))
    masks = random_masks(rng, 4, (24, 30))
    inside = Inside(data, threads=1)
    pixels = pictures_of(masks)
    seen = [
        seen_mask(thinned(one), Prepared(two, (24, 30)), CONCEPTS)
        for one, two in zip(masks, pixels, strict=True)
    ]
    exact = []
    for layers in (inside.layers[:1], inside.layers[:2]):
        found = dissect_network(inside, data, layers, pixels, seen, CONCEPTS, top=0.08, rounds=0)
        exact.append([one.exact for one in found.layers])
    assert exact == [[True], [False, False]]  # 3 × 233 values of each layer
