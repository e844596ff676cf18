from __future__ import annotations

from typing import get_args

import pytest

from striate.errors import SettingError
from striate.tasks.detect.config import METHODS, DetectConfig, DetectFacts, Method, Nms


def test_every_method_is_explained_in_a_line() -> None:
    assert set(METHODS) == set(get_args(Method))
    assert all(20 < len(words) < 105 and words[-1] != "." for words in METHODS.values())


@pytest.mark.parametrize("nms", get_args(Nms))
def test_every_way_to_settle_overlaps_is_accepted(nms: str) -> None:
    assert DetectConfig.parse({"nms": nms}).nms == nms


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("nms", "hard"),
        ("iou_threshold", 0),
        ("iou_threshold", 1.01),
        ("score_threshold", -0.1),
        ("score_threshold", 1),
        ("max_detections", 0),
        ("size", "12by9"),
    ],
)
def test_a_value_out_of_range_is_refused(name: str, value: object) -> None:
    with pytest.raises(SettingError, match=name):
        DetectConfig.parse({name: value})


def test_facts_know_at_least_one_class() -> None:
    with pytest.raises(SettingError, match="names"):
        DetectFacts.parse({"method": "fcos", "model": "resnet18", "names": [], "size_hw": [64, 64]})
    with pytest.raises(SettingError, match="method"):
        DetectFacts.parse({"method": "yolo", "model": "m", "names": ["a"], "size_hw": [64, 64]})
