from __future__ import annotations

import numpy as np
import pytest

from striate.task import Task
from striate.tasks.detect.agreement import detection_differences
from striate.tasks.detect.config import DetectConfig, DetectFacts
from striate.tasks.detect.task import Detect

FACTS = DetectFacts.parse(
    {"method": "fcos", "model": "m", "names": ("ant", "bee", "cow"), "size_hw": (64, 96)}
)
NOTHING = [0.0] * 4


def answers(scores: list[float], boxes: list[list[float]], labels: list[int]) -> dict[str, np.ndarray]:
    """Outputs for one picture."""
    return {
        "boxes": np.asarray([boxes], np.float32),
        "scores": np.asarray([scores], np.float32),
        "labels": np.asarray([labels], np.int64),
    }


OWN = answers([0.9, 0.6, 0.0], [[0, 0, 30, 30], [40, 0, 70, 30], NOTHING], [0, 1, 0])


def test_equal_answers_in_another_order_do_not_differ() -> None:
    other = answers([0.6, 0.9, 0.0], [[40, 0, 70, 30], [0, 0, 30, 30], NOTHING], [1, 0, 2])
    for one in (OWN, other):
        assert set(detection_differences(OWN, one, FACTS).values()) == {0.0}


@pytest.mark.parametrize(
    ("other", "name", "least"),
    [
        (answers([0.9, 0.5], [[0, 0, 30, 30], [40, 0, 70, 30]], [0, 1]), "scores", 0.09),
        (answers([0.9, 0.6], [[0, 0, 30, 30], [40.09, 0, 70.09, 30]], [0, 1]), "boxes", 0.0009),
        (answers([0.9, 0.6], [[0, 0, 30, 30], [41, 0, 71, 30]], [0, 1]), "unpaired", 0.4),
        (answers([0.9, 0.6], [[0, 0, 30, 30], [40, 0, 70, 30]], [0, 2]), "unpaired", 0.4),
        (answers([0.9, 0.6], [[0, 0, 30, 30], [40, 20, 70, 50]], [0, 1]), "unpaired", 0.4),
        (answers([0.9, 0.0], [[0, 0, 30, 30], NOTHING], [0, 1]), "unpaired", 0.3),
        (answers([0.0, 0.0], [NOTHING, NOTHING], [0, 1]), "unpaired", 0.9),
    ],
    ids=["score", "moved a hair", "moved", "another class", "elsewhere", "one lost", "all lost"],
)
def test_other_answers_differ(other: dict[str, np.ndarray], name: str, least: float) -> None:
    assert detection_differences(OWN, other, FACTS)[name] >= least


def test_answers_that_only_the_other_graph_gives_differ() -> None:
    """A graph that finds more than its network is another model too."""
    only_one = answers([0.9, 0.0], [[0, 0, 30, 30], NOTHING], [0, 1])
    assert detection_differences(only_one, OWN, FACTS)["unpaired"] > 0.1


def test_what_is_barely_above_the_threshold_may_be_missing() -> None:
    own = answers([0.9, 0.0205], [[0, 0, 30, 30], [40, 0, 70, 30]], [0, 1])
    other = answers([0.9, 0.0], [[0, 0, 30, 30], NOTHING], [0, 1])
    assert set(detection_differences(own, other, FACTS).values()) == {0.0}


def test_a_graph_that_suppresses_less_differs() -> None:
    """Each further answer could be a hair's work, all of them cannot."""
    places = [[10.0 * row, 0, 10.0 * row + 9, 9] for row in range(8)]
    beside = [[left + 1, top, right + 1, bottom] for left, top, right, bottom in places]
    own = answers([0.9] * 8, places, [0] * 8)
    more = answers([0.9] * 8 + [0.8] * 8 + [0.0], [*places, *beside, NOTHING], [0] * 17)
    assert detection_differences(own, more, FACTS)["unpaired"] > 0.3
    one = answers([0.9] * 8 + [0.8, 0.0], [*places, beside[0], NOTHING], [0] * 10)
    assert detection_differences(own, one, FACTS)["unpaired"] == 0.0


def test_no_answers_at_all_do_not_differ() -> None:
    none = answers([0.0], [NOTHING], [0])
    assert set(detection_differences(none, none, FACTS).values()) == {0.0}


def test_boxes_without_area_agree_with_themselves() -> None:
    """An untrained network, or a clipped box: no area, and so no overlap even with itself."""
    flat = answers([0.9, 0.5], [[5, 5, 5, 40], [96, 0, 96, 64]], [0, 1])
    assert set(detection_differences(flat, flat, FACTS).values()) == {0.0}


def test_what_a_task_says_by_default() -> None:
    """Differences are relative to the largest number, where it exceeds 1."""
    task = Detect(DetectConfig(), FACTS)
    own = {"a": np.array([[200.0, 1.0]]), "b": np.array([0.5]), "c": np.zeros((0, 3))}
    other = {"a": np.array([[198.0, 1.0]]), "b": np.array([0.4]), "c": np.zeros((0, 3))}
    assert Task.differences(task, own, other) == pytest.approx({"a": 0.01, "b": 0.1, "c": 0.0})
    nan = {name: value * np.nan for name, value in own.items()}
    assert np.isnan(Task.differences(task, own, nan)["a"])
