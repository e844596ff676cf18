import json

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from striate.metrics.plain import plain, plain_list, plain_pair
from striate.metrics.ranks import average_ranks


@given(st.lists(st.sampled_from([-2.0, 0.0, 0.5, 7.0]), max_size=40))
def test_ranks_equal_scipy(values: list[float]) -> None:
    np.testing.assert_allclose(average_ranks(np.array(values)), stats.rankdata(values))


def test_plain_numbers_survive_strict_json() -> None:
    numbers = plain_list(np.array([1.5, np.nan, np.inf], dtype=np.float32))
    assert numbers == [1.5, None, None]
    assert json.loads(json.dumps(numbers, allow_nan=False)) == numbers
    assert plain_pair((0.25, np.float64(0.5))) == [0.25, 0.5]
    assert plain_pair((0.25, float("nan"))) is None
    assert type(plain(np.float32(2.0))) is float
