from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from striate.errors import DataError
from striate.explain.dimension import LEAST, intrinsic_dimension, linear_dimension, mle, two_nn
from striate.explain.dimension_report import (
    about,
    dimension_section,
    dimension_statements,
    method_section,
)
from striate.explain.neighbours import distinct_rows, nearest


def sphere(rng: np.random.Generator, count: int, dimension: int, within: int) -> np.ndarray:
    """Points on a sphere of that dimension, turned into `within` numbers."""
    found = rng.normal(size=(count, dimension + 1))
    found /= np.linalg.norm(found, axis=1, keepdims=True)
    turn = np.linalg.qr(rng.normal(size=(within, dimension + 1)))[0]
    return found @ turn.T


def test_the_swiss_roll_has_two_directions(rng: np.random.Generator) -> None:
    from sklearn.datasets import make_swiss_roll

    found = intrinsic_dimension(make_swiss_roll(1200, random_state=0)[0])
    assert found.two_nn.value == pytest.approx(2.0, abs=0.2)
    assert found.mle.value == pytest.approx(2.0, abs=0.15)
    assert found.linear == 3  # straight directions see the roll, not the sheet
    assert found.two_nn.low < 2.0 < found.two_nn.high


@pytest.mark.parametrize("dimension", [1, 2, 5])
def test_spheres(dimension: int, rng: np.random.Generator) -> None:
    found = intrinsic_dimension(sphere(rng, 1000, dimension, 40).astype(np.float32))
    assert found.two_nn.value == pytest.approx(dimension, rel=0.12)
    assert found.mle.value == pytest.approx(dimension, rel=0.08)
    assert found.numbers == 40
    assert found.linear == dimension + 1


def test_a_flat_subspace_in_noise(rng: np.random.Generator) -> None:
    flat = rng.normal(size=(1000, 4)) @ rng.normal(size=(4, 60))
    found = intrinsic_dimension(flat + 1e-3 * rng.normal(size=flat.shape))
    assert found.two_nn.value == pytest.approx(4, rel=0.12)
    assert found.linear == 4


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    hits = 0
    for seed in range(20):
        found = intrinsic_dimension(sphere(np.random.default_rng(seed), 300, 2, 3))
        hits += found.two_nn.low <= 2 <= found.two_nn.high
    assert hits >= 17


def test_copies_count_once(rng: np.random.Generator) -> None:
    pixels = rng.integers(0, 256, (60, 12), dtype=np.uint8)
    twice = np.concatenate([pixels, pixels[:20]])
    found = intrinsic_dimension(twice)
    assert (found.count, found.distinct) == (80, 60)
    assert found.two_nn == intrinsic_dimension(pixels).two_nn
    assert "20 copies were left out" in " ".join(dimension_statements({"pixels": found}))
    assert distinct_rows(np.array([[0.0], [-0.0], [1.0]])).tolist() == [0, 2]


def test_too_few_and_not_finite_are_refused(rng: np.random.Generator) -> None:
    with pytest.raises(DataError, match="only 1 differ"):
        intrinsic_dimension(np.zeros((50, 4), np.uint8))
    with pytest.raises(DataError, match=f"only {LEAST - 1} differ"):
        intrinsic_dimension(rng.normal(size=(LEAST - 1, 4)))
    with pytest.raises(DataError, match="finite"):
        intrinsic_dimension(np.array([[np.nan], [1.0]] * 10))


def test_the_fewest_pictures_there_may_be(rng: np.random.Generator) -> None:
    found = intrinsic_dimension(rng.normal(size=(LEAST, 3)))
    assert found.two_nn.low <= found.two_nn.value <= found.two_nn.high
    assert found.by_count == ((LEAST, found.two_nn),)
    assert dimension_section({"pixels": found}).figures


def test_equally_far_neighbours_have_no_dimension() -> None:
    with pytest.raises(DataError, match="equally far"):
        intrinsic_dimension(np.eye(20) * 9)  # corners of a simplex
    assert two_nn(np.ones((5, 2))) == np.inf
    assert mle(np.ones((5, 3))) == np.inf


def test_two_nn_by_hand() -> None:
    # two points, log μ of ln 2 and ln 4, both kept: y = −ln(1 − i/3)
    x, y = np.log([2.0, 4.0]), -np.log([2 / 3, 1 / 3])
    assert two_nn(np.array([[1.0, 2.0], [1.0, 4.0]])) == pytest.approx((x @ y) / (x @ x))


def test_mle_by_hand() -> None:
    distances = np.array([[1.0, 2.0, 4.0]])
    # k = 3: 1/2 (ln 4/1 + ln 4/2)
    assert mle(distances) == pytest.approx(1 / (0.5 * (np.log(4) + np.log(2))))


@settings(max_examples=25, deadline=None)
@given(arrays(np.uint8, st.tuples(st.integers(5, 30), st.integers(1, 9))))
def test_neighbours_are_those_of_scikit_learn(vectors: np.ndarray) -> None:
    from sklearn.neighbors import NearestNeighbors

    found, indices = nearest(vectors, 4)
    model = NearestNeighbors(n_neighbors=5, algorithm="brute").fit(vectors.astype(float))
    expected = model.kneighbors(return_distance=True, n_neighbors=4)[0]
    np.testing.assert_allclose(found, expected, atol=1e-9)
    assert (indices != np.arange(len(vectors))[:, None]).all()


def test_neighbours_far_from_the_origin_are_exact(rng: np.random.Generator) -> None:
    vectors = 1e7 + rng.normal(size=(600, 3))
    found, indices = nearest(vectors, 2)
    np.testing.assert_allclose(found[:, 0], np.linalg.norm(vectors - vectors[indices[:, 0]], axis=1))


def test_linear_dimension(rng: np.random.Generator) -> None:
    assert linear_dimension(rng.normal(size=(50, 2)) @ rng.normal(size=(2, 9))) == 2
    assert linear_dimension(np.ones((30, 4))) == 0
    assert linear_dimension(rng.normal(size=(20, 500))) is None


def test_sentences(rng: np.random.Generator) -> None:
    found = intrinsic_dimension(sphere(rng, 1000, 2, 64))
    said = dimension_statements({"pixels": found, "features": found})
    assert said[0].startswith("Your 1 000 pictures of 64 numbers vary along about 2")
    assert said[1].startswith("Their 64 features vary along about 2")
    assert (about(13.6), about(1.93)) == ("14", "1.9")
    moving = intrinsic_dimension(rng.normal(size=(800, 60)))
    assert "take its order of size" in " ".join(dimension_statements({"pixels": moving})) or (
        "come out too low" in " ".join(dimension_statements({"pixels": moving}))
    )
    assert len(dimension_section({"pixels": found, "features": moving}).figures) == 3
    assert method_section().figures
