from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from striate.data.boxes.truth import Box, Boxes
from striate.errors import RunError
from striate.pictures.resize import fit
from striate.tasks.detect.config import DetectFacts
from striate.tasks.detect.decode import answers_from, calibrated_facts, honest
from striate.tasks.detect.types import Detections
from striate.types import Array, Prepared

NAMES = ("ant", "bee")


def facts_of(**changes: object) -> DetectFacts:
    return DetectFacts.parse(
        {"method": "fcos", "model": "resnet18", "names": NAMES, "size_hw": (64, 96), **changes}
    )


def padded(size_hw: tuple[int, int]) -> Prepared:
    return fit(np.zeros((*size_hw, 3), np.uint8), (64, 96), how="pad")


def told(
    boxes: list[list[float]], scores: list[float], labels: list[int] | None = None
) -> dict[str, Array]:
    """Outputs for one picture."""
    return {
        "boxes": np.asarray([boxes], np.float32).reshape(1, -1, 4),
        "scores": np.asarray([scores], np.float32),
        "labels": np.asarray([labels or [0] * len(scores)], np.int64),
    }


@settings(max_examples=60, deadline=None)
@given(
    st.tuples(st.integers(1, 300), st.integers(1, 300)),
    st.lists(st.floats(0, 1), min_size=4, max_size=4),
)
def test_padding_and_scale_are_undone(size_hw: tuple[int, int], shares: list[float]) -> None:
    prepared = padded(size_hw)
    x0, x1 = sorted((shares[0] * size_hw[1] * 0.9, size_hw[1] * (0.9 * shares[1] + 0.1)))
    y0, y1 = sorted((shares[2] * size_hw[0] * 0.9, size_hw[0] * (0.9 * shares[3] + 0.1)))
    if min(x1 - x0, y1 - y0) * min(prepared.scale_yx) < 1e-2:
        return
    (scale_y, scale_x), (offset_y, offset_x) = prepared.scale_yx, prepared.offset_yx
    inside = [x0 * scale_x + offset_x, y0 * scale_y + offset_y]
    inside += [x1 * scale_x + offset_x, y1 * scale_y + offset_y]
    (found,) = answers_from(told([inside], [0.9]), [prepared], facts_of())
    # float32 of the input, as far as the picture was shrunk
    exact = 2e-5 * max(1.0, 1.0 / min(prepared.scale_yx))
    np.testing.assert_allclose(found.boxes_xyxy[0], [x0, y0, x1, y1], atol=exact, rtol=1e-5)


def test_the_whole_picture_is_the_whole_picture() -> None:
    """128 × 64 lies in the middle of 64 × 96: 32 columns, and 32 grey ones to each side."""
    (found,) = answers_from(told([[32, 0, 64, 64]], [0.9]), [padded((128, 64))], facts_of())
    assert found.boxes_xyxy.tolist() == [[0, 0, 64, 128]]


def test_boxes_are_cut_at_the_edges_and_gone_where_only_grey_is() -> None:
    prepared = padded((128, 64))
    boxes = [[10.0, 10, 50, 40], [0, 0, 30, 60], [70, 5, 90, 60], [40, -5, 200, 70]]
    (found,) = answers_from(told(boxes, [0.5, 0.9, 0.8, 0.7]), [prepared], facts_of())
    assert found.boxes_xyxy.tolist() == [[16, 0, 64, 128], [0, 20, 36, 80]]
    assert found.scores.tolist() == pytest.approx([0.7, 0.5])


def test_best_first_above_the_threshold_in_the_right_classes() -> None:
    boxes = [[k, k, k + 9.0, k + 9.0] for k in range(5)]
    outputs = told(boxes, [0.2, 0.9, 0.05, 0.0, 0.5], [0, 1, 1, 0, 1])
    (found,) = answers_from(outputs, [padded((64, 96))], facts_of(score_threshold=0.1))
    assert found.scores.tolist() == pytest.approx([0.9, 0.5, 0.2])
    assert found.label_names() == ["bee", "bee", "ant"]
    assert found.boxes_xyxy[:, 0].tolist() == [1, 4, 0]
    (none,) = answers_from(told([], []), [padded((64, 96))], facts_of())
    assert len(none) == 0


def test_softly_settled_answers_stay_and_score_less() -> None:
    boxes = [[0.0, 0, 20, 20], [2, 0, 22, 20], [60, 30, 80, 60]]
    outputs = told(boxes, [0.9, 0.8, 0.5])
    (hard,) = answers_from(outputs, [padded((64, 96))], facts_of())
    (soft,) = answers_from(outputs, [padded((64, 96))], facts_of(nms="soft"))
    assert hard.scores.tolist() == pytest.approx([0.9, 0.8, 0.5])  # the graph has settled them
    assert len(soft) == 3
    assert soft.scores[0] == pytest.approx(0.9)
    assert soft.boxes_xyxy[1].tolist() == [60, 30, 80, 60]
    assert soft.scores[2] < 0.4
    (apart,) = answers_from(
        told(boxes[:2], [0.9, 0.8], [0, 1]), [padded((64, 96))], facts_of(nms="soft")
    )
    assert apart.scores.tolist() == pytest.approx([0.9, 0.8])  # other classes are left alone


def test_a_graph_of_another_task_is_named() -> None:
    with pytest.raises(RunError, match="no output 'boxes' but logits"):
        answers_from({"logits": np.zeros((1, 3), np.float32)}, [padded((9, 9))], facts_of())


# -- honest scores --------------------------------------------------------------------------------


def simulate(pictures: int, share_right: object, seed: int) -> tuple[list[Detections], list[Boxes]]:
    """Answers that are right with probability `share_right(score)`: ten objects in a row, far apart."""
    assert callable(share_right)
    rng = np.random.default_rng(seed)
    answers, truths = [], []
    for _ in range(pictures):
        scores = np.sort(rng.uniform(0.02, 0.98, 10))[::-1].astype(np.float32)
        right = rng.random(10) < share_right(scores)
        labels = rng.integers(0, 2, 10)
        left = 20.0 * np.arange(10)
        boxes = np.stack([left, np.zeros(10), left + 10, np.full(10, 10.0)], axis=1)
        truths.append(
            tuple(
                Box(NAMES[label], tuple(box))  # type: ignore[arg-type]
                for box, label in zip(boxes.tolist(), labels.tolist(), strict=True)
            )
        )
        boxes[~right, 1::2] += 40.0  # beneath the object
        answers.append(Detections(NAMES, boxes.astype(np.float32), scores, labels))
    return answers, truths


@pytest.mark.parametrize("share_right", [lambda s: s**2, np.sqrt, lambda s: 0.3 + 0.2 * s, lambda s: s])
def test_calibrated_scores_are_the_share_of_right_answers(share_right: object) -> None:
    assert callable(share_right)
    answers, truths = simulate(400, share_right, seed=1)
    learnt = calibrated_facts(answers, truths, facts_of(), 0.5)
    raw = np.linspace(0.05, 0.95, 50)
    found = honest(raw, learnt)
    np.testing.assert_allclose(found, share_right(raw), atol=0.06)
    assert (np.diff(found) >= 0).all()
    assert learnt.show_from == pytest.approx(share_right(0.5), abs=0.06)


@settings(max_examples=60, deadline=None)
@given(st.floats(0, 20), st.floats(0, 20), st.floats(-20, 20))
def test_no_curve_turns_the_order_round(a: float, b: float, c: float) -> None:
    scores = np.concatenate([[0.0], np.geomspace(1e-7, 1, 200)])
    found = honest(scores, facts_of(score_curve=(a, b, c)))
    assert (np.diff(found) >= 0).all()
    assert ((found >= 0) & (found <= 1)).all()


def test_scores_that_tell_nothing_of_rightness_get_no_curve_that_turns_them() -> None:
    answers, truths = simulate(200, lambda s: 1.0 - s, seed=2)
    learnt = calibrated_facts(answers, truths, facts_of(), 0.5)
    raw = np.linspace(0.05, 0.95, 20)
    assert (np.diff(honest(raw, learnt)) >= 0).all()


@pytest.mark.parametrize("share_right", [np.ones_like, np.zeros_like])
def test_nothing_to_learn_from_is_no_curve(share_right: object) -> None:
    answers, truths = simulate(20, share_right, seed=3)
    learnt = calibrated_facts(answers, truths, facts_of(), 0.37)
    assert learnt.score_curve == ()
    assert learnt.show_from == 0.37
    assert calibrated_facts([], [], facts_of(), 0.37).score_curve == ()


def test_an_object_is_found_once_by_the_best_answer_of_its_class() -> None:
    """Twenty pictures with one object: a right answer, a copy of it, and one of the other class."""
    box = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [0, 0, 10, 10]], np.float32)
    answer = Detections(NAMES, box, np.array([0.9, 0.5, 0.1], np.float32), np.array([0, 0, 1]))
    truth: Boxes = (Box("ant", (0, 0, 10, 10)),)
    learnt = calibrated_facts([answer] * 20, [truth] * 20, facts_of(), 0.5)
    found = honest(answer.scores, learnt)
    assert found[0] > 0.95
    assert found[1] < 0.1
    assert found[2] < 0.1


def test_what_is_not_to_be_counted_teaches_neither() -> None:
    """Answers on crowds and on difficult objects are neither right nor wrong in the metrics."""
    answers, truths = simulate(100, lambda s: s, seed=4)
    plain = calibrated_facts(answers, truths, facts_of(), 0.5)
    regions = np.array([[300, 0, 400, 100], [300, 200, 340, 240]], np.float32)
    more = []
    for one in answers:
        scores = np.append(one.scores, np.array([0.1, 0.1], np.float32))
        order = np.argsort(-scores, kind="stable")
        boxes, labels = np.concatenate([one.boxes_xyxy, regions]), np.append(one.labels, [0, 0])
        more.append(Detections(NAMES, boxes[order], scores[order], labels[order]))
    uncounted = (
        Box("ant", (300, 0, 400, 100), crowd=True),
        Box("ant", (300, 200, 340, 240), difficult=True),
    )
    learnt = calibrated_facts(more, [(*boxes, *uncounted) for boxes in truths], facts_of(), 0.5)
    raw = np.linspace(0.05, 0.95, 19)
    np.testing.assert_allclose(honest(raw, learnt), honest(raw, plain), atol=0.02)


def test_turned_answers_keep_their_angle_and_are_settled_as_they_lie() -> None:
    """Two crossed bars share their middle, and little else; the third lies on the first."""
    boxes = [[20.0, 28, 60, 36, 0], [20, 28, 60, 36, 90], [21, 28, 61, 36, 2], [300, 9, 320, 12, 10]]
    outputs = told([], []) | {
        "boxes": np.asarray([boxes], np.float32),
        "scores": np.asarray([[0.9, 0.8, 0.7, 0.6]], np.float32),
        "labels": np.zeros((1, 4), np.int64),
    }
    (found,) = answers_from(outputs, [padded((128, 192))], facts_of(oriented=True))
    assert found.boxes_xyxy.tolist() == [[40, 56, 120, 72], [40, 56, 120, 72]]
    assert found.angles_deg is not None
    assert found.angles_deg.tolist() == [0, 90]
    none = {name: value[:, :0] for name, value in outputs.items()}
    (nothing,) = answers_from(none, [padded((128, 192))], facts_of(oriented=True))
    assert len(nothing) == 0
    assert nothing.angles_deg is not None
