"""A detector's exported graph, read layer by layer, has the weights that its module has."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from striate.arithmetic.onnx_layers import layers_of_graph
from striate.engine.export import write_graph


def learnt_numbers(module: nn.Module) -> int:
    """Parameters, with a bias instead of a scale and a shift where batch norm is folded."""
    norms = [one for one in module.modules() if isinstance(one, nn.BatchNorm2d)]
    return sum(p.numel() for p in module.parameters()) - sum(one.num_features for one in norms)


@pytest.mark.parametrize("method", ["fcos", "rcnn", "sliding-window", "ssd"])
def test_what_sees_several_maps_counts_once(
    make_detection: Callable[..., Any], tmp_path: Path, method: str
) -> None:
    made = make_detection(method)
    module = made.network()
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():  # as after training: no two weights alike
        for parameter in module.parameters():
            parameter.add_(0.01 * torch.randn(parameter.shape, generator=generator))
    path = tmp_path / "main.onnx"
    source = made.recipe.graphs(module)["main"]
    write_graph(source, path, input_hw=made.recipe.task.input_hw, metadata={})
    counted = sum(layer.params for layer in layers_of_graph(path))
    assert counted == learnt_numbers(module)
