"""A network and what is asked of it: which answer, for which pictures, and how it is differentiated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn

from striate.nn.recipe import Recipe
from striate.task import Aim

__all__ = ["Network", "Question", "gradient"]


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """A module that `recipe` can ask. Make it with `Network.of`: weights are then no variables."""

    recipe: Recipe[Any]
    module: nn.Module

    @classmethod
    def of(cls, recipe: Recipe[Any], module: nn.Module) -> Network:
        """`module` in evaluation mode, its weights fixed: only pictures and layers are variables."""
        return cls(recipe, module.eval().requires_grad_(False))

    def pull(self, question: Question) -> Tensor:
        """What is explained of each picture: float (B,)."""
        outputs = self.recipe.outputs(self.module, question.pixels, question.more)
        return self.recipe.pull(outputs, question.aims)


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """`pixels`: float (B, 3, h, w), 0 … 255; `aims`: one a picture; `more`: the graph's other inputs."""

    pixels: Tensor
    aims: Sequence[Aim]
    more: Mapping[str, Tensor] = field(default_factory=dict)

    def at(self, pixels: Tensor) -> Question:
        """The same asked of other pictures."""
        return replace(self, pixels=pixels)

    @property
    def either_way(self) -> bool:
        """Whether what lowers the answer explains it as well; aims of one batch are of one kind."""
        return self.aims[0].either_way

    def strength(self, signed: Tensor) -> Tensor:
        """Signed evidence as heat: its size where either way counts, else what speaks for the aim."""
        return signed.abs() if self.either_way else signed.clamp_min(0)


def gradient(network: Network, question: Question) -> Tensor:
    """By how much each channel of each pixel raises the answer: float (B, 3, h, w)."""
    given = question.pixels.detach().clone().requires_grad_(True)
    with torch.enable_grad():
        pulled = network.pull(question.at(given)).sum()
        if not pulled.requires_grad:  # an answer that is zero whatever is seen
            return torch.zeros_like(given)
        (found,) = torch.autograd.grad(pulled, given, materialize_grads=True)
    return found.detach()
