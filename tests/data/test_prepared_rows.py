from __future__ import annotations

import numpy as np

from striate.data.prepared import PreparedSet, prepared_from
from striate.pictures.resize import fit


def prepared_set(rng: np.random.Generator) -> tuple[PreparedSet, list[object]]:
    pictures = [rng.integers(0, 256, (h, w, 3), dtype=np.uint8) for h, w in ((9, 20), (30, 7), (8, 8))]
    made = [fit(picture, (8, 16), how="pad") for picture in pictures]
    geometry = np.array([[*one.size_hw, *one.scale_yx, *one.offset_yx] for one in made])
    pixels = np.stack([one.pixels for one in made])
    return PreparedSet(pixels, geometry, np.array([0, 2, 3]), ()), list(made)


def test_a_row_is_what_was_prepared(rng: np.random.Generator) -> None:
    found, made = prepared_set(rng)
    for own, row in zip(made, found.all_prepared(), strict=True):
        assert (row.size_hw, row.scale_yx, row.offset_yx) == (
            own.size_hw,  # type: ignore[attr-defined]
            own.scale_yx,  # type: ignore[attr-defined]
            own.offset_yx,  # type: ignore[attr-defined]
        )
        np.testing.assert_array_equal(row.pixels, own.pixels)  # type: ignore[attr-defined]
    alone = prepared_from(found.pixels[1], found.geometry[1])
    assert alone.size_hw == (30, 7)
    assert all(type(number) is int for number in alone.size_hw)


def test_none_of_it_has_the_same_form(rng: np.random.Generator) -> None:
    found, _ = prepared_set(rng)
    none = found.none()
    assert len(none) == 0
    assert none.all_prepared() == []
    assert none.pixels.shape == (0, 8, 16, 3)
    assert none.pixels.dtype == np.uint8
    assert none.geometry.shape == (0, 6)
    assert len(found) == 3
