"""Colours: told apart by every eye, seen on every page, words readable on them."""

from __future__ import annotations

import re
from itertools import combinations

import numpy as np
import pytest

from striate.pictures.palette import (
    CLASS_COLOURS,
    PALETTE,
    RGB,
    TONES,
    WHITE,
    colour_of,
    contrast,
    ink_on,
)
from striate.runs.page import report_style
from striate.types import Array

FULL = np.eye(3)
DEUTERANOPIA = np.array(
    [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ]
)
"""Machado, Oliveira and Fernandes (2009), table 1, severity 1.0."""
PROTANOPIA = np.array(
    [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ]
)

EYES = {"full": FULL, "deuteranopia": DEUTERANOPIA, "protanopia": PROTANOPIA}
DARK_PAPER: RGB = (23, 28, 36)
"""--paper of report.css at night."""


def seen(colour: RGB, vision: Array) -> Array:
    """The CIELAB colour (3,) that an eye of that kind takes `colour` for."""
    from skimage.color import rgb2lab

    v = np.array(colour) / 255
    linear = np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4) @ vision.T
    linear = np.clip(linear, 0, 1)
    coded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.asarray(rgb2lab(coded[None, None])[0, 0])


def closest(colours: tuple[RGB, ...], eye: str) -> float:
    """The smallest CIEDE2000 between any two; 2.3 is just noticeable side by side."""
    from skimage.color import deltaE_ciede2000

    labs = [seen(colour, EYES[eye]) for colour in colours]
    return min(float(deltaE_ciede2000(one, other)) for one, other in combinations(labs, 2))


@pytest.mark.parametrize(
    ("eye", "least"), [("full", 21.5), ("deuteranopia", 13.8), ("protanopia", 14.3)]
)
def test_any_two_of_twelve_classes_are_told_apart(eye: str, least: float) -> None:
    assert closest(CLASS_COLOURS, eye) > least
    assert len(set(CLASS_COLOURS)) == 12


def test_classes_are_seen_on_paper_by_day_and_night() -> None:
    for colour in CLASS_COLOURS:
        assert contrast(colour, WHITE) > 1.55
        assert contrast(colour, DARK_PAPER) > 1.7


@pytest.mark.parametrize("night", [False, True], ids=["day", "night"])
def test_curves_of_a_page_are_told_apart_and_seen(night: bool) -> None:
    found = re.findall(r"--hue(\d): #(\w{2})(\w{2})(\w{2});", report_style())[6 * night :][:6]
    assert [int(number) for number, *_ in found] == [1, 2, 3, 4, 5, 6]
    hues: list[RGB] = [(int(r, 16), int(g, 16), int(b, 16)) for _, r, g, b in found]
    for eye in EYES:
        assert closest(tuple(hues), eye) > (24 if eye == "full" else 16)
    for hue in hues:
        assert contrast(hue, DARK_PAPER if night else WHITE) >= 3


@pytest.mark.parametrize("eye", EYES)
def test_colours_of_meaning_differ_for_every_eye(eye: str) -> None:
    assert closest(PALETTE, eye) > 11
    assert closest((TONES["good"], TONES["bad"]), eye) > 12


def test_words_can_be_read_on_every_ground() -> None:
    for ground in TONES.values():
        assert contrast(WHITE, ground) >= 6
    for colour in (*PALETTE, *CLASS_COLOURS):
        assert contrast(ink_on(colour), colour) >= 4.5


def test_colours_of_classes_come_again_after_twelve() -> None:
    assert [colour_of(at) for at in range(3)] == list(PALETTE[:3])
    assert colour_of(12) == colour_of(0)
    assert colour_of(11) != colour_of(0)
