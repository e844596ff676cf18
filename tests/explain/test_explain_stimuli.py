from __future__ import annotations

import numpy as np
import pytest

from striate.explain.stimuli import Window, angles, bars, blank, gratings, short_bars

WHOLE = Window((10.5, 10.5), 100.0)


def test_a_horizontal_bar_lies_and_moves_down() -> None:
    found = bars((21, 21), WHOLE, 0.0, [0.0, 4.0], width=3.0)
    assert found.shape == (2, 21, 21, 3)
    assert found.dtype == np.uint8
    rows = [np.flatnonzero((one[:, :, 0] == 255).all(axis=1)).tolist() for one in found]
    assert rows == [[9, 10, 11], [13, 14, 15]]


def test_a_vertical_bar_stands_and_moves_right() -> None:
    found = bars((21, 15), Window((10.5, 7.5), 100.0), 90.0, [0.0, 4.0], width=1.0, light=False)
    columns = [np.flatnonzero((one[:, :, 0] == 0).all(axis=0)).tolist() for one in found]
    assert columns == [[7], [11]]


def test_45_degrees_is_a_slash() -> None:
    found = bars((21, 21), WHOLE, 45.0, [0.0], width=1.0)[0, :, :, 0]
    assert (np.diag(found[::-1]) == 255).all()
    assert found[0, 0] == 128


def test_the_round_window_hides_the_rest_and_holds_equally_much_at_all_angles() -> None:
    window = Window((16.0, 16.0), 20.0)
    light = [bars((32, 32), window, turn, [0.0], width=4.0).astype(float).sum() for turn in angles(7.5)]
    extra = np.array(light) - 128.0 * 32 * 32 * 3
    assert np.ptp(extra) < 0.02 * extra.mean()
    assert (bars((32, 32), window, 30.0, [0.0], width=4.0)[0, :5] == 128).all()


def test_a_short_bar_is_where_it_was_asked_for() -> None:
    found = short_bars((20, 30), np.array([[5.0, 22.0]]), 0.0, width=2.0, length=6.0)[0, :, :, 0]
    rows, columns = np.nonzero(found > 130)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (4, 5, 19, 24)


def test_gratings_have_their_period_and_phase() -> None:
    found = gratings((24, 24), Window((12.0, 12.0), 200.0), 0.0, [0.0, 180.0], period=8.0)
    first, second = found[:, :, 3, 0].astype(float)
    np.testing.assert_allclose(first[:16], first[8:], atol=1)
    np.testing.assert_allclose(first + second, 256, atol=1)
    assert np.ptp(found[0, 5].astype(int)) == 0  # stripes lie


@pytest.mark.parametrize("ground", [0, 255])
def test_on_black_and_white_ground_stripes_go_one_way(ground: int) -> None:
    found = gratings((12, 12), Window((6.0, 6.0), 6.0), 0.0, [0.0], period=4.0, ground=ground)
    assert found[0, 0, 0, 0] == ground
    assert np.ptp(found.astype(int)) > 100


def test_degenerate_sizes() -> None:
    assert blank((1, 1)).tolist() == [[[[128, 128, 128]]]]
    assert bars((1, 1), Window((0.5, 0.5), 1.0), 33.0, [0.0], width=1.0).shape == (1, 1, 1, 3)
    assert len(Window((0.5, 0.5), 1.0).offsets(25)) == 3
    offsets = Window((8.0, 8.0), 16.0).offsets(25)
    assert len(offsets) == 25
    assert offsets[12] == 0
    assert offsets[[0, -1]].tolist() == [-8.0, 8.0]


def test_angles_come_round() -> None:
    assert angles(7.5).tolist() == (np.arange(24) * 7.5).tolist()
    assert len(angles(50.0)) == 4
