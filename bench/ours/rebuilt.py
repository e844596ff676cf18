"""A detector's network as torch has it, from the weights in its run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from safetensors.torch import load_file
from torch import nn

from striate.tasks.detect.recipe import RECIPE
from striate.types import Array
from striate.verbs.model import Model

__all__ = ["Rebuilt"]


class Rebuilt:
    """What the graph of `model` was exported from: float32, on the processor."""

    def __init__(self, model: Model) -> None:
        recipe = RECIPE(model.task)
        network = recipe.build()
        network.load_state_dict(load_file(model.run.file("model.safetensors")))
        source = recipe.graphs(network.eval())["main"]
        self.recipe, self.outputs = recipe, source.outputs
        self.inputs = ("pictures", *source.more_inputs)
        self.module: nn.Module = source.module.eval()

    def __call__(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        with torch.inference_mode():
            found = self.module(*(torch.from_numpy(feeds[name]) for name in self.inputs))
        return {name: value.numpy() for name, value in zip(self.outputs, found, strict=True)}

    def multiply_adds(self) -> int:
        """Of one picture, by torch's own counter, which takes a multiply-add for two operations."""
        from torch.utils.flop_counter import FlopCounterMode

        size_hw = self.recipe.task.input_hw
        given: list[Any] = [torch.zeros(1, *size_hw, 3, dtype=torch.uint8)]
        given += [torch.zeros(1, *self._proposals_shape()) for _ in self.inputs[1:]]
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            self.module(*given)
        return int(counter.get_total_flops()) // 2

    def _proposals_shape(self) -> tuple[int, int]:
        from striate.tasks.detect.proposing import MOST_PROPOSALS

        return MOST_PROPOSALS, 4
