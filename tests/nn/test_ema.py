from __future__ import annotations

import pytest
import torch
from torch import nn

from striate.nn.ema import ExponentialMovingAverage


def _network() -> nn.Sequential:
    return nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))


def test_weights_follow_by_the_formula_and_buffers_are_copied() -> None:
    network = _network()
    average = ExponentialMovingAverage(network, 0.9)
    expected = network[0].weight.detach().clone()
    for _ in range(3):
        with torch.no_grad():
            network[0].weight.add_(torch.randn(2, 3))
            network[1].running_mean.add_(1.0)
            network[1].num_batches_tracked.add_(1)
        expected = 0.9 * expected + 0.1 * network[0].weight.detach()
        average.update(network)
    torch.testing.assert_close(average.module[0].weight, expected)
    assert torch.equal(average.module[1].running_mean, network[1].running_mean)
    assert int(average.module[1].num_batches_tracked) == 3


def test_early_steps_forget_the_random_start() -> None:
    network = _network()
    average = ExponentialMovingAverage(network, 0.999)
    with torch.no_grad():
        network[0].weight.fill_(5.0)
    for step in range(60):
        average.update(network, step=step)
    torch.testing.assert_close(
        average.module[0].weight, network[0].weight.detach(), atol=1e-3, rtol=1e-3
    )


def test_the_copy_is_for_use_only_and_leaves_the_network_alone() -> None:
    network = _network()
    average = ExponentialMovingAverage(network, 0.5)
    assert not average.module.training
    assert network.training
    assert not any(parameter.requires_grad for parameter in average.module.parameters())
    before = network[0].weight.detach().clone()
    average.update(network)
    assert torch.equal(network[0].weight, before)
    assert average.module.state_dict().keys() == network.state_dict().keys()


def test_odd_decays_and_other_networks_are_refused() -> None:
    with pytest.raises(ValueError, match="decay"):
        ExponentialMovingAverage(_network(), 1.0)
    with pytest.raises(ValueError, match="zip"):
        ExponentialMovingAverage(_network(), 0.5).update(nn.Linear(3, 2))
