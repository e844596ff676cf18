"""Score a torch module on held pictures along the path of use: graph → decode → meter."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from striate.data.prepared import prepared_from
from striate.engine.job import Arrays
from striate.graphs import collect_outputs
from striate.nn.recipe import Recipe
from striate.nn.torch_graphs import TorchGraph
from striate.types import Array

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
    metrics = score(recipe.task, collect_outputs(graph, held.pixels, feeds=recipe.feeds), held)
    # an epoch's row holds what a curve can show; the rest is computed again at the end
    return {name: value for name, value in metrics.items() if isinstance(value, (int, float))}


def score(task: Any, outputs: dict[str, Array], held: Arrays) -> dict[str, Any]:
    """Decode raw outputs and meter them against the truths."""
    prepared = [
        prepared_from(pixels, geometry)
        for pixels, geometry in zip(held.pixels, held.geometry, strict=True)
    ]
    meter = task.meter(full=False)
    meter.update(task.decode(outputs, prepared), held.truths)
    found: dict[str, Any] = meter.compute()
    return found
