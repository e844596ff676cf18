from __future__ import annotations

import numpy as np
import pytest

from striate.metrics.detection.confusion import confusion_with_background, most_confused
from striate.metrics.detection.errors import BACKGROUND_IOU, KINDS, causes_of, error_shares
from striate.metrics.detection.luck import bootstrap_ap50
from striate.metrics.detection.matching import Matches, match
from striate.metrics.detection.precision import average, measure
from striate.metrics.detection.tables import Found, Pairs, Truth, overlaps, sort_found, sort_truth
from striate.metrics.detection.thresholds import best_f1, shown_from

CAT, DOG = 0, 1
A, B, C, D = [0, 0, 10, 10], [100, 0, 110, 10], [200, 0, 210, 10], [300, 0, 310, 10]
LOOSE, FAR = [0, 0, 10, 30], [500, 500, 510, 510]


def solved(
    truth: list[tuple[int, list[int]]], found: list[tuple[int, list[int], float]]
) -> tuple[Found, Truth, Pairs, Matches]:
    """One picture with (class, box) and (class, box, score)."""
    truths = sort_truth(
        np.zeros(len(truth)),
        np.array([label for label, _ in truth]),
        np.array([box for _, box in truth], float),
        np.zeros(len(truth)),
    )
    answers = sort_found(
        np.zeros(len(found)),
        np.array([label for label, _, _ in found]),
        np.array([box for _, box, _ in found], float),
        np.array([score for _, _, score in found]),
    )
    pairs = overlaps(answers, truths, floor=BACKGROUND_IOU)
    return answers, truths, pairs, match(answers, truths, pairs)


@pytest.mark.parametrize(
    ("found", "kind"),
    [
        ((DOG, A, 0.5), "class"),
        ((CAT, LOOSE, 0.5), "location"),
        ((DOG, LOOSE, 0.5), "both"),
        ((CAT, FAR, 0.5), "background"),
    ],
)
def test_a_wrong_answer_has_its_cause(found: tuple[int, list[int], float], kind: str) -> None:
    state = solved([(CAT, A), (DOG, B)], [found, (DOG, B, 0.9)])
    causes = causes_of(*state)
    assert [KINDS[one] for one in causes.kind if one >= 0] == [kind]
    shares = error_shares(*state, 2)
    assert {one for one in KINDS if shares[one].count} == (
        {kind} if kind in ("class", "location") else {kind, "missed"}
    )


def test_the_second_answer_about_an_object_is_a_duplicate() -> None:
    state = solved([(CAT, A)], [(CAT, A, 0.9), (CAT, A, 0.8)])
    assert [KINDS[one] for one in causes_of(*state).kind if one >= 0] == ["duplicate"]
    assert error_shares(*state, 1)["duplicate"].lost == 0  # it comes after the last right one


def test_prices_by_hand() -> None:
    # cats: A right; dogs: B called a cat with a higher score than the right cat, C missed
    state = solved([(CAT, A), (DOG, B), (DOG, C)], [(CAT, B, 0.9), (CAT, A, 0.8)])
    shares = error_shares(*state, 2)
    # as it is: cats 1/2 at every recall, dogs 0
    table = measure(state[0], state[1], state[3], 2).precision
    assert average(table[0, ..., 0]) == pytest.approx(0.25)
    # B put right: cats 1; dogs find one of two, precision 1 up to recall .5 (51 of 101)
    assert shares["class"].lost == pytest.approx((1 + 51 / 101) / 2 - 0.25)
    # without C: dogs still find none of one
    assert (shares["missed"].count, shares["missed"].lost) == (1, 0)
    assert shares["false_positive"].lost == pytest.approx(0.5 - 0.25)
    # nothing missing: there is no dog left to find, and none is found: as in the authors' code, 0
    assert (shares["false_negative"].count, shares["false_negative"].lost) == (2, 0)


def test_equals_the_authors_code() -> None:
    """Figures of tidecv 1.0.1 for `make_scene(2, crowd=0, classes=5)` of test_detection_coco."""
    rng = np.random.default_rng(2)
    where, labels = rng.integers(0, 12, 60), rng.integers(0, 5, 60)
    corner, size = rng.uniform(0, 300, (60, 2)), rng.lognormal(3.6, 0.9, (60, 2))
    source = rng.integers(0, 60, 300)
    noise = rng.normal(0, 0.15, (300, 4))
    moved, grown = corner[source] + noise[:, :2] * size[source], size[source] * np.exp(noise[:, 2:])
    swapped = np.where(rng.random(300) < 0.8, labels[source], rng.integers(0, 5, 300))
    scores = rng.random(300).astype(np.float32)
    boxes = np.concatenate([corner, corner + size], axis=1).astype(np.float32)
    truth = sort_truth(where, labels, boxes, np.zeros(60))
    found = sort_found(
        where[source], swapped, np.concatenate([moved, moved + grown], axis=1).astype(np.float32), scores
    )
    pairs = overlaps(found, truth, floor=BACKGROUND_IOU)
    shares = error_shares(found, truth, pairs, match(found, truth, pairs), 5)
    known = {
        "class": (30, 0.06128935190107235),
        "location": (71, 0.10801410628056651),
        "both": (11, 0.020811252008993718),
        "duplicate": (130, 0.09125021804408519),
        "background": (0, 0.0),
        "missed": (0, 0.0),
        "false_positive": (242, 0.43109782829822657),
        "false_negative": (2, 0.012763391408544109),
    }
    assert {kind: one.count for kind, one in shares.items()} == {
        kind: n for kind, (n, _) in known.items()
    }
    for kind, (_, lost) in known.items():
        assert shares[kind].lost == pytest.approx(lost, abs=1e-9), kind


def test_confusion_pairs_same_class_first() -> None:
    # a dog lies more exactly on the cat than the answer cat; the cat is still found
    state = solved(
        [(CAT, A), (DOG, B), (DOG, C)],
        [(DOG, A, 0.9), (CAT, [0, 0, 10, 12], 0.8), (CAT, B, 0.7), (CAT, FAR, 0.6), (CAT, FAR, 0.1)],
    )
    counts = confusion_with_background(*state, classes=2, score_from=0.5)
    assert counts.tolist() == [[1, 0, 0], [1, 0, 1], [1, 1, 0]]
    assert most_confused(counts, 2) == [(1, 0, 1), (1, 2, 1)]


def test_confusion_sums_to_objects_and_answers() -> None:
    rng = np.random.default_rng(3)
    corner = rng.uniform(0, 60, (50, 2))
    boxes = np.concatenate([corner, corner + rng.uniform(10, 30, (50, 2))], axis=1)
    truth = sort_truth(np.zeros(20), rng.integers(0, 3, 20), boxes[:20], np.zeros(20))
    found = sort_found(np.zeros(50), rng.integers(0, 3, 50), boxes, rng.random(50))
    pairs = overlaps(found, truth, floor=BACKGROUND_IOU)
    counts = confusion_with_background(
        found, truth, pairs, match(found, truth, pairs), classes=3, score_from=0.4
    )
    assert counts[:3].sum(axis=1).tolist() == np.bincount(truth.labels, minlength=3).tolist()
    shown = found.labels[found.scores >= 0.4]
    assert counts[:, :3].sum(axis=0).tolist() == np.bincount(shown, minlength=3).tolist()
    assert counts[3, 3] == 0


def test_precision_and_recall_of_what_is_shown() -> None:
    scores, labels = np.array([0.9, 0.6, 0.5, 0.2]), np.array([0, 0, 1, 0])
    right, counted = np.array([1, 0, 0, 1], bool), np.array([1, 1, 0, 1], bool)
    shown = shown_from(0.5, scores, labels, right, counted, np.array([2, 0, 3]))
    np.testing.assert_allclose(shown.precision, [0.5, np.nan, np.nan])
    np.testing.assert_allclose(shown.recall, [0.5, np.nan, 0])
    np.testing.assert_allclose(shown.f1, [0.5, np.nan, 0])
    assert float(shown.total().recall) == 0.2


def test_best_f1_shows_equal_scores_together() -> None:
    scores, counted = np.array([0.9, 0.8, 0.8, 0.1]), np.ones(4, bool)
    score, f1 = best_f1(scores, np.array([1, 1, 0, 0], bool), counted, 2)
    # after the first: 2·1 / (1 + 2); with both of 0.8: 2·2 / (3 + 2)
    assert (score, f1) == (0.8, pytest.approx(0.8))
    assert np.isnan(best_f1(scores, np.zeros(4, bool), counted, 2)).all()


def test_the_interval_holds_what_drawing_pictures_again_gives() -> None:
    rng = np.random.default_rng(4)
    where = np.repeat(np.arange(30), 4)
    corner = rng.uniform(0, 300, (120, 2))
    boxes = np.concatenate([corner, corner + 20], axis=1)
    labels, scores = rng.integers(0, 2, 120), rng.random(120)
    moved = boxes + rng.normal(0, 3, boxes.shape)

    def solve(pictures: np.ndarray) -> tuple[Found, Truth, Matches]:
        rows = np.concatenate([np.flatnonzero(where == one) for one in pictures])
        again = np.repeat(np.arange(len(pictures)), 4)
        truth = sort_truth(again, labels[rows], boxes[rows], np.zeros(len(rows)))
        found = sort_found(again, labels[rows], moved[rows], scores[rows])
        return found, truth, match(found, truth, overlaps(found, truth, floor=0.5))

    def ap50(found: Found, truth: Truth, matches: Matches) -> float:
        return average(measure(found, truth, matches, 2).precision[0, ..., 0])

    low, high = bootstrap_ap50(*solve(np.arange(30)), classes=2, pictures=30)
    slow = [ap50(*solve(rng.integers(0, 30, 30))) for _ in range(150)]
    assert low < ap50(*solve(np.arange(30))) < high
    np.testing.assert_allclose([low, high], np.quantile(slow, [0.025, 0.975]), atol=0.03)
