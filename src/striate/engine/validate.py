"""Score a torch module on held pictures along the path of use: graph → decode → meter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from striate.engine.job import Arrays
from striate.graphs import collect_outputs
from striate.nn.recipe import Recipe
from striate.nn.torch_graphs import TorchGraph
from striate.types import Array, Prepared

__all__ = ["validate"]


def validate(
    recipe: Recipe[Any],
    module: nn.Module,
    held: Arrays,
    *,
    device: torch.device,
    precision: torch.dtype,
    memory_format: torch.memory_format,
) -> dict[str, Any]:
    """Scalar metrics of `module` on `held`; NaN where nothing is held out."""
    if not len(held):
        return {recipe.task.headline: float("nan")}
    graph = TorchGraph(recipe, module, device=device, precision=precision, memory_format=memory_format)
    metrics = score(recipe.task, collect_outputs(graph, held.pixels), held.truths, held.pixels)
    # an epoch's row holds what a curve can show; the rest is computed again at the end
    return {name: value for name, value in metrics.items() if isinstance(value, (int, float))}


def score(task: Any, outputs: dict[str, Array], truths: Sequence[Any], pixels: Array) -> dict[str, Any]:
    """Decode raw outputs and meter them against the truths."""
    prepared = [Prepared(one, (one.shape[0], one.shape[1])) for one in pixels]
    meter = task.meter()
    meter.update(task.decode(outputs, prepared), truths)
    found: dict[str, Any] = meter.compute()
    return found
