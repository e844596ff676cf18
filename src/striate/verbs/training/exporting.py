"""From fitted weights to graphs: calibrate, export, prove."""

from __future__ import annotations

import json
from collections.abc import Generator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file

from striate.engine.devices import MEMORY_FORMATS
from striate.engine.events import Event, Note, Stage
from striate.engine.export import check_parity, write_graph
from striate.engine.job import Fitted
from striate.engine.plan import Plan
from striate.graphs import collect_outputs
from striate.nn.augment.settings import AugmentSettings
from striate.nn.recipe import Recipe
from striate.nn.torch_graphs import TorchGraph
from striate.runs.folder import RunWriter
from striate.runs.header import WeightsRecord
from striate.task import Task
from striate.types import Array
from striate.verbs.training.data import Material
from striate.verbs.training.network import Start
from striate.verbs.training.recipes import recipe_for
from striate.verbs.training.seal import Trained, graph_metadata

__all__ = ["export_network", "parity_probe"]

_PARITY_PICTURES = 32


def export_network(
    writer: RunWriter,
    recipe: Recipe[Any],
    start: Start,
    material: Material,
    plan: Plan,
    augment: AugmentSettings,
    fitted: Fitted,
) -> Generator[Event, None, Trained]:
    """Weights and graphs in the run, with everything that was learnt inside."""
    yield Stage("calibrate", "making the scores honest on validation pictures")
    task = _calibrated(recipe, start, material, plan)
    yield Stage("export", "exporting to ONNX and proving that it answers alike")
    files, differences = _export(recipe_for(task), start, writer, material)
    yield Note(f"the exported graphs equal the network to {max(differences.values()):.1e}")
    course = {"steps": fitted.steps, "best_epoch": fitted.best_epoch, "parity": differences}
    return Trained(
        task,
        files,
        plan.to_toml_dict() | course,
        augment=augment.to_toml_dict(),
        weights=_weights_record(start),
        history=fitted.history,
        accelerator=_accelerator(plan),
    )


def _calibrated(recipe: Recipe[Any], start: Start, material: Material, plan: Plan) -> Task[Any, Any]:
    """The task with honest scores, from float32 outputs on the validation pictures."""
    if "validation" not in material.parts or not len(material.parts["validation"]):
        return recipe.task
    graph = TorchGraph(
        recipe,
        start.module,
        device=torch.device(plan.device),
        memory_format=MEMORY_FORMATS[plan.memory_format],
    )
    held = material.prepared["validation"]
    outputs = collect_outputs(graph, held.pixels, feeds=recipe.feeds)
    return recipe.task.calibrate(outputs, material.parts["validation"].targets, held.all_prepared())


def _export(
    recipe: Recipe[Any], start: Start, writer: RunWriter, material: Material
) -> tuple[dict[str, str], dict[str, float]]:
    """({graph: file}, {output: largest difference}); weights and graphs lie in the run."""
    licence = start.source.licence if start.source else ""
    metadata = graph_metadata(recipe.task, network=start.module.name, licence=licence)
    state = start.module.state_dict()
    tensors = {name: value.detach().cpu().contiguous().clone() for name, value in state.items()}
    # one entry, since safetensors writes several in random order, and equal runs shall be equal files
    text = {"striate": json.dumps(metadata)}
    writer.save_with("model.safetensors", lambda path: save_file(tensors, path, metadata=text))
    pixels = parity_probe(material)
    files: dict[str, str] = {}
    differences: dict[str, float] = {}
    for name, source in recipe.graphs(start.module).items():
        file = f"graphs/{name}.onnx"

        def write(path: Path, source: Any = source) -> None:
            write_graph(source, path, input_hw=recipe.task.input_hw, metadata=metadata)

        writer.save_with(file, write)
        differences |= check_parity(recipe, source, writer.path_of(file), pixels)
        files[name] = file
    return files, differences


def parity_probe(material: Material) -> Array:
    """Real pictures and one of noise: what a graph is compared on."""
    pixels = np.asarray(material.prepared["train"].pixels[:_PARITY_PICTURES])
    noise = np.random.default_rng(0).integers(0, 256, pixels[:1].shape, dtype=np.uint8)
    return np.concatenate([pixels, noise])


def _weights_record(start: Start) -> WeightsRecord:
    if start.source is None:
        return WeightsRecord()
    return WeightsRecord(
        source=start.source.name, licence=start.source.licence, sha256=start.source.sha256
    )


def _accelerator(plan: Plan) -> str:
    return torch.cuda.get_device_name(plan.device) if plan.device.startswith("cuda") else "none"
