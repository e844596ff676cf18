from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from striate.engine.transfer import frozen_features


class Counting:
    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, pixels: Tensor) -> Tensor:
        self.calls += 1
        return pixels.mean((2, 3))


def compute(backbone: Counting, pixels: np.ndarray, home: Path, key: str = "k") -> Tensor:
    return frozen_features(
        backbone,
        pixels,
        key=key,
        home=home,
        device=torch.device("cpu"),
        precision=torch.float32,
        on_progress=lambda done: None,
    )


def test_features_are_computed_once_for_each_key(tmp_path: Path, rng: np.random.Generator) -> None:
    pixels = rng.integers(0, 256, (130, 4, 6, 3), dtype=np.uint8)
    backbone = Counting()
    found = compute(backbone, pixels, tmp_path)
    np.testing.assert_allclose(found.numpy(), pixels.astype(np.float32).mean((1, 2)), rtol=1e-5)
    assert backbone.calls == 3
    assert torch.equal(compute(backbone, pixels, tmp_path), found)
    assert backbone.calls == 3
    compute(backbone, pixels, tmp_path, key="another")
    assert backbone.calls == 6


def test_a_damaged_cache_is_computed_again(tmp_path: Path, rng: np.random.Generator) -> None:
    pixels = rng.integers(0, 256, (3, 4, 6, 3), dtype=np.uint8)
    backbone = Counting()
    found = compute(backbone, pixels, tmp_path)
    for file in (tmp_path / "features").iterdir():
        file.write_bytes(file.read_bytes()[:50])
    assert torch.equal(compute(backbone, pixels, tmp_path), found)
    assert backbone.calls == 2
    # a file of another length belongs to other data
    assert len(compute(backbone, pixels[:2], tmp_path)) == 2
