from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from skimage import feature

from striate.features.blobs import dog, log
from striate.features.keypoints import Keypoints
from striate.types import Picture

Detector = Callable[[Picture], Keypoints]
DISCS = [(60, 60, 5.0), (150, 70, 9.5), (240, 80, 16.0), (90, 170, 24.0), (220, 170, 34.0)]


def discs(discs: list[tuple[int, int, float]], *, ground: float = 60, contrast: float = 140) -> Picture:
    y, x = np.mgrid[:240, :320]
    levels = np.full((240, 320), float(ground))
    for left, top, radius in discs:
        levels += contrast * np.clip(radius - np.hypot(x - left, y - top) + 0.5, 0, 1)
    return np.repeat(np.rint(levels).astype(np.uint8)[..., None], 3, axis=2)


@pytest.mark.parametrize("contrast", [140, -55])
@pytest.mark.parametrize("detector", [log, dog])
def test_discs_are_found_with_their_radius(detector: Detector, contrast: float) -> None:
    found = detector(discs(DISCS, contrast=contrast, ground=60 if contrast > 0 else 120))
    for x, y, radius in DISCS:
        apart = np.hypot(*(found.points_xy - (x, y)).T)
        best = int((apart + 10 * np.abs(np.log(found.scale_px / radius))).argmin())
        assert apart[best] < 0.5
        assert found.scale_px[best] == pytest.approx(radius, rel=0.04)


def test_response_is_contrast() -> None:
    """The Laplacian's answer to a disc of contrast c is 2 c / e at its best scale."""
    strengths = [log(discs(DISCS[3:4], contrast=c)).strongest(1).response[0] for c in (51, 102)]
    assert strengths == pytest.approx([2 / np.e * 0.2, 2 / np.e * 0.4], rel=0.04)


def test_scikit_image_finds_the_same_spots() -> None:
    picture = discs(DISCS[:4])
    theirs = feature.blob_log(
        picture[..., 0] / 255, min_sigma=2, max_sigma=24, num_sigma=23, threshold=0.1
    )
    ours = log(picture)
    for y, x, sigma in theirs:
        near = np.hypot(*(ours.points_xy - (x, y)).T) < 1.5
        assert (np.abs(np.log(ours.scale_px[near] / (sigma * 2**0.5))) < 0.12).any()


def test_a_line_is_no_spot() -> None:
    picture = np.zeros((90, 120, 3), np.uint8)
    picture[43:47] = 255
    assert len(log(picture)) == len(dog(picture)) == 0


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (7, 7), (8, 8), (30, 41)])
@pytest.mark.parametrize("detector", [log, dog])
def test_nothing_in_an_even_picture(detector: Detector, size: tuple[int, int]) -> None:
    assert len(detector(np.full((*size, 3), 200, np.uint8))) == 0


def test_wrong_threshold() -> None:
    with pytest.raises(ValueError, match="threshold"):
        log(discs([]), threshold=0)


@pytest.mark.parametrize("seed", [19, 45, 106, 352])  # each has a peak that is refined onto the border
def test_noise_up_to_the_border(seed: int) -> None:
    """Refined peaks beside the border look at no pixel beyond it."""
    coarse = np.random.default_rng(seed).integers(0, 2, (20, 26, 1), dtype=np.uint8)
    picture = (coarse * 255).repeat(4, 0).repeat(4, 1).repeat(3, 2)
    for detector in (log, dog):
        found = detector(np.ascontiguousarray(picture[: 60 + seed % 6, : 70 + 2 * (seed % 6)]))
        assert (found.points_xy > -1).all()
        assert len(found) > 5
