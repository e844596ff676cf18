"""A bag of visual words (Csurka et al. 2004): fitted on pictures, saved, reloaded, used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from striate.errors import DataError, UsageError
from striate.features.vectors.dense_sift import DESCRIPTOR, grids_for
from striate.features.vectors.words import fit_words, sample_descriptors_model, write_words
from striate.features.vectors.writer import GraphWriter
from striate.graphs import OnnxGraph
from striate.types import Array, Picture, PictureArray, SizeHW

__all__ = ["Vocabulary", "descriptors_of"]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Visual words float32 (K, 128): the patches by which pictures are told apart."""

    words: Array

    def __post_init__(self) -> None:
        if (
            self.words.ndim != 2
            or self.words.shape[1] != DESCRIPTOR
            or not np.isfinite(self.words).all()
        ):
            raise ValueError(f"words: expected finite numbers (K, {DESCRIPTOR}), got {self.words.shape}")

    @classmethod
    def fit(cls, pictures: Sequence[Picture], size_hw: SizeHW, *, seed: int = 0) -> Self:
        """Words of `pictures`, each fitted to `size_hw` first."""
        return cls(fit_words(descriptors_of(_fitted(pictures, size_hw)), seed=seed)["words"])

    def histograms(self, pictures: Sequence[Picture], size_hw: SizeHW) -> Array:
        """A row a picture, float32 (N, D): root shares of the words in the whole and its quarters."""
        graph = GraphWriter(size_hw)
        value, columns = write_words(graph, size_hw, {"words": self.words})
        graph.add("Identity", [value], name="vectors")
        run = OnnxGraph(graph.model({"vectors": columns}))
        return run({"pictures": _fitted(pictures, size_hw)})["vectors"]

    def save(self, path: Path) -> None:
        """Write the words as .npy, atomically."""
        import os

        part = path.with_name(f".{path.name}.part")
        with part.open("wb") as file:
            np.save(file, self.words, allow_pickle=False)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)

    @classmethod
    def load(cls, path: Path) -> Self:
        """What `save` wrote; a `DataError` for anything else."""
        try:
            return cls(np.load(path, allow_pickle=False))
        except (ValueError, OSError, EOFError) as error:
            raise DataError(
                f"{path.name} is not a vocabulary: {error}",
                expected=f"an .npy of numbers (K, {DESCRIPTOR})",
            ) from error


def descriptors_of(pixels: PictureArray, *, batch: int = 16) -> Array:
    """All descriptors (N, 128) of `pixels` uint8 (B, H, W, 3)."""
    size_hw = (pixels.shape[1], pixels.shape[2])
    if not grids_for(size_hw):
        raise UsageError(
            f"pictures of {size_hw[0]}×{size_hw[1]} px are too small for patches",
            expected="10 px a side or more",
        )
    run = OnnxGraph(sample_descriptors_model(size_hw))
    parts = [
        run({"pictures": np.ascontiguousarray(pixels[at : at + batch])})["descriptors"].reshape(
            -1, DESCRIPTOR
        )
        for at in range(0, len(pixels), batch)
    ]
    return np.concatenate(parts) if parts else np.zeros((0, DESCRIPTOR), np.float32)


def _fitted(pictures: Sequence[Picture], size_hw: SizeHW) -> PictureArray:
    from striate.pictures.resize import fit

    made = [fit(one, size_hw, how="crop").pixels for one in pictures]
    return np.stack(made) if made else np.zeros((0, *size_hw, 3), np.uint8)
