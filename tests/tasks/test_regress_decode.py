import numpy as np
import pytest

from striate.errors import RunError
from striate.tasks.regress.config import RegressConfig, RegressFacts
from striate.tasks.regress.decode import answers_from, calibrated_facts, conformal_radius


def facts_of(**rest: object) -> RegressFacts:
    values = {
        "model": "m",
        "names": ("yaw", "size"),
        "is_angle": (True, False),
        "mean": (0.0, 0.0),
        "scale": (1.0, 1.0),
        "middle": (0.0, 0.0),
        "size_hw": (8, 8),
        "fit": "crop",
        "channels": 3,
        "coverage": 0.9,
    }
    return RegressFacts.parse({**values, **rest})


def make_outputs(n: int, seed: int) -> tuple[dict[str, np.ndarray], list[tuple[float, ...]]]:
    """Predictions whose error grows with the sigma that is told; yaw near the seam."""
    rng = np.random.default_rng(seed)
    sigmas = rng.uniform(0.5, 8, (n, 2))
    truth = np.stack([rng.uniform(150, 210, n), rng.normal(0, 50, n)], axis=1)
    values = truth + sigmas * rng.normal(size=(n, 2))
    truth[:, 0] = (truth[:, 0] + 180) % 360 - 180
    values[:, 0] = (values[:, 0] + 180) % 360 - 180
    outputs = {"values": values.astype(np.float32), "sigmas": sigmas.astype(np.float32)}
    return outputs, [tuple(row) for row in truth.tolist()]


def test_the_radius_is_the_conformal_quantile() -> None:
    scores = np.arange(1.0, 100.0)[::-1]  # 1 … 99
    assert conformal_radius(scores, 0.9) == 90.0  # ceil(100 · 0.9)
    assert conformal_radius(scores, 0.905) == 91.0
    assert conformal_radius(np.array([3.0]), 0.5) == 3.0
    assert conformal_radius(scores, 0.9999) == 99.0


@pytest.mark.parametrize("with_sigmas", [True, False])
@pytest.mark.parametrize("coverage", [0.8, 0.95])
def test_intervals_hold_what_they_promise_on_new_pictures(with_sigmas: bool, coverage: float) -> None:
    config = RegressConfig(coverage=coverage)
    outputs, targets = make_outputs(600, 1)
    fresh, truths = make_outputs(4000, 2)
    if not with_sigmas:
        del outputs["sigmas"], fresh["sigmas"]
    facts = calibrated_facts(outputs, targets, facts_of(), config)
    assert facts.by_sigma is with_sigmas
    assert facts.coverage == coverage
    held = np.zeros(2)
    for found, truth in zip(answers_from(fresh, facts), truths, strict=True):
        held[0] += any(found.lows[0] <= truth[0] + turn <= found.highs[0] for turn in (-360, 0, 360))
        held[1] += found.lows[1] <= truth[1] <= found.highs[1]
    assert held / 4000 == pytest.approx([coverage] * 2, abs=0.04)


def test_with_sigmas_hard_pictures_get_wider_intervals() -> None:
    outputs, targets = make_outputs(300, 3)
    found = answers_from(outputs, calibrated_facts(outputs, targets, facts_of(), RegressConfig()))
    widths = np.array([one.highs[1] - one.lows[1] for one in found])
    np.testing.assert_allclose(
        widths / outputs["sigmas"][:, 1], widths[0] / outputs["sigmas"][0, 1], rtol=1e-5
    )


def test_few_pictures_promise_less() -> None:
    outputs, targets = make_outputs(4, 4)
    facts = calibrated_facts(outputs, targets, facts_of(), RegressConfig(coverage=0.9))
    assert facts.coverage == pytest.approx(0.8)
    assert len(facts.radius) == 2
    none = {"values": np.zeros((0, 2)), "sigmas": np.zeros((0, 2))}
    empty = calibrated_facts(none, [], facts_of(radius=(1.0, 1.0), by_sigma=True), RegressConfig())
    assert empty.radius == ()
    assert empty.coverage == 0.9
    assert np.isnan(answers_from(outputs, empty)[0].lows).all()
    assert RegressFacts.parse(facts.to_toml_dict()) == facts


def test_an_angle_interval_is_at_most_the_whole_circle() -> None:
    found = answers_from({"values": np.array([[-180.0, 5.0]])}, facts_of(radius=(500.0, 500.0)))[0]
    assert (found.values[0], found.lows[0], found.highs[0]) == (180.0, 0.0, 360.0)
    assert (found.lows[1], found.highs[1]) == (-495.0, 505.0)


def test_a_sigma_of_nothing_does_not_divide_by_zero() -> None:
    outputs = {"values": np.zeros((30, 2)), "sigmas": np.zeros((30, 2))}
    facts = calibrated_facts(outputs, [(0.0, 0.0)] * 30, facts_of(), RegressConfig())
    assert facts.radius == (0.0, 0.0)


@pytest.mark.parametrize(
    ("outputs", "told"),
    [
        ({"logits": np.zeros((1, 2))}, "no output 'values' but logits"),
        ({"values": np.zeros((1, 3))}, "2 columns"),
        ({"values": np.array([[np.nan, 0.0]])}, "not finite"),
        ({"values": np.zeros((1, 2))}, "no output 'sigmas'"),
    ],
)
def test_a_graph_of_another_kind_is_told_apart(outputs: dict[str, np.ndarray], told: str) -> None:
    with pytest.raises(RunError, match=told):
        answers_from(outputs, facts_of(radius=(1.0, 1.0), by_sigma=True))
