from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from striate.errors import UnknownNameError
from striate.features.fitting import MAPS, fit_map, log10_false_alarms, mapped
from striate.features.matching import MODELS, MatchModel, match, nearest_pairs
from striate.types import Array, Picture

Photo = Callable[[str], Picture]


def turned(picture: Picture, degrees: float, scale: float) -> tuple[Picture, Array]:
    """`picture` turned (counter-clockwise), scaled and relit on a larger ground, and the true map."""
    height, width = picture.shape[:2]
    half = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), degrees, scale)
    spread = np.abs(half[:, :2]) @ (width, height)
    half[:, 2] += (spread - (width, height)) / 2
    # what a lens would have blurred away at the smaller size
    smooth = cv2.GaussianBlur(picture, (0, 0), 0.5 * np.sqrt(1 / scale**2 - 1)) if scale < 1 else picture
    size = np.ceil(spread).astype(int).tolist()
    seen = cv2.warpAffine(smooth, half, size, flags=cv2.INTER_CUBIC, borderValue=(90, 90, 90))
    relit = 255 * ((seen * 0.7 + 20) / 255) ** 1.3
    return np.rint(np.clip(relit, 0, 255)).astype(np.uint8), np.vstack([half, [0, 0, 1]])


def corner_error(found: Array, true: Array, picture: Picture) -> float:
    height, width = picture.shape[:2]
    corners = np.array([(0, 0), (width - 1, 0), (width - 1, height - 1), (0, height - 1)], float)
    return float(np.linalg.norm(mapped(found, corners) - mapped(true, corners), axis=1).max())


@pytest.mark.parametrize("name", ["astronaut.png", "coffee.png", "brick.png", "motorcycle_left.png"])
def test_a_turned_scaled_relit_copy_is_matched(name: str, photo: Photo) -> None:
    """B3."""
    picture = np.array(photo(name))
    copy, true = turned(picture, 40, 0.6)
    found = match(picture, copy)
    assert found.matrix is not None
    assert found.inlier_ratio > 0.85
    assert found.inliers.sum() >= 30
    assert corner_error(found.matrix, true, picture) < 1
    assert found.scale_and_turn == pytest.approx((0.6, -40), abs=0.15)
    apart = np.linalg.norm(mapped(found.matrix, found.points_a) - found.points_b, axis=1)
    assert ((apart <= found.threshold_px) == found.inliers).all()


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("kind", ["sift", "log", "orb", "mser", "akaze"])
def test_every_map_and_several_detectors(kind: str, model: MatchModel, photo: Photo) -> None:
    picture = np.array(photo("astronaut.png"))
    copy, true = turned(picture, -25, 0.8)
    found = match(picture, copy, kind=kind, model=model, limit=1500)
    assert found.matrix is not None
    assert found.inlier_ratio > 0.8
    assert corner_error(found.matrix, true, picture) < 2


def test_two_photos_of_one_scene(photo: Photo) -> None:
    """A stereo pair: no plane holds it all, but the matches lie on level rows in truth."""
    found = match(photo("motorcycle_left.png"), photo("motorcycle_right.png"), model="affine")
    assert found.found
    down = found.points_b[found.inliers, 1] - found.points_a[found.inliers, 1]
    assert np.median(np.abs(down)) < 0.5
    assert found.inliers.sum() > 200


def test_the_same_seed_gives_the_same_answer(photo: Photo) -> None:
    pictures = photo("motorcycle_left.png"), photo("motorcycle_right.png")
    first, second = (match(*pictures, seed=5, limit=800) for _ in range(2))
    assert first.to_dict() == second.to_dict()


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(
    ("one", "other"),
    [("coffee.png", "brick.png"), ("camera.png", "text.png"), ("gravel.png", "grass.png")],
)
def test_other_pictures_do_not_match(one: str, other: str, model: MatchModel, photo: Photo) -> None:
    found = match(photo(one), photo(other), model=model, limit=800, ratio=0.9)
    assert not found.found
    assert not found.inliers.any()
    assert found.reason
    assert found.to_dict()["matrix"] is None


@pytest.mark.parametrize("size", [(1, 1), (1, 30), (40, 60)])
def test_nothing_to_match(size: tuple[int, int], photo: Photo) -> None:
    even = np.full((*size, 3), 55, np.uint8)
    for found, which in (
        (match(even, photo("coffee.png"), limit=200), "first"),
        (match(photo("coffee.png"), even, limit=200), "second"),
    ):
        assert found.reason == f"the {which} picture has no key points of kind sift"
        assert found.pairs.shape == (0, 2)
        assert found.inlier_ratio == 0
        assert found.plot().dtype == np.uint8


def test_few_matches_are_told(photo: Photo) -> None:
    found = match(photo("astronaut.png"), photo("astronaut.png"), limit=3)
    assert not found.found  # one of the three is a second direction of another
    assert found.reason == "2 matches do not settle a homography, which takes more than 4"


def test_large_pictures_are_matched_in_their_own_pixels(photo: Photo) -> None:
    large = cv2.resize(np.array(photo("coffee.png")), (2700, 1800), interpolation=cv2.INTER_CUBIC)
    copy = np.ascontiguousarray(large[300:1700, 500:2500])
    found = match(large, copy, limit=400, kind="dog", model="similarity")
    assert found.matrix is not None
    assert found.threshold_px == pytest.approx(3 * 2000 / 1600)
    true = np.array([[1, 0, -500], [0, 1, -300], [0, 0, 1]])
    assert corner_error(found.matrix, true, large) < 1


def test_the_figure(photo: Photo) -> None:
    picture = np.array(photo("coffee.png"))
    found = match(picture, turned(picture, 30, 0.7)[0])
    drawn = found.plot()
    assert drawn.shape[1] == picture.shape[1] + 24 + found.picture_b.shape[1]
    assert found._repr_png_().startswith(b"\x89PNG")
    assert drawn.shape[0] > max(picture.shape[0], found.picture_b.shape[0])
    top = max(0, (found.picture_b.shape[0] - picture.shape[0]) // 2)
    for x, y in np.rint(found.points_a[found.inliers][:20]).astype(int):  # a coloured dot lies on each
        patch = drawn[top + y - 1 : top + y + 2, x - 1 : x + 2].astype(int)
        assert (patch.max(axis=2) - patch.min(axis=2)).max() > 80


def test_nearest_pairs_by_hand() -> None:
    a = np.array([[0, 0], [10, 0], [5, 5]], np.float32)
    b = np.array([[0, 1], [9, 0], [9.5, 0], [50, 50]], np.float32)
    # (10, 0) is nearest to (9.5, 0), but (9, 0) is only twice as far; (5, 5) is no one's nearest
    assert nearest_pairs(a, b, ratio=0.6, binary=False).tolist() == [[0, 0], [1, 2]]
    assert nearest_pairs(a, b, ratio=0.4, binary=False).tolist() == [[0, 0]]
    assert nearest_pairs(a, b[:0], ratio=0.8, binary=False).shape == (0, 2)
    assert nearest_pairs(a, b[:1], ratio=0.8, binary=False).tolist() == [[0, 0]]


def test_bits_are_compared_by_their_number(rng: np.random.Generator) -> None:
    a, b = (rng.integers(0, 256, (40, 32), dtype=np.uint8) for _ in range(2))
    b[:20] = a[20:]
    b[:20, 0] ^= 1
    pairs = nearest_pairs(a, b, ratio=0.8, binary=True)
    assert pairs.tolist() == [[20 + row, row] for row in range(20)]
    matcher = cv2.BFMatcher(cv2.NORM_HAMMING, crossCheck=True)
    theirs = {(one.queryIdx, one.trainIdx) for one in matcher.match(a, b)}
    assert {tuple(pair) for pair in nearest_pairs(a, b, ratio=1, binary=True).tolist()} <= theirs


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("share", [0.9, 0.4])
def test_a_known_map_is_found_among_outliers(model: str, share: float, rng: np.random.Generator) -> None:
    true = {
        "similarity": np.array([[0.8, -0.6, 30], [0.6, 0.8, -20], [0, 0, 1]]),
        "affine": np.array([[1.2, 0.3, 5], [-0.2, 0.7, 40], [0, 0, 1]]),
        "homography": np.array([[1.1, 0.2, 9], [-0.1, 0.9, 30], [4e-4, -2e-4, 1]]),
    }[model]
    a = rng.random((300, 2)) * (640, 480)
    b = mapped(true, a) + rng.normal(0, 0.4, a.shape)
    wrong = rng.random(300) > share
    b[wrong] = rng.random((int(wrong.sum()), 2)) * (640, 480)
    fit = fit_map(a, b, model, threshold_px=2, rng=np.random.default_rng(0))
    assert fit is not None
    assert fit.inliers[~wrong].mean() > 0.98
    assert fit.inliers[wrong].mean() < 0.02
    matrix = fit.matrix / fit.matrix[2, 2]
    picture = np.zeros((480, 640, 3), np.uint8)
    assert corner_error(matrix, true, picture) < 1
    if model == "homography":
        theirs, _ = cv2.findHomography(a, b, cv2.USAC_MAGSAC, 2)
        assert corner_error(matrix, true, picture) < corner_error(theirs, true, picture) + 0.3


@pytest.mark.parametrize("model", MODELS)
def test_exact_samples_are_solved_exactly(model: str, rng: np.random.Generator) -> None:
    count = MAPS[model].sample
    a, b = (rng.random((50, count, 2)) * 500 for _ in range(2))
    with np.errstate(all="ignore"):
        maps = MAPS[model].solve(a, b)
    homogeneous = np.concatenate([a, np.ones((50, count, 1))], axis=2) @ maps.transpose(0, 2, 1)
    np.testing.assert_allclose(homogeneous[..., :2] / homogeneous[..., 2:], b, atol=1e-4)


def test_points_on_a_line_settle_nothing() -> None:
    a = np.stack([np.arange(30.0), 2 * np.arange(30.0)], axis=1) * 10
    for model in ("homography", "affine"):
        assert fit_map(a, a + 5, model, threshold_px=2, rng=np.random.default_rng(0)) is None
    same = np.ones((30, 2))
    assert fit_map(same, same, "similarity", threshold_px=2, rng=np.random.default_rng(0)) is None


def test_false_alarms() -> None:
    assert log10_false_alarms(100, 4, 4, 1e-4) == np.inf
    assert log10_false_alarms(100, 6, 4, 1e-4) > log10_false_alarms(100, 9, 4, 1e-4)
    # (5 − 2) · C(5, 3) · C(3, 2) · 0.01
    assert log10_false_alarms(5, 3, 2, 0.01) == pytest.approx(np.log10(3 * 10 * 3 * 0.01))


def test_wrong_arguments(photo: Photo) -> None:
    picture = photo("coffee.png")
    with pytest.raises(UnknownNameError, match="homography"):
        match(picture, picture, model="projective")  # type: ignore[arg-type]
    with pytest.raises(UnknownNameError, match="sift"):
        match(picture, picture, kind="surf")
    with pytest.raises(UnknownNameError, match="rootsift"):
        match(picture, picture, descriptor="brief", limit=10)
    with pytest.raises(ValueError, match="ratio"):
        match(picture, picture, ratio=0)
    with pytest.raises(ValueError, match="threshold"):
        match(picture, picture, threshold_px=float("nan"))
