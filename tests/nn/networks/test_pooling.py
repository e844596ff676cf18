from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from striate.nn.networks.pooling import FixedAverage


@pytest.mark.parametrize(
    ("from_hw", "to_hw"), [((3, 5), (6, 6)), ((13, 9), (6, 7)), ((1, 1), (6, 6)), ((7, 7), (7, 7))]
)
def test_it_equals_torchs_adaptive_average(from_hw: tuple[int, int], to_hw: tuple[int, int]) -> None:
    maps = torch.randn(2, 3, *from_hw)
    expected = functional.adaptive_avg_pool2d(maps, to_hw)
    found = FixedAverage(from_hw, to_hw)
    torch.testing.assert_close(found(maps), expected)
    assert not found.state_dict()
