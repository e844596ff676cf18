"""From fitted weights to a sealed run: calibrate, export, prove, evaluate, report."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file

import striate
from striate.engine.devices import MEMORY_FORMATS
from striate.engine.events import Event, Note, Stage, Step
from striate.engine.export import check_parity, write_graph
from striate.engine.job import Fitted
from striate.engine.plan import Plan
from striate.engine.validate import collect_outputs
from striate.graphs import Graph, load_graph
from striate.nn.augment.settings import AugmentSettings
from striate.nn.recipe import Recipe
from striate.nn.torch_graphs import TorchGraph
from striate.runs.card import render_card
from striate.runs.energy import EnergyMeter
from striate.runs.folder import RunWriter
from striate.runs.header import DataRecord, RunHeader, WeightsRecord, iso_time
from striate.runs.machine import describe_machine, package_versions
from striate.runs.report import render_report
from striate.task import Evidence, Task
from striate.types import Array, Split
from striate.verbs.training.data import Material
from striate.verbs.training.network import Start
from striate.verbs.training.request import Request

__all__ = ["seal"]

_PARITY_PICTURES = 32


@dataclass(frozen=True, slots=True)
class _Measured:
    """One split by the exported graphs: what a user of the run will get."""

    metrics: dict[str, Any]
    evidence: Evidence[Any, Any]


def seal(
    writer: RunWriter,
    request: Request,
    *,
    run: str,
    recipe: Recipe[Any],
    recipe_for: Callable[[Task[Any, Any]], Recipe[Any]],
    start: Start,
    material: Material,
    plan: Plan,
    augment: AugmentSettings,
    fitted: Fitted,
    meter: EnergyMeter,
    timings: Callable[[], dict[str, float]],
) -> Generator[Event, None, dict[str, Any]]:
    """Write everything of the run and close it; returns its metrics by split.

    `run`: the run's folder as the user named it, for the commands in the report.
    """
    yield Stage("calibrate", "making the scores honest on validation pictures")
    task = _calibrated(recipe, start, material, plan)
    yield Stage("export", "exporting to ONNX and proving that it answers alike")
    files, differences = _export(recipe_for(task), start, writer, material)
    worst = max(differences.values())
    yield Note(f"the exported graphs equal the network to {worst:.1e}")
    graph = load_graph(writer.path_of(files["main"]))
    measured = yield from _measure(task, graph, material, fitted)
    meter.stop()
    metrics: dict[str, Any] = {str(name): one.metrics for name, one in measured.items()}
    header = RunHeader.parse(
        {
            "striate_version": striate.__version__,
            "created": iso_time(time.time),
            "task": task.name,
            "config": request.config.to_toml_dict(),
            "facts": task.facts.to_toml_dict(),
            "train": request.train.to_toml_dict(),
            "augment": augment.to_toml_dict(),
            "plan": plan.to_toml_dict()
            | {"steps": fitted.steps, "best_epoch": fitted.best_epoch, "parity": differences},
            "data": _data_record(material, request.source),
            "weights": _weights_record(start),
            "graphs": files,
            "metrics": metrics,
            "energy": meter.snapshot(request.train.grid_gco2_per_kwh),
            "timings": timings(),
            "versions": package_versions(),
            "machine": describe_machine(accelerator=_accelerator(plan)),
        }
    )
    yield Stage("report", "writing the report")
    writer.save("data.json", _listing(material))
    writer.save("card.md", render_card(header, material.problems, run=run).encode())
    shown = measured.get("test") or measured.get("validation")
    sections = task.sections(shown.evidence) if shown else []
    report = render_report(header, sections, fitted.history, material.problems, run=run)
    writer.save("report.html", report.encode())
    writer.seal(header)
    return metrics


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
    outputs = collect_outputs(graph, material.prepared["validation"].pixels)
    return recipe.task.calibrate(outputs, material.parts["validation"].targets)


def _export(
    recipe: Recipe[Any], start: Start, writer: RunWriter, material: Material
) -> tuple[dict[str, str], dict[str, float]]:
    """({graph: file}, {output: largest difference}); weights and graphs lie in the run."""
    metadata = _metadata(recipe.task, start)
    state = start.module.state_dict()
    tensors = {name: value.detach().cpu().contiguous().clone() for name, value in state.items()}
    # one entry, since safetensors writes several in random order, and equal runs shall be equal files
    text = {"striate": json.dumps(metadata)}
    writer.save_with("model.safetensors", lambda path: save_file(tensors, path, metadata=text))
    pixels = _probe(material)
    files: dict[str, str] = {}
    differences: dict[str, float] = {}
    for name, source in recipe.graphs(start.module).items():
        file = f"graphs/{name}.onnx"

        def write(path: Path, source: Any = source) -> None:
            write_graph(source, path, input_hw=recipe.task.input_hw, metadata=metadata)

        writer.save_with(file, write)
        differences |= check_parity(source, writer.path_of(file), pixels)
        files[name] = file
    return files, differences


def _metadata(task: Task[Any, Any], start: Start) -> Mapping[str, Any]:
    """What a graph file says of itself, so that it is of use alone."""
    return {
        "task": task.name,
        "names": list(task.facts.names),  # type: ignore[attr-defined]  # every task names its outputs
        "input": "uint8 RGB (batch, height, width, 3), EXIF orientation applied",
        "input_hw": list(task.input_hw),
        "fit": str(task.facts.model_dump().get("fit", "")),
        "network": start.module.name,
        "weights_licence": start.source.licence if start.source else "none: trained from random weights",
        "striate": striate.__version__,
    }


def _probe(material: Material) -> Array:
    """Real pictures and one of noise: what a graph is compared on."""
    pixels = np.asarray(material.prepared["train"].pixels[:_PARITY_PICTURES])
    noise = np.random.default_rng(0).integers(0, 256, pixels[:1].shape, dtype=np.uint8)
    return np.concatenate([pixels, noise])


def _measure(
    task: Task[Any, Any], graph: Graph, material: Material, fitted: Fitted
) -> Generator[Event, None, dict[Split, _Measured]]:
    found: dict[Split, _Measured] = {}
    for name in material.parts:
        part, prepared = material.parts[name], material.prepared[name]
        if name == "train" or not len(part):
            continue
        yield Stage("evaluate", f"evaluating on {len(part)} {name} pictures", total=len(part))
        outputs = collect_outputs(graph, prepared.pixels)
        predictions = task.decode(outputs, [prepared.prepared(i) for i in range(len(part))])
        meter = task.meter()
        meter.update(predictions, part.targets)
        metrics = meter.compute()
        yield Step(len(part))
        found[name] = _Measured(metrics, Evidence(part, predictions, metrics, fitted.history))
    return found


def _data_record(material: Material, source: str) -> DataRecord:
    counts = {name: len(part) for name, part in material.parts.items()}
    return DataRecord(
        name=material.dataset.shown_root() or os.path.basename(source),  # noqa: PTH119  # a name, not a path
        layout=material.dataset.layout,
        fingerprint=material.fingerprint,
        counts={str(name): count for name, count in counts.items()},
        names=material.dataset.names,
    )


def _weights_record(start: Start) -> WeightsRecord:
    if start.source is None:
        return WeightsRecord()
    return WeightsRecord(
        source=start.source.name, licence=start.source.licence, sha256=start.source.sha256
    )


def _accelerator(plan: Plan) -> str:
    return torch.cuda.get_device_name(plan.device) if plan.device.startswith("cuda") else "none"


def _listing(material: Material) -> bytes:
    """Every picture with its split and the hash of its content: what was trained on, exactly."""
    rows = [
        {"key": record.key, "split": record.split, "sha256": record.origin.content_hash()}
        for record in material.dataset.records
    ]
    text = json.dumps({"pictures": rows, "problems": [p.to_dict() for p in material.problems]})
    return text.encode("utf-8", "surrogateescape")
