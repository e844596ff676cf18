"""Which layers have maps, and which one is looked at."""

from __future__ import annotations

from typing import Any, cast

import pytest
import torch
from torch import nn

from striate.errors import UnknownNameError, UsageError
from striate.gradients.layer_choice import MapLayer, as_maps, choose_layer, map_layers
from striate.gradients.question import Network, Question
from striate.gradients.randomised import cascade, weighted_order
from striate.task import Aim


class Toy:
    def build(self) -> nn.Module:
        return Small()

    def outputs(self, module: Any, pixels: Any, more: Any) -> Any:
        return {"logits": module(pixels)}

    def pull(self, outputs: Any, aims: Any) -> Any:
        return outputs["logits"][:, aims[0].index]


class Small(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("scale", torch.full((1, 3, 1, 1), 1 / 255))
        self.backbone = nn.Sequential(
            nn.Conv2d(3, 4, 3, padding=1), nn.MaxPool2d(2), nn.Conv2d(4, 6, 3, padding=1),
            nn.BatchNorm2d(6), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        )  # fmt: skip
        self.twice = nn.Identity()
        self.head = nn.Linear(6, 3)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        found = self.backbone(self.twice(self.twice(pixels * self.get_buffer("scale"))))
        return cast(torch.Tensor, self.head(found))


@pytest.fixture
def case() -> tuple[Network, Question]:
    with torch.random.fork_rng():
        torch.manual_seed(1)
        network = Network.of(cast(Any, Toy()), Small())
        question = Question(torch.rand(2, 3, 12, 8) * 255, [Aim("a", 0, 1.0, "")] * 2)
    return network, question


def test_layers_with_maps_in_their_order(case: Any) -> None:
    found = map_layers(*case)
    assert [(one.name, one.places_hw) for one in found] == [
        ("backbone.0", (12, 8)),
        ("backbone.1", (6, 4)),
        ("backbone.2", (6, 4)),
        ("backbone.3", (6, 4)),
    ]  # `twice` runs twice, `head` has no map


def test_the_last_fine_enough_layer_is_chosen(case: Any) -> None:
    layers = map_layers(*case)
    assert choose_layer(layers, None, fewest=4).name == "backbone.3"
    assert choose_layer(layers, None, fewest=5).name == "backbone.0"
    assert choose_layer(layers, None, fewest=50).name == "backbone.0"  # the finest there is


def test_a_layer_by_name_or_the_end_of_it(case: Any) -> None:
    layers = map_layers(*case)
    assert choose_layer(layers, "backbone.1", fewest=4).name == "backbone.1"
    assert choose_layer(layers, "2", fewest=4).name == "backbone.2"
    assert choose_layer(layers, "backbone.2.gelu", fewest=4).name == "backbone.2"  # of the graph
    assert choose_layer(layers, "2.gelu", fewest=4).name == "backbone.2"
    nested = [MapLayer(f"backbone.{name}", "x", 1, (4, 4)) for name in ("a.0", "a.1", "a")]
    assert choose_layer(nested, "a.1.relu", fewest=1).name == "backbone.a.1"
    with pytest.raises(UnknownNameError):
        choose_layer(nested, "a.rset", fewest=1)  # a typo within a block is not the block
    for unknown in ("backbone.2.7", "gelu", "backbone.9.gelu"):
        with pytest.raises(UnknownNameError):
            choose_layer(layers, unknown, fewest=4)
    with pytest.raises(UnknownNameError, match=r"backbone\.0, backbone\.1"):
        choose_layer(layers, "backbone.9", fewest=4)
    with pytest.raises(UsageError, match="without layers"):
        choose_layer((), None, fewest=4)
    assert str(MapLayer("a", "Conv2d", 3, (4, 5))) == "a (3 × 4 × 5)"


@pytest.mark.parametrize(
    ("shape", "size_hw", "places"),
    [
        ((2, 7, 5, 4), (10, 8), (7, 5, 4)),  # channels first
        ((2, 8, 6, 5), (13, 10), (8, 6, 5)),  # though 8 by 6 would suit as well
        ((2, 5, 4, 64), (10, 8), (64, 5, 4)),  # channels last, as in Swin
        ((2, 56, 56, 64), (224, 224), (64, 56, 56)),  # though there are about as many as rows
        ((2, 64, 56, 56), (224, 224), (64, 56, 56)),
        ((2, 48, 64, 56), (192, 256), (56, 48, 64)),
        ((2, 56, 48, 64), (192, 256), (56, 48, 64)),
        ((2, 6, 8, 4), (12, 8), (6, 8, 4)),  # a window without a border
        ((2, 197, 9), (224, 224), (9, 14, 14)),  # tokens after a class token, as in ViT
        ((2, 20, 9), (10, 8), (9, 5, 4)),
        ((2, 23, 9), (10, 8), None),
        ((2, 9), (10, 8), None),
    ],
)
def test_maps_are_told_by_their_form(shape: Any, size_hw: Any, places: Any) -> None:
    found = as_maps(torch.rand(shape), size_hw)
    assert (None if found is None else tuple(found.shape[1:])) == places


def test_tokens_keep_their_places() -> None:
    grid = torch.arange(12.0).reshape(1, 1, 3, 4)
    tokens = torch.cat([torch.zeros(1, 1, 1), grid.flatten(2).transpose(1, 2)], dim=1)
    found = as_maps(tokens, (30, 40))
    assert found is not None
    assert torch.equal(found, grid)


def test_forgetting_begins_at_the_head_and_spares_the_normalisation(case: Any) -> None:
    network, question = case
    assert weighted_order(network, question) == ["backbone.0", "backbone.2", "backbone.3", "head"]
    before = {name: value.clone() for name, value in network.module.state_dict().items()}
    stages = dict(cascade(network, question, seed=4))
    changed = {
        words: {
            name
            for name, value in one.module.state_dict().items()
            if not torch.equal(value, before[name])
        }
        for words, one in stages.items()
    }
    weights = {"head.weight", "head.bias"}
    assert changed["the last layer"] == weights
    assert changed["the upper half"] == weights
    assert changed["all layers"] == weights | {
        f"backbone.{layer}.{part}" for layer in (0, 2) for part in ("weight", "bias")
    }
    assert all(torch.equal(value, before[name]) for name, value in network.module.state_dict().items())
    again = dict(cascade(network, question, seed=4))["all layers"].module.state_dict()
    assert all(
        torch.equal(value, again[name])
        for name, value in stages["all layers"].module.state_dict().items()
    )
