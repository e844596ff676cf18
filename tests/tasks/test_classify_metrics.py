import json

import numpy as np
import pytest
from sklearn import metrics as sk

from striate.metrics.calibration import expected_calibration_error
from striate.tasks.classify.config import ClassifyFacts
from striate.tasks.classify.decode import answers_from
from striate.tasks.classify.metrics import ClassMeter, LabelMeter

NAMES = ("a", "b", "c", "d")


def facts_of(**rest: object) -> ClassifyFacts:
    values = {"model": "m", "names": NAMES, "size_hw": (8, 8), "fit": "crop", "channels": 3}
    return ClassifyFacts.parse({**values, **rest})


def make_answers(n: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(n)
    truth = rng.integers(0, 3, n)  # class d never occurs
    logits = rng.normal(0, 1, (n, 4)) + 1.5 * np.eye(4)[truth]
    return truth, logits.astype(np.float32)


def test_all_numbers_equal_scikit_learn() -> None:
    truth, logits = make_answers(300)
    facts = facts_of(counts=(5, 9, 1, 1), reject_threshold=0.6)
    found = answers_from({"logits": logits}, facts)
    meter = ClassMeter(facts, top_k=2)
    meter.update(found[:100], [(NAMES[k],) for k in truth[:100]])
    meter.update([], [])
    meter.update(found[100:], [(NAMES[k],) for k in truth[100:]])
    told = meter.compute()
    p = np.stack([one.probabilities for one in found])
    answer, labels = p.argmax(axis=1), range(4)
    assert told["n"] == 300
    assert told["accuracy"] == told["headline_score"] == pytest.approx(sk.accuracy_score(truth, answer))
    assert told["accuracy_interval"][0] < told["accuracy"] < told["accuracy_interval"][1]
    assert told["baseline_accuracy"] == pytest.approx((truth == 1).mean())
    top2 = sk.top_k_accuracy_score(truth, p, k=2, labels=labels)
    assert told["top2"] == pytest.approx(top2)
    assert told["top2_error"] == pytest.approx(1 - top2)
    assert told["macro_f1"] == pytest.approx(sk.f1_score(truth, answer, average="macro"))
    assert told["macro_f1_interval"][0] < told["macro_f1"] < told["macro_f1_interval"][1]
    assert told["weighted_f1"] == pytest.approx(sk.f1_score(truth, answer, average="weighted"))
    recalls = sk.recall_score(truth, answer, average=None, labels=[0, 1, 2])
    assert told["balanced_accuracy"] == pytest.approx(recalls.mean())
    assert told["log_loss"] == pytest.approx(sk.log_loss(truth, p, labels=labels), rel=1e-5)
    assert told["ece"] == pytest.approx(expected_calibration_error(p.max(axis=1), answer == truth))
    assert told["confusion"] == sk.confusion_matrix(truth, answer, labels=labels).tolist()
    accepted = p.max(axis=1) >= 0.6
    assert told["accepted"] == pytest.approx(accepted.mean())
    assert told["accepted_error"] == pytest.approx((answer != truth)[accepted].mean())
    assert told["per_class"]["b"]["recall"] == pytest.approx(recalls[1])
    assert told["per_class"]["d"]["recall"] is None  # never the truth: not zero, undefined
    assert told["per_class"]["d"]["support"] == 0
    json.dumps(told, allow_nan=False)


def test_no_pictures() -> None:
    for meter in (ClassMeter(facts_of(counts=(1, 1, 1, 1)), top_k=5), LabelMeter(facts_of())):
        told = meter.compute()
        assert told["n"] == 0
        assert told["headline_score"] is None
        assert told["accuracy"] is None
        json.dumps(told, allow_nan=False)


def test_nothing_accepted() -> None:
    truth, logits = make_answers(20)
    facts = facts_of(reject_threshold=2.0)
    meter = ClassMeter(facts, top_k=5)
    meter.update(answers_from({"logits": logits}, facts), [(NAMES[k],) for k in truth])
    told = meter.compute()
    assert told["accepted"] == 0.0
    assert told["accepted_error"] is told["accepted_error_interval"] is None


def test_a_thousand_classes_leave_the_matrix_out() -> None:
    names = tuple(f"c{k:03}" for k in range(300))
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 300, 500)
    facts = facts_of(names=names)
    meter = ClassMeter(facts, top_k=5)
    logits = rng.normal(size=(500, 300)).astype(np.float32)
    meter.update(answers_from({"logits": logits}, facts), [(names[k],) for k in truth])
    told = meter.compute()
    assert told["confusion"] is None
    assert len(told["most_confused"]) == 30
    assert told["most_confused"][0]["count"] >= told["most_confused"][-1]["count"] >= 1


def test_a_target_for_every_answer() -> None:
    _, logits = make_answers(4)
    with pytest.raises(AssertionError):
        ClassMeter(facts_of(), top_k=5).update(answers_from({"logits": logits}, facts_of()), [("a",)])


def make_labels(n: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(n)
    truth = rng.random((n, 4)) < [0.5, 0.3, 0.2, 0.0]
    return truth, (rng.normal(0, 1, (n, 4)) - 1 + 2.0 * truth).astype(np.float32)


def as_names(rows: np.ndarray) -> list[tuple[str, ...]]:
    return [tuple(name for name, yes in zip(NAMES, row, strict=True) if yes) for row in rows]


def test_label_numbers_equal_scikit_learn() -> None:
    truth, logits = make_labels(200)
    facts = facts_of(multi_label=True, thresholds=(0.4, 0.5, 0.6, 0.5))
    found = answers_from({"logits": logits}, facts)
    meter = LabelMeter(facts)
    meter.update(found[:50], as_names(truth[:50]))
    meter.update(found[50:], as_names(truth[50:]))
    told = meter.compute()
    p = np.stack([one.probabilities for one in found])
    answer = p >= np.array(facts.thresholds)
    precisions = [sk.average_precision_score(truth[:, k], p[:, k]) for k in range(3)]
    assert told["map"] == told["headline_score"] == pytest.approx(np.mean(precisions))
    assert told["map_interval"][0] < told["map"] < told["map_interval"][1]
    assert told["baseline_map"] == pytest.approx(truth[:, :3].mean())
    assert told["micro_f1"] == pytest.approx(sk.f1_score(truth, answer, average="micro"))
    assert told["accuracy"] == pytest.approx(sk.accuracy_score(truth, answer))
    assert told["hamming"] == pytest.approx(sk.hamming_loss(truth, answer))
    assert told["per_class"]["a"]["average_precision"] == pytest.approx(precisions[0])
    assert told["per_class"]["b"]["auroc"] == pytest.approx(sk.roc_auc_score(truth[:, 1], p[:, 1]))
    assert told["per_class"]["d"]["average_precision"] is None
    json.dumps(told, allow_nan=False)


def test_without_any_positive_an_epoch_can_still_be_compared() -> None:
    _, logits = make_labels(10)
    facts = facts_of(multi_label=True)
    meter = LabelMeter(facts)
    meter.update(answers_from({"logits": logits}, facts), [()] * 10)
    told = meter.compute()
    assert told["map"] is told["map_interval"] is None
    assert told["headline_score"] == 0.0
