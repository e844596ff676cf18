"""Parameters and multiply-adds against the decks' figures and against torch."""

from __future__ import annotations

from math import prod

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from striate.arithmetic.counting import conv_cost, dense_cost, norm_cost, thousands
from striate.arithmetic.parsing import parse_layers


def test_ten_filters_of_five_by_five() -> None:
    cost = conv_cost((5, 5), 3, 10, places=32 * 32)
    assert (cost.params, cost.each, cost.formula) == (760, 76, "(5·5·3)·10+10")
    assert parse_layers("32x32x3 conv10 5x5 p2").network.output == (32, 32, 10)
    assert parse_layers("32x32x3 conv6 5x5").network.output == (28, 28, 6)


@pytest.mark.parametrize(("size", "params"), [("28x28x1", 1_668_490), ("32x32x3", 2_389_962)])
def test_the_net_of_the_deck(size: str, params: int) -> None:
    network = parse_layers(f"{size} conv32-pool-conv64-pool-dense1024-dense10").network
    assert network.params == params
    assert network.weights_bytes == 4 * params
    assert network.depth == 4


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("groups", [1, 2, 6])
@pytest.mark.parametrize("transposed", [False, True])
def test_convolutions_as_torch_counts_them(bias: bool, groups: int, transposed: bool) -> None:
    kind = nn.ConvTranspose2d if transposed else nn.Conv2d
    layer = kind(6, 12, (3, 2), groups=groups, bias=bias, device="meta")
    x = torch.empty(1, 6, 9, 7, device="meta")
    with FlopCounterMode(display=False) as counter:
        out = layer(x)
    places = 9 * 7 if transposed else prod(out.shape[2:])
    cost = conv_cost((3, 2), 6, 12, places=places, groups=groups, bias=bias)
    assert cost.params == sum(one.numel() for one in layer.parameters())
    assert 2 * cost.multiply_adds == counter.get_total_flops()
    if not transposed:
        assert cost.each * 12 == cost.params
    assert eval(cost.formula.replace("·", "*")) == cost.params  # noqa: S307 - as a person checks it


def test_dense_and_normalisation() -> None:
    cost = dense_cost((5, 5, 64), 1024)
    assert (cost.params, cost.formula) == (1_639_424, "(5·5·64)·1024+1024")
    assert dense_cost((84,), 10, bias=False).formula == "84·10"
    assert norm_cost(64).params == 128


def test_memory_is_that_of_outputs_that_are_kept() -> None:
    network = parse_layers("8x8x3 conv4 3x3 p1 bn relu maxpool flatten dense 5").network
    assert [layer.memory_bytes for layer in network] == [4 * 256, 0, 0, 4 * 64, 0, 20]
    assert network.memory_bytes == 4 * (256 + 64 + 5)


def test_digits_in_groups() -> None:
    assert [thousands(n) for n in (7, 1000, 1668490)] == ["7", "1 000", "1 668 490"]
