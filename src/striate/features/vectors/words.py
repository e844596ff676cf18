"""Visual words (Csurka et al. 2004): a picture as the shares of the patches that occur in it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from striate.features.vectors.dense_sift import DESCRIPTOR, grids_for, write_descriptors
from striate.features.vectors.grids import normalised, pooling_matrix
from striate.features.vectors.writer import GraphWriter
from striate.types import Array, SizeHW

__all__ = ["SHARPNESS", "fit_words", "sample_descriptors_model", "write_words"]

_GRIDS = (1, 2)
SHARPNESS = 30.0
"""How much a patch prefers its nearest word: weights exp(−β d²), nearly one word each (soft assignment,
van Gemert et al. 2010)."""
_PER_WORD = 150
"""Patches looked at for each word: more moves the words hardly."""
_WORDS_AT_MOST, _PATCHES_A_WORD = 512, 20


def sample_descriptors_model(size_hw: SizeHW) -> bytes:
    """A graph whose output "descriptors" are all descriptors (B, N·128) of the pictures."""
    graph = GraphWriter(size_hw)
    parts, count = [], 0
    for grid in grids_for(size_hw):
        rows, columns = grid.count_hw(size_hw)
        made = write_descriptors(graph, size_hw, grid)
        last = graph.add("Transpose", [made], {"perm": [0, 2, 3, 1]})
        parts.append(graph.rows(last))
        count += rows * columns
    graph.add("Identity", [graph.join(parts, 1)], name="descriptors")
    return graph.model({"descriptors": count * DESCRIPTOR})


def fit_words(descriptors: Array, *, seed: int) -> Mapping[str, Array]:
    """Words {"words": (K, 128)} by k-means of `descriptors` (N, 128); flat patches are left out.

    512 words, fewer where the pictures show too few patches for so many.
    """
    from sklearn.cluster import MiniBatchKMeans

    found = descriptors[np.square(descriptors).sum(axis=1) > 0.5]
    if len(found) > _WORDS_AT_MOST * _PER_WORD:
        rows = np.random.default_rng(seed).choice(len(found), _WORDS_AT_MOST * _PER_WORD, replace=False)
        found = found[np.sort(rows)]
    count = int(np.clip(len(found) // _PATCHES_A_WORD, 1, _WORDS_AT_MOST))
    if not len(found):  # nothing but flat pictures: one word that says so
        return {"words": np.zeros((1, DESCRIPTOR), np.float32)}
    kmeans = MiniBatchKMeans(
        count, batch_size=4096, n_init=1, max_iter=30, max_no_improvement=20, random_state=seed
    )
    return {"words": kmeans.fit(found).cluster_centers_.astype(np.float32)}


def write_words(graph: GraphWriter, size_hw: SizeHW, learnt: Mapping[str, Array]) -> tuple[str, int]:
    """Shares of the words in the whole picture and its quarters, at two sizes of patch."""
    words = learnt["words"]
    likeness = graph.constant(2 * SHARPNESS * words.T)
    offset = graph.constant(-SHARPNESS * np.square(words).sum(axis=1))
    found, columns = [], 0
    for grid in grids_for(size_hw):
        places = grid.count_hw(size_hw)
        described = _rows_of(graph, write_descriptors(graph, size_hw, grid), places)
        scores = graph.combine("Add", graph.add("MatMul", [described, likeness]), offset)
        shares = graph.add("Softmax", [scores], {"axis": -1})
        # a flat patch is no word
        textured = graph.add(
            "Cast", [graph.combine("Greater", graph.total(described, 2), 0.0)], {"to": 1}
        )
        pooling = pooling_matrix(places, _GRIDS)
        pooled = graph.add("MatMul", [graph.constant(pooling), graph.combine("Mul", shares, textured)])
        found.append(graph.rows(normalised(graph, pooled)))
        columns += len(pooling) * len(words)
    return graph.join(found, 1), columns


def _rows_of(graph: GraphWriter, described: str, places: SizeHW) -> str:
    """Descriptors (B, 128, rows, columns) as (B, rows·columns, 128)."""
    last = graph.add("Transpose", [described], {"perm": [0, 2, 3, 1]})
    return graph.add("Reshape", [last, graph.integers(-1, places[0] * places[1], DESCRIPTOR)])
