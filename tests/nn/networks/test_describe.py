from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from striate.nn.networks.describe import count_layers, describe
from striate.nn.networks.registry import build_backbone


@pytest.mark.parametrize(
    ("name", "layers", "parameters"),
    [
        ("alexnet", 8, 61_100_840),  # torchvision's documentation
        ("zfnet", 8, 62_357_608),  # by hand, from figure 3 of the paper
        ("vgg19", 19, 143_667_240),
        ("googlenet", 22, 6_624_904),
        ("resnet152", 152, 60_192_808),
    ],
)
def test_the_historical_line_has_its_depth_and_size(name: str, layers: int, parameters: int) -> None:
    found = describe(name)
    assert (found.layers, found.parameters) == (layers, parameters)
    assert found.to_dict()["name"] == name


@pytest.mark.parametrize(("side", "channels", "parameters"), [(28, 1, 1_668_490), (32, 3, 2_389_962)])
def test_the_decks_network_has_the_decks_counts(side: int, channels: int, parameters: int) -> None:
    found = describe("deck-cnn", size_hw=(side, side), channels=channels, classes=10)
    assert (found.parameters, found.layers) == (parameters, 4)


def test_linear_and_dense_networks_by_hand() -> None:
    linear = describe("pixels-linear", size_hw=(4, 6), channels=1, classes=3)
    assert (linear.parameters, linear.layers) == (24 * 3 + 3, 1)
    dense = describe("pixels-mlp", size_hw=(4, 6), channels=1, classes=3)
    assert dense.parameters == 25 * 512 + 513 * 256 + 257 * 3
    assert dense.layers == 3


def test_describing_takes_no_memory_and_counts_what_is_built() -> None:
    backbone = build_backbone("deck-cnn", channels=3, size_hw=(20, 30))
    head = nn.Linear(backbone.features_dim, 7)
    count = sum(p.numel() for p in [*backbone.parameters(), *head.parameters()])
    assert describe("deck-cnn", size_hw=(20, 30), classes=7).parameters == count


class _Branches(nn.Module):
    """Three layers on one way, two on the other; a norm and a learnt factor count nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.long = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.Conv2d(4, 4, 1), nn.ReLU())
        self.short = nn.Conv2d(3, 4, 1, bias=False)
        self.factor = nn.Parameter(torch.ones(1, 4, 1, 1))
        self.head = nn.Linear(4, 2, bias=False)

    def forward(self, pictures: Tensor) -> Tensor:
        maps = (self.long(pictures) + self.short(pictures)) * self.factor
        found: Tensor = self.head(maps.flatten(2).transpose(1, 2)).mean(dim=1)
        return found


def test_layers_are_counted_on_the_longest_way() -> None:
    assert count_layers(_Branches(), torch.randn(2, 3, 5, 6)) == 3
