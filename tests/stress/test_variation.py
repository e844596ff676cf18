"""Kinds of pictures within a class: found where they are, and not where luck made them."""

from __future__ import annotations

import numpy as np
import pytest

from striate.stress.variation import clusters_of, vary


def named(count: int) -> list[str]:
    return [f"{row}.png" for row in range(count)]


def blobs(rng: np.random.Generator, middles: list[tuple[float, float]], each: int) -> np.ndarray:
    return np.concatenate([rng.normal(0, 0.2, (each, 2)) + middle for middle in middles])


def test_clusters_are_those_of_scikit_learn(rng: np.random.Generator) -> None:
    from sklearn.cluster import KMeans
    from sklearn.metrics import adjusted_rand_score

    vectors = blobs(rng, [(0, 0), (5, 0), (0, 5)], 40)
    found, middles = clusters_of(vectors, 3, seed=0)
    theirs = KMeans(3, n_init=5, random_state=0).fit(vectors)
    assert adjusted_rand_score(found, theirs.labels_) == 1
    order = np.lexsort(middles.T)
    expected = theirs.cluster_centers_[np.lexsort(theirs.cluster_centers_.T)]
    np.testing.assert_allclose(middles[order], expected, atol=1e-6)


def test_equal_vectors_are_no_error() -> None:
    found, middles = clusters_of(np.ones((10, 3)), 3, seed=0)
    assert len(found) == 10
    assert np.isfinite(middles).all()


def test_a_kind_that_is_always_wrong_is_found(rng: np.random.Generator) -> None:
    features = blobs(rng, [(0, 0), (6, 0), (0, 6), (6, 6)], 30)
    groups = ["cat"] * 120
    marks = np.ones(120)
    marks[30:60] = rng.random(30) < 0.1
    found = vary(features, groups, marks, named(120), more_is_better=True)
    assert found is not None
    assert found.is_real
    assert found.worst.pictures == 30
    assert found.worst.score < 0.3
    assert set(found.worst.typical) <= set(range(30, 60))
    assert found.worst.interval[0] <= found.worst.score <= found.worst.interval[1]
    written = found.to_dict()["clusters"][0]
    assert written["class"] == "cat"
    assert written["typical"] == [f"{row}.png" for row in found.worst.typical]
    assert written["worst"]
    assert all(marks[int(key.removesuffix(".png"))] == 0 for key in written["worst"])


def test_luck_is_not_called_real(rng: np.random.Generator) -> None:
    real = 0
    for seed in range(12):
        own = np.random.default_rng(seed)
        features = own.normal(size=(200, 4))
        marks = (own.random(200) < 0.7).astype(float)
        found = vary(features, ["a"] * 100 + ["b"] * 100, marks, named(200), more_is_better=True)
        assert found is not None
        assert found.worst.score < marks.mean()  # the worst always looks bad
        real += found.is_real
    assert real <= 3


def test_errors_are_better_the_smaller(rng: np.random.Generator) -> None:
    features = blobs(rng, [(0, 0), (6, 0)], 40)
    errors = np.r_[rng.random(40), 5 + rng.random(40)]
    found = vary(features, ["all"] * 80, errors, named(80), more_is_better=False)
    assert found is not None
    assert found.worst.score > 4
    assert found.is_real


@pytest.mark.parametrize("count", [1, 5, 23])
def test_too_few_pictures(count: int) -> None:
    features, marks = np.zeros((count, 2)), np.ones(count)
    assert vary(features, ["a"] * count, marks, named(count), more_is_better=True) is None


def test_a_handful_of_strangers_decides_nothing(rng: np.random.Generator) -> None:
    features = np.concatenate([blobs(rng, [(0, 0), (6, 0)], 30), [(90.0, 90.0), (91.0, 90.0)]])
    marks = np.ones(62)
    marks[[3, 40]] = 0
    marks[60:] = 0  # always wrong, and only two of them
    found = vary(features, ["cat"] * 62, marks, named(62), more_is_better=True)
    assert found is not None
    assert min(one.pictures for one in found.clusters) >= 6
    assert found.worst.score > 0.8
    assert found.by_luck > 0.5
    assert not found.is_real
