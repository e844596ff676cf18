"""The training loop that one writes by hand: nothing but what a step needs, no checks, no bookkeeping.

It gets the network, the arrays and striate's augmentation operators; random numbers come from NumPy.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from striate.engine.plan import Plan
from striate.nn.augment.affine import compose_affine
from striate.nn.augment.colour import apply_colour
from striate.nn.augment.pixels import erase_rectangles
from striate.nn.augment.plan import Rectangles
from striate.nn.augment.warp import shift_pictures, warp_pictures
from striate.types import Array, SizeHW

_PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}
_FORMATS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}


class PlainLoop:
    """`pixels` uint8 (N, H, W, 3), `labels` int64 (N,); optimizer and precision as in `plan`."""

    def __init__(
        self, module: nn.Module, pixels: Array, labels: Tensor, plan: Plan, *, tiny: bool
    ) -> None:
        self.module, self.pixels, self.labels, self.plan = module, pixels, labels, plan
        self.layout = _FORMATS[plan.memory_format]
        self.dtype = _PRECISIONS[plan.precision]
        self.augment = shift_and_mirror if tiny else vary_photos
        self.rng = np.random.default_rng(0)
        for part in module.modules():
            if isinstance(part, nn.Conv2d):
                part.to(memory_format=self.layout)
        self.optimizer = make_optimizer(module, plan)
        self.order, self.total, self.number = self.rng.permutation(len(pixels)), 0.0, 0

    def step(self) -> None:
        first = self.number * self.plan.batch_size % (len(self.order) - self.plan.batch_size + 1)
        rows = self.order[first : first + self.plan.batch_size]
        pictures = self.augment(torch.from_numpy(self.pixels[rows]), self.rng)
        pictures = pictures.float().contiguous(memory_format=self.layout)
        with torch.autocast("cpu", self.dtype, enabled=self.dtype != torch.float32):
            logits = self.module(pictures)
        loss = F.cross_entropy(logits.float(), self.labels[rows], label_smoothing=0.1)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        for group in self.optimizer.param_groups:
            group["lr"] = self.plan.lr * min(1.0, (self.number + 1) / 100)
        self.optimizer.step()
        self.total += loss.item()
        self.number += 1


def make_optimizer(module: nn.Module, plan: Plan) -> torch.optim.Optimizer:
    trained = [parameter for parameter in module.parameters() if parameter.requires_grad]
    groups = [
        {"params": [p for p in trained if p.ndim > 1], "weight_decay": plan.weight_decay},
        {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
    ]
    if plan.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=plan.lr, momentum=plan.momentum, nesterov=True)
    return torch.optim.AdamW(groups, lr=plan.lr, betas=(plan.momentum, 0.99), fused=True)


def shift_and_mirror(pictures: Tensor, rng: np.random.Generator) -> Tensor:
    """Mirrored, and shifted by an eighth of the side: what striate does to tiny pictures."""
    count, size_hw = len(pictures), (pictures.shape[1], pictures.shape[2])
    reach = size_hw[1] // 8
    matrix = compose_affine(
        size_hw,
        centre_xy=np.full((count, 2), [size_hw[1] / 2, size_hw[0] / 2]),
        angle_deg=np.zeros(count),
        zoom_xy=np.ones((count, 2)),
        flip_xy=np.stack([rng.random(count) < 0.5, np.zeros(count, bool)], axis=1),
        shift_xy=rng.integers(-reach, reach + 1, (count, 2)).astype(np.float64),
    )
    return shift_pictures(pictures, matrix)


def vary_photos(pictures: Tensor, rng: np.random.Generator) -> Tensor:
    """Cropped, turned, zoomed, mirrored, recoloured, some with a hole: what striate does to photos."""
    count, size_hw = len(pictures), (pictures.shape[1], pictures.shape[2])
    size_xy, cut = np.array(size_hw[::-1], np.float64), 0.25 * rng.random((count, 2))
    matrix = compose_affine(
        size_hw,
        centre_xy=size_xy * (0.5 + 0.5 * cut * rng.uniform(-1, 1, (count, 2))),
        angle_deg=rng.uniform(-10, 10, count),
        zoom_xy=(1 + rng.uniform(-0.1, 0.1, (count, 1))) / (1 - cut),
        flip_xy=np.stack([rng.random(count) < 0.5, np.zeros(count, bool)], axis=1),
        shift_xy=np.zeros((count, 2)),
    )
    colour = np.concatenate(
        [rng.uniform(0.8, 1.2, (count, 3)), rng.uniform(-0.05, 0.05, (count, 1))], axis=1
    )
    varied = apply_colour(warp_pictures(pictures, matrix), colour)
    return erase_rectangles(varied, holes(count, size_hw, rng))


def holes(count: int, size_hw: SizeHW, rng: np.random.Generator) -> Rectangles:
    """A grey rectangle of 2 … 33 % of the area in one of ten pictures."""
    area, ratio = rng.uniform(0.02, 0.33, count), np.exp(rng.uniform(np.log(0.3), np.log(3.3), count))
    sides = np.stack([np.sqrt(area * ratio), np.sqrt(area / ratio)], axis=1) * size_hw
    sides = np.minimum(np.rint(sides), size_hw) * (rng.random(count) < 0.1)[:, None]
    start = np.floor(rng.random((count, 2)) * (np.array(size_hw) - sides + 1))
    box_yxyx = np.concatenate([start, start + sides], axis=1).astype(np.int64)
    return Rectangles(box_yxyx, np.floor(rng.random(count) * 256))
