"""Attacks along the gradient of a run's network."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, final

import numpy as np
import torch
from torch import Tensor

from striate.data.prepared import PreparedSet
from striate.engine.devices import MEMORY_FORMATS, PRECISIONS, choose_device
from striate.gradients.attacks import Norm, fgsm, pgd, random_start
from striate.gradients.patches import lay, learn_patch, places_of
from striate.nn.recipe import Batch
from striate.stress.stock import Stock
from striate.types import Array, Picture, PictureArray
from striate.verbs.model import Model
from striate.verbs.networks import TrainedNetwork, open_network

__all__ = ["GradientAttack", "PatchAttack"]

_PIXELS = 64 * 64 * 64
_BATCH_LEAST, _BATCH_MOST = 4, 128
"""Pictures a call: many of small ones, few of large ones."""


@final
class Harmful:
    """How wrong the network is about the pictures of a stock; with a target, how near it is to that."""

    def __init__(self, model: Model, target: tuple[str, ...] | None, *, device: str) -> None:
        place = str(choose_device(device))
        self.network: TrainedNetwork = open_network(model, needed_for="this attack", device=place)
        self.network.module.requires_grad_(False)  # only pictures change
        self._target = target
        # gradients at the speed that training found here: what counts is the graph's answer afterwards
        plan = model.header.plan
        self._dtype = PRECISIONS[str(plan.get("precision", "float32"))]
        self.layout = MEMORY_FORMATS[str(plan.get("memory_format", "contiguous"))]
        self.network.module.to(memory_format=self.layout)

    @property
    def device(self) -> torch.device:
        return self.network.device

    def truths(self, stock: Stock) -> dict[str, Tensor]:
        """As the recipe encodes them."""
        targets = [self._target or one for one in stock.truths]
        geometry = [[*one.size_hw, *one.scale_yx, *one.offset_yx] for one in stock.prepared]
        rows = np.asarray(geometry, np.float64).reshape(-1, 6)
        prepared = PreparedSet(stock.pixels, rows, np.arange(len(stock)), ())
        found = self.network.recipe.encode(targets, prepared)
        return {name: value.to(self.device) for name, value in found.items()}

    def of(self, pixels: Tensor, truths: Mapping[str, Tensor]) -> Tensor:
        """(B,) or ()."""
        sign = -1.0 if self._target else 1.0
        given = pixels.contiguous(memory_format=self.layout)
        # some detectors draw which windows they are judged on: the same ones at every step
        with (
            torch.random.fork_rng(),
            torch.autocast(self.device.type, self._dtype, enabled=self._dtype != torch.float32),
        ):
            torch.manual_seed(0)
            found = self.network.recipe.harm(self.network.module, Batch(given, truths))
        return sign * found.float()


@final
class GradientAttack:
    """FGSM, PGD in the box, PGD in the ball."""

    patches: Sequence[tuple[float, Picture]] = ()

    def __init__(
        self,
        model: Model,
        name: str,
        *,
        steps: int,
        target: tuple[str, ...] | None,
        device: str,
    ) -> None:
        self._harmful = Harmful(model, target, device=device)
        self._name, self._steps = name, steps
        self._norm: Norm = "l2" if name == "pgd-l2" else "linf"

    def attacked(self, stock: Stock, strength: float, listen: Callable[[float], None]) -> PictureArray:
        truths, found = self._harmful.truths(stock), stock.pixels.copy()
        size = _batch(stock.pixels)
        for start in range(0, len(stock), size):
            rows = slice(start, start + size)
            part = {name: value[rows] for name, value in truths.items()}
            given = _tensor(stock.pixels[rows], self._harmful.device)
            seeds = stock.seeds[rows].tolist()

            def harm(pixels: Tensor, part: Mapping[str, Tensor] = part) -> Tensor:
                return self._harmful.of(pixels, part)

            if self._name == "fgsm":
                changed = fgsm(harm, given, strength)
            else:
                begin = random_start(given, strength, self._norm, seeds)
                changed = pgd(harm, given, strength, norm=self._norm, steps=self._steps, start=begin)
            found[rows] = self._whole(_array(changed), stock.pixels[rows], strength)
            listen(min(1.0, (start + size) / len(stock)))
        return found

    def by_chance(self, stock: Stock, strength: float) -> PictureArray:
        found = stock.pixels.copy()
        for row, seed in enumerate(stock.seeds.tolist()):
            dice = np.random.default_rng([seed, 3])
            if self._norm == "linf":
                change = strength * dice.choice([-1.0, 1.0], found[row].shape)
            else:
                change = dice.normal(size=found[row].shape)
                change *= strength / np.linalg.norm(change)
            changed = np.clip(stock.pixels[row] + change, 0, 255)[None].astype(np.float32)
            found[row] = self._whole(changed, stock.pixels[row : row + 1], strength)[0]
        return found

    def _whole(self, changed: Array, pixels: PictureArray, strength: float) -> PictureArray:
        """Rounded to whole grey levels, and still within the strength."""
        found = np.rint(changed).astype(np.uint8)
        return found if self._norm == "linf" else shortened(changed, pixels, strength)


def shortened(changed: Array, pixels: PictureArray, strength: float) -> PictureArray:
    """`changed` (B, h, w, 3), rounded; each change scaled down as far as rounding made it too long.

    Halving finds the longest scale whose rounded change fits.
    """
    base = pixels.astype(np.float64)
    change = changed.astype(np.float64) - base
    low, high = np.zeros(len(base)), np.ones(len(base))

    def rounded(scale: Array) -> Array:
        return np.rint(base + scale[:, None, None, None] * change)

    def fits(found: Array) -> Array:
        length = np.sqrt(((found - base) ** 2).sum(axis=(1, 2, 3)))
        inside: Array = length <= strength + 1e-6
        return inside

    low = np.where(fits(rounded(high)), 1.0, low)
    for _ in range(12):
        middle = (low + high) / 2
        good = fits(rounded(middle))
        low, high = np.where(good, middle, low), np.where(good, high, middle)
    return rounded(low).astype(np.uint8)


@final
class PatchAttack:
    """One patch for all pictures; `learnt_on` is not what it is measured on.

    `patches`: each strength, and the patch that was learnt for it.
    """

    def __init__(
        self,
        model: Model,
        learnt_on: Stock,
        *,
        steps: int,
        target: tuple[str, ...] | None,
        device: str,
    ) -> None:
        self._harmful = Harmful(model, target, device=device)
        self._learnt_on, self._steps = learnt_on, steps
        self._truths = self._harmful.truths(learnt_on)
        self.patches: list[tuple[float, Picture]] = []

    def attacked(self, stock: Stock, strength: float, listen: Callable[[float], None]) -> PictureArray:
        def harm(pixels: Tensor, rows: Array) -> Tensor:
            index = torch.from_numpy(rows).to(self._harmful.device)
            return self._harmful.of(pixels, {name: one[index] for name, one in self._truths.items()})

        patch = learn_patch(
            harm,
            self._learnt_on.pixels,
            side=_side(stock.pixels, strength),
            steps=self._steps,
            seed=int(self._learnt_on.seeds[0]),
            device=self._harmful.device,
            listen=lambda done: listen(done / self._steps),
        )
        self.patches.append((strength, _array(patch[None])[0].astype(np.uint8)))
        return _laid(stock, patch)

    def by_chance(self, stock: Stock, strength: float) -> PictureArray:
        side = _side(stock.pixels, strength)
        noise = np.random.default_rng(side).integers(0, 256, (3, side, side))
        return _laid(stock, torch.from_numpy(noise.astype(np.float32)))


def _laid(stock: Stock, patch: Tensor) -> PictureArray:
    size_hw = (stock.pixels.shape[1], stock.pixels.shape[2])
    places = places_of(stock.seeds, size_hw, patch.shape[-1])
    found = [
        _array(lay(_tensor(stock.pixels[row : row + 1], patch.device), patch, places[row : row + 1]))
        for row in range(len(stock))
    ]
    return np.concatenate(found).astype(np.uint8)


def _side(pixels: PictureArray, share: float) -> int:
    """Of a square that takes `share` per cent of a picture, and fits into it."""
    height, width = pixels.shape[1:3]
    return int(np.clip(round((share / 100 * height * width) ** 0.5), 1, min(height, width)))


def _batch(pixels: PictureArray) -> int:
    return int(np.clip(_PIXELS // (pixels.shape[1] * pixels.shape[2]), _BATCH_LEAST, _BATCH_MOST))


def _tensor(pixels: PictureArray, device: torch.device) -> Tensor:
    own = np.ascontiguousarray(pixels)
    own = own if own.flags.writeable else own.copy()  # torch warns of read-only memory
    return torch.from_numpy(own).to(device).permute(0, 3, 1, 2).float()


def _array(pixels: Any) -> Array:
    found: Array = pixels.detach().permute(0, 2, 3, 1).contiguous().cpu().numpy()
    return found
