"""The plan of a run: every number that training depends on, fixed before the first step.

It is written to the run at once. A resumed run takes the plan, not a new measurement, so that an
interruption changes nothing.
"""

from __future__ import annotations

import math
from typing import Literal

from striate.settings import Settings

__all__ = ["Plan", "Schedule", "choose_steps"]


class Plan(Settings):
    """Concrete choices; see `TrainSettings` for what each means."""

    device: str
    threads: int
    world_size: int = 1
    precision: Literal["float32", "bfloat16"]
    memory_format: Literal["contiguous", "channels_last"]
    compile: bool = False
    optimizer: Literal["adamw", "sgd"]
    lr: float
    weight_decay: float
    momentum: float
    warmup: float
    final_lr: float
    bias_lr_scale: float
    backbone_lr_scale: float = 1.0
    decay: Literal["cosine", "linear"] = "cosine"
    ema: float
    lookahead: bool = False
    clip_norm: float
    batch_size: int
    accumulate: int
    pictures: int
    steps_per_epoch: int
    total_steps: int
    patience: int
    adversarial: float = 0.0
    adversarial_steps: int = 1
    seed: int
    depth: Literal["head", "last", "all"] = "all"
    pictures_per_s: float = 0.0
    """Measured here; the base of the time plan."""

    @property
    def epochs(self) -> int:
        """Passes, the last of which may be cut short by a time budget."""
        return max(1, math.ceil(self.total_steps / self.steps_per_epoch))


class Schedule:
    """Linear warm-up, then a cosine (Loshchilov & Hutter 2017) or a line from 1 to `final_lr`.

    Progress runs through straight pieces, so that a new total bends the schedule and never jumps.

    >>> schedule = Schedule(total_steps=100, warmup=0.1, final_lr=0.0)
    >>> [round(schedule.factor(step), 3) for step in (0, 10, 55, 100)]
    [0.01, 1.0, 0.5, 0.0]
    """

    def __init__(
        self,
        *,
        total_steps: int,
        warmup: float,
        final_lr: float,
        start_step: int = 0,
        start_progress: float = 0.0,
        decay: str = "cosine",
    ) -> None:
        self.decay = decay
        self.total_steps, self.warmup, self.final_lr = total_steps, warmup, final_lr
        self.start_step, self.start_progress = start_step, start_progress

    def progress(self, step: int) -> float:
        """Part of the training that is done before `step`, 0..1."""
        span = max(1, self.total_steps - self.start_step)
        done = (step - self.start_step) / span
        return min(1.0, self.start_progress + done * (1.0 - self.start_progress))

    def factor(self, step: int) -> float:
        """Learning rate at `step` as a part of the peak."""
        progress = self.progress(step)
        if self.warmup > 0 and progress < self.warmup:
            return max(progress / self.warmup, 0.01)
        left = 1.0 - (progress - self.warmup) / (1.0 - self.warmup)
        swing = left if self.decay == "linear" else 0.5 * (1.0 - math.cos(math.pi * left))
        return self.final_lr + (1.0 - self.final_lr) * swing

    def replanned(self, step: int, total_steps: int) -> Schedule:
        """The same progress at `step`, and the end at `total_steps`."""
        return Schedule(
            total_steps=max(total_steps, step + 1),
            warmup=self.warmup,
            final_lr=self.final_lr,
            start_step=step,
            start_progress=self.progress(step),
            decay=self.decay,
        )

    def to_dict(self) -> dict[str, float]:
        """For the checkpoint: what changes when a plan is bent."""
        return {
            "total_steps": self.total_steps,
            "start_step": self.start_step,
            "start_progress": self.start_progress,
        }


def choose_steps(
    *, pictures: int, batch_size: int, epochs: int, seconds: float | None, pictures_per_s: float
) -> tuple[int, int]:
    """(steps an epoch, total steps) for `epochs`, or for as many pictures as `seconds` allow.

    A time budget wins over `epochs` only when `epochs` is 0 (not given by the user).
    """
    steps_per_epoch = max(1, round(pictures / batch_size))
    if seconds is None or pictures_per_s <= 0:
        return steps_per_epoch, max(1, epochs) * steps_per_epoch
    affordable = max(1, int(seconds * pictures_per_s / (pictures / steps_per_epoch)))
    if epochs:
        return steps_per_epoch, min(affordable, epochs * steps_per_epoch)
    return steps_per_epoch, affordable
