"""Vectors as graphs, against OpenCV, scikit-image and NumPy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from striate.errors import DataError, UsageError
from striate.features.colour import colour_histogram, histogram_picture
from striate.features.hog import hog, hog_cells, hog_picture
from striate.features.lbp import lbp, lbp_codes, lbp_picture
from striate.features.vectors.dense_sift import DESCRIPTOR, grids_for
from striate.features.vectors.hog import cell_for, write_hog
from striate.features.vectors.lbp import PATTERNS, pattern_of_code
from striate.features.vectors.registry import VECTORS, write_vectors
from striate.features.vectors.words import fit_words
from striate.features.vectors.writer import GraphWriter
from striate.features.words import Vocabulary, descriptors_of
from striate.graphs import OnnxGraph

SIZES = [(28, 28), (32, 48), (97, 131), (128, 128), (9, 40)]


def textured(size_hw: tuple[int, int], seed: int = 0) -> Any:
    """A picture with smooth patches, edges and noise."""
    import cv2

    rng = np.random.default_rng(seed)
    small = rng.integers(0, 256, (size_hw[0] // 4 + 2, size_hw[1] // 4 + 2, 3), dtype=np.uint8)
    return cv2.resize(small, size_hw[::-1], interpolation=cv2.INTER_CUBIC)


def vectors_of(
    names: Sequence[str], pictures: Any, learnt: Mapping[str, Any] | None = None, channels: Any = 3
) -> Any:
    graph = GraphWriter(pictures.shape[1:3], channels)
    value, columns = write_vectors(graph, names, learnt or {})
    graph.add("Identity", [value], name="vectors")
    found = OnnxGraph(graph.model({"vectors": columns}))({"pictures": pictures})["vectors"]
    assert found.shape == (len(pictures), columns)
    assert found.dtype == np.float32
    assert np.isfinite(found).all()
    return found


@pytest.mark.parametrize("size_hw", SIZES)
def test_hog_is_opencvs(size_hw: tuple[int, int]) -> None:
    pictures = np.stack([textured(size_hw, seed) for seed in range(2)])
    found = vectors_of(["hog"], pictures)
    for row, picture in zip(found, pictures, strict=True):
        np.testing.assert_allclose(row, hog(picture), atol=1e-3)


@pytest.mark.parametrize("cell", [2, 4, 8])
def test_hog_with_other_cells_is_opencvs(cell: int) -> None:
    picture = textured((40, 56))
    graph = GraphWriter((40, 56))
    value, columns = write_hog(graph, (40, 56), cell=cell)
    graph.add("Identity", [value], name="vectors")
    found = OnnxGraph(graph.model({"vectors": columns}))({"pictures": picture[None]})["vectors"]
    np.testing.assert_allclose(found[0], hog(picture, cell=cell), atol=1e-3)


def test_hog_cells_point_across_an_edge() -> None:
    picture = np.zeros((64, 64, 3), np.uint8)
    picture[:, 32:] = 255  # a vertical edge: the gradient lies at 0°, between the first bin and the last
    cells = hog_cells(picture, cell=8)
    assert cells.shape == (8, 8, 9)
    strongest = cells[:, 3:5].sum(axis=(0, 1))
    assert set(np.argsort(strongest)[-2:]) == {0, 8}
    drawn = hog_picture(picture)
    assert drawn.dtype == np.uint8
    assert drawn.ndim == 3


def test_lbp_is_scikit_images_on_exact_neighbours() -> None:
    from skimage.feature import local_binary_pattern

    picture = textured((40, 30))
    grey = np.rint(picture @ np.array([0.299, 0.587, 0.114])).astype(np.uint8)
    codes = lbp_codes(picture)
    expected = local_binary_pattern(grey, 8, 1, method="default").astype(np.uint8)[1:-1, 1:-1]
    # the four neighbours on the axes need no interpolation there: those bits must agree
    assert np.array_equal(codes & 0b01010101, expected & 0b01010101)
    assert len(np.unique(pattern_of_code())) == PATTERNS
    assert lbp(picture).sum() == pytest.approx(1, abs=1e-5)


@settings(max_examples=15, deadline=None)
@given(st.integers(3, 40), st.integers(3, 40), st.integers(0, 99))
def test_histograms_as_graphs_are_numpys(height: int, width: int, seed: int) -> None:
    picture = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    textures = vectors_of(["lbp"], picture[None])[0][:PATTERNS]
    np.testing.assert_allclose(textures, np.sqrt(lbp(picture)), atol=1e-5)
    colours = vectors_of(["colour"], picture[None])[0][:108]
    np.testing.assert_allclose(colours, np.sqrt(colour_histogram(picture).ravel()), atol=1e-5)


def test_a_colour_falls_into_its_own_bin() -> None:
    for hue, rgb in ((0, (250, 20, 20)), (4, (20, 250, 30)), (8, (30, 20, 250))):
        shares = colour_histogram(np.full((5, 7, 3), rgb, np.uint8))
        assert shares[hue, 2, 2] == pytest.approx(1)
    assert histogram_picture(textured((20, 30))).dtype == np.uint8


def test_pixels_are_pixels() -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (3, 4, 5, 3), dtype=np.uint8)
    expected = pictures.transpose(0, 3, 1, 2).reshape(3, -1) / 255
    np.testing.assert_allclose(vectors_of(["pixels"], pictures), expected, atol=1e-6)
    grey = pictures @ np.array([0.299, 0.587, 0.114]) / 255
    np.testing.assert_allclose(
        vectors_of(["pixels"], pictures, channels=1), grey.reshape(3, -1), atol=1e-5
    )


def test_dense_sift_is_close_to_lowes() -> None:
    import cv2

    picture = textured((64, 64))
    grid = grids_for((64, 64))[1]  # cells of 4 px
    rows, columns = grid.count_hw((64, 64))
    found = descriptors_of(picture[None])[-rows * columns :].reshape(rows, columns, DESCRIPTOR)
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    likeness = []
    for row in range(2, rows - 2, 3):
        for column in range(2, columns - 2, 3):
            middle = 2.5 * grid.cell  # of four cells whose tents reach half a cell beyond
            x, y = column * grid.step + middle - 0.5, row * grid.step + middle - 0.5
            # OpenCV's cells are three scales wide; the key point's size is twice its scale
            point = cv2.KeyPoint(float(x), float(y), 2 * grid.cell / 3, 0.0)
            _, described = cv2.SIFT_create().compute(grey, [point])
            likeness.append(_best_turn(found[row, column] ** 2, described[0]))
    assert np.median(likeness) > 0.85


def _best_turn(ours: Any, theirs: Any) -> float:
    """Cosine of two descriptors, whatever direction their bins begin at or run in."""
    a, b = ours.reshape(4, 4, 8), theirs.reshape(4, 4, 8)
    turned = [np.roll(b[..., ::way], shift, axis=2) for way in (1, -1) for shift in range(8)]
    return max(float((a * t).sum() / np.linalg.norm(a) / np.linalg.norm(t)) for t in turned)


def test_words_are_fitted_saved_and_reloaded(tmp_path: Path) -> None:
    pictures = [textured((40, 40), seed) for seed in range(4)]
    words = Vocabulary.fit(pictures, (40, 40), seed=0)
    assert np.array_equal(words.words, Vocabulary.fit(pictures, (40, 40), seed=0).words)
    words.save(tmp_path / "words.npy")
    again = Vocabulary.load(tmp_path / "words.npy")
    assert np.array_equal(words.words, again.words)
    found = again.histograms(pictures, (40, 40))
    assert np.array_equal(found, words.histograms(pictures, (40, 40)))
    # root shares: each part's squares sum to 1
    parts = np.square(found).reshape(4, -1, len(words.words)).sum(axis=2)
    np.testing.assert_allclose(parts, 1, atol=1e-4)
    (tmp_path / "bad.npy").write_bytes(b"nothing")
    with pytest.raises(DataError, match="vocabulary"):
        Vocabulary.load(tmp_path / "bad.npy")


def test_a_shifted_pattern_keeps_its_words() -> None:
    tile = textured((8, 8))
    plane = np.tile(tile, (8, 8, 1))
    one, two = plane[:40, :40], plane[4:44, 2:42]
    words = Vocabulary.fit([one], (40, 40))
    first, second, other = words.histograms([one, two, textured((40, 40), 9)], (40, 40))
    assert first @ second > first @ other


@pytest.mark.parametrize("name", [name for name in VECTORS if name != "sift-words"])
@pytest.mark.parametrize("size_hw", [(1, 1), (1, 7), (2, 2), (3, 50)])
def test_tiny_and_constant_pictures_are_defined(name: str, size_hw: tuple[int, int]) -> None:
    pictures = np.full((2, *size_hw, 3), 77, np.uint8)
    found = vectors_of([name], pictures)
    assert np.array_equal(found[0], found[1])
    for channels in (1, 3):
        vectors_of([name], pictures, channels=channels)


def test_words_of_flat_or_tiny_pictures() -> None:
    flat = np.full((2, 40, 40, 3), 90, np.uint8)
    learnt = fit_words(descriptors_of(flat), seed=0)
    assert not vectors_of(["sift-words"], flat, learnt).any()
    with pytest.raises(UsageError, match="too small"):
        descriptors_of(flat[:, :3, :3])
    with pytest.raises(UsageError, match="at least"):
        write_vectors(GraphWriter((3, 3)), ["sift-words"], learnt)
    assert not hog(flat[0, :1, :1]).size
    assert not lbp_codes(flat[0, :2, :2]).size
    assert hog_picture(flat[0, :1, :1]).shape == (1, 1, 3)
    assert lbp_picture(flat[0, :2, :2]).shape == (2, 2, 3)


def test_hog_cells_below_one_are_refused() -> None:
    with pytest.raises(UsageError, match="cell"):
        hog(textured((20, 20)), cell=-1)
    assert cell_for((480, 640)) == 60
