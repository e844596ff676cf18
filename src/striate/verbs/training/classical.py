"""Training a learner on hand-made features: no torch, one pass, the same run at the end."""

from __future__ import annotations

import time
from collections.abc import Generator
from typing import Any, Literal, final

import numpy as np

from striate.baselines.contract import Baseline, baseline_for
from striate.baselines.fitting import Extractor, fit_extractor, fitting_rows, parity, write_graph
from striate.baselines.learners import LEARNING
from striate.baselines.names import BaselineName, parse_baseline
from striate.baselines.solution import Solution
from striate.cores import usable_cores
from striate.engine.events import Event, Note, Planned, Stage, Step
from striate.graphs import collect_outputs, load_graph
from striate.runs.folder import RunWriter
from striate.types import Array, Split
from striate.verbs.training.data import Material
from striate.verbs.training.one_pass import OnePass
from striate.verbs.training.seal import Trained, graph_metadata

__all__ = ["BaselineTraining"]

_PROBED = 32


@final
class BaselineTraining(OnePass):
    """What the model names, such as hog+svm: the same seed gives the same bits."""

    def learn(self, writer: RunWriter, material: Material) -> Generator[Event, None, Trained]:
        name = parse_baseline(self.request.model)
        extractor, solution, plan = yield from self._fit(name, baseline_for(material.task), material)
        return (yield from self._export(writer, material, extractor, solution, plan))

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
            "threads": usable_cores(),
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
        left = self.seconds_left()
        return self.stop() or (left is not None and left < 0)

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
