from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy import ndimage
from skimage import feature

from striate.features.edges import canny
from striate.types import Picture

Photo = Callable[[str], Picture]


def test_the_edge_of_a_square_is_one_pixel_wide_and_in_its_place() -> None:
    picture = np.zeros((40, 60, 3), np.uint8)
    picture[10:30, 15:45] = 200
    found = canny(picture)
    rows, columns = np.nonzero(found.mask)
    assert set(rows[(columns > 18) & (columns < 41)]) <= {9, 10, 29, 30}
    assert found.mask[20].sum() == 2  # left and right
    assert found.mask[:, 30].sum() == 2
    assert not found.mask[13:27, 18:42].any()


def test_most_edges_are_those_of_scikit_image(photo: Photo) -> None:
    """Both thin differently, by a pixel at most; smoothing and gradients are the same."""
    picture = photo("camera.png")
    ours = canny(picture, sigma=1.4, low=0.02, high=0.05)
    # theirs: Sobel's sums of 8, not divided by 8, on levels of 0 to 1
    theirs = feature.canny(
        picture[..., 0] / 255, sigma=1.4, low_threshold=0.02 * 8, high_threshold=0.05 * 8, mode="mirror"
    )
    near_theirs = ndimage.binary_dilation(theirs, np.ones((3, 3)))
    near_ours = ndimage.binary_dilation(ours.mask, np.ones((3, 3)))
    assert (near_theirs & ours.mask).sum() / ours.mask.sum() > 0.95
    assert (near_ours & theirs).sum() / theirs.sum() > 0.95


def test_thresholds_follow_contrast(photo: Photo) -> None:
    picture = photo("coffee.png")
    faded = (picture // 2 + 60).astype(np.uint8)
    first, second = canny(picture), canny(faded)
    assert second.high == pytest.approx(first.high / 2, rel=0.1)
    assert second.mask.mean() == pytest.approx(first.mask.mean(), rel=0.1)
    assert 0.01 < first.mask.mean() < 0.15
    assert first.low == pytest.approx(0.4 * first.high)


def test_weak_edges_need_a_strong_one_beside_them() -> None:
    picture = np.full((30, 200, 3), 50, np.uint8)
    picture[:15] = 50 + np.linspace(150, 10, 200)[:, None]  # an edge that gets weaker to the right
    loose, strict = canny(picture, low=0.02, high=0.1), canny(picture, low=0.1, high=0.1)
    ends = [int(np.nonzero(found.mask[13:17].any(axis=0))[0].max()) for found in (loose, strict)]
    # 1 / (σ √2π) of the step: the gradient of a step under a Gaussian, here with Sobel's own blur
    weakest = [(high / (1 / (1.56 * np.sqrt(2 * np.pi)))) * 255 for high in (0.02, 0.1)]
    wanted = [(150 - step) / (150 - 10) * 200 for step in weakest]
    assert ends == pytest.approx([min(wanted[0], 199), wanted[1]], abs=8)
    assert not canny(picture[:, 100:], low=0.02, high=0.2).mask.any()


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (2, 2), (9, 14)])
def test_an_even_picture_has_no_edges(size: tuple[int, int]) -> None:
    found = canny(np.full((*size, 3), 130, np.uint8))
    assert found.mask.shape == size
    assert not found.mask.any()
    assert found.to_dict()["edge_pixels"] == 0


def test_edges_of_one_strength_are_all_found() -> None:
    picture = np.zeros((30, 41, 3), np.uint8)
    picture[:, 20:] = 30
    found = canny(picture)
    assert (found.mask.sum(axis=1) == 1).all()


def test_a_slow_slope_has_no_edges() -> None:
    slope = np.repeat(np.linspace(0, 255, 600).astype(np.uint8)[None, :, None], 40, 0).repeat(3, 2)
    assert not canny(slope).mask.any()


@pytest.mark.parametrize(
    "wrong", [{"sigma": 0.0}, {"low": 0.2, "high": 0.1}, {"low": 0.0}, {"high": -1.0}]
)
def test_wrong_arguments(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="expected"):
        canny(np.zeros((9, 9, 3), np.uint8), **wrong)
