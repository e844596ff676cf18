"""The presets against torchvision's and our own torch networks: every shape, parameter and product."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torchvision
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from striate.arithmetic.layers import Network
from striate.arithmetic.presets import PRESETS, build_preset, is_preset
from striate.errors import UsageError
from striate.nn.networks.classic import zfnet
from striate.nn.networks.deck import deck_cnn

SEEN = (nn.Conv2d, nn.Linear, nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d)
KINDS = {nn.Conv2d: "conv", nn.Linear: "dense", nn.MaxPool2d: "maxpool", nn.AvgPool2d: "avgpool"}


def lenet5() -> nn.Module:
    """LeCun et al. 1998, by the book."""
    return nn.Sequential(
        nn.Conv2d(1, 6, 5), nn.Tanh(), nn.AvgPool2d(2), nn.Conv2d(6, 16, 5), nn.Tanh(), nn.AvgPool2d(2),
        nn.Flatten(), nn.Linear(400, 120), nn.Tanh(), nn.Linear(120, 84), nn.Tanh(), nn.Linear(84, 10),
    )  # fmt: skip


def with_head(name: str) -> nn.Module:
    backbone = {"zfnet": lambda: zfnet(3, (224, 224)), "deck-cnn": lambda: deck_cnn(1, (28, 28))}[name]()
    classes = 10 if name == "deck-cnn" else 1000
    return nn.Sequential(backbone.model, nn.Linear(backbone.features_dim, classes))


def reference(name: str) -> nn.Module:
    if name in ("zfnet", "deck-cnn"):
        return with_head(name)
    if name == "lenet5":
        return lenet5()
    options: dict[str, Any] = {"weights": None}
    if name == "googlenet":
        options |= {"aux_logits": False, "init_weights": False}
    build: Callable[..., nn.Module] = torchvision.models.get_model
    return build(name, **options)


def trace(module: nn.Module, network: Network) -> tuple[list[tuple[str, tuple[int, ...]]], int]:
    """Kind and output shape of each layer that runs, by hooks; and torch's own count of products."""
    found: list[tuple[str, tuple[int, ...]]] = []

    def note(layer: nn.Module, _: Any, output: torch.Tensor) -> None:
        kind = KINDS.get(type(layer), "adaptive")
        shape = tuple(output.shape[1:])
        found.append((kind, (*shape[1:], shape[0]) if len(shape) == 3 else shape))

    for layer in module.modules():
        if isinstance(layer, SEEN):
            layer.register_forward_hook(note)
    height, width, channels = network.input_hwc
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        module.eval()(torch.empty(1, channels, height, width, device="meta"))
    return found, counter.get_total_flops() // 2


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_a_preset_is_what_torch_builds(name: str) -> None:
    network = build_preset(name)
    with torch.device("meta"):
        module = reference(name)
    shapes, products = trace(module, network)
    assert network.params == sum(one.numel() for one in module.parameters())
    assert network.multiply_adds == products
    mine = [
        (layer.kind.removeprefix("global ").partition(" ")[0], layer.output)
        for layer in network
        if layer.kind in (*KINDS.values(), "global avgpool", "adaptive avgpool")
    ]
    theirs = [(kind, shape) for kind, shape in shapes]
    assert sorted(_plain(mine)) == sorted(_plain(theirs))


def _plain(layers: list[tuple[str, tuple[int, ...]]]) -> list[tuple[str, tuple[int, ...]]]:
    """A global pool yields (1, 1, C) in torch and (C,) here."""
    return [
        ("avgpool" if kind == "adaptive" else kind, shape[-1:] if shape[:2] == (1, 1) else shape)
        for kind, shape in layers
    ]


@pytest.mark.parametrize(
    ("name", "depth", "millions"),
    [
        ("alexnet", 8, 61.1),
        ("zfnet", 8, 62.4),
        ("vgg16", 16, 138.4),
        ("vgg19", 19, 143.7),
        ("googlenet", 22, 6.6),
        ("resnet152", 152, 60.2),
        ("resnet18", 18, 11.7),
        ("deck-cnn", 4, 1.66849),
        ("lenet5", 5, 0.061706),
    ],
)
def test_counts_of_the_decks(name: str, depth: int, millions: float) -> None:
    network = build_preset(name)
    assert network.depth == depth
    assert network.params / 1e6 == pytest.approx(millions, abs=0.05)


def test_other_inputs_and_classes() -> None:
    assert build_preset("deck_cnn", input_hwc=(32, 32, 3)).params == 2_389_962
    small = build_preset("ResNet18", input_hwc=(64, 48, 1), classes=7)
    with torch.device("meta"):
        module = torchvision.models.resnet18(weights=None, num_classes=7)
        module.conv1 = nn.Conv2d(1, 64, 7, 2, 3, bias=False)
    assert small.params == sum(one.numel() for one in module.parameters())
    assert small.multiply_adds == trace(module, small)[1]


def test_names() -> None:
    assert is_preset("deck_cnn")
    assert is_preset("AlexNet")
    assert not is_preset("resnet19")


@pytest.mark.parametrize(("name", "size"), [("alexnet", (20, 20, 3)), ("deck-cnn", (8, 8, 1))])
def test_inputs_that_are_too_small(name: str, size: tuple[int, int, int]) -> None:
    with pytest.raises(UsageError, match=f"{name} does not take .*larger than the picture") as caught:
        build_preset(name, input_hwc=size)
    assert "an input such as" in caught.value.expected
