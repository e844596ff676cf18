"""Write a network as self-contained ONNX graphs, and prove that they answer like the network.

A graph takes uint8 pictures (B, H, W, 3) in RGB and holds everything up to the probabilities or
values: normalisation, temperature, scales. Its metadata names task, outputs and licence.
"""

from __future__ import annotations

import copy
import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from striate.errors import TrainingError
from striate.graphs import load_graph
from striate.nn.recipe import GraphSource, Recipe
from striate.types import Array, SizeHW

__all__ = ["OPSET", "check_parity", "write_graph"]

OPSET = 18
PARITY_TOLERANCE = 1e-3
"""Largest difference that is accepted, relative to the largest output where that exceeds 1."""


def write_graph(
    source: GraphSource, path: Path, *, input_hw: SizeHW, metadata: Mapping[str, Any]
) -> None:
    """Export `source` to `path`; the batch size stays free."""
    import onnx

    # exporters may fold and rename; the caller's module stays as it is
    module = copy.deepcopy(source.module).cpu().float().eval()
    names = ("pictures", *source.more_inputs)
    examples = (torch.zeros(2, *input_hw, 3, dtype=torch.uint8), *source.more_inputs.values())
    with warnings.catch_warnings(), torch.no_grad():
        # the TorchScript exporter is deprecated, yet the only one that takes every torchvision model
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module,
            examples,
            str(path),
            dynamo=False,
            opset_version=OPSET,
            input_names=list(names),
            output_names=list(source.outputs),
            dynamic_axes={name: {0: "batch"} for name in (*names, *source.outputs)},
        )
    model = onnx.load(str(path), load_external_data=False)
    for key, value in metadata.items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, value if isinstance(value, str) else json.dumps(value)
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())


def check_parity(
    recipe: Recipe[Any], source: GraphSource, path: Path, pixels: Array
) -> dict[str, float]:
    """Largest difference between the module and the graph at `path`, by output, on `pixels`.

    Raises `TrainingError` where a difference exceeds `PARITY_TOLERANCE`: such a graph would give
    other answers than the network that was trained.
    """
    module = copy.deepcopy(source.module).cpu().float().eval()
    feeds = recipe.feeds(np.ascontiguousarray(pixels))
    with torch.inference_mode():
        found = module(*(torch.from_numpy(feeds[name]) for name in ("pictures", *source.more_inputs)))
    outputs = found if isinstance(found, tuple) else (found,)
    own = {name: value.float().numpy() for name, value in zip(source.outputs, outputs, strict=True)}
    answers = load_graph(path)(feeds)
    differences = recipe.task.differences(own, answers)
    worst = max(differences, key=lambda name: differences[name])
    if not differences[worst] <= PARITY_TOLERANCE:
        raise TrainingError(
            f"the exported graph differs from the network by {differences[worst]:.2g} in {worst!r}",
            expected=f"at most {PARITY_TOLERANCE:g}",
            remedy="report this model as a bug in striate; the weights are saved in the run",
        )
    return differences
