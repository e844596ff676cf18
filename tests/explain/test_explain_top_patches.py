from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from striate.explain.inside import Inside
from striate.explain.selectivity import Preference, Tally, choose_channels
from striate.explain.top_patches import strongest
from striate.types import Array, PictureArray

SIZE = (14, 11)
Lot = tuple[PictureArray, list[int], list[int] | None]


@pytest.fixture
def layered(inside_of: Callable[..., Inside], made: Any) -> Inside:
    planes = [made.gabor(0, side=5), made.gabor(60, side=5), made.disc(side=5)]
    return inside_of(
        [
            made.conv(planes, pads=[1] * 4, strides=[2, 1], name="/net/conv/Conv"),
            ("Relu", {"name": "/net/act/Relu"}),
            ("GlobalAveragePool", {"name": "/net/pool/GlobalAveragePool"}),
        ],
        SIZE,
    )


def in_lots(pixels: PictureArray, labels: list[int] | None, step: int) -> Iterator[Lot]:
    for start in range(0, len(pixels), step):
        rows = list(range(start, min(start + step, len(pixels))))
        yield (
            pixels[rows],
            [100 + row for row in rows],
            None if labels is None else [labels[row] for row in rows],
        )


@pytest.mark.parametrize("step", [1, 4, 50])
def test_against_a_loop_over_everything(layered: Inside, rng: np.random.Generator, step: int) -> None:
    pixels = rng.integers(0, 256, (13, *SIZE, 3), dtype=np.uint8)
    pixels[7] = pixels[2]  # equal ones: the first that came
    watch = layered.watch(layered.layers[:2])
    found = strongest(watch, in_lots(pixels, None, step), top=4)
    for layer in watch.layers:
        maps = watch(pixels)[layer.name]
        best = found[layer.name]
        assert best.pictures == 13
        for channel in range(layer.channels):
            every = sorted((-float(maps[row, channel].max()), row) for row in range(13))[:4]
            np.testing.assert_allclose(best.values[channel], [-value for value, _ in every], rtol=1e-5)
            assert best.rows[channel].tolist() == [100 + row for _, row in every]
            for at, (value, row) in enumerate(every):
                y, x = best.places[channel, at]
                assert maps[row, channel, y, x] == pytest.approx(-value, rel=1e-5)


def test_fewer_pictures_than_asked_for(layered: Inside, rng: np.random.Generator) -> None:
    pixels = rng.integers(0, 256, (2, *SIZE, 3), dtype=np.uint8)
    watch = layered.watch(layered.layers[2:3])  # a vector
    (best,) = strongest(watch, in_lots(pixels, None, 5), top=4).values()
    assert best.rows.shape == (3, 4)
    assert (best.rows[:, 2:] == -1).all()
    assert np.isneginf(best.values[:, 2:]).all()
    assert (best.places == 0).all()
    assert np.isfinite(best.preference.score).all()


def test_preferences_against_sums_by_hand(rng: np.random.Generator) -> None:
    peaks = rng.normal(size=(40, 6))
    labels = rng.integers(-1, 3, 40)
    peaks[labels == 1, 4] += 5
    peaks[:, 5] = -1.0
    tally = Tally(6, 5)
    for part in np.array_split(np.arange(40), 7):
        tally.add(peaks[part], labels[part])
    found = tally.preference(np.sort(peaks, axis=0)[::-1][:3].T)
    np.testing.assert_allclose(found.mean, peaks.mean(axis=0))
    np.testing.assert_allclose(found.spread, peaks.std(axis=0), atol=1e-7)
    np.testing.assert_allclose(found.awake, (peaks > 0).mean(axis=0))
    assert found.favourite[4] == 1
    known = labels >= 0
    apart = [
        (peaks[labels == k].mean(axis=0) - peaks[known & (labels != k)].mean(axis=0))
        / np.maximum(peaks.std(axis=0), 1e-12)
        for k in range(3)
    ]
    np.testing.assert_allclose(found.score[:5], np.max(apart, axis=0)[:5], rtol=1e-6)
    assert found.favourite.tolist()[:5] == np.argmax(apart, axis=0).tolist()[:5]
    assert found.alive.tolist() == [True] * 5 + [False]
    assert found.typical == pytest.approx(np.median(found.score[:5]))
    of_class = [(labels == k).sum() for k in range(3)]
    assert found.support.tolist() == [of_class[k] for k in found.favourite]


def test_without_classes_what_stands_out_counts(rng: np.random.Generator) -> None:
    peaks = np.abs(rng.normal(size=(50, 3)))
    peaks[11, 1] = 40.0
    tally = Tally(3)
    tally.add(peaks)
    found = tally.preference(np.sort(peaks, axis=0)[::-1][:2].T)
    assert found.favourite.tolist() == [-1, -1, -1]
    assert found.score.argmax() == 1
    assert found.typical is None
    assert found.support.tolist() == [50] * 3
    assert choose_channels(found, 1) == [1]


def preference(score: list[float], favourite: list[int], awake: list[float]) -> Preference:
    ones = np.ones(len(score))
    return Preference(ones, ones, np.array(awake), np.array(score), np.array(favourite), ones)


def test_chosen_channels_show_many_classes_and_sleepers_come_last() -> None:
    found = preference([5, 4, 3, 2, 9], [0, 0, 1, 2, 0], [1, 1, 1, 1, 0])
    assert choose_channels(found, 4) == [0, 2, 3, 1]
    assert choose_channels(found, 9) == [0, 2, 3, 1, 4]
    plain = preference([1, 3, 2], [-1, -1, -1], [1, 1, 1])
    assert choose_channels(plain, 2) == [1, 2]


def test_lots_are_never_held_together(layered: Inside, rng: np.random.Generator) -> None:
    """The next lot is asked for only when the last one is done with."""
    alive: list[Array] = []

    def lots() -> Iterator[Lot]:
        for row in range(20):
            alive.append(np.empty(0))
            assert len(alive) == row + 1
            yield rng.integers(0, 256, (2, *SIZE, 3), dtype=np.uint8), [row, row + 100], None

    (best,) = strongest(layered.watch(layered.layers[:1]), lots(), top=2).values()
    assert best.pictures == 40
