from __future__ import annotations

import numpy as np
import pytest

from striate.explain.tiles import grey_tiles, mosaic, signal_picture, signed_grey
from striate.pictures.draw import PAPER


def test_a_mosaic_holds_every_picture_whole() -> None:
    one = np.full((4, 2, 3), 9, np.uint8)
    found = mosaic([one, one, one], 2, cell=9, gap=1)
    assert found.shape == (19, 19, 3)
    assert (found == 9).all(axis=2).sum() == 3 * 8 * 4  # twice as large, thrice
    assert tuple(found[-1, -1]) == PAPER
    filled = mosaic([one], 1, cell=9, filling=True)
    assert (filled == 9).all(axis=2).sum() == 9 * 4  # 2 · 9/4, rounded
    large = mosaic([np.full((40, 20, 3), 7, np.uint8)], 1, cell=10)
    assert large.shape == (10, 10, 3)
    assert (large == 7).all(axis=2).sum() == 10 * 5


def test_a_signal_is_light_and_dark_about_grey() -> None:
    signal = np.zeros((2, 3, 3))
    signal[0, 0], signal[1, 2] = 2.0, -1.0
    found = signal_picture(signal)
    assert found[0, 0].tolist() == [255] * 3
    assert found[1, 2].tolist() in ([64] * 3, [63] * 3)
    assert found[0, 1].tolist() == [128] * 3
    assert (signal_picture(np.zeros((2, 2, 3))) == 128).all()


@pytest.mark.parametrize("value", [0.0, -3.0])
def test_even_numbers_are_even_grey(value: float) -> None:
    assert len(np.unique(grey_tiles(np.full((3, 4), value)))) == 1
    assert len(np.unique(signed_grey(np.full((3, 4), value)))) == 1


def test_numbers_as_grey() -> None:
    values = np.array([[-1.0, 0.0], [1.0, 3.0]])
    assert grey_tiles(values)[:, :, 0].tolist() == [[0, 64], [128, 255]]
    assert signed_grey(values)[:, :, 0].tolist() == [[85, 128], [170, 255]]
