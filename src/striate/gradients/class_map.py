"""What a classifier says at every window of a large picture, the picture seen in one pass.

Sermanet et al. (2014), "OverFeat", section 3.5: the layers with a map run once on the whole picture;
what follows them is asked about every window of that map that is as large as it is for one input.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from striate.gradients.question import Network

__all__ = ["map_of", "window_logits"]

_TOGETHER = 256


def map_of(network: Network, pixels: Tensor, layer: str) -> Tensor:
    """The map (B, C, h, w) that `layer` gives of `pixels` float (B, 3, H, W), which may be of any size.

    What follows the layer is not run: it may be made for maps of one size.
    """
    heard: list[Tensor] = []

    def hook(module: nn.Module, given: Any, values: Tensor) -> None:
        heard.append(values)
        raise _Enough

    handle = network.module.get_submodule(layer).register_forward_hook(hook)
    try:
        with torch.no_grad():
            network.recipe.outputs(network.module, pixels, {})
    except _Enough:
        pass
    finally:
        handle.remove()
    return heard[0]


class _Enough(Exception):  # not an error: what was wanted is there
    """The layer has answered."""


def window_logits(
    network: Network, whole: Tensor, layer: str, *, places_hw: tuple[int, int], size_hw: tuple[int, int]
) -> Tensor:
    """Logits float (rows, columns, K) of each window of `whole` (1, C, h, w), the map of a picture.

    A window has `places_hw` places, as the map of an input of `size_hw` pixels; windows are a place
    apart.
    """
    cut = whole.unfold(2, places_hw[0], 1).unfold(3, places_hw[1], 1)  # (1, C, rows, columns, *places)
    rows, columns = int(cut.shape[2]), int(cut.shape[3])
    blank = torch.zeros(1, 3, *size_hw, device=whole.device)
    found = [
        _from(network, blank, layer, some.contiguous())
        for row in range(rows)  # windows overlap: a copy of all at once would be many times the map
        for some in torch.split(cut[0, :, row].permute(1, 0, 2, 3), _TOGETHER)
    ]
    return torch.cat(found).reshape(rows, columns, -1)


def _from(network: Network, blank: Tensor, layer: str, maps: Tensor) -> Tensor:
    """Logits (N, K) where `layer` gives `maps` (N, C, h, w) instead of what it makes of `blank`."""
    handle = network.module.get_submodule(layer).register_forward_hook(lambda *_: maps)
    try:
        with torch.no_grad():
            logits: Tensor = network.recipe.outputs(network.module, blank, {})["logits"]
    finally:
        handle.remove()
    return logits
