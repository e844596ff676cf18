from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from striate.features.parts import PartEvidence, PartsExplanation, draw_parts
from striate.pictures.palette import colour_of
from striate.types import Picture

GREY = (90, 90, 90)


def told(*gains: float, box: tuple[float, float, float, float] = (40, 30, 100, 60)) -> PartsExplanation:
    x0, y0, x1, y1 = box
    wide = (x1 - x0) / max(1, len(gains))
    parts = tuple(
        PartEvidence(
            f"part {index + 1}", (x0 + wide * index, y0, x0 + wide * (index + 1), y1), gain, 0.0
        )
        for index, gain in enumerate(gains)
    )
    return PartsExplanation("car", 1.83, -1.0, 0.4, box, parts)


def picture(height: int = 90, width: int = 120) -> Picture:
    return np.full((height, width, 3), 90, np.uint8)


def test_the_part_that_spoke_most_is_tinted_and_no_other() -> None:
    drawn = draw_parts(picture(), [told(0.1, 0.9, 0.2)])
    scale = 720 / 120

    def at(x: float, y: float) -> tuple[int, ...]:
        return tuple(drawn[round(y * scale), round(x * scale)].tolist())

    tint = tuple(np.rint(0.6 * np.array(GREY) + 0.4 * np.array(colour_of(1))).astype(int).tolist())
    assert at(70, 45) == tint
    assert at(50, 45) == at(90, 45) == at(10, 80) == GREY


def test_beside_the_picture_stands_a_panel() -> None:
    drawn = draw_parts(picture(), [told(0.1, 0.9)])
    assert drawn.shape == (540, 720 + 360, 3)
    assert draw_parts(picture(), []).shape == (540, 720, 3)
    # more parts than fit beside a flat picture make the whole taller
    assert draw_parts(picture(20, 120), [told(*[0.1] * 12)]).shape[0] > 500


def test_a_large_picture_is_not_made_larger() -> None:
    large = np.zeros((900, 1000, 3), np.uint8)
    drawn = draw_parts(large, [told(0.5, 0.1)])
    assert drawn.shape == (900, 1360, 3)
    np.testing.assert_array_equal(drawn[880, :1000], large[880])


@pytest.mark.parametrize(
    "one",
    [
        told(),
        told(-0.2, -0.1),
        told(0.3, 0.2, box=(-30.0, -20.0, 10.0, 10.0)),
        told(0.3, box=(110.0, 80.0, 160.0, 130.0)),
        replace(told(0.3), label="naïve 車 " * 20),
    ],
)
def test_odd_ones_can_be_drawn(one: PartsExplanation) -> None:
    for size in ((90, 120), (1, 1), (300, 7)):
        before = picture(*size)
        drawn = draw_parts(before, [one, told(0.1)])
        assert drawn.dtype == np.uint8
        assert (before == 90).all()


def test_sentences() -> None:
    assert told(0.1, 0.61).sentence == "car 1.83: mostly part 2, +0.61"
    assert told(0.1, 0.2).sentence == "car 1.83: mostly the whole, +0.40; then part 2, +0.20"
    assert told(-0.1).sentence == "car 1.83: mostly the whole, +0.40"
    assert told().strongest is None
