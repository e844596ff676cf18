"""Transfer: features of a frozen backbone once, a head solved on them, then fine-tuning from it.

Heads are convex problems with one optimum, so they are solved, not trained: multinomial or binary
logistic regression by L-BFGS, ridge regression in closed form, both along a path of
regularisations from which held-out pictures choose.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from striate.types import Array

__all__ = ["frozen_features", "set_head"]

_BATCH = 64


def frozen_features(
    backbone: Callable[[Tensor], Tensor],
    pixels: Array,
    *,
    key: str,
    home: Path,
    device: torch.device,
    precision: torch.dtype,
    on_progress: Callable[[int], None],
) -> Tensor:
    """Features float32 (N, D) of `pixels` uint8 (N, H, W, 3), kept under `home` by `key`.

    `key` must name everything they depend on: the weights' hash, the data's fingerprint, the size.
    """
    name = hashlib.sha256(key.encode()).hexdigest()[:32]
    path = home / "features" / f"{name}.npy"
    found = _recall(path, len(pixels))
    if found is not None:
        return found
    parts = []
    with (
        torch.inference_mode(),
        torch.autocast(device.type, precision, enabled=precision != torch.float32),
    ):
        for start in range(0, len(pixels), _BATCH):
            # a copy: torch warns of read-only memory, which the cache's is
            chunk = torch.from_numpy(np.array(pixels[start : start + _BATCH]))
            batch = chunk.to(device).permute(0, 3, 1, 2).float().contiguous()
            parts.append(backbone(batch).float().cpu())
            on_progress(start + len(chunk))
    features = torch.cat(parts).clone()
    _remember(path, features)
    return features


def _recall(path: Path, rows: int) -> Tensor | None:
    try:
        saved = np.load(path, allow_pickle=False)
    except (OSError, ValueError):
        return None
    return torch.from_numpy(saved) if saved.ndim == 2 and len(saved) == rows else None


def _remember(path: Path, features: Tensor) -> None:
    partial = path.with_name(f".{path.stem}.{os.getpid()}.npy")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(partial, features.numpy(), allow_pickle=False)
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)  # a cache: without room the next run computes again


def set_head(head: nn.Linear, weight: Tensor, bias: Tensor) -> None:
    """Put a solved head in place."""
    with torch.no_grad():
        head.weight.copy_(weight)
        head.bias.copy_(bias)
