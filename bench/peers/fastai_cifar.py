"""fastai on CIFAR-10 from the JPEG folder: seconds until the test accuracy first reaches a goal.

Runs in the peers' environment: `python bench/peers/fastai_cifar.py DATA RECIPE [GOAL] [MAX_SECONDS]`.
The clock starts before the DataLoaders are made, as a user's would, and stops at the end of the
first epoch whose test accuracy reaches the goal. Evaluation itself is not counted.
"""

from __future__ import annotations

import json
import sys
import time
import warnings

import torch
from fastai.vision.all import (
    CancelFitException,
    Callback,
    CrossEntropyLossFlat,
    CropPad,
    ImageDataLoaders,
    Learner,
    Normalize,
    OptimWrapper,
    PadMode,
    RandomCrop,
    accuracy,
    aug_transforms,
    cifar_stats,
    xresnet18,
    xresnet50,
)
from fastai.vision.models.xresnet import XResNet, ResBlock
from torch import nn

warnings.filterwarnings("ignore")

RECIPES = {
    # (epochs, batch, lr, architecture): one-cycle, label smoothing, flip and padded crop
    "xresnet18": (12, 128, 3e-3),
    "small-resnet": (8, 256, 4e-3),
    "resnet9": (8, 256, 4e-3),
}


def conv_block(inside: int, outside: int, *, pool: bool = False) -> nn.Sequential:
    layers = [nn.Conv2d(inside, outside, 3, padding=1, bias=False), nn.BatchNorm2d(outside), nn.ReLU()]
    return nn.Sequential(*layers, *([nn.MaxPool2d(2)] if pool else []))


class Residual(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(conv_block(width, width), conv_block(width, width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.body(x)


def resnet9(width: int = 64) -> nn.Module:
    """The DAWNBench winner that fastai's own community used for CIFAR-10."""
    return nn.Sequential(
        conv_block(3, width),
        conv_block(width, 2 * width, pool=True),
        Residual(2 * width),
        conv_block(2 * width, 4 * width, pool=True),
        conv_block(4 * width, 8 * width, pool=True),
        Residual(8 * width),
        nn.AdaptiveMaxPool2d(1),
        nn.Flatten(),
        nn.Linear(8 * width, 10),
    )


def network(recipe: str) -> nn.Module:
    if recipe == "xresnet18":
        model = xresnet18(n_out=10)
        model[0][0].stride = (1, 1)  # 32 px pictures must not be quartered by the stem
        return model
    if recipe == "small-resnet":
        return XResNet(ResBlock, 1, [1, 1, 1, 1], n_out=10, stem_szs=(16, 16, 32))
    return resnet9(32)


class UntilGoal(Callback):
    order = 90

    def __init__(self, goal: float, limit: float, started: float) -> None:
        self.goal, self.limit, self.started = goal, limit, started
        self.outside, self.reached, self.rows = 0.0, None, []

    def before_validate(self) -> None:
        self.since = time.perf_counter()

    def after_epoch(self) -> None:
        now = time.perf_counter()
        trained = self.since - self.started - self.outside
        self.outside += now - self.since
        value = float(self.learn.recorder.values[-1][-1])
        self.rows.append({"epoch": self.epoch + 1, "seconds": round(trained, 1), "accuracy": round(value, 4)})
        print(json.dumps(self.rows[-1]), file=sys.stderr, flush=True)
        if value >= self.goal and self.reached is None:
            self.reached = trained
            raise CancelFitException
        if trained > self.limit:
            raise CancelFitException


def main() -> None:
    data, recipe = sys.argv[1], sys.argv[2]
    goal = float(sys.argv[3]) if len(sys.argv) > 3 else 0.85
    limit = float(sys.argv[4]) if len(sys.argv) > 4 else 3600.0
    precision = sys.argv[5] if len(sys.argv) > 5 else "float32"
    epochs, batch, lr = RECIPES[recipe]
    torch.manual_seed(0)
    started = time.perf_counter()
    loaders = ImageDataLoaders.from_folder(
        data,
        train="train",
        valid="test",
        bs=batch,
        num_workers=2,
        item_tfms=RandomCrop(32) if False else [CropPad(40, pad_mode=PadMode.Reflection), RandomCrop(32)],
        batch_tfms=[*aug_transforms(size=None, max_rotate=0, max_zoom=1, max_lighting=0, max_warp=0), Normalize.from_stats(*cifar_stats)],
    )
    learner = Learner(
        loaders,
        network(recipe),
        loss_func=CrossEntropyLossFlat(),
        metrics=accuracy,
    )
    if precision == "bfloat16":
        learner = learner.to_bf16()
    until = UntilGoal(goal, limit, started)
    with learner.no_bar(), learner.no_logging():
        learner.fit_one_cycle(epochs, lr, cbs=until)
    print(json.dumps({"recipe": recipe, "precision": precision, "seconds": until.reached, "epochs": until.rows}))


if __name__ == "__main__":
    main()
