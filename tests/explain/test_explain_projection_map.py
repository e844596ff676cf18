from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sklearn.decomposition import PCA
from sklearn.manifold import trustworthiness

from striate.errors import DataError, UsageError
from striate.explain import projection_map
from striate.explain.inside import Inside
from striate.explain.projection_map import embed, reduced, trust_in_words
from striate.runs.run import Run
from striate.verbs.explain import tsne as explain_tsne
from striate.verbs.explain.tuning import look_inside
from striate.verbs.model import load


@pytest.mark.parametrize("shape", [(30, 7), (6, 40), (5, 5)])
def test_principal_components_against_scikit_learn(
    shape: tuple[int, int], rng: np.random.Generator
) -> None:
    vectors = rng.normal(size=shape) * np.linspace(5, 1, shape[1])
    found, share = reduced(vectors, 4)
    peer = PCA(4).fit(vectors)
    np.testing.assert_allclose(np.abs(found), np.abs(peer.transform(vectors)), rtol=1e-6, atol=1e-8)
    assert share == pytest.approx(peer.explained_variance_ratio_.sum())


def test_what_varies_little_or_not_at_all(rng: np.random.Generator) -> None:
    line = np.outer(rng.normal(size=20), np.ones(5))
    found, share = reduced(line, 3)
    assert found.shape == (20, 1)
    assert share == pytest.approx(1.0)
    found, share = reduced(np.ones((6, 3)), 2)
    assert found.shape == (6, 1)
    assert (found == 0).all()
    assert share == 1.0


def test_groups_stay_groups_and_the_seed_decides(rng: np.random.Generator) -> None:
    middles = rng.normal(size=(3, 12)) * 20
    labels = np.repeat([0, 1, 2], 25)
    vectors = middles[labels] + rng.normal(size=(75, 12))
    found = embed(vectors, seed=3)
    assert found.points.shape == (75, 2)
    np.testing.assert_allclose(found.points.mean(axis=0), 0, atol=1e-3)
    apart = np.linalg.norm(found.points[:, None] - found.points[None], axis=2)
    np.fill_diagonal(apart, np.inf)
    assert (labels[apart.argmin(axis=1)] == labels).all()
    assert found.perplexity == pytest.approx(74 / 3)
    assert found.trust == pytest.approx(
        trustworthiness(vectors, found.points.astype(float), n_neighbors=found.neighbours), abs=2e-3
    )
    assert found.trust > 0.9
    assert (embed(vectors, seed=3).points == found.points).all()


def test_equal_and_few_pictures() -> None:
    same = embed(np.ones((9, 4)))
    assert np.isfinite(same.points).all()
    assert same.axes == 1
    tiny = embed(np.arange(10.0).reshape(5, 2))
    assert tiny.points.shape == (5, 2)
    assert tiny.neighbours >= 1
    with pytest.raises(UsageError, match="a map of 4"):
        embed(np.ones((4, 2)))
    with pytest.raises(UsageError, match="perplexity"):
        embed(np.ones((9, 2)), perplexity=1.0)


def test_points_on_a_line_leave_it(rng: np.random.Generator) -> None:
    found = embed(np.outer(np.arange(40.0), np.ones(3)))
    assert np.ptp(found.points, axis=0).min() > 1


def test_features_are_read_in_parts(monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator) -> None:
    vectors = rng.normal(size=(50, 6)).astype(np.float32)
    whole = reduced(vectors, 3)
    monkeypatch.setattr(projection_map, "_ROWS", 7)
    parts = reduced(vectors, 3)
    np.testing.assert_allclose(parts[0], whole[0], rtol=1e-6, atol=1e-6)
    assert parts[1] == pytest.approx(whole[1])


def test_a_layer_whose_values_are_not_finite(
    gabor_run: Run, made: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(6):
        Image.fromarray(np.zeros((24, 20, 3), np.uint8)).save(tmp_path / f"{number}.png")
    data = made.graph_of([("Log", {"name": "/n/log/Log", "out": "log"})], (24, 20), outputs=["log"])
    monkeypatch.setattr(explain_tsne, "look_inside", lambda model, threads: Inside(data, threads=1))
    with pytest.raises(DataError, match="layer log gives values that are not finite"):
        explain_tsne.layer_map(gabor_run, "log", tmp_path, threads=1)


def test_every_trust_has_words() -> None:
    said = [trust_in_words(one) for one in (1.0, 0.9, 0.75, 0.4)]
    assert len(set(said)) == 4


@pytest.mark.parametrize(("count", "side"), [(5, 24), (70_000, 16), (2_000_000, 8)])
def test_all_thumbnails_together_have_a_limit(gabor_run: Run, count: int, side: int) -> None:
    inside = look_inside(load(gabor_run), threads=1)
    assert max(inside.size_hw) == 24
    assert explain_tsne._thumbnail_side(count, inside) == side


def test_the_share_of_alike_neighbours(rng: np.random.Generator) -> None:
    points, groups = rng.normal(size=(60, 2)), rng.integers(-1, 3, 60)
    known, own = points[groups >= 0], groups[groups >= 0]
    apart = np.linalg.norm(known[:, None] - known[None], axis=2)
    np.fill_diagonal(apart, np.inf)
    shares = [(own[row.argsort()[:10]] == group).mean() for row, group in zip(apart, own, strict=True)]
    assert explain_tsne._alike(points, groups) == pytest.approx(np.mean(shares))
    assert explain_tsne._alike(points, np.full(60, -1)) is None
    # many pictures at one place: none of them is its own neighbour, though it may not be found there
    groups = np.arange(60)
    assert explain_tsne._alike(np.ones((60, 2)), groups) == 0.0
