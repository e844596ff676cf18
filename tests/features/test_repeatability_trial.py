from __future__ import annotations

import json
import math

import numpy as np
import pytest

from striate.errors import SettingError, UnknownNameError
from striate.features.ellipses import Regions
from striate.features.repeatability.changes import CHANGES
from striate.features.repeatability.report import headline, sections
from striate.features.repeatability.results import FeatureTest, mean
from striate.features.repeatability.settings import TrialSettings
from striate.features.repeatability.spots import KINDS, Spots, describe_spots, find_spots
from striate.features.repeatability.trial import measure_detectors
from striate.figures import Gallery, Lines, Table
from striate.types import Picture


def shapes_on_grey(size_hw: tuple[int, int] = (150, 200), seed: int = 0) -> Picture:
    """Discs and boxes of many sizes and greys."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[: size_hw[0], : size_hw[1]]
    image = np.full(size_hw, 120.0)
    for number in range(60):
        row, column, size = rng.random(3) * (*size_hw, 9) + (0, 0, 3)
        far = np.hypot(x - column, y - row) if number % 2 else np.maximum(abs(x - column), abs(y - row))
        image[far < size] = rng.integers(0, 256)
    return np.repeat(image.astype(np.uint8)[..., None], 3, axis=2)


@pytest.fixture(scope="module")
def found() -> FeatureTest:
    return measure_detectors(
        [shapes_on_grey(), shapes_on_grey(seed=1)],
        ("dog", "harris", "mser"),
        changes=("scale", "noise", "hidden"),
        settings=TrialSettings(limit=80),
    )


def test_every_detector_meets_every_change(found: FeatureTest) -> None:
    levels = sum(len(CHANGES[name].levels) for name in found.changes)
    assert len(found.scores) == 3 * levels
    for one in found.scores.values():
        assert len(one) == 2
        assert all(0 <= score.repeatability <= 1 for score in one)
        assert max(max(score.count_a, score.count_b) for score in one) <= 80


def test_what_theory_says(found: FeatureTest) -> None:
    # corners of one fixed size are lost when the picture is twice as large; blobs have a size
    at = CHANGES["scale"].levels.index(2.0)
    assert found.curve("harris", "scale", "repeatability")[at] == 0
    assert found.curve("dog", "scale", "repeatability")[at] > 0.4
    # more noise is no help, and both beat chance clearly
    noisy = found.curve("dog", "noise", "repeatability")
    assert noisy[0] > noisy[-1]
    for kind in found.kinds:
        assert found.over_change(kind, "hidden", "repeatability") > 0.6
        assert found.overall(kind, "repeatability") > 0.25 + found.overall(kind, "chance")


def test_threads_and_repetition_change_nothing(found: FeatureTest) -> None:
    again = measure_detectors(
        [shapes_on_grey(), shapes_on_grey(seed=1)],
        ("dog", "harris", "mser"),
        changes=("scale", "noise", "hidden"),
        settings=TrialSettings(limit=80),
        threads=3,
    )
    assert again.scores == found.scores


def test_a_larger_picture_is_scaled_down_first() -> None:
    terms = TrialSettings(limit=20, longest=100)
    test = measure_detectors([shapes_on_grey()], ("harris",), changes=("gain",), settings=terms)
    assert {picture.shape for _, _, picture in test.shown} == {(75, 100, 3)}


def test_listening() -> None:
    heard: list[tuple[int, int]] = []
    measure_detectors(
        [shapes_on_grey()], ("harris",), changes=("gain",), listen=lambda *step: heard.append(step)
    )
    assert heard == [(k, 5) for k in range(1, 6)]


def test_times_are_those_of_the_clock() -> None:
    ticks = iter(range(100))
    test = measure_detectors(
        [shapes_on_grey()], ("harris", "fast"), changes=("gain",), clock=lambda: next(ticks) / 1000
    )
    assert test.milliseconds == pytest.approx({"harris": 1.0, "fast": 1.0})


def test_a_constant_picture_has_nothing_to_repeat() -> None:
    test = measure_detectors([np.full((60, 80, 3), 90, np.uint8)], ("dog", "mser"), changes=("gain",))
    assert all(math.isnan(one.repeatability) for every in test.scores.values() for one in every)
    assert test.best("repeatability") is None
    assert headline(test)[0] == ("most repeatable above chance", "none")
    assert (
        json.loads(json.dumps(test.to_dict(), allow_nan=False))["detectors"][0]["repeatability"] is None
    )
    assert sections(test)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_takes_a_picture_of_one_pixel(kind: str) -> None:
    spots = find_spots(np.zeros((1, 1, 3), np.uint8), kind, limit=5)
    assert len(spots) == 0
    assert describe_spots(np.zeros((1, 1, 3), np.uint8), spots).shape == (0, 128)


def test_ellipses_are_described_as_they_look_when_made_round() -> None:
    """The same surface from the side: descriptors of mapped ellipses agree, those of circles do not."""
    picture = shapes_on_grey((240, 320), seed=4)
    squeeze = np.array([[0.5, 0, 40], [0, 1.0, 0], [0, 0, 1]])
    import cv2

    aside = cv2.warpPerspective(cv2.GaussianBlur(picture, (0, 0), 1.2, sigmaY=0.01), squeeze, (320, 240))
    seen = find_spots(picture, "mser", limit=60).source
    assert isinstance(seen, Regions)
    kept = seen.take((seen.points_xy > 40).all(axis=1) & (seen.points_xy < (280, 200)).all(axis=1))
    mapped = kept.warped(squeeze)
    agree = _agreement(picture, Spots.of(kept), aside, Spots.of(mapped))
    round_ones = _agreement(picture, Spots.of(kept.circles()), aside, Spots.of(mapped.circles()))
    assert agree > 0.75
    assert agree > round_ones + 0.2


def _agreement(one: Picture, a: Spots, other: Picture, b: Spots) -> float:
    """Share of spots whose nearest descriptor in the other picture is their own."""
    first, second = describe_spots(one, a), describe_spots(other, b)
    nearest = np.linalg.norm(first[:, None] - second[None], axis=2).argmin(axis=1)
    return float((nearest == np.arange(len(a))).mean())


def test_the_report_shows_each_change(found: FeatureTest) -> None:
    made = sections(found)
    assert [one.title for one in made] == [
        "In short",
        "Scale",
        "Noise",
        "Part hidden",
        "How it is measured",
    ]
    scale = made[1].figures
    assert isinstance(scale[0], Gallery)
    assert len(scale[0].items) == len(CHANGES["scale"].levels)
    lines = [figure for figure in scale if isinstance(figure, Lines)]
    assert [one.title for one in lines] == ["Repeatability", "Matching score"]
    assert [curve.name for curve in lines[0].curves] == [*found.kinds, "chance"]
    assert list(lines[0].curves[0].y) == found.curve("dog", "scale", "repeatability")
    table = made[0].figures[0]
    assert isinstance(table, Table)
    assert {row[0] for row in table.rows} == set(found.kinds)


def test_many_detectors_share_no_axes() -> None:
    test = measure_detectors([shapes_on_grey()], KINDS, changes=("gain",))
    lines = [figure for figure in sections(test)[1].figures if isinstance(figure, Lines)]
    assert len(lines) == 4
    assert max(len(one.curves) for one in lines) <= 8
    for measure in (lines[:2], lines[2:]):
        names = {curve.name for one in measure for curve in one.curves} - {"chance"}
        assert names == set(KINDS)


def test_means_leave_out_what_is_not_known() -> None:
    assert mean([0.5, math.nan, 1.0]) == 0.75
    assert math.isnan(mean([math.nan]))
    assert math.isnan(mean([]))


def test_what_cannot_be_measured_is_told() -> None:
    picture = np.zeros((20, 30, 3), np.uint8)
    with pytest.raises(UnknownNameError, match="did you mean 'harris'"):
        measure_detectors([picture], ("haris",))
    with pytest.raises(UnknownNameError, match="unknown change"):
        measure_detectors([picture], ("harris",), changes=("size",))
    with pytest.raises(SettingError, match="no picture"):
        measure_detectors([], ("harris",))
    with pytest.raises(SettingError, match="no detector"):
        measure_detectors([picture], ())
    with pytest.raises(SettingError, match="overlap"):
        TrialSettings.parse({"overlap": 0.6})
