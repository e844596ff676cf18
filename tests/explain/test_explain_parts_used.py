"""Which part carries the answer: covered parts, wherever the picture lies in the input."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from striate.explain.attribution import Asked
from striate.explain.parts_used import PartUse, parts_used, used_words
from striate.explain.whereabouts import NamedArea
from striate.pictures.resize import fit
from striate.task import Aim
from striate.types import Array, Prepared

SIZE_HW = (16, 24)
WHEELS = (NamedArea("wheel", (2, 10, 6, 14), "bus"), NamedArea("wheel", (16, 10, 20, 14), "bus"))
WINDOW = NamedArea("window", (4, 2, 20, 7), "bus")


class Wheels:
    """A model that is as sure as what it sees beneath the wheels is bright."""

    def __init__(self, windows: list[tuple[slice, slice]]) -> None:
        self.windows, self.calls = windows, 0

    def feeds(self, pixels: Array) -> Mapping[str, Array]:
        return {"pictures": pixels}

    def __call__(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        self.calls += len(feeds["pictures"])
        seen = [feeds["pictures"][(slice(None), *one)].mean(axis=(1, 2, 3)) for one in self.windows]
        return {"value": np.mean(seen, axis=0) / 254}

    def pull(self, outputs: Mapping[str, Array], aims: Any) -> Array:
        return np.asarray(outputs["value"], np.float64)


def asked_of(model: Any, prepared: Prepared) -> Asked:
    return Asked.of(model, model, prepared, Aim("bus", 0, 1.0, "100%"))


def test_all_parts_of_a_name_are_covered_together() -> None:
    model = Wheels([(slice(10, 14), slice(2, 6)), (slice(10, 14), slice(16, 20))])
    prepared = Prepared(np.full((*SIZE_HW, 3), 254, np.uint8), SIZE_HW)
    wheels, window = parts_used(asked_of(model, prepared), (WINDOW, *WHEELS))
    assert (wheels.name, window.name) == ("wheel of the bus", "window of the bus")
    assert wheels.left == pytest.approx(0.5)
    assert (wheels.whole, window.left, window.loss) == (1.0, 1.0, 0.0)
    assert model.calls == 3
    assert used_words((wheels, window)) == (
        "covered part by part: the answer rests on wheel of the bus; without it 50 % of it is left"
    )
    assert wheels.to_dict() == {"part": "wheel of the bus", "left_without": 0.5, "loss": 0.5}


@pytest.mark.parametrize("how", ["crop", "pad", "squash"])
@pytest.mark.parametrize("size_hw", [(40, 20), (12, 48), (31, 50)])
def test_parts_are_covered_where_the_input_shows_them(how: Any, size_hw: tuple[int, int]) -> None:
    """A white part on black: nothing brighter than the grey may be left."""
    height, width = size_hw
    picture = np.zeros((*size_hw, 3), np.uint8)
    picture[height // 4 : height * 3 // 4, width // 3 : width * 2 // 3] = 255
    box = (width // 3, height // 4, width * 2 // 3, height * 3 // 4)
    seen: list[Array] = []

    class Kept(Wheels):
        def __call__(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
            seen.append(feeds["pictures"][0])
            return super().__call__(feeds)

    model = Kept([(slice(0, 16), slice(0, 24))])
    parts_used(asked_of(model, fit(picture, SIZE_HW, how=how)), [NamedArea("part", box)])
    whole, covered = seen
    assert whole.max() > 200
    # what resizing smears over the edge may be a little brighter than grey, never white
    assert covered.max() <= 200
    assert covered.min() == whole.min()


def test_where_no_part_counts_none_is_named() -> None:
    few = [PartUse("wheel of the bus", 0.97, 0.99), PartUse("window of the bus", 0.99, 0.99)]
    assert used_words(few) == (
        "covered part by part: none of 2 carries the answer; wheel of the bus is missed most, and "
        "without it 98 % is left"
    )
    assert used_words(()) == ""
    surer = [PartUse("wheel of the bus", 0.99, 0.95), PartUse("window of the bus", 1.0, 0.95)]
    assert used_words(surer) == "covered part by part: none of 2 is missed"
    unsure = [PartUse("wheel of the bus", 0.0, 0.02)]  # of a small answer, too
    assert "rests on wheel of the bus; without it 0 %" in used_words(unsure)
    many = [PartUse(name, 0.4, 0.8) for name in ("a", "b", "c")]
    assert used_words(many).endswith("is left, without b 50 %; 1 more part is missed")


def test_parts_outside_the_input_are_left_out() -> None:
    prepared = fit(np.zeros((16, 96, 3), np.uint8), SIZE_HW, how="crop")
    model = Wheels([(slice(0, 16), slice(0, 24))])
    outside = NamedArea("wheel", (0, 0, 5, 5), "bus")
    assert parts_used(asked_of(model, prepared), [outside]) == ()
    assert model.calls == 0
