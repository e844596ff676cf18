"""How to train, whatever the task. No torch here: these become flags, forms and `run.toml`."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from striate.settings import Settings

__all__ = ["Seconds", "TrainSettings", "seconds_from_text"]

_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}


def seconds_from_text(value: object) -> object:
    """`"90"`, `"90s"`, `"5m"`, `"1.5h"` as seconds; anything else is left for validation to refuse.

    >>> seconds_from_text("5m")
    300.0
    """
    if isinstance(value, str):
        match = re.fullmatch(r"\s*([0-9]*\.?[0-9]+)\s*(s|m|min|h|)\s*", value)
        if match is None:
            raise ValueError("a duration such as 90s, 5m or 1.5h")
        return float(match[1]) * _UNITS[match[2]]
    return value


Seconds = Annotated[float, BeforeValidator(seconds_from_text), Field(gt=0)]


class TrainSettings(Settings):
    """The loop: how long, how fast, how careful, on what."""

    epochs: int | None = Field(default=None, ge=1)
    """Passes over the training pictures; by default as many as suit the number of pictures."""
    time_budget: Seconds | None = None
    """Wall-clock limit of the whole command, such as 60s or 5m; sets the number of epochs."""
    batch_size: int | None = Field(default=None, ge=1)
    """Pictures a step; by default what suits the number of pictures."""
    accumulate: int = Field(default=1, ge=1)
    """Micro-batches a step: the same result with less memory (without batch statistics)."""
    optimizer: Literal["auto", "adamw", "sgd"] = "auto"
    """auto takes what the model's recipe was tuned with."""
    lr: float | None = Field(default=None, gt=0)
    """Peak learning rate; by default the recipe's, scaled to the batch."""
    weight_decay: float | None = Field(default=None, ge=0)
    """Decay of weights, not of biases and norms; by default the recipe's."""
    warmup: float | None = Field(default=None, ge=0, lt=1)
    """Part of the steps in which the learning rate rises; by default the recipe's."""
    ema: float | None = Field(default=None, ge=0, lt=1)
    """Decay of the moving average of the weights that is kept; 0 is off; by default the recipe's."""
    clip_norm: float = Field(default=0.0, ge=0)
    """Largest gradient norm; 0 is off."""
    adversarial: float = Field(default=0.0, ge=0, le=64)
    """Train on pictures changed for the worse by up to so many grey levels; 0 is off (try 2 to 8)."""
    adversarial_steps: int = Field(default=1, ge=1, le=50)
    """Steps of the attack in adversarial training: each costs about a training step."""
    patience: int = Field(default=0, ge=0)
    """Stop after so many epochs without a better validation result; 0 is off."""
    weights: str = "auto"
    """none, pretrained, a .safetensors file, or a run; auto: pretrained if already in the cache."""
    depth: Literal["head", "last", "all"] = "all"
    """What of a network with weights is trained: its head, its last stage too, or all of it."""
    allow_noncommercial: bool = False
    """Accept pretrained weights whose licence forbids commercial use."""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """Number format of the network's arithmetic; auto measures."""
    memory_format: Literal["auto", "contiguous", "channels_last"] = "auto"
    """Layout of pictures in memory; auto measures."""
    compile: Literal["auto", "on", "off"] = "auto"
    """torch.compile; auto measures it where the run is long enough to repay it."""
    threads: int = Field(default=0, ge=0)
    """CPU threads; 0 measures. The count is recorded: it changes the last bits."""
    device: str = "auto"
    """auto, cpu, cuda or cuda:N."""
    seed: int = Field(default=0, ge=0)
    """Seed of everything random: split, initial weights, order, augmentation."""
    checkpoint_every: Seconds = 30.0
    """Seconds between checkpoints within an epoch; each epoch's end is saved too."""
    grid_gco2_per_kwh: float | None = Field(default=None, ge=0)
    """Carbon intensity of your electricity; unset, the report gives a range and guesses no country."""
