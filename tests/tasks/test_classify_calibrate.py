import numpy as np
import pytest
from scipy import optimize, special

from striate.metrics.calibration import expected_calibration_error
from striate.tasks.classify.calibrate import calibrated_facts, fit_temperature
from striate.tasks.classify.config import ClassifyConfig, ClassifyFacts

NAMES = ("a", "b", "c", "d")


def facts_of(**rest: object) -> ClassifyFacts:
    values = {"model": "m", "names": NAMES, "size_hw": (8, 8), "fit": "crop", "channels": 3}
    return ClassifyFacts.parse({**values, **rest})


def make_logits(n: int, true_temperature: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Logits that are honest after division by `true_temperature`, and truths drawn from them."""
    rng = np.random.default_rng(seed)
    honest = rng.normal(0, 2, (n, len(NAMES)))
    heaped = np.cumsum(special.softmax(honest, axis=1), axis=1)
    truth = (rng.random((n, 1)) > heaped[:, :-1]).sum(axis=1)
    return honest * true_temperature, truth


@pytest.mark.parametrize("temperature", [0.3, 1.0, 2.5])
def test_the_temperature_that_made_the_logits_is_found(temperature: float) -> None:
    logits, truth = make_logits(4000, temperature)
    assert fit_temperature(logits, truth) == pytest.approx(temperature, rel=0.08)


def test_the_temperature_equals_the_minimum_that_scipy_finds() -> None:
    logits, truth = make_logits(300, 1.7, seed=2)
    smoothing = 1 / 302
    soft = np.eye(4)[truth] * (1 - smoothing) + smoothing / 4

    def loss(beta: float) -> float:
        return -float((soft * special.log_softmax(beta * logits, axis=1)).sum())

    best = optimize.minimize_scalar(loss, bounds=(0.02, 50), method="bounded", options={"xatol": 1e-9})
    assert fit_temperature(logits, truth) == pytest.approx(1 / best.x, rel=1e-4)


def test_for_labels_it_is_that_of_the_sigmoids() -> None:
    rng = np.random.default_rng(1)
    honest = rng.normal(0, 2, (3000, 4))
    truth = (rng.random((3000, 4)) < special.expit(honest)).astype(np.uint8)
    assert fit_temperature(honest * 2.0, truth) == pytest.approx(2.0, rel=0.06)


def test_calibration_lowers_the_calibration_error_and_keeps_the_answers() -> None:
    logits, truth = make_logits(3000, 3.0)
    facts = calibrated_facts(
        {"logits": logits}, [(NAMES[k],) for k in truth], facts_of(), ClassifyConfig()
    )
    before = special.softmax(logits, axis=1)
    after = special.softmax(logits / facts.temperature, axis=1)
    right = before.argmax(axis=1) == truth
    assert (after.argmax(axis=1) == before.argmax(axis=1)).all()
    error = expected_calibration_error(after.max(axis=1), right)
    assert error < 0.3 * expected_calibration_error(before.max(axis=1), right)


def test_a_faultless_validation_set_claims_no_certainty() -> None:
    truth = np.arange(200) % 4
    logits = 5.0 * np.eye(4)[truth]
    temperature = fit_temperature(logits, truth)
    assert 1 / 50 < temperature < 5.0
    assert special.softmax(logits[0] / temperature).max() < 1 - 1e-3


@pytest.mark.parametrize("n", [0, 1, 19])
def test_a_tiny_validation_set_changes_nothing(n: int) -> None:
    logits, truth = make_logits(n, 3.0) if n else (np.zeros((0, 4)), np.zeros(0, np.int64))
    assert fit_temperature(logits, truth) == 1.0


def test_logits_that_say_nothing_leave_it_at_one() -> None:
    truth = np.arange(100) % 4
    assert fit_temperature(np.zeros((100, 4)), truth) == 1.0
    assert fit_temperature(np.full((100, 4), 3.0), np.eye(4)[truth]) == 1.0


def test_logits_worse_than_guessing_end_as_guessing() -> None:
    truth = np.arange(100) % 4
    logits = -3.0 * np.eye(4)[truth]
    assert fit_temperature(logits, truth) == pytest.approx(50.0)


def test_a_promise_of_few_errors_is_kept_on_new_pictures() -> None:
    logits, truth = make_logits(3000, 1.5)
    config = ClassifyConfig(reject_at=0.15)
    facts = calibrated_facts({"logits": logits}, [(NAMES[k],) for k in truth], facts_of(), config)
    assert facts.reject_threshold is not None
    assert facts.reject_threshold < 1
    assert facts.reject_error is not None
    assert facts.reject_error <= 0.15
    fresh, fresh_truth = make_logits(20_000, 1.5, seed=9)
    p = special.softmax(fresh / facts.temperature, axis=1)
    accepted = p.max(axis=1) >= facts.reject_threshold
    assert (p.argmax(axis=1) != fresh_truth)[accepted].mean() <= 0.15
    assert accepted.mean() == pytest.approx(facts.reject_coverage, abs=0.05)


def test_a_promise_that_cannot_be_made_rejects_everything() -> None:
    logits, truth = make_logits(40, 1.0)
    config = ClassifyConfig(reject_at=0.001)
    facts = calibrated_facts({"logits": logits}, [(NAMES[k],) for k in truth], facts_of(), config)
    assert facts.reject_threshold is not None
    assert facts.reject_threshold > 1
    assert facts.reject_coverage == 0.0
    # and facts with it survive the run file
    assert ClassifyFacts.parse(facts.to_toml_dict()) == facts


def test_calibrating_again_forgets_the_earlier_promise() -> None:
    logits, truth = make_logits(100, 1.0)
    targets = [(NAMES[k],) for k in truth]
    before = facts_of(reject_threshold=2.0, reject_error=1.0, reject_coverage=0.0, temperature=9.0)
    facts = calibrated_facts({"logits": logits}, targets, before, ClassifyConfig())
    assert facts.reject_threshold is facts.reject_error is facts.reject_coverage is None
    assert facts.temperature == pytest.approx(fit_temperature(logits, truth))


def test_label_thresholds() -> None:
    rng = np.random.default_rng(3)
    truth = rng.random((300, 4)) < 0.3
    truth[:, 3] = False  # a label never seen
    logits = rng.normal(0, 1, (300, 4)) + 3.0 * truth
    targets = [tuple(name for name, yes in zip(NAMES, row, strict=True) if yes) for row in truth]
    facts = facts_of(multi_label=True)
    found = calibrated_facts({"logits": logits}, targets, facts, ClassifyConfig(multi_label=True))
    assert len(found.thresholds) == 4
    assert found.thresholds[3] == 0.5
    assert all(0 < value < 1 for value in found.thresholds)
    fixed = ClassifyConfig(multi_label=True, threshold=0.8)
    assert calibrated_facts({"logits": logits}, targets, facts, fixed).thresholds == (0.8,) * 4
    few = calibrated_facts({"logits": logits[:5]}, targets[:5], facts, ClassifyConfig(multi_label=True))
    assert few.thresholds == (0.5,) * 4
