"""The statistics of an ablation, what it tries, and how a task's answers are scored."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from striate.data.boxes.truth import Box
from striate.errors import UnknownNameError
from striate.task import task_names
from striate.tasks.detect.types import Detections
from striate.verbs.ablate import candidates_named
from striate.verbs.ablating.arms import CANDIDATES, NOT_FOR, arms_left_out
from striate.verbs.ablating.effects import Ablation, Scores, Unit, measure_effects
from striate.verbs.ablating.scoring import TASK_SCORES
from striate.verbs.training.request import Request

# -- statistics -------------------------------------------------------------------------------


def luck(rng: np.random.Generator, arms: int, seeds: int, spread: float, *, same: bool) -> Scores:
    """Right or wrong where training is luck: each training has a quality of its own, and each arm's
    pictures are right together more often than not."""
    found, pictures = {}, rng.random(250)
    for seed in range(seeds):
        hard = pictures if same else rng.random(250)
        for arm in range(arms):
            quality = 0.7 + rng.normal(0, spread)
            own = rng.normal(0, 0.1, 250)
            found[f"arm{arm}", seed] = (hard + own < quality).astype(float)
    return found


@pytest.mark.parametrize("same", [True, False])
def test_where_nothing_helps_hardly_anything_is_said_to(same: bool) -> None:
    rng = np.random.default_rng(5)
    wrong, trials = 0, 40
    arms = [(f"arm{one}", "arm0", "added") for one in range(1, 5)]
    for _ in range(trials):
        scores = luck(rng, 5, 3, 0.02, same=same)
        effects = measure_effects(
            scores,
            arms,  # type: ignore[arg-type]
            range(3),
            {arm: {} for arm, _, _ in arms},
            {arm: arm for arm, _, _ in arms},
            same_pictures=same,
        )
        wrong += sum(one.verdict != "no measurable effect" for one in effects)
    assert wrong / (4 * trials) < 0.08


def test_more_seeds_make_the_interval_narrower() -> None:
    rng = np.random.default_rng(0)
    widths = []
    for seeds in (2, 4, 12):
        scores = luck(rng, 6, seeds, 0.02, same=True)
        (one,) = measure_effects(
            scores, [("arm1", "arm0", "added")], range(seeds), {"arm1": {}}, {"arm1": "x"},
            same_pictures=True,
        )  # fmt: skip
        widths.append(one.high - one.low)
        assert one.low <= one.gain <= one.high
    assert widths[0] > widths[1] > widths[2]


def test_the_interval_is_that_of_a_block_design() -> None:
    """Pictures without luck (all the same): the t interval of randomised blocks, by hand."""
    scores = {
        ("a", 0): np.full(9, 0.50), ("a", 1): np.full(9, 0.60),
        ("b", 0): np.full(9, 0.56), ("b", 1): np.full(9, 0.64),
        ("c", 0): np.full(9, 0.50), ("c", 1): np.full(9, 0.62),
    }  # fmt: skip
    effects = measure_effects(
        scores,
        [("b", "a", "added"), ("c", "a", "added")],
        (0, 1),
        {"b": {}, "c": {}},
        {"b": "b", "c": "c"},
        same_pictures=True,
    )
    b = next(one for one in effects if one.name == "b")
    assert b.gain == pytest.approx(0.05)
    # per-seed differences from the first: a 0.10, b 0.08, c 0.12; residual sum of squares 0.0004
    half = 4.302653 * np.sqrt(2 * 0.0004 / 2 / 2)
    assert (b.low, b.high) == pytest.approx((0.05 - half, 0.05 + half), abs=1e-6)


# -- what is tried ----------------------------------------------------------------------------


def test_candidates_are_settings_and_suit_the_task() -> None:
    for settings in CANDIDATES.values():
        Request.of("digits", "classify", settings)
    assert {"mixup", "cutmix", "erase", "noise", "randaugment", "trivialaugment", "augmix"} <= set(
        CANDIDATES
    )
    for task, names in NOT_FOR.items():
        assert names <= set(CANDIDATES)
        assert not names & set(candidates_named((), task))
    assert list(candidates_named(("blur", "mixup"), "classify")) == ["blur", "mixup"]
    with pytest.raises(UnknownNameError, match="blurr"):
        candidates_named(("blurr",), "classify")
    assert set(TASK_SCORES) == set(task_names())


def test_presets_are_taken_apart_into_what_is_on() -> None:
    arms = arms_left_out(
        {"augment": "auto"}, {"flip": "horizontal", "crop": 0.25, "rotate_deg": 0.0, "erase": 0.1}
    )
    assert [arm.name for arm in arms] == ["preset", "flip", "crop", "erase"]
    assert arms[1].settings == {"augment": "auto", "flip": "none"}


def test_changes_are_told_with_their_sign() -> None:
    assert Unit("accuracy").text(0.0123) == "+1.2 points"
    assert Unit("accuracy").text(-0.2) == "−20.0 points"
    assert Unit("spreads", share=False).text(-0.125) == "−0.125 spreads"


def test_scores_are_a_number_a_picture() -> None:
    right = TASK_SCORES["classify"][0]
    answers = [SimpleNamespace(labels=one) for one in (("a",), ("b",), ("a", "b"), ())]
    found = right(None, answers, [("a",), ("a",), ("a",), ()])  # type: ignore[arg-type]
    assert found.tolist() == [1, 0, 0.5, 1]
    facts = SimpleNamespace(model_dump=lambda: {"is_angle": (False, True), "scale": (2.0, 10.0)})
    model: Any = SimpleNamespace(task=SimpleNamespace(facts=facts))
    values = [SimpleNamespace(values=np.array([3.0, 355.0]))]
    near = TASK_SCORES["regress"][0](model, values, [(1.0, 5.0)])
    assert near == pytest.approx([-(2 / 2 + 10 / 10) / 2])


def test_boxes_are_scored_within_their_picture() -> None:
    box, other = (10.0, 10.0, 30.0, 30.0), (50.0, 50.0, 70.0, 70.0)

    def told(*boxes: tuple[float, ...], scores: tuple[float, ...]) -> Detections:
        count = len(boxes)
        where = np.array(boxes, np.float32).reshape(count, 4)
        return Detections(("a",), where, np.array(scores, np.float32), np.zeros(count, np.int64))

    answers = [
        told(box, other, scores=(0.9, 0.8)),
        told(box, scores=(0.9,)),
        told(other, box, scores=(0.9, 0.8)),
        told(scores=()),
        told(box, scores=(0.9,)),
        told(scores=()),
    ]
    both, one, none = (Box("a", box), Box("a", other)), (Box("a", box),), ()
    truths: list[Any] = [both, both, one, one, none, none]
    model: Any = SimpleNamespace(names=("a",))
    found = TASK_SCORES["detect"][0](model, answers, truths)
    assert found == pytest.approx([1, 51 / 101, 0.5, 0, 0, 1], abs=0.01)


def test_what_findings_lack_is_told() -> None:
    few = Ablation(
        "photos", "classify", "right answers", Unit("", True), (), {}, (0,), 40, 1, 3,
        left=("blur, added, seed 0: no time was left for it",),
    )  # fmt: skip
    assert few.limits() == [
        "Blur, added, seed 0: no time was left for it.",
        "With one seed the luck of training is not in the intervals: they are too narrow.",
        "Measured on 40 pictures: one right answer more is +2.5 points.",
    ]
    assert few.to_dict()["limits"] == few.limits()
    many = Ablation("p", "classify", "right answers", Unit("", True), (), {}, (0, 1), 100, 1, 3)
    assert many.limits() == []
    spreads = Ablation("p", "regress", "error", Unit("", False), (), {}, (0, 1), 10, 1, 3)
    assert spreads.limits() == []
