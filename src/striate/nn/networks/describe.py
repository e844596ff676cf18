"""How large and how deep a network is: counted on the network itself, never looked up."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn

from striate.nn.networks.registry import build_backbone, check_name
from striate.types import SizeHW

__all__ = ["Description", "count_layers", "describe"]

_LAYERS = ("Convolution", "Addmm", "Mm", "Linear", "UnsafeView", "Bmm")
"""Beginnings of the names of torch's gradient nodes that may hold a layer's weights."""


@dataclass(frozen=True, slots=True)
class Description:
    """A network in numbers. `layers`: convolutions and dense layers on the longest path."""

    name: str
    size_hw: SizeHW
    channels: int
    classes: int
    parameters: int
    layers: int
    features: int

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)


def describe(
    name: str, *, size_hw: SizeHW = (224, 224), channels: int = 3, classes: int = 1000
) -> Description:
    """The network `name` with a linear head, built without its memory.

    `layers` follows the papers (8 for AlexNet, 152 for ResNet-152): layers with weights on the
    longest path from picture to class; normalisation and shortcuts do not count.
    """
    with torch.device("meta"):
        backbone = build_backbone(name, channels=channels, size_hw=size_hw)
        whole = nn.Sequential(backbone, nn.Linear(backbone.features_dim, classes))
        layers = count_layers(whole, torch.empty(2, channels, *size_hw))
    parameters = sum(parameter.numel() for parameter in whole.parameters())
    return Description(
        check_name(name), size_hw, channels, classes, parameters, layers, backbone.features_dim
    )


def count_layers(module: nn.Module, pictures: Tensor) -> int:
    """Convolutions and dense layers on the longest path that `pictures` take through `module`.

    Read off the graph that torch records for the gradient: each node of a product with a trained
    weight counts one.
    """
    output: Tensor = module.train()(pictures)
    depths: dict[Any, int] = {}
    pending = [output.grad_fn]
    while pending:  # depth first, without recursion: ResNet-152 is deeper than Python's stack likes
        node = pending[-1]
        assert node is not None
        parents = [parent for parent, _ in node.next_functions if parent is not None]
        unknown = [parent for parent in parents if parent not in depths]
        if unknown:
            pending.extend(unknown)
            continue
        pending.pop()
        depths[node] = max((depths[parent] for parent in parents), default=0) + _is_layer(node)
    assert output.grad_fn is not None
    return depths[output.grad_fn]


def _is_layer(node: Any) -> int:
    """1 for a product with a weight of two or more dimensions, directly or transposed."""
    if not node.name().startswith(_LAYERS):
        return 0
    parents = [parent for parent, _ in node.next_functions if parent is not None]
    return int(any(_weight_dimensions(parent) >= 2 for parent in parents))


def _weight_dimensions(node: Any) -> int:
    """Dimensions of the trained tensor that `node` hands on; 0 if it is none."""
    while node.name().startswith(("TBackward", "Transpose", "Permute", "Expand", "View", "ToCopy")):
        node = node.next_functions[0][0]
        if node is None:
            return 0
    return int(node.variable.ndim) if node.name() == "torch::autograd::AccumulateGrad" else 0
