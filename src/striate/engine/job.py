"""What the loop is handed: data in arrays, the plan, a place for checkpoints, a way to be stopped."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from torch import Tensor

from striate.engine.plan import Plan
from striate.nn.augment.augmenter import Augmenter
from striate.nn.recipe import Recipe
from striate.types import Array, PictureArray

__all__ = ["Arrays", "CheckpointStore", "Fitted", "Job"]


@dataclass(frozen=True, slots=True)
class Arrays:
    """One split, prepared: `pixels` uint8 (N, H, W, 3), usually a memory map; rows of `truths`
    and `keys` match. `encoded` is what `Recipe.encode` made of the truths. `geometry` float64 (N, 6):
    how each picture was prepared (`striate.data.cache.PreparedSet`)."""

    pixels: PictureArray
    truths: Sequence[Any]
    encoded: Mapping[str, Tensor]
    keys: Sequence[str]
    geometry: Array

    def __len__(self) -> int:
        return len(self.keys)


class CheckpointStore(Protocol):
    """Keeps named states so that a kill at any moment leaves a whole one."""

    def save(self, name: str, write: Callable[[Path], None], state: Mapping[str, Any]) -> None:
        """`write` puts tensors into the path it is given; `state` is JSON. Both or neither last."""
        ...

    def load(self, name: str) -> tuple[Path, dict[str, Any]] | None:
        """The latest whole state, verified; None if there is none."""
        ...


@dataclass(frozen=True, slots=True)
class Job:
    """Everything `fit` needs. `deadline` and `clock` are in the clock's seconds."""

    recipe: Recipe[Any]
    plan: Plan
    augmenter: Augmenter
    train: Arrays
    held: Arrays
    store: CheckpointStore
    stop: Callable[[], bool]
    clock: Callable[[], float]
    deadline: float | None = None
    checkpoint_every_s: float = 30.0
    rank: int = 0


@dataclass(frozen=True, slots=True)
class Fitted:
    """How training ended. The module holds the weights that are kept."""

    history: Sequence[Mapping[str, Any]]
    steps: int
    best_epoch: int
    stopped_early: bool
