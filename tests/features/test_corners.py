from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from skimage import feature

from striate.features.corners import harris, harris_response, shi_tomasi, shi_tomasi_response
from striate.types import Picture

Photo = Callable[[str], Picture]


def board() -> Picture:
    """Nine fields; the four crossings are at 19.5 and 39.5."""
    field = np.indices((60, 60)) // 20
    return np.repeat(((field.sum(axis=0) % 2) * 200 + 20).astype(np.uint8)[..., None], 3, axis=2)


@pytest.mark.parametrize("detector", [harris, shi_tomasi])
def test_the_crossings_of_a_board(detector: Callable[[Picture], object]) -> None:
    found = detector(board())
    wanted = np.array([(x, y) for x in (19.5, 39.5) for y in (19.5, 39.5)])
    strongest = found.strongest(4).points_xy  # type: ignore[attr-defined]
    apart = np.linalg.norm(strongest[:, None] - wanted, axis=2)
    assert apart.min(axis=0).max() < 0.1


def test_responses_are_those_of_scikit_image(photo: Photo) -> None:
    grey = photo("camera.png")[..., 0].astype(np.float32) / 255
    inner = (slice(12, -12),) * 2
    # theirs: Sobel over 8 · 2 pixels is ours over 8, so their tensor is 4 times ours, each way
    for ours, theirs in (
        (harris_response(grey, k=0.05), feature.corner_harris(grey, k=0.05, sigma=1.5)),
        (shi_tomasi_response(grey), feature.corner_shi_tomasi(grey, sigma=1.5)),
    ):
        factor = (ours[inner] * theirs[inner]).sum() / (theirs[inner] ** 2).sum()
        np.testing.assert_allclose(ours[inner], factor * theirs[inner], atol=2e-3 * ours[inner].max())


def test_an_edge_is_no_corner() -> None:
    half = np.zeros((40, 50, 3), np.uint8)
    half[:, 25:] = 255
    assert len(harris(half)) == 0
    inner = shi_tomasi_response(half[..., 0].astype(np.float32) / 255)[8:-8]
    assert np.abs(inner).max() < 1e-6


def test_corners_turn_with_the_picture(photo: Photo) -> None:
    picture = photo("astronaut.png")
    first, second = harris(picture), harris(np.ascontiguousarray(np.rot90(picture)))
    assert len(second) == pytest.approx(len(first), abs=3)  # equals within rounding may fall otherwise
    turned = np.column_stack([first.points_xy[:, 1], picture.shape[1] - 1 - first.points_xy[:, 0]])
    apart = np.linalg.norm(turned[:, None] - second.points_xy, axis=2).min(axis=1)
    assert np.quantile(apart, 0.97) < 0.05


def test_corners_of_a_large_picture_are_in_its_own_pixels() -> None:
    large = cv2.resize(board(), (2400, 2400), interpolation=cv2.INTER_NEAREST)
    strongest = harris(large).strongest(4)
    wanted = np.array([(x, y) for x in (799.5, 1599.5) for y in (799.5, 1599.5)])
    apart = np.linalg.norm(strongest.points_xy[:, None] - wanted, axis=2)
    assert apart.min(axis=0).max() < 1
    assert strongest.scale_px[0] == pytest.approx(4.5 * 1.5)


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (2, 2), (30, 40)])
def test_nothing_in_an_even_picture(size: tuple[int, int]) -> None:
    picture = np.full((*size, 3), 90, np.uint8)
    assert len(harris(picture)) == len(shi_tomasi(picture)) == 0


def test_wrong_share() -> None:
    with pytest.raises(ValueError, match="least_share"):
        harris(board(), least_share=0)
