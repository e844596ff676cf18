"""One optimizer step: forward, backward, checks, update; smaller pieces when memory runs out."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from striate.engine.devices import PRECISIONS, is_out_of_memory
from striate.errors import MemoryLimitError
from striate.nn.recipe import Batch, Recipe

__all__ = ["NotFinite", "Stepper", "slice_batch"]


class NotFinite(Exception):  # a signal to the loop, which turns it into a TrainingError
    """A loss or a gradient is NaN or infinite; nothing was updated."""

    def __init__(self, what: str) -> None:
        self.what = what
        super().__init__(what)


def slice_batch(batch: Batch, start: int, stop: int) -> Batch:
    """Pictures `start` … `stop` of a batch."""
    partner = batch.partner_targets
    return Batch(
        batch.pixels[start:stop],
        {name: value[start:stop] for name, value in batch.targets.items()},
        None if partner is None else {name: value[start:stop] for name, value in partner.items()},
        None if batch.share is None else batch.share[start:stop],
    )


class Stepper:
    """Runs steps in `pieces` micro-batches; doubles the pieces when memory runs out.

    The gradient of a step is the mean over the global batch however it is cut up; only batch
    statistics see the smaller pieces.
    """

    def __init__(
        self,
        recipe: Recipe[Any],
        module: nn.Module,
        optimizer: torch.optim.Optimizer,
        *,
        precision: str,
        clip_norm: float,
        pieces: int = 1,
    ) -> None:
        self._recipe, self._module, self._optimizer = recipe, module, optimizer
        self._dtype = PRECISIONS[precision]
        self._clip_norm = clip_norm
        self.pieces = pieces
        self._parameters = [p for p in module.parameters() if p.requires_grad]

    def __call__(self, batch: Batch, *, global_size: int, world_size: int = 1) -> float:
        """Update the weights; returns the mean loss of this process's pictures.

        Raises `NotFinite` before anything is updated, `MemoryLimitError` when one picture is too many.
        """
        while True:
            try:
                loss = self._gradients(batch, global_size=global_size, world_size=world_size)
                break
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
                self._halve(len(batch.pixels), error)
        norm = self._norm()
        if not math.isfinite(loss):
            raise NotFinite(f"the loss is {loss}")
        if not math.isfinite(norm):
            raise NotFinite(f"the gradient's norm is {norm}")
        self._optimizer.step()
        return loss

    def _halve(self, pictures: int, error: BaseException) -> None:
        if self.pieces >= pictures:
            raise MemoryLimitError(
                "memory ran out with a single picture in the network",
                remedy="choose a smaller --size or --model, or close other programs",
            ) from error
        self.pieces = min(pictures, self.pieces * 2)
        self._optimizer.zero_grad(set_to_none=True)
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def _gradients(self, batch: Batch, *, global_size: int, world_size: int) -> float:
        self._optimizer.zero_grad(set_to_none=True)
        size, total = len(batch.pixels), 0.0
        bounds = [round(i * size / self.pieces) for i in range(self.pieces + 1)]
        for start, stop in pairwise(bounds):
            if stop == start:
                continue
            piece = batch if self.pieces == 1 else slice_batch(batch, start, stop)
            loss = self._loss(piece)
            # data parallel averages over processes, whose slices may differ in size
            (loss * ((stop - start) * world_size / global_size)).backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
            total += float(loss.detach()) * (stop - start)
        return total / max(1, size)

    def _loss(self, piece: Batch) -> Tensor:
        with torch.autocast(piece.pixels.device.type, self._dtype, enabled=self._dtype != torch.float32):
            return self._recipe.loss(self._module, piece)["loss"]

    def _norm(self) -> float:
        gradients = [p.grad for p in self._parameters if p.grad is not None]
        if not gradients:
            return 0.0
        if self._clip_norm > 0:
            return float(nn.utils.clip_grad_norm_(self._parameters, self._clip_norm))
        return float(nn.utils.get_total_norm(gradients))
