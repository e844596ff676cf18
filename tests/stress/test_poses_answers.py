"""What counts as misread, against cases worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from striate.data.meshes.rotation import angles_to_matrix
from striate.stress.poses import Answers, Poses
from striate.stress.poses_answers import (
    MISPLACED,
    MISSED,
    UNSEEN,
    answers_in_angles,
    answers_in_boxes,
    answers_in_classes,
    hidden,
    rule_of_angles,
    rule_of_boxes,
)
from striate.tasks.classify.types import Classification
from striate.tasks.detect.types import Detections
from striate.tasks.regress.types import Regression
from striate.types import Array

NAMES = ("bus", "truck")
BOX = np.array([[10.0, 10.0, 30.0, 30.0]])
NOWHERE = np.full((1, 4), np.nan)
HALF = (10, 10, 20, 30)
"""Overlaps `BOX` by exactly a half."""


def detections(*found: tuple[str, float, tuple[float, ...]], turned: float | None = None) -> Detections:
    ranked = sorted(found, key=lambda one: -one[1])
    return Detections(
        NAMES,
        np.array([one[2] for one in ranked], np.float32).reshape(-1, 4),
        np.array([one[1] for one in ranked], np.float32),
        np.array([NAMES.index(one[0]) for one in ranked], np.int64),
        None if turned is None else np.full(len(ranked), turned, np.float32),
    )


def judged(*found: tuple[str, float, tuple[float, ...]], box: Array = BOX) -> Answers:
    return answers_in_boxes([detections(*found)], box, 0, 0.4)


def test_a_box_of_the_right_class_that_overlaps_by_half_is_right() -> None:
    found = judged(("truck", 0.9, (10, 10, 30, 30)), ("bus", 0.7, HALF))
    assert found.said == ("bus",)
    assert not found.wrong[0]
    assert found.sure[0] == pytest.approx(0.7)
    assert found.loss[0] == pytest.approx(1 - 0.7 * 0.5)
    less = judged(("bus", 0.7, (10, 10, 19, 30)))
    assert less.said == (MISPLACED,)
    assert less.wrong[0]


def test_a_box_that_the_run_would_not_show_does_not_count_but_is_followed() -> None:
    found = judged(("bus", 0.39, (10, 10, 30, 30)))
    assert found.said == (MISSED,)
    assert found.wrong[0]
    assert found.loss[0] == pytest.approx(0.61)
    assert judged(("bus", 0.4, (10, 10, 30, 30))).said == ("bus",)  # float32 and float64 agree


def test_what_is_said_of_a_misread_pose() -> None:
    other = judged(("truck", 0.9, (11, 10, 30, 30)), ("bus", 0.8, (0, 10, 14, 30)))
    assert (other.said, other.sure[0]) == (("truck",), pytest.approx(0.9))
    near = judged(("truck", 0.9, (60, 60, 70, 70)), ("bus", 0.8, (0, 10, 14, 30)))
    assert (near.said, near.sure[0]) == ((MISPLACED,), pytest.approx(0.8))
    far = judged(("bus", 0.8, (29, 29, 60, 60)))
    assert far.said == (MISSED,)
    assert far.loss[0] == pytest.approx(1, abs=0.01)


def test_nothing_found_is_a_whole_loss() -> None:
    found = judged()
    assert (found.said, found.wrong[0], found.loss[0], found.sure[0]) == ((MISSED,), True, 1.0, 1.0)


def test_the_loss_falls_as_the_box_fits_better() -> None:
    losses = [
        judged(("bus", score, (10, 10, right, 30))).loss[0]
        for score, right in ((0.1, 15), (0.3, 15), (0.3, 25), (0.9, 25), (0.9, 30))
    ]
    assert losses == sorted(losses, reverse=True)


def test_of_a_turned_box_the_upright_one_around_it_counts() -> None:
    # 20 × 20 turned by 45° stands in a box of 28.3 × 28.3 about the same middle
    found = answers_in_boxes([detections(("bus", 1.0, (10, 10, 30, 30)), turned=45)], BOX, 0, 0.4)
    assert found.loss[0] == pytest.approx(1 - 0.5, abs=1e-5)


def test_the_rule_is_told() -> None:
    told = rule_of_boxes("bus", 0.4)
    assert "IoU of 0.5" in told.misread
    assert "a score of 0.40" in told.misread
    assert "score × IoU" in told.raised
    assert told.drawn


def test_a_pose_that_shows_nothing_is_not_misread() -> None:
    everything = answers_in_boxes([detections(), detections()], np.concatenate([NOWHERE, BOX]), 0, 0.4)
    found = hidden(everything, np.concatenate([NOWHERE, BOX]))
    assert found.said == (UNSEEN, MISSED)
    assert found.wrong.tolist() == [False, True]
    assert found.loss[0] < found.loss[1]


def test_classes() -> None:
    rows = np.array([[0.7, 0.3], [0.2, 0.8]], np.float32)
    said = [Classification(NAMES, row, (NAMES[row.argmax()],)) for row in rows]
    found = answers_in_classes(said, 0)
    assert found.said == ("bus", "truck")
    assert found.wrong.tolist() == [False, True]
    np.testing.assert_allclose(found.loss, [np.log(3 / 7), np.log(4)], rtol=1e-5)


def numbers(names: tuple[str, ...], *values: float) -> Regression:
    blank = np.full(len(values), np.nan)
    return Regression(names, np.array(values, np.float64), blank, blank)


def test_angles_that_are_all_given_are_judged_by_the_turn_between() -> None:
    pose = Poses(angles_to_matrix([[0.0]], [[0.0]], [[0.0]])[0], np.zeros((1, 5)))
    found = answers_in_angles([numbers(("roll", "pitch", "yaw"), 0, 0, 16)], [2, 1, 0], pose)
    assert found.sure[0] == pytest.approx(16)
    assert found.wrong[0]
    assert found.said == ("roll 0°, pitch 0°, yaw 16°",)
    assert "turn between" in rule_of_angles([2, 1, 0]).misread


def test_of_some_angles_the_mean_error_counts_and_wraps() -> None:
    pose = Poses(angles_to_matrix([[175.0]], [[0.0]], [[0.0]])[0], np.zeros((1, 5)))
    found = answers_in_angles([numbers(("yaw-deg", "pitch"), -175, 4)], [0, 1], pose)
    np.testing.assert_allclose(found.off, [[10, 4]], atol=1e-6)
    assert found.sure[0] == pytest.approx(7)
    assert not found.wrong[0]
    assert found.said == ("yaw-deg −175°, pitch 4°",)
