from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from skimage import filters

from striate.errors import UnknownNameError
from striate.features.ridges import RIDGE_FILTERS, SIGMAS, ridges
from striate.types import Picture

Photo = Callable[[str], Picture]


def lines() -> Picture:
    """A light line at row 30 and a dark one at column 70, three pixels wide."""
    picture = np.full((80, 110, 3), 120, np.uint8)
    picture[29:32, :55] = 230
    picture[:, 69:72] = 10
    return picture


@pytest.mark.parametrize("name", RIDGE_FILTERS)
def test_a_line_is_strongest_on_its_middle(name: str) -> None:
    light = ridges(lines(), filter=name, polarity="light").strength  # type: ignore[arg-type]
    dark = ridges(lines(), filter=name, polarity="dark").strength  # type: ignore[arg-type]
    both = ridges(lines(), filter=name).strength  # type: ignore[arg-type]
    assert (light[:60, 20:40].argmax(axis=0) == 30).all()
    assert (dark[40:, 55:90].argmax(axis=1) == 70 - 55).all()
    assert light[55, 70] < 0.01 * light[30, 30]
    assert dark[30, 30] < 0.01 * dark[55, 70]
    assert (both == np.maximum(light, dark)).all()


def test_sato_is_scikit_images(photo: Photo) -> None:
    picture = photo("microaneurysms.png")
    wanted = filters.sato(picture[..., 0] / 255, sigmas=SIGMAS, black_ridges=True)
    found = ridges(picture, polarity="dark")
    np.testing.assert_allclose(found.strength, wanted, atol=1e-5)


def test_large_pictures_keep_their_size() -> None:
    picture = np.full((1280, 1760, 3), 120, np.uint8)
    picture[700:705] = 240
    found = ridges(picture, polarity="light")
    assert found.strength.shape == (1280, 1760)
    assert (np.abs(found.strength[:, 100:-100].argmax(axis=0) - 702) <= 1).all()


@pytest.mark.parametrize("size", [(1, 1), (1, 30), (3, 2), (40, 50)])
def test_nothing_in_an_even_picture(size: tuple[int, int]) -> None:
    found = ridges(np.full((*size, 3), 66, np.uint8))
    assert found.strength.shape == size
    assert not found.strength.any()
    assert found.to_dict()["share_strong"] == 0


def test_tiny_pictures_do_not_fail(rng: np.random.Generator) -> None:
    for size in ((1, 2), (2, 3), (5, 1)):
        picture = rng.integers(0, 256, (*size, 3), dtype=np.uint8)
        assert np.isfinite(ridges(picture).strength).all()


def test_wrong_names() -> None:
    with pytest.raises(UnknownNameError, match="frangi"):
        ridges(lines(), filter="hessian")  # type: ignore[arg-type]
    with pytest.raises(UnknownNameError, match="both"):
        ridges(lines(), polarity="white")  # type: ignore[arg-type]
