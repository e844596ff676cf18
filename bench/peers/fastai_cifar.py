"""fastai on CIFAR-10 from the JPEG folder: seconds until the test accuracy first reaches a goal.

    fastai_cifar.py DATA --recipe resnet9 --epochs 5 [--precision bfloat16] …

The clock starts before the DataLoaders are made (imports are not counted) and stops at the end of the
first epoch whose test accuracy reaches the goal; evaluation is not counted. One-cycle, Adam and
label smoothing, as in fastai's own examples.

With `--measure STEPS` nothing is trained: the speed of loading alone and of whole training steps is
printed, to choose between recipes.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import warnings
from collections.abc import Callable as Function

import torch
from fastai.callback.channelslast import ChannelsLast
from fastai.vision.all import (
    Callback,
    CancelFitException,
    CropPad,
    DataLoaders,
    FlipItem,
    ImageDataLoaders,
    LabelSmoothingCrossEntropyFlat,
    Learner,
    Normalize,
    PadMode,
    RandomCrop,
    accuracy,
    aug_transforms,
    cifar_stats,
    xresnet18,
)
from fastai.vision.models.xresnet import ResBlock, XResNet
from torch import nn

warnings.filterwarnings("ignore")


def conv_block(inside: int, outside: int, *, pool: bool = False) -> nn.Sequential:
    layers = [
        nn.Conv2d(inside, outside, 3, padding=1, bias=False),
        nn.BatchNorm2d(outside),
        nn.ReLU(inplace=True),
    ]
    return nn.Sequential(*layers, *([nn.MaxPool2d(2)] if pool else []))


class Residual(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(conv_block(width, width), conv_block(width, width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.body(x)


def resnet9(width: int) -> nn.Module:
    """The network with which DAWNBench's CIFAR-10 was won (Page 2018), a favourite in fastai's forum."""
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


def xresnet18_for_32() -> nn.Module:
    """fastai's own network, with a stem that does not quarter 32-pixel pictures."""
    model = xresnet18(n_out=10)
    model[0][0].stride = (1, 1)
    return model


RECIPES: dict[str, tuple[Function[[], nn.Module], int, float]] = {
    # network, batch, peak learning rate
    "resnet9": (lambda: resnet9(64), 256, 3e-3),
    "resnet9-half": (lambda: resnet9(32), 256, 4e-3),
    "xresnet18": (xresnet18_for_32, 256, 4e-3),
    "xresnet10": (
        lambda: XResNet(ResBlock, 1, [1, 1, 1, 1], n_out=10, stem_szs=(32, 32, 64)),
        256,
        4e-3,
    ),
}


class Bfloat16OnCpu(Callback):
    """What `Learner.to_bf16()` does on CUDA, for the CPU, where fastai 2.8's own does nothing."""

    order = 10

    def before_batch(self) -> None:
        self.context = torch.autocast("cpu", torch.bfloat16)
        self.context.__enter__()

    def after_pred(self) -> None:
        self.learn.pred = self.pred.float()

    def after_loss(self) -> None:
        self.context.__exit__(None, None, None)


class UntilGoal(Callback):
    """Stops at the goal, and keeps the clock: evaluation is taken out."""

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
        row = {"epoch": self.epoch + 1, "seconds": round(trained, 1), "accuracy": round(value, 4)}
        self.rows.append(row)
        print(json.dumps(row), file=sys.stderr, flush=True)
        if value >= self.goal and self.reached is None:
            self.reached = trained
        if self.reached is not None or trained > self.limit:
            raise CancelFitException


def make_loaders(asked: argparse.Namespace, batch: int) -> DataLoaders:
    """Whole-batch augmentation is what fastai recommends for speed; padded crops are what papers use."""
    on_pictures = {
        "crop": [CropPad(40, pad_mode=PadMode.Reflection), RandomCrop(32), FlipItem()],
        "batch": [],
    }
    on_batches = {
        "crop": [],
        "batch": aug_transforms(max_rotate=5, min_zoom=0.9, max_zoom=1.15, max_warp=0, max_lighting=0),
    }
    return ImageDataLoaders.from_folder(
        asked.data,
        train="train",
        valid="test",
        bs=batch,
        val_bs=512,
        num_workers=asked.workers,
        item_tfms=on_pictures[asked.augment],
        batch_tfms=[*on_batches[asked.augment], Normalize.from_stats(*cifar_stats)],
    )


def make_learner(asked: argparse.Namespace, loaders: DataLoaders) -> Learner:
    model = RECIPES[asked.recipe][0]()
    learner = Learner(loaders, model, loss_func=LabelSmoothingCrossEntropyFlat(), metrics=accuracy)
    if asked.layout == "channels_last":
        learner.add_cb(ChannelsLast())
    if asked.precision == "bfloat16":
        learner.add_cb(Bfloat16OnCpu())
    elif asked.precision == "to_bf16":
        learner = learner.to_bf16()
    return learner


class Timed(Callback):
    """Ends the fit after some steps; the first two are not counted."""

    def __init__(self, steps: int) -> None:
        self.steps, self.times = steps, []

    def after_batch(self) -> None:
        self.times.append(time.perf_counter())
        if len(self.times) == self.steps + 2:
            raise CancelFitException

    def seconds_a_step(self) -> float:
        return (self.times[-1] - self.times[1]) / (len(self.times) - 2)


def measure(asked: argparse.Namespace) -> dict[str, float]:
    """Pictures a second: loading alone, and whole steps with loading beside them."""
    batch = asked.batch or RECIPES[asked.recipe][1]
    loaders = make_loaders(asked, batch)
    batches = iter(loaders.train)
    next(batches)
    began = time.perf_counter()
    for _ in range(asked.measure):
        next(batches)
    loading = asked.measure * batch / (time.perf_counter() - began)
    learner, timed = make_learner(asked, loaders), Timed(asked.measure)
    with learner.no_bar(), learner.no_logging():
        learner.fit(1, 1e-3, cbs=timed)
    training = batch / timed.seconds_a_step()
    return {"loading_per_s": round(loading, 1), "training_per_s": round(training, 1)}


def train(asked: argparse.Namespace) -> dict[str, object]:
    torch.manual_seed(asked.seed)
    _, batch, lr = RECIPES[asked.recipe]
    started = time.perf_counter()
    learner = make_learner(asked, make_loaders(asked, asked.batch or batch))
    until = UntilGoal(asked.goal, asked.limit, started)
    with learner.no_bar(), learner.no_logging():
        learner.fit_one_cycle(asked.epochs, asked.lr or lr, cbs=until)
    return {"seconds": until.reached, "epochs": until.rows}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("data")
    parser.add_argument("--recipe", choices=RECIPES, default="resnet9-half")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--precision", choices=["float32", "bfloat16", "to_bf16"], default="float32")
    parser.add_argument("--layout", choices=["contiguous", "channels_last"], default="contiguous")
    parser.add_argument("--batch", type=int, default=0)
    parser.add_argument("--lr", type=float, default=0.0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--augment", choices=["batch", "crop"], default="batch")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--goal", type=float, default=0.85)
    parser.add_argument("--limit", type=float, default=2400.0)
    parser.add_argument("--measure", type=int, default=0)
    return parser.parse_args()


def main() -> None:
    asked = arguments()
    found = measure(asked) if asked.measure else train(asked)
    print(json.dumps({**vars(asked), **found}))


if __name__ == "__main__":
    main()
