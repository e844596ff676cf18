"""Drawing: copies only, readable on anything, and no label that can break it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from striate.errors import UnknownNameError
from striate.pictures import (
    PALETTE,
    TONES,
    bars,
    colour_of,
    contact_sheet,
    draw_boxes,
    enlarge,
    label_band,
)
from striate.pictures.lettering import font_for, printable, shortened, wrapped
from striate.pictures.palette import WHITE
from striate.pictures.panels import percent

LABELS = [
    "cat",
    "",
    "éléphant",
    "猫と犬",
    "жук",
    "عربى",
    "😀",
    "a\nb\tc",
    "\udcff\udc80",
    "\u202eabc",
    "\0",
    "x" * 500,
    "e\u0301",
]
SHAPES = [(8, 8), (1, 1), (1, 400), (400, 1), (64, 48), (300, 500)]


def noise(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(2).integers(0, 256, (height, width, 3)).astype(np.uint8)


@given(st.integers(1, 50), st.integers(1, 50), st.integers(1, 300))
def test_enlarge_repeats_whole_pixels(height: int, width: int, at_least: int) -> None:
    picture = noise(height, width)
    found = enlarge(picture, at_least)
    times = found.shape[0] // height
    np.testing.assert_array_equal(found[::times, ::times], picture)
    np.testing.assert_array_equal(found[times - 1 :: times, times - 1 :: times], picture)
    assert max(found.shape[:2]) >= at_least
    assert times == 1 or (times - 1) * max(height, width) < at_least
    assert (found is picture) == (times == 1)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("tone", TONES)
def test_label_band_stands_beneath_the_picture(shape: tuple[int, int], tone: str) -> None:
    picture = noise(*shape)
    before = picture.copy()
    found = label_band(picture, "tabby cat 97%", tone=tone)  # type: ignore[arg-type]
    np.testing.assert_array_equal(picture, before)
    shown = enlarge(picture, 192)
    height, width = shown.shape[:2]
    left = (found.shape[1] - width) // 2
    np.testing.assert_array_equal(found[:height, left : left + width], shown)
    band = found[height:]
    ground = TONES[tone]  # type: ignore[index]
    assert (band == ground).all(-1).mean() > 0.5
    assert (band == WHITE).all(-1).any(), "words are drawn"
    assert found.shape[0] <= height + 160


@pytest.mark.parametrize("label", LABELS)
def test_no_label_breaks_anything(label: str) -> None:
    picture = noise(30, 40)
    assert label_band(picture, label).dtype == np.uint8
    assert bars(picture, [(label, 0.5)]).dtype == np.uint8
    assert draw_boxes(picture, [[1, 1, 20, 20]], [label]).dtype == np.uint8
    assert contact_sheet([picture], [label]).dtype == np.uint8


@given(st.text(max_size=30))
def test_any_text_becomes_printable(text: str) -> None:
    words, font = font_for(text, 14)
    assert words.isprintable()
    assert font.getlength(words) >= 0
    assert printable(text).encode("utf-8") is not None


def test_letters_that_no_font_has_are_spelt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("striate.pictures.lettering.SYSTEM_FONTS", ())
    assert font_for("Éléphant – Straße", 14)[0] == "Elephant - Strasse"
    assert font_for("猫", 14)[0] == "<U+732B>"
    assert font_for("cat", 14)[0] == "cat"


@given(st.text("abc def", max_size=60), st.integers(1, 200), st.integers(1, 4))
def test_lines_fit(text: str, width: int, most: int) -> None:
    words, font = font_for(text, 13)
    lines = wrapped(words, font, width, most)
    assert len(lines) <= most
    assert all(font.getlength(line) <= width or len(line) <= 1 for line in lines)
    if not any(line.endswith("...") or not line for line in lines):
        assert "".join(lines).replace(" ", "") == words.replace(" ", "")
    assert font.getlength(shortened(words, font, width)) <= max(width, 0)


def test_boxes_are_drawn_where_they_are() -> None:
    picture = np.full((300, 400, 3), 128, np.uint8)
    found = draw_boxes(picture, [[50, 60, 150, 200]], colours=[(230, 159, 0)])
    assert found.shape == picture.shape
    changed = np.argwhere((found != picture).any(-1))
    assert changed.min(0).tolist() == [59, 49]  # a thin line of the other lightness lies around it
    assert changed.max(0).tolist() == [200, 150]
    assert found[60, 100].tolist() == [230, 159, 0]
    assert found[199, 149].tolist() == [230, 159, 0]
    assert (found[70:190, 60:140] == 128).all()


def test_small_pictures_and_their_boxes_grow_together() -> None:
    found = draw_boxes(np.zeros((32, 16, 3), np.uint8), [[4, 8, 12, 24]], colours=[PALETTE[1]])
    assert found.shape == (192, 96, 3)
    where = np.argwhere((found == PALETTE[1]).all(-1))
    assert where.min(0).tolist() == [48, 24]
    assert where.max(0).tolist() == [143, 71]


def test_equal_labels_have_equal_colours_and_odd_boxes_are_drawn() -> None:
    picture = np.zeros((300, 300, 3), np.uint8)
    boxes = [[200, 200, 100, 100], [-50, -50, 900, 20], [400, 400, 500, 500], [7, 250, 7, 250]]
    found = draw_boxes(picture, np.array(boxes), ["a", "b", "a", "b"])
    colours = {tuple(c) for c in found.reshape(-1, 3).tolist()}
    assert {PALETTE[0], PALETTE[1]} <= colours
    assert PALETTE[2] not in colours
    np.testing.assert_array_equal(draw_boxes(picture, []), picture)
    np.testing.assert_array_equal(draw_boxes(picture, np.zeros((0, 4))), picture)


def test_bars_are_as_long_as_their_scores() -> None:
    scores = [("a", 1.0), ("b", 0.5), ("c", 0.0)]
    found = bars(np.zeros((200, 200, 3), np.uint8), scores)
    np.testing.assert_array_equal(found[:200, :200], 0)
    panel = found[:, 200:]
    blue = (panel == PALETTE[0]).all(-1).sum(1).max()
    grey = (panel == (148, 163, 184)).all(-1).sum(1).max()
    assert grey == pytest.approx(blue / 2, abs=2)


@given(st.floats(0, 1))
def test_percent_is_never_certain_unless_it_is(fraction: float) -> None:
    text = percent(fraction)
    assert (text == "100%") == (fraction == 1)
    assert (text == "0%") == (fraction == 0)


@pytest.mark.parametrize("count", [1, 2, 5, 13])
def test_contact_sheet_holds_every_picture(count: int) -> None:
    pictures = [np.full((8 + i, 8, 3), colour_of(i), np.uint8) for i in range(count)]
    found = contact_sheet(pictures, [f"number {i}" for i in range(count)], 4, cell=80)
    for index in range(count):
        assert (found == colour_of(index)).all(-1).sum() > 8 * 8
    assert found.shape[1] == 12 + min(count, 4) * 92
    large = contact_sheet([noise(900, 300)], cell=80)
    assert large.shape == (104, 104, 3)


def test_wrong_requests() -> None:
    picture = noise(20, 20)
    with pytest.raises(UnknownNameError, match="plain"):
        label_band(picture, "x", tone="fine")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="1 boxes, 2 labels"):
        draw_boxes(picture, [[1, 2, 3, 4]], ["a", "b"])
    with pytest.raises(ValueError, match="not a finite number"):
        draw_boxes(picture, [[1, 2, np.nan, 4]])
    for wrong in (-0.1, 1.1, float("nan")):
        with pytest.raises(ValueError, match="from 0 to 1"):
            bars(picture, [("a", wrong)])
    with pytest.raises(ValueError, match="no pictures"):
        contact_sheet([])
    with pytest.raises(ValueError, match="expected one each"):
        contact_sheet([picture], ["a", "b"])
    with pytest.raises(ValueError, match="expected one each"):
        contact_sheet([picture], tones=["good", "bad"])
    with pytest.raises(ValueError, match="uint8"):
        label_band(picture[..., 0], "x")
