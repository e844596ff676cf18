import numpy as np
import pytest
from scipy import stats

from striate.errors import LabelError, SettingError, UnknownNameError
from striate.tasks.regress.config import RegressConfig, RegressFacts
from striate.tasks.regress.data import align_values, encode, learn_facts


def test_settings_survive_toml() -> None:
    config = RegressConfig.parse({"target": "yaw,pitch", "angles": ["yaw"], "size": (32, 48)})
    assert config.target == ("yaw", "pitch")
    assert RegressConfig.parse(config.to_toml_dict()) == config
    with pytest.raises(SettingError, match="less than 1"):
        RegressConfig.parse({"coverage": 90})


def test_scales_of_numbers_and_angles(make_dataset) -> None:  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(0)
    size, yaw = rng.normal(5, 2, 101), (rng.normal(178, 10, 101) + 180) % 360 - 180
    data = make_dataset(list(zip(size.tolist(), yaw.tolist(), strict=True)), ["size", "yaw"])
    facts = learn_facts(data, RegressConfig(angles=("yaw",)))
    assert facts.is_angle == (False, True)
    assert facts.mean[0] == pytest.approx(size.mean())
    assert facts.mean[1] == pytest.approx(stats.circmean(yaw, high=180, low=-180))
    assert facts.scale[0] == pytest.approx(size.std())
    assert facts.scale[1] == pytest.approx(10, rel=0.2)  # not the 170 that the seam would make of it
    assert facts.middle[0] == pytest.approx(np.median(size))
    assert facts.coverage == 0.9
    assert facts.size_hw == (12, 9)
    assert RegressFacts.parse(facts.to_toml_dict()) == facts


@pytest.mark.parametrize("value", [0.0, 0.1, -3e5])
def test_a_constant_target_has_the_scale_one(value: float, make_dataset) -> None:  # type: ignore[no-untyped-def]
    facts = learn_facts(make_dataset([(value,)] * 7, ["x"]), RegressConfig())
    assert facts.scale == (1.0,)
    assert facts.mean == pytest.approx((value,))


def test_small_numbers_keep_their_scale(make_dataset) -> None:  # type: ignore[no-untyped-def]
    facts = learn_facts(make_dataset([(0.0,), (2e-7,)], ["x"]), RegressConfig())
    assert facts.scale == pytest.approx((1e-7,))


def test_what_cannot_be_learnt(make_dataset) -> None:  # type: ignore[no-untyped-def]
    data = make_dataset([(1.0,)], ["yaw"])
    with pytest.raises(UnknownNameError, match="did you mean 'yaw'"):
        learn_facts(data, RegressConfig(angles=("ywa",)))
    with pytest.raises(LabelError, match="no training pictures"):
        learn_facts(make_dataset([], ["yaw"]), RegressConfig())
    for bad in [(1.0, 2.0), (float("nan"),), (float("inf"),), ()]:
        with pytest.raises(LabelError, match=r"set/00001 .* 1 finite numbers: yaw"):
            learn_facts(make_dataset([(1.0,), bad], ["yaw"]), RegressConfig())


def test_aligning_orders_columns_and_wraps_angles(make_dataset) -> None:  # type: ignore[no-untyped-def]
    facts = learn_facts(make_dataset([(1.0, 2.0)], ["yaw", "size"]), RegressConfig(angles=("yaw",)))
    data = make_dataset([(3.0, 7.0, 350.0)], ["size", "extra", "yaw"])
    aligned = align_values(data, facts)
    assert aligned.names == ("yaw", "size")
    assert aligned.targets == [(-10.0, 3.0)]
    assert type(aligned.targets[0][0]) is float
    with pytest.raises(LabelError, match=r"lacks the columns size.*it has 'sizes'"):
        align_values(make_dataset([(3.0, 1.0)], ["sizes", "yaw"]), facts)


def test_encoding() -> None:
    assert encode([(1.0, 2.0)], 2).tolist() == [[1.0, 2.0]]
    assert encode([], 3).shape == (0, 3)
