"""A toy task and recipe: the engine must not need a real one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from striate.engine.job import Arrays, Job
from striate.engine.plan import Plan
from striate.nn.augment.augmenter import Augmenter
from striate.nn.augment.plan import Plan as AugmentPlan
from striate.nn.augment.presets import resolve
from striate.nn.augment.settings import AugmentSettings
from striate.nn.recipe import Batch, GraphSource, Losses
from striate.runs.checkpoints import Checkpoints

SIZE_HW = (6, 8)


@dataclass(frozen=True)
class Answer:
    label: int

    def to_dict(self) -> dict[str, Any]:
        return {"label": self.label}


class ToyMeter:
    def __init__(self) -> None:
        self.right: list[bool] = []

    def update(self, predictions: Sequence[Answer], targets: Sequence[int]) -> None:
        self.right += [one.label == true for one, true in zip(predictions, targets, strict=True)]

    def compute(self) -> dict[str, Any]:
        return {"accuracy": float(np.mean(self.right)) if self.right else float("nan")}


class ToyTask:
    name = "toy"
    headline, headline_mode = "accuracy", "max"

    def decode(self, outputs: Mapping[str, Any], prepared: Sequence[Any]) -> list[Answer]:
        return [Answer(int(row.argmax())) for row in outputs["logits"]]

    def meter(self, *, full: bool = True) -> ToyMeter:
        return ToyMeter()

    def feeds(self, pixels: Any) -> Mapping[str, Any]:
        return {"pictures": pixels}


class ToyNetwork(nn.Module):
    def __init__(self, *, dropout: float, norm: bool) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1)
        self.norm = nn.BatchNorm2d(8) if norm else nn.Identity()
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(8, 3)

    def forward(self, pixels: Tensor) -> Tensor:
        features = self.norm(self.conv(pixels / 255.0)).relu().mean((2, 3))
        return self.head(self.dropout(features))


class ToyRecipe:
    """Fails on request: `poison(step)` gives a NaN, `starve(pictures)` runs out of memory above it."""

    def __init__(self) -> None:
        self.task = ToyTask()
        self.poisoned_after: int | None = None
        self.starving_above: int | None = None
        self.calls = 0
        self.followed: list[AugmentPlan] = []

    def loss(self, module: nn.Module, batch: Batch) -> Losses:
        self.calls += 1
        if self.starving_above is not None and len(batch.pixels) > self.starving_above:
            raise torch.OutOfMemoryError("pretended")
        each = nn.functional.cross_entropy(
            module(batch.pixels), batch.targets["labels"], reduction="none"
        )
        loss = each.mean()
        if self.poisoned_after is not None and self.calls > self.poisoned_after:
            loss = loss * float("nan")
        return {"loss": loss}

    def follow(self, targets: dict[str, Tensor], plan: AugmentPlan) -> dict[str, Tensor]:
        self.followed.append(plan)
        return targets

    def feeds(self, pixels: Any) -> Mapping[str, Any]:
        return self.task.feeds(pixels)

    def outputs(
        self, module: nn.Module, pixels: Tensor, more: Mapping[str, Tensor]
    ) -> dict[str, Tensor]:
        return {"logits": module(pixels)}

    def graphs(self, module: nn.Module) -> dict[str, GraphSource]:
        return {"main": GraphSource(module, ("logits",))}


def toy_arrays(n: int, seed: int) -> Arrays:
    """Pictures whose class is the colour channel that is brightest."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, n)
    pixels = rng.integers(0, 120, (n, *SIZE_HW, 3), dtype=np.uint8)
    pixels[np.arange(n), :, :, labels] += 100
    return Arrays(
        pixels,
        labels.tolist(),
        {"labels": torch.from_numpy(labels)},
        [f"p{i}.jpg" for i in range(n)],
        np.tile([*SIZE_HW, 1.0, 1.0, 0.0, 0.0], (n, 1)),
    )


@pytest.fixture
def make_job(tmp_path: Path) -> Callable[..., Job]:
    """A job with everything overridable: fields of the plan and of the job, by name."""

    def build(
        *,
        recipe: Any = None,
        stop: Callable[[], bool] = lambda: False,
        folder: str = "checkpoints",
        deadline: float | None = None,
        clock: Callable[[], float] = lambda: 0.0,
        n: int = 96,
        augment: AugmentSettings | None = None,
        **changes: Any,
    ) -> Job:
        values: dict[str, Any] = {
            "device": "cpu",
            "threads": 1,
            "precision": "float32",
            "memory_format": "contiguous",
            "optimizer": "sgd",
            "lr": 0.2,
            "weight_decay": 1e-4,
            "momentum": 0.9,
            "warmup": 0.1,
            "final_lr": 0.0,
            "bias_lr_scale": 1.0,
            "ema": 0.0,
            "clip_norm": 0.0,
            "batch_size": 16,
            "accumulate": 1,
            "pictures": n,
            "steps_per_epoch": 6,
            "total_steps": 30,
            "patience": 0,
            "seed": 3,
        } | changes
        settings = augment or AugmentSettings(flip="both", translate=0.2)
        (tmp_path / folder).mkdir(exist_ok=True)
        return Job(
            recipe=recipe or ToyRecipe(),
            plan=Plan(**values),
            augmenter=Augmenter(resolve(settings, size_hw=SIZE_HW, grey=False), SIZE_HW, seed=3),
            train=toy_arrays(n, 0),
            held=toy_arrays(40, 1),
            store=Checkpoints(tmp_path / folder),
            stop=stop,
            clock=clock,
            deadline=deadline,
        )

    return build


@pytest.fixture
def toy_recipe() -> ToyRecipe:
    return ToyRecipe()


@pytest.fixture
def make_network() -> Callable[..., nn.Module]:
    def build(*, dropout: float = 0.3, norm: bool = True) -> nn.Module:
        torch.manual_seed(0)
        return ToyNetwork(dropout=dropout, norm=norm)

    return build
