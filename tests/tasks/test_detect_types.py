from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from striate.tasks.detect.types import Detections

NAMES = ("cat", "dog")


def make(**changes: Any) -> Detections:
    parts: dict[str, Any] = {
        "names": NAMES,
        "boxes_xyxy": np.array([[1, 2, 9, 8], [0, 0, 4, 4.12345]], np.float32),
        "scores": np.array([0.75, 0.5], np.float32),
        "labels": np.array([1, 0]),
    }
    return Detections(**(parts | changes))


def test_to_dict_is_json_and_best_first() -> None:
    found = make(angles_deg=np.array([30, -5], np.float32), track_ids=np.array([4, -1]))
    told = json.loads(json.dumps(found.to_dict()))["detections"]
    assert told[0] == {
        "box_xyxy": [1, 2, 9, 8], "label": "dog", "score": 0.75, "angle_deg": 30, "track_id": 4,
    }  # fmt: skip
    assert told[1]["box_xyxy"] == [0, 0, 4, 4.123]
    assert make().to_dict()["detections"][1].keys() == {"box_xyxy", "label", "score"}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"boxes_xyxy": np.zeros((2, 4))}, "boxes_xyxy: expected float32"),
        ({"boxes_xyxy": np.zeros((1, 4), np.float32)}, r"\(2, 4\)"),
        ({"scores": np.array([0.5, 0.75], np.float32)}, "best first"),
        ({"scores": np.array([1.5, 0.75], np.float32)}, r"\[0, 1\]"),
        ({"scores": np.array([0.5, -0.1], np.float32)}, r"\[0, 1\]"),
        ({"labels": np.array([2, 0])}, r"0\.\.1"),
        ({"labels": np.array([1, 0], np.int32)}, "labels: expected int64"),
        ({"angles_deg": np.zeros(2)}, "angles_deg"),
        ({"track_ids": np.zeros(3, np.int64)}, "track_ids"),
    ],
)
def test_what_is_not_right_is_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        make(**changes)


def test_take_and_above_keep_everything_together() -> None:
    found = make(angles_deg=np.array([30, -5], np.float32), track_ids=np.array([4, -1]))
    second = found.take(np.array([1]))
    assert (len(second), second.label_names()) == (1, ["cat"])
    assert second.angles_deg is not None
    assert second.track_ids is not None
    assert (second.angles_deg.tolist(), second.track_ids.tolist()) == ([-5], [-1])
    assert len(found.above(0.5)) == 2
    assert len(found.above(0.51)) == 1
    assert len(found.above(0.9)) == 0


def test_nothing_is_legal() -> None:
    empty = make().take(np.zeros(2, bool))
    assert empty.to_dict() == {"detections": []}
    assert "nothing was found" in empty._repr_html_()
    assert empty.plot(np.zeros((200, 300, 3), np.uint8)).shape == (200, 300, 3)


def test_html_is_escaped() -> None:
    found = make(names=("<b>", "a & b"))
    assert "&lt;b&gt;" in found._repr_html_()
    assert "a &amp; b" in found._repr_html_()


def test_plot_draws() -> None:
    picture = np.full((200, 300, 3), 128, np.uint8)
    drawn = make().plot(picture)
    assert (drawn != picture).any()
    assert (picture == 128).all()
