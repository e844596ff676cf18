"""Training a learner on hand-made features: no torch, one pass, the same run at the end."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any, Literal

import numpy as np

from striate.baselines.contract import Baseline, baseline_for
from striate.baselines.fitting import Extractor, fit_extractor, fitting_rows, parity, write_graph
from striate.baselines.learners import LEARNING
from striate.baselines.names import BaselineName, parse_baseline
from striate.baselines.solution import Solution
from striate.engine.events import Event, Finished, Note, Planned, Stage, Step
from striate.errors import Interrupted
from striate.graphs import collect_outputs, load_graph
from striate.runs.energy import EnergyMeter
from striate.runs.folder import RunWriter
from striate.runs.power import counters
from striate.types import Array, Split
from striate.verbs.training.data import Material, gather
from striate.verbs.training.request import Request
from striate.verbs.training.seal import Trained, graph_metadata, seal
from striate.verbs.training.stages import StageTimes

__all__ = ["train_baseline"]

_FINISH_S, _FINISH_SHARE = 4.0, 0.08
"""What evaluation and report take of a time budget, at least."""
_PROBED = 32


def train_baseline(
    request: Request,
    *,
    out: Path,
    resume: bool,
    overwrite: bool,
    started: float,
    stop: Callable[[], bool],
    tell: Callable[[Event], None],
) -> None:
    """Train what `request.model` names, such as hog+svm, and write the run to `out`.

    It takes so little that nothing of an interrupted run is kept: made again, it has the same bits.
    """
    parse_baseline(request.model)
    with RunWriter.begin(out, resume=resume, overwrite=overwrite) as writer:
        if writer.already_sealed:
            tell(Note(f"{out} is finished already; nothing to resume"))
            return
        for event in _Session(request, out=str(out), started=started, stop=stop, tell=tell).lead(writer):
            tell(event)
            if stop():
                raise Interrupted(
                    "stopped while training; nothing was lost but this run's time",
                    remedy="start it again with the same command, with or without --resume",
                )


class _Session:
    """Holds what one call needs."""

    def __init__(
        self,
        request: Request,
        *,
        out: str,
        started: float,
        stop: Callable[[], bool],
        tell: Callable[[Event], None],
    ) -> None:
        self.request, self.out, self.started, self.stop, self.tell = request, out, started, stop, tell
        self.times = StageTimes(started)

    def lead(self, writer: RunWriter) -> Generator[Event, None, None]:
        """Train and seal. Events are timed and passed on."""
        return self.times.watch(self._lead(writer))

    def _lead(self, writer: RunWriter) -> Generator[Event, None, None]:
        meter = EnergyMeter(counters())
        meter.start()
        material = yield from gather(
            self.request.new_task(), self.request.source, seed=self.request.train.seed, tell=self.tell
        )
        baseline = baseline_for(material.task)
        name = parse_baseline(self.request.model, kind=baseline.kind)
        extractor, solution, plan = yield from self._fit(name, baseline, material)
        trained = yield from self._export(writer, material, extractor, solution, plan)
        metrics = yield from seal(
            writer, self.request, trained, material, run=self.out, meter=meter, timings=self.times.ended
        )
        yield Finished(str(writer.path), metrics, round(time.monotonic() - self.started, 2))

    def _fit(
        self, name: BaselineName, baseline: Baseline[Any], material: Material
    ) -> Generator[Event, None, tuple[Extractor, Solution, dict[str, Any]]]:
        seed = self.request.train.seed
        pixels = material.prepared["train"].pixels
        channels: Literal[1, 3] = 1 if baseline.channels == 1 else 3
        if any(feature == "sift-words" for feature in name.features):
            yield Stage("words", "learning visual words from training pictures")
        extractor = fit_extractor(name.features, pixels, channels, seed=seed)
        rows = fitting_rows(len(pixels), extractor.columns, seed=seed)
        if len(rows) < len(pixels):
            yield Note(
                f"{len(rows)} of {len(pixels)} training pictures fit in memory and are used", "warning"
            )
        plan: dict[str, Any] = {
            "features": list(name.features),
            "learner": name.learner,
            "columns": extractor.columns,
            "pictures": len(rows),
            "seed": seed,
            "device": "cpu",
            "threads": os.cpu_count() or 1,
        }
        yield Planned(plan)
        truth = baseline.truth(material.parts["train"].targets)
        vectors = yield from self._vectors(extractor, material, "train", rows)
        held = yield from self._vectors(extractor, material, "validation", None)
        held_truth = baseline.truth(
            material.parts["validation"].targets if "validation" in material.parts else []
        )
        yield Stage("train", f"fitting {name.learner} to {extractor.columns} numbers a picture")
        began = time.monotonic()
        solution = LEARNING[name.learner](
            vectors, truth.take(rows), held, held_truth, seed=seed, done=self._done
        )
        plan |= {"chosen": solution.said, "fit_s": round(time.monotonic() - began, 2)}
        yield Note(f"{name}: {solution.said}")
        return extractor, solution, plan

    def _vectors(
        self, extractor: Extractor, material: Material, split: Split, rows: Array | None
    ) -> Generator[Event, None, Array]:
        if split not in material.parts or not len(material.parts[split]):
            return np.zeros((0, extractor.columns), np.float32)
        pixels = material.prepared[split].pixels
        pixels = pixels if rows is None or len(rows) == len(pixels) else pixels[rows]
        what = "+".join(extractor.features)
        yield Stage("features", f"computing {what} of {len(pixels)} {split} pictures", total=len(pixels))
        return extractor.vectors(pixels, on_progress=lambda done: self.tell(Step(done)))

    def _done(self) -> bool:
        budget = self.request.train.time_budget
        if self.stop():
            return True
        return budget is not None and time.monotonic() > self.started + budget - max(
            _FINISH_S, _FINISH_SHARE * budget
        )

    def _export(
        self,
        writer: RunWriter,
        material: Material,
        extractor: Extractor,
        solution: Solution,
        plan: dict[str, Any],
    ) -> Generator[Event, None, Trained]:
        """Calibrated by a first graph, then written with everything that was learnt inside."""
        task, file = material.task, "graphs/main.onnx"
        yield Stage("calibrate", "making the scores honest on validation pictures")
        metadata = graph_metadata(task, network=self.request.model, licence="")
        for calibrated in (False, True):
            made = write_graph(extractor, solution, baseline_for(task), metadata)
            writer.save(file, made)
            graph = load_graph(writer.path_of(file))
            if calibrated or "validation" not in material.parts or not len(material.parts["validation"]):
                break
            held = material.prepared["validation"]
            outputs = collect_outputs(graph, held.pixels)
            task = task.calibrate(outputs, material.parts["validation"].targets, held.all_prepared())
        yield Stage("export", "proving that the graph answers as what was fitted")
        pixels = np.asarray(material.prepared["train"].pixels[:_PROBED])
        noise = np.random.default_rng(0).integers(0, 256, pixels[:1].shape, dtype=np.uint8)
        worst = parity(extractor, solution, np.concatenate([pixels, noise]))
        yield Note(f"the exported graph equals the fitted learner to {worst:.1e}")
        return Trained(task, {"main": file}, plan | {"parity": {"scores": worst}})
