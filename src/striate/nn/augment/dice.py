"""The draws of some records in one epoch: numbers of (seed, epoch, index, stream) and nothing else."""

from __future__ import annotations

from dataclasses import dataclass

from striate.randomness import hash64, uniforms
from striate.types import Array

__all__ = ["Dice"]


@dataclass(frozen=True, slots=True)
class Dice:
    """Records `indices` int64 (B,) in `epoch`. Each use has its stream: a new one shifts no other."""

    seed: int
    epoch: int
    indices: Array

    def __len__(self) -> int:
        return len(self.indices)

    def uniforms(self, stream: str, draws: int) -> Array:
        """In [0, 1), float64 (B, draws)."""
        return uniforms(self.seed, self.epoch, self.indices, draws, stream=f"augment/{stream}")

    def spread(self, stream: str, draws: int) -> Array:
        """In [-1, 1), float64 (B, draws)."""
        return 2.0 * self.uniforms(stream, draws) - 1.0

    def signs(self, stream: str, draws: int) -> Array:
        """-1 or 1, float64 (B, draws)."""
        return 1.0 - 2.0 * (self.uniforms(stream, draws) < 0.5)

    def seeds(self, stream: str) -> tuple[int, ...]:
        """Seeds of generators, one a record, for noise."""
        return tuple(hash64(self.seed, self.epoch, int(i), stream) >> 1 for i in self.indices)
