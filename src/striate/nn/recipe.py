"""The contract of a task, train half: what the engine needs to fit a network for it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Generic, TypeVar

import torch
from torch import Tensor, nn

from striate.data.prepared import PreparedSet
from striate.nn.augment.plan import Plan
from striate.nn.augment.settings import AugmentSettings
from striate.task import Aim, Result, Task
from striate.types import Array, PictureArray

__all__ = ["Batch", "Defaults", "GraphSource", "HeadSolution", "Losses", "Recipe", "mix_losses", "mixed"]

Target = TypeVar("Target")
Losses = Mapping[str, Tensor]
"""Named scalars, mean over the batch; the one called "loss" is minimised."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Pictures and truths of one (micro-)batch, on the device.

    `pixels`: float (B, 3, H, W), 0..255, augmented. `targets`: tensors with B on axis 0, as
    `Recipe.encode` made them. With mixing, `partner_targets` are those of the picture mixed in and
    `share` (B,) is the part of the first picture that is left; the loss mixes likewise.
    """

    pixels: Tensor
    targets: Mapping[str, Tensor]
    partner_targets: Mapping[str, Tensor] | None = None
    share: Tensor | None = None


@dataclass(frozen=True, slots=True)
class Defaults:
    """What a model is trained with where the user says nothing; tuned on public data (`bench/`)."""

    optimizer: str
    lr: float
    weight_decay: float
    warmup: float
    ema: float
    batch_size: int
    epochs: int
    momentum: float = 0.9
    final_lr: float = 0.0
    """Learning rate at the end, as a part of the peak."""
    bias_lr_scale: float = 1.0
    """Biases and norms of the body learn faster by this factor."""
    decay: str = "cosine"
    """How the learning rate falls: "cosine" or "linear"."""
    lookahead: bool = False
    """Write the moving average back into the weights every few steps (Zhang et al. 2019)."""


@dataclass(frozen=True, slots=True)
class GraphSource:
    """A module to be exported: uint8 (B, H, W, 3) "pictures" in, `outputs` by name out.

    `more_inputs`: further inputs of the module, in order, by name, with an example of two pictures'
    each.
    """

    module: nn.Module
    outputs: tuple[str, ...]
    more_inputs: Mapping[str, Tensor] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HeadSolution:
    """A head solved on frozen features: `weight` (K, D), `bias` (K,), and how it was chosen."""

    weight: Tensor
    bias: Tensor
    regularisation: float
    validation_loss: float
    path: Sequence[tuple[float, float]] = field(default_factory=tuple)
    """(regularisation, validation loss) of every candidate."""


class Recipe(ABC, Generic[Target]):
    """How a task is fitted. Abstract here, final in `tasks/<name>/recipe.py`."""

    task_name: ClassVar[str]
    solves_head: ClassVar[bool] = True
    """Whether `solve_head` gives a network with loaded weights its first head."""
    ahead_words: ClassVar[str] = ""
    """What `look_ahead` does, for people: "proposing boxes in"."""
    finish_share: float = 0.0
    """Part of a time budget that `finish` wants."""

    def __init__(self, task: Task[Target, Result]) -> None:
        self.task = task

    @abstractmethod
    def build(self) -> nn.Module:
        """A new network with random weights, drawn from torch's global generator."""

    @abstractmethod
    def defaults(self, pictures: int, *, transfer: bool) -> Defaults:
        """Hyper-parameters for that many training pictures."""

    @abstractmethod
    def augment(self, settings: AugmentSettings, sample: PictureArray) -> AugmentSettings:
        """`settings` with every "auto" made concrete for this task and pictures like `sample`,
        uint8 (N, H, W, 3)."""

    def augment_remarks(self, settings: AugmentSettings) -> list[str]:
        """What is worth telling of resolved `settings`: truths that do not follow their pictures."""
        return []

    @abstractmethod
    def encode(self, targets: Sequence[Target], prepared: PreparedSet) -> dict[str, Tensor]:
        """Truths as tensors with one row a record; `prepared`: the pictures that they are true of."""

    def look_ahead(self, pixels: Array, home: Path) -> Iterator[int]:
        """What is slow and depends on prepared pictures uint8 (N, H, W, 3) alone: done before `encode`,
        kept below `home` for the next time; yields how many pictures are done."""
        return iter(())

    def follow(self, targets: dict[str, Tensor], plan: Plan) -> dict[str, Tensor]:
        """The truths after their pictures were moved by `plan`; labels and numbers stay as they are."""
        return targets

    def feeds(self, pixels: Array) -> Mapping[str, Array]:
        """The inputs of the graph `main` for prepared pictures uint8 (B, h, w, 3), as the task makes
        them.

        Training asks for those of the same pictures again and again.
        """
        return self.task.feeds(pixels)

    def remarks(self, module: nn.Module) -> list[str]:
        """What is worth telling of a network before it is trained."""
        return []

    @abstractmethod
    def loss(self, module: nn.Module, batch: Batch) -> Losses: ...

    def harm(self, module: nn.Module, batch: Batch) -> Tensor:
        """How wrong the answers are, (B,) or (): what an attack raises.

        The loss, unless it fades where answers are sure: then gradients say nothing of the way out.
        """
        return self.loss(module, batch)["loss"]

    def finish(
        self,
        module: nn.Module,
        pixels: Array,
        encoded: Mapping[str, Tensor],
        *,
        device: torch.device,
        seconds: float | None = None,
    ) -> Generator[float, None, list[str]]:
        """What is fitted when the loop has ended, such as linear classifiers on fixed features.

        `module` holds the weights that are kept; `pixels` uint8 (N, H, W, 3) and `encoded` are all of
        training. Yields the share that is done (it may be stopped there), changes `module` last, and
        returns what is worth telling. `seconds`: what it may take; None leaves it its time.
        """
        yield from ()
        return []

    @abstractmethod
    def outputs(
        self, module: nn.Module, pixels: Tensor, more: Mapping[str, Tensor]
    ) -> dict[str, Tensor]:
        """What the graph `main` yields before export, for pixels float (B, 3, H, W) 0..255.

        `more`: what the graph is fed besides pictures; nothing for most tasks.
        """

    @abstractmethod
    def pull(self, outputs: Mapping[str, Tensor], aims: Sequence[Aim]) -> Tensor:
        """What is differentiated to explain each aim: (B,), from `outputs`; not bounded, unlike
        `Task.pull`."""

    @abstractmethod
    def graphs(self, module: nn.Module) -> Mapping[str, GraphSource]:
        """What is exported, with everything that was learnt (temperature, scales) inside."""

    def solve_head(
        self,
        features: Tensor,
        targets: Mapping[str, Tensor],
        held_features: Tensor,
        held_targets: Mapping[str, Tensor],
    ) -> HeadSolution:
        """The best linear head on frozen features (N, D), its regularisation chosen on held-out ones.

        Only where `solves_head`.
        """
        raise NotImplementedError(f"{type(self).__name__} solves no head")


def mix_losses(per_picture: Tensor, partner: Tensor | None, share: Tensor | None) -> Tensor:
    """Mean over the batch of what is `mixed`."""
    return mixed(per_picture, partner, share).mean()


def mixed(per_picture: Tensor, partner: Tensor | None, share: Tensor | None) -> Tensor:
    """`share`·loss(own truth) + (1 − share)·loss(partner's truth); all (B,)."""
    if partner is None or share is None:
        return per_picture
    return share * per_picture + (1.0 - share) * partner


def device_of(module: nn.Module) -> torch.device:
    """Where a module's first parameter lives."""
    return next(module.parameters()).device
