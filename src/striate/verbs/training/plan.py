"""From wishes to a plan: defaults filled in, speed measured, epochs fitted into the budget."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

import torch
from torch import nn

from striate.engine.batches import Batches
from striate.engine.devices import MEMORY_FORMATS
from striate.engine.events import Event, Note, Stage
from striate.engine.job import Arrays
from striate.engine.plan import Plan, choose_steps
from striate.engine.settings import TrainSettings
from striate.engine.tune import Choice, tune
from striate.nn.augment.augmenter import Augmenter
from striate.nn.recipe import Defaults, Recipe

__all__ = ["make_plan"]

_RESERVE = 0.12
"""Part of a time budget kept for what the measured steps do not show: loading, validation, export."""
_RESERVE_S = 6.0


def make_plan(
    recipe: Recipe[Any],
    module: nn.Module,
    arrays: Arrays,
    augmenter: Augmenter,
    settings: TrainSettings,
    *,
    device: torch.device,
    world_size: int,
    transfer: bool,
    seconds_left: float | None,
    home: Path,
    network_name: str,
) -> Generator[Event, None, Plan]:
    """Every number that training depends on. `seconds_left` is what is left of the time budget."""
    wishes = recipe.defaults(len(arrays), transfer=transfer)
    batch_size = min(settings.batch_size or wishes.batch_size, max(2, len(arrays)))
    yield Stage("tune", "measuring what is fastest on this machine")
    batches = Batches(
        arrays,
        augmenter,
        recipe,
        steps_per_epoch=max(1, round(len(arrays) / batch_size)),
        seed=settings.seed,
        device=device,
        memory_format=MEMORY_FORMATS["contiguous"],
    )
    # a budget never starves: even one that is spent already buys a few steps
    budget = None if seconds_left is None else max(1.0, seconds_left * (1 - _RESERVE) - _RESERVE_S)
    sample = batches.load(batches.rows(0, 0)[:batch_size], epoch=0)
    choice, speed, trials = tune(
        recipe, module, sample, settings, name=network_name, home=home, seconds=budget
    )
    for trial in trials:
        if trial.error:
            yield Note(f"{trial.choice} does not work here: {trial.error}")
    if settings.adversarial:  # each step of the attack is about one of training
        speed /= 1 + settings.adversarial_steps
    steps_per_epoch, total_steps = choose_steps(
        pictures=len(arrays),
        batch_size=batch_size,
        epochs=settings.epochs or (0 if budget is not None else wishes.epochs),
        seconds=budget,
        pictures_per_s=speed,
    )
    return _fill(
        settings,
        wishes,
        choice,
        device=device,
        world_size=world_size,
        transfer=transfer,
        batch_size=batch_size,
        pictures=len(arrays),
        steps_per_epoch=steps_per_epoch,
        total_steps=total_steps,
        pictures_per_s=round(speed, 2),
    )


def _fill(
    settings: TrainSettings,
    wishes: Defaults,
    choice: Choice,
    *,
    device: torch.device,
    world_size: int,
    transfer: bool,
    batch_size: int,
    pictures: int,
    steps_per_epoch: int,
    total_steps: int,
    pictures_per_s: float,
) -> Plan:
    optimizer = wishes.optimizer if settings.optimizer == "auto" else settings.optimizer
    # a learning rate tuned for one optimizer says nothing about the other
    usual_lr = wishes.lr if optimizer == wishes.optimizer else {"sgd": 0.1, "adamw": 1e-3}[optimizer]
    linear = batch_size / wishes.batch_size
    lr = settings.lr if settings.lr is not None else usual_lr * (linear if linear < 1 else linear**0.5)
    ema = wishes.ema if settings.ema is None else settings.ema
    return Plan.parse(
        {
            "device": str(device),
            "threads": choice.threads,
            "world_size": world_size,
            "precision": choice.precision,
            "memory_format": choice.memory_format,
            "compile": choice.compile,
            "optimizer": optimizer,
            "lr": lr,
            "weight_decay": _given(settings.weight_decay, wishes.weight_decay),
            "momentum": wishes.momentum,
            "warmup": _given(settings.warmup, wishes.warmup),
            "final_lr": wishes.final_lr,
            "bias_lr_scale": wishes.bias_lr_scale if optimizer == wishes.optimizer else 1.0,
            "backbone_lr_scale": 0.1 if transfer else 1.0,
            "decay": wishes.decay if optimizer == wishes.optimizer else "cosine",
            "ema": ema if total_steps >= 50 else 0.0,
            "lookahead": wishes.lookahead and settings.ema is None,
            "clip_norm": settings.clip_norm,
            "batch_size": batch_size,
            "accumulate": settings.accumulate,
            "pictures": pictures,
            "steps_per_epoch": steps_per_epoch,
            "total_steps": total_steps,
            "patience": settings.patience,
            "adversarial": settings.adversarial,
            "adversarial_steps": settings.adversarial_steps,
            "seed": settings.seed,
            "depth": settings.depth,
            "pictures_per_s": pictures_per_s,
        }
    )


def _given(wish: float | None, default: float) -> float:
    return default if wish is None else wish
