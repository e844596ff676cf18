"""From a trained model to a sealed run: evaluate its graphs, write header, card and report, close."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import striate
from striate.engine.events import Event, Stage, Step
from striate.graphs import Graph, collect_outputs, load_graph
from striate.runs.card import render_card
from striate.runs.energy import EnergyMeter
from striate.runs.folder import RunWriter
from striate.runs.header import DataRecord, RunHeader, WeightsRecord, iso_time
from striate.runs.machine import describe_machine, package_versions
from striate.runs.report import render_report
from striate.task import Evidence, Task
from striate.types import Split
from striate.verbs.training.data import Material
from striate.verbs.training.request import Request

__all__ = ["Trained", "graph_metadata", "seal"]


@dataclass(frozen=True, slots=True)
class Trained:
    """A model that is trained, calibrated and exported, whatever it is: what a run tells of it."""

    task: Task[Any, Any]
    graphs: Mapping[str, str]
    """File of each graph, relative to the run."""
    plan: Mapping[str, Any]
    """What was chosen, and how training went."""
    augment: Mapping[str, Any] = field(default_factory=dict)
    weights: WeightsRecord = field(default_factory=WeightsRecord)
    history: Sequence[Mapping[str, Any]] = ()
    accelerator: str = "none"


@dataclass(frozen=True, slots=True)
class _Measured:
    """One split by the exported graphs: what a user of the run will get."""

    metrics: dict[str, Any]
    evidence: Evidence[Any, Any]


def seal(
    writer: RunWriter,
    request: Request,
    trained: Trained,
    material: Material,
    *,
    run: str,
    meter: EnergyMeter,
    timings: Callable[[], dict[str, float]],
) -> Generator[Event, None, dict[str, Any]]:
    """Write everything of the run and close it; returns its metrics by split.

    `run`: the run's folder as the user named it, for the commands in the report.
    """
    task = trained.task
    graph = load_graph(writer.path_of(trained.graphs["main"]))
    measured = yield from _measure(task, graph, material, trained.history)
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
            "augment": trained.augment,
            "plan": trained.plan,
            "data": _data_record(material, request.source),
            "weights": trained.weights,
            "graphs": trained.graphs,
            "metrics": metrics,
            "energy": meter.snapshot(request.train.grid_gco2_per_kwh),
            "timings": timings(),
            "versions": package_versions(),
            "machine": describe_machine(accelerator=trained.accelerator),
        }
    )
    yield Stage("report", "writing the report")
    writer.save("data.json", _listing(material))
    writer.save("card.md", render_card(header, material.problems, run=run).encode())
    shown = measured.get("test") or measured.get("validation")
    sections = task.sections(shown.evidence) if shown else []
    report = render_report(header, sections, trained.history, material.problems, run=run)
    writer.save("report.html", report.encode())
    writer.seal(header)
    return metrics


def _measure(
    task: Task[Any, Any], graph: Graph, material: Material, history: Sequence[Mapping[str, Any]]
) -> Generator[Event, None, dict[Split, _Measured]]:
    found: dict[Split, _Measured] = {}
    for name in material.parts:
        part, prepared = material.parts[name], material.prepared[name]
        if name == "train" or not len(part):
            continue
        yield Stage("evaluate", f"evaluating on {len(part)} {name} pictures", total=len(part))
        outputs = collect_outputs(graph, prepared.pixels, feeds=task.feeds)
        predictions = task.decode(outputs, prepared.all_prepared())
        meter = task.meter()
        meter.update(predictions, part.targets)
        metrics = meter.compute()
        yield Step(len(part))
        found[name] = _Measured(metrics, Evidence(part, predictions, metrics, history))
    return found


def graph_metadata(task: Task[Any, Any], *, network: str, licence: str) -> Mapping[str, Any]:
    """What a graph file says of itself, so that it is of use alone."""
    return {
        "task": task.name,
        "names": list(task.facts.names),  # type: ignore[attr-defined]  # every task names its outputs
        "input": "uint8 RGB (batch, height, width, 3), EXIF orientation applied",
        "input_hw": list(task.input_hw),
        "fit": str(task.facts.model_dump().get("fit", "")),
        "network": network,
        "weights_licence": licence or "none: trained from random weights",
        "striate": striate.__version__,
    }


def _data_record(material: Material, source: str) -> DataRecord:
    counts = {name: len(part) for name, part in material.parts.items()}
    return DataRecord(
        name=material.dataset.shown_root() or os.path.basename(source),  # noqa: PTH119  # a name, not a path
        layout=material.dataset.layout,
        fingerprint=material.fingerprint,
        counts={str(name): count for name, count in counts.items()},
        names=material.dataset.names,
    )


def _listing(material: Material) -> bytes:
    """Every picture with its split and the hash of its content: what was trained on, exactly."""
    rows = [
        {"key": record.key, "split": record.split, "sha256": record.origin.content_hash()}
        for record in material.dataset.records
    ]
    text = json.dumps({"pictures": rows, "problems": [p.to_dict() for p in material.problems]})
    return text.encode("utf-8", "surrogateescape")
