"""A patch that makes a network wrong wherever it is laid on any picture (Brown et al. 2017)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from striate.types import Array

__all__ = ["HarmAt", "lay", "learn_patch", "places_of"]

HarmAt = Callable[[Tensor, Array], Tensor]
"""(pixels float (B, 3, h, w), 0 … 255, their rows (B,)) → how wrong the answers are, (B,) or ()."""

_BATCH = 32
_RATE = 0.1
"""Of Adam, on a patch whose numbers are the logits of its colours."""


def places_of(seeds: Array, size_hw: tuple[int, int], side: int) -> Array:
    """Where the patch lies in each picture: top and left int64 (B, 2), anywhere inside."""
    drawn = np.array([np.random.default_rng([seed, 7]).random(2) for seed in seeds.tolist()])
    room = np.array(size_hw) - side + 1
    found: Array = np.minimum((drawn.reshape(-1, 2) * room).astype(np.int64), room - 1)
    return found


def lay(pixels: Tensor, patch: Tensor, places_yx: Array) -> Tensor:
    """`pixels` (B, 3, h, w) with `patch` (3, s, s) over them at `places_yx` (B, 2); differentiable."""
    side, (height, width) = patch.shape[-1], pixels.shape[-2:]
    found = []
    for one, (top, left) in zip(pixels, places_yx.tolist(), strict=True):
        edges = (left, width - left - side, top, height - top - side)
        laid = torch.nn.functional.pad(patch, edges)
        inside = torch.nn.functional.pad(torch.ones_like(patch[:1]), edges)
        found.append(one * (1 - inside) + laid)
    return torch.stack(found) if found else pixels


def learn_patch(
    harm: HarmAt,
    pixels: Array,
    *,
    side: int,
    steps: int,
    seed: int,
    device: torch.device,
    listen: Callable[[int], None] | None = None,
) -> Tensor:
    """The patch (3, side, side), 0 … 255, that harms most on average over pictures and places.

    `pixels` uint8 (N, h, w, 3): what it is learnt on. `steps` of Adam on batches of up to 32.
    """
    rng = np.random.default_rng([seed, side])
    drawn = torch.from_numpy(rng.normal(0, 0.5, (3, side, side)).astype(np.float32))
    logits = drawn.to(device).requires_grad_(True)
    optimizer = torch.optim.Adam([logits], lr=_RATE)
    for step in range(steps):
        rows = np.sort(rng.permutation(len(pixels))[:_BATCH])
        places = places_of(rng.integers(0, 2**62, len(rows)), pixels.shape[1:3], side)
        given = (
            torch.from_numpy(np.ascontiguousarray(pixels[rows])).to(device).permute(0, 3, 1, 2).float()
        )
        with torch.enable_grad():
            laid = lay(given, 255 * logits.sigmoid(), places)
            # what is fooled already pulls no more than what is not
            loss = -torch.nn.functional.logsigmoid(harm(laid, rows)).mean()
            optimizer.zero_grad()
            (logits.grad,) = torch.autograd.grad(loss, logits)
            optimizer.step()
        if listen is not None:
            listen(step + 1)
    return (255 * logits.detach().sigmoid()).round()
