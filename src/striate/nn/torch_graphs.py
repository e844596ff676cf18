"""A torch module behind the `Graph` protocol: the path of use, while training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from striate.nn.recipe import Recipe
from striate.types import Array

__all__ = ["TorchGraph"]


class TorchGraph:
    """Runs `recipe.outputs(module, …)` on NumPy batches, in evaluation mode, without gradients."""

    def __init__(
        self,
        recipe: Recipe[Any],
        module: nn.Module,
        *,
        device: torch.device,
        precision: torch.dtype = torch.float32,
        memory_format: torch.memory_format = torch.contiguous_format,
    ) -> None:
        self._recipe, self._module = recipe, module
        self._device, self._precision, self._memory_format = device, precision, memory_format

    @property
    def input_names(self) -> tuple[str, ...]:
        return ("pictures",)

    @property
    def output_names(self) -> tuple[str, ...]:
        return ()

    def __call__(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        was_training = self._module.training
        self._module.eval()
        try:
            with (
                torch.inference_mode(),
                torch.autocast(
                    self._device.type, self._precision, enabled=self._precision != torch.float32
                ),
            ):
                given = {name: self._tensor(value) for name, value in feeds.items()}
                pixels = given.pop("pictures").permute(0, 3, 1, 2)
                pixels = pixels.float().contiguous(memory_format=self._memory_format)
                found = self._recipe.outputs(self._module, pixels, given)
        finally:
            self._module.train(was_training)
        return {name: value.float().cpu().numpy() for name, value in found.items()}

    def _tensor(self, given: Array) -> Tensor:
        # torch warns of read-only memory, which the cache's is
        own = given if given.flags.writeable else np.array(given)
        return torch.from_numpy(own).to(self._device)
