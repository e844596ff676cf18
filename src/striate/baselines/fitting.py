"""Pictures → vectors → a fitted learner → one graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from striate.baselines.contract import Baseline
from striate.baselines.solution import Solution
from striate.errors import TrainingError
from striate.features.vectors.registry import VECTORS, Learnt, write_vectors
from striate.features.vectors.words import fit_words
from striate.features.vectors.writer import GraphWriter
from striate.features.words import descriptors_of
from striate.graphs import OnnxGraph
from striate.types import Array, PictureArray, SizeHW

__all__ = ["CELLS_AT_MOST", "Extractor", "fit_extractor", "fitting_rows", "parity", "write_graph"]

CELLS_AT_MOST = 400_000_000
"""Numbers of all vectors together (1.6 GB): more training pictures than that allows are left out."""
_DESCRIBED = 400
"""Pictures whose patches are looked at for words."""
TOLERANCE = 1e-3


@dataclass(frozen=True, slots=True)
class Extractor:
    """Features with what they learnt: from pictures to vectors."""

    features: tuple[str, ...]
    size_hw: SizeHW
    channels: Literal[1, 3]
    learnt: Learnt
    columns: int
    graph: OnnxGraph

    def vectors(self, pixels: PictureArray, *, on_progress: Callable[[int], None]) -> Array:
        """Vectors float32 (N, D) of pictures uint8 (N, H, W, 3); `on_progress` hears how many."""
        found = np.empty((len(pixels), self.columns), np.float32)
        batch = max(8, min(256, 64 * 64 * 64 // (self.size_hw[0] * self.size_hw[1])))
        for at in range(0, len(pixels), batch):
            part = np.ascontiguousarray(pixels[at : at + batch])
            found[at : at + len(part)] = self.graph({"pictures": part})["vectors"]
            on_progress(min(at + batch, len(pixels)))
        return found


def fit_extractor(
    features: tuple[str, ...], pixels: PictureArray, channels: Literal[1, 3], *, seed: int
) -> Extractor:
    """What `features` learn from pictures uint8 (N, H, W, 3), and the graph that computes them."""
    size_hw = (pixels.shape[1], pixels.shape[2])
    probe = GraphWriter(size_hw, channels)
    learnt: Learnt = {}
    if any(VECTORS[name].learns == "words" for name in features):
        rows = np.unique(np.linspace(0, len(pixels) - 1, min(_DESCRIBED, len(pixels))).astype(int))
        learnt = fit_words(descriptors_of(np.asarray(pixels[rows])), seed=seed)
    value, columns = write_vectors(probe, features, learnt)
    probe.add("Identity", [value], name="vectors")
    run = OnnxGraph(probe.model({"vectors": columns}))
    return Extractor(features, size_hw, channels, learnt, columns, run)


def write_graph(
    extractor: Extractor, solution: Solution, baseline: Baseline[Any], metadata: Mapping[str, Any]
) -> bytes:
    """The whole model as one ONNX file: uint8 pictures in, the task's outputs out."""
    graph = GraphWriter(extractor.size_hw, extractor.channels)
    vectors, _ = write_vectors(graph, extractor.features, extractor.learnt)
    return graph.model(baseline.write(graph, solution.write(graph, vectors)), metadata)


def parity(extractor: Extractor, solution: Solution, pixels: PictureArray) -> float:
    """Largest difference between the graph's scores of `pixels` and those of the library that fitted
    them, relative to the largest where that exceeds 1; a `TrainingError` beyond a thousandth."""
    graph = GraphWriter(extractor.size_hw, extractor.channels)
    vectors, _ = write_vectors(graph, extractor.features, extractor.learnt)
    graph.add("Identity", [solution.write(graph, vectors)], name="scores")
    expected = solution.scores(extractor.vectors(pixels, on_progress=lambda done: None))
    found = OnnxGraph(graph.model({"scores": expected.shape[1]}))({"pictures": pixels})["scores"]
    scale = max(1.0, float(np.abs(expected).max(initial=0.0)))
    worst = float(np.abs(expected - found).max(initial=0.0)) / scale
    if not worst <= TOLERANCE:
        raise TrainingError(
            f"the exported graph differs from what was fitted by {worst:.2g}",
            expected=f"at most {TOLERANCE:g}",
            remedy="report this as a bug in striate",
        )
    return worst


def fitting_rows(pictures: int, columns: int, *, seed: int) -> Array:
    """Which training pictures are used: all, or as many as fit in memory, drawn evenly."""
    most = max(1, CELLS_AT_MOST // max(1, columns))
    if pictures <= most:
        return np.arange(pictures)
    return np.sort(np.random.default_rng(seed).choice(pictures, most, replace=False))
