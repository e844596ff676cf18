"""Adversarial training: each batch is changed for the worse before its step (Madry et al. 2018)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any, final

import torch
from torch import nn

from striate.engine.devices import PRECISIONS
from striate.engine.step import slice_batch
from striate.gradients.attacks import pgd, random_start
from striate.nn.recipe import Batch, Recipe
from striate.randomness import hash64

__all__ = ["Hardener"]

_FAST = 1.25
"""A single step goes a little beyond the strength from a random start (Wong et al. 2020)."""


@final
class Hardener:
    """Changes batches by up to `strength` grey levels in the way that harms the network most.

    `steps`: 1 is fast adversarial training, about twice the time of plain training; k takes k + 1 times.
    The network looks on in evaluation mode: attacks leave no trace in its batch statistics.
    """

    def __init__(
        self, recipe: Recipe[Any], *, strength: float, steps: int, precision: str, seed: int
    ) -> None:
        self._recipe, self._strength, self._steps, self._seed = recipe, strength, steps, seed
        self._dtype = PRECISIONS[precision]

    def __call__(
        self, module: nn.Module, batch: Batch, *, epoch: int, rows: Sequence[int], pieces: int = 1
    ) -> Batch:
        """`batch` with its pictures attacked; `rows`: the records they are, for what is random.

        `pieces`: in so many parts, as the step that follows.
        """
        was_training = module.training
        module.eval()
        try:
            bounds = [round(i * len(rows) / pieces) for i in range(pieces + 1)]
            parts = [
                self._attacked(module, slice_batch(batch, low, high), epoch, rows[low:high])
                for low, high in pairwise(bounds)
                if high > low
            ]
        finally:
            module.train(was_training)
        return replace(batch, pixels=torch.cat(parts)) if parts else batch

    def _attacked(
        self, module: nn.Module, batch: Batch, epoch: int, rows: Sequence[int]
    ) -> torch.Tensor:
        pixels = batch.pixels.detach()
        seeds = [hash64(self._seed, epoch, int(row), "adversarial") >> 1 for row in rows]

        def harm(found: torch.Tensor) -> torch.Tensor:
            with torch.autocast(found.device.type, self._dtype, enabled=self._dtype != torch.float32):
                return self._recipe.harm(module, replace(batch, pixels=found))

        start = random_start(pixels, self._strength, "linf", seeds)
        step = _FAST * self._strength if self._steps == 1 else None
        found = pgd(
            harm, pixels, self._strength, steps=self._steps, start=start, step=step, keep_worst=False
        )
        return found.contiguous(
            memory_format=torch.channels_last
            if pixels.is_contiguous(memory_format=torch.channels_last) and not pixels.is_contiguous()
            else torch.contiguous_format
        )
