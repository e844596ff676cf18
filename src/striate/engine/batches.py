"""Which pictures make up a step, and their way from the memory map to the device.

The order of an epoch is a permutation drawn from (seed, epoch); every process takes an even-sized,
contiguous slice of each global batch, so that pairs that are mixed stay together. Nothing depends
on how many processes there are or where a run was interrupted.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from striate.engine.job import Arrays
from striate.nn.augment.augmenter import Augmenter
from striate.nn.recipe import Batch, Recipe
from striate.randomness import permutation
from striate.types import Array

__all__ = ["Batches"]


class Batches:
    """Batches of one process."""

    def __init__(
        self,
        arrays: Arrays,
        augmenter: Augmenter,
        recipe: Recipe[Any],
        *,
        steps_per_epoch: int,
        seed: int,
        device: torch.device,
        memory_format: torch.memory_format,
        rank: int = 0,
        world_size: int = 1,
    ) -> None:
        self._arrays, self._augmenter, self._recipe = arrays, augmenter, recipe
        self._steps, self._seed = steps_per_epoch, seed
        self._device, self._memory_format = device, memory_format
        self._rank, self._world_size = rank, world_size
        self._epoch, self._order = -1, np.empty(0, np.int64)

    def rows(self, epoch: int, step: int) -> Array:
        """Row numbers of the global batch `step` (0 …) of `epoch`."""
        if epoch != self._epoch:
            self._epoch, self._order = epoch, permutation(self._seed, epoch, len(self._arrays))
        bounds = np.linspace(0, len(self._order), self._steps + 1).round().astype(np.int64)
        return self._order[bounds[step] : bounds[step + 1]]

    def local_rows(self, rows: Array) -> Array:
        """This process's slice of a global batch; even-sized but for the last process."""
        share = 2 * -(-len(rows) // (2 * self._world_size))
        return rows[self._rank * share : (self._rank + 1) * share]

    def load(self, rows: Array, *, epoch: int) -> Batch:
        """Pictures at `rows`, augmented, with their truths."""
        raw = np.asarray(self._arrays.pixels[rows])
        plan = self._augmenter.plan(epoch, rows)
        pixels = self._formatted(self._augmenter.apply(torch.from_numpy(raw).to(self._device), plan))
        own = self._recipe.follow(self._truths(rows), plan)
        if plan.mix is None:
            return Batch(pixels, own)
        share = torch.from_numpy(plan.mix.share).to(self._device)
        return Batch(pixels, own, self._truths(rows[plan.mix.partner]), share)

    def _formatted(self, pixels: Tensor) -> Tensor:
        return pixels.float().contiguous(memory_format=self._memory_format)

    def _truths(self, rows: Array) -> dict[str, Tensor]:
        index = torch.from_numpy(rows)
        return {name: value[index].to(self._device) for name, value in self._arrays.encoded.items()}
