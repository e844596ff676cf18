"""The half of `explain --neurons` that needs the network itself: deconvolution and synthesis."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from striate.errors import UsageError
from striate.explain.inside import Inside, Layer
from striate.gradients.deconvolution import reconstruct
from striate.gradients.listening import Spot, find_spots, hear
from striate.gradients.synthesis import Climb, Synthesised, synthesise
from striate.nn.recipe import Recipe
from striate.types import Array, PictureArray, SizeHW
from striate.verbs.model import Model
from striate.verbs.networks import open_network

__all__ = ["Neurons"]

_SMALLEST = 96
"""Side of a synthesised picture at least, pixels, where the network's own is not smaller."""
_MAP_LR = 0.1
"""Of the climb for a texture: more contrast. The one picture of a class becomes noise by it."""
_AT_ONCE = 64 * 128 * 128
"""Pixels of the pictures whose layers are held at once."""


class Neurons:
    """The network of a run, its layers by the names that its graph has.

    A `UsageError` where the run is a hand-made model.
    """

    def __init__(self, model: Model, inside: Inside, layers: Sequence[Layer]) -> None:
        self._network = open_network(model, needed_for="looking for what units want")
        self._asked = _Asked(self._network.recipe, self._network.module).eval()
        self._size_hw = inside.size_hw
        self._spots = self._find(inside, layers)

    def knows(self, layer: Layer) -> bool:
        """Whether the layer is part of the network; what is computed after it is only in the graph."""
        return layer.name in self._spots

    def projections(
        self, layer: Layer, pixels: PictureArray, channels: Sequence[int], places: Array
    ) -> Array:
        """The deconvolution of one unit a picture, float (B, h, w, 3).

        `pixels` uint8 (B, h, w, 3), `channels` one each, `places` (B, 2).
        """
        step = max(1, _AT_ONCE // (self._size_hw[0] * self._size_hw[1]))
        found = [
            reconstruct(
                self._asked,
                self._spots[layer.name],
                self._tensor(pixels[start : start + step]),
                torch.tensor(list(channels[start : start + step])),
                torch.from_numpy(np.asarray(places[start : start + step], np.int64)),
            )
            for start in range(0, len(pixels), step)
        ]
        return torch.cat(found).permute(0, 2, 3, 1).cpu().numpy()

    def synthesise(
        self,
        layer: Layer,
        channels: Sequence[int],
        *,
        steps: int,
        seed: int,
        sees_hw: SizeHW,
        listen: Callable[[int, int], None] | None = None,
    ) -> Synthesised:
        """A picture for each of `channels`.

        Of units that see little (`sees_hw`), in small pictures, where the network takes such.
        """
        return synthesise(
            self._asked,
            self._spots[layer.name],
            channels,
            self._size_for(layer, sees_hw),
            climb=Climb(steps=steps, lr=_MAP_LR) if layer.is_map else Climb(steps=steps),
            seed=seed,
            listen=listen,
        )

    def _size_for(self, layer: Layer, sees_hw: SizeHW) -> SizeHW:
        """A bit more than twice what a unit sees; the network's own size where that is no less."""
        height, width = (
            min(side, max(_SMALLEST, -(-9 * seen // 128) * 32))
            for side, seen in zip(self._size_hw, sees_hw, strict=True)
        )
        if (height, width) == self._size_hw or not layer.is_map:
            return self._size_hw
        grey = self._tensor(np.full((1, height, width, 3), 128, np.uint8))
        try:
            hear(self._asked, self._spots[layer.name], grey)
        except (RuntimeError, ValueError, AssertionError, IndexError, UsageError):
            return self._size_hw  # positions are learnt for one size, say
        return height, width

    def _find(self, inside: Inside, layers: Sequence[Layer]) -> dict[str, Spot]:
        """By the values that the graph has for noise: no two layers agree on it by chance."""
        noise = np.random.default_rng(0).integers(0, 256, (2, *self._size_hw, 3), dtype=np.uint8)
        values = {
            name: torch.from_numpy(np.array(one)) for name, one in inside.watch(layers)(noise).items()
        }
        return find_spots(self._asked, self._tensor(noise), values)

    def _tensor(self, pixels: PictureArray) -> Tensor:
        found = torch.from_numpy(np.ascontiguousarray(pixels)).permute(0, 3, 1, 2).float()
        return found.to(self._network.device)


class _Asked(nn.Module):
    """A network as its task asks it: numbers come out in their own units."""

    def __init__(self, recipe: Recipe[Any], module: nn.Module) -> None:
        super().__init__()
        self.recipe, self.module = recipe, module

    def forward(self, pixels: Tensor) -> dict[str, Tensor]:
        return self.recipe.outputs(self.module, pixels, {})
