from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest

from striate.errors import UnknownNameError, UsageError
from striate.features.kernels import KERNELS, convolve
from striate.features.marks import Sheet, captioned, muted
from striate.features.show import KINDS, show
from striate.types import Picture

Photo = Callable[[str], Picture]

OWN = [kind for kind in KINDS if kind not in ("hog", "lbp", "colour")]


@pytest.mark.parametrize("kind", OWN)
def test_every_kind_draws_and_tells(kind: str, photo: Photo) -> None:
    picture = photo("astronaut.png")
    before = picture.copy()
    found = show(picture, kind)
    assert (picture == before).all()
    assert found.picture.dtype == np.uint8
    assert found.picture.shape[1:] == (512, 3)
    assert found.picture.shape[0] == 512 if kind == "kernel" else found.picture.shape[0] > 512
    facts = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert facts["kind"] == kind
    assert facts["statement"] == found.statement != ""
    assert found._repr_png_().startswith(b"\x89PNG")
    # something is drawn, but not everywhere
    plain = muted(picture) if kind not in ("haar", "kernel") else picture
    changed = (found.picture[:512] != plain).any(axis=2).mean()
    assert changed > 0.003


@pytest.mark.parametrize("kind", OWN)
@pytest.mark.parametrize("size", [(3, 3), (4, 70), (33, 20)])
def test_small_and_empty_pictures_are_drawn(kind: str, size: tuple[int, int]) -> None:
    for picture in (
        np.full((*size, 3), 128, np.uint8),
        np.random.default_rng(1).integers(0, 256, (*size, 3), dtype=np.uint8),
    ):
        found = show(picture, kind)
        least = 480 if kind != "kernel" else max(size)
        assert max(found.picture.shape[:2]) >= least
        json.dumps(found.to_dict(), allow_nan=False)


def test_one_pixel() -> None:
    pixel = np.full((1, 1, 3), 7, np.uint8)
    for kind in OWN:
        if kind == "kernel":
            with pytest.raises(UsageError, match="larger"):
                show(pixel, kind)
        else:
            assert show(pixel, kind).picture.shape[1] == 480


def test_the_limit_keeps_the_strongest(photo: Photo) -> None:
    every, few = show(photo("coffee.png"), "sift"), show(photo("coffee.png"), "sift", limit=12)
    assert every.facts["count"] == every.facts["found"] == few.facts["found"]
    assert few.facts["count"] == 12
    assert few.facts["points_xy"] == every.facts["points_xy"][:12]  # type: ignore[index]
    assert int(str(every.facts["shown"])) <= 200
    assert show(photo("astronaut.png"), "haar", limit=1).facts["count"] == 1


@pytest.mark.parametrize("name", KERNELS)
def test_kernels_are_exact_per_pixel(name: str, photo: Photo) -> None:
    picture = photo("coffee.png")[:60, :80]
    found = show(picture, f"kernel:{name}")
    assert (found.picture == convolve(picture, name).picture()).all()


def test_variants(photo: Photo) -> None:
    picture = photo("astronaut.png")
    own = show(picture, "kernel:0 0 0; 0 2 0; 0 0 0")
    assert (own.picture == np.minimum(picture.astype(int) * 2, 255)).all()
    assert show(picture, "affine:mser").to_dict()["variant"] == "mser"
    assert show(picture, "affine").to_dict()["variant"] == "hessian-affine"
    assert show(picture, "haar:eye").facts["count"] == 2
    assert show(picture[:100, :120], "ridges:frangi").facts["light"]


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("sitf", "did you mean 'sift'"),
        ("haar:eyes", "did you mean 'eye'"),
        ("kernel:laplacia", "did you mean 'laplacian'|or give rows"),
        ("kernel:1 2; 3", "its rows have 2, 1 numbers"),
        ("kernel:1 2; 3 4", "no middle"),
        ("sift:big", "sift has no variants"),
        ("", "one of"),
    ],
)
def test_wrong_kinds(kind: str, told: str, photo: Photo) -> None:
    with pytest.raises(UsageError, match=told):
        show(photo("coffee.png"), kind)


def test_wrong_limit(photo: Photo) -> None:
    with pytest.raises(UsageError, match="limit is 0"):
        show(photo("coffee.png"), "sift", limit=0)
    with pytest.raises(UnknownNameError):
        show(photo("coffee.png"), "Sift!")


def test_a_mark_lies_where_it_should() -> None:
    sheet = Sheet.of(np.full((48, 60, 3), 118, np.uint8))
    assert sheet.times == 8
    sheet.dots(np.array([[10.0, 20.0]]), [(255, 0, 0)])
    rows, columns = np.nonzero((sheet.canvas == (255, 0, 0)).all(axis=2))
    assert (rows.mean(), columns.mean()) == pytest.approx((20 * 8 + 3.5, 10 * 8 + 3.5), abs=0.6)
    sheet.circles(np.array([[40.0, 20.0]]), np.array([5.0]), [(0, 255, 0)])
    green = sheet.canvas[..., 1].astype(int) - sheet.canvas[..., 0] > 60
    rows, columns = np.nonzero(green)
    assert (columns.max() - columns.min()) / 2 == pytest.approx(40, abs=2)
    assert (rows.max() - rows.min()) / 2 == pytest.approx(40, abs=2)


def test_captions_stand_beneath() -> None:
    picture = np.full((50, 300, 3), 10, np.uint8)
    drawn = captioned(picture, "words " * 80, tone="good")
    assert (drawn[:50] == picture).all()
    assert drawn.shape[0] < 50 + 60
    assert captioned(picture[:, :20], "a").shape[1] == 240
