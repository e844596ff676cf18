"""Policies of augmentation, batched on tensors, against torchvision's, picture by picture."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import numpy as np

from bench.outcome import Goal, Outcome, Row, spread
from bench.workbench import Workbench

_SIDES = (32, 224)
_BATCH = {32: 128, 224: 32}


def run(bench: Workbench) -> Outcome:
    rows, details = [], {}
    for side in _SIDES:
        count = 8 if bench.quick else _BATCH[side]
        calls = _calls(side, count)
        found = _timed(calls, bench.times(15, 2))
        details[f"{side} px, batch of {count}, ms a picture"] = {
            name: spread([1000 * one / count for one in seconds]) for name, seconds in found.items()
        }
        for policy in ("randaugment", "trivialaugment", "augmix"):
            ours, theirs = (
                1000 * statistics.median(found[f"{who} {policy}"]) / count
                for who in ("striate", "torchvision")
            )
            rows.append(
                Row(
                    f"{policy} of {side} px pictures",
                    ours,
                    "ms a picture",
                    Goal("at most", 1.0),
                    theirs,
                    "torchvision v2, picture by picture",
                    ours / theirs,
                )
            )
    return Outcome(rows, details)


def _calls(side: int, count: int) -> dict[str, Callable[[], object]]:
    """Ours for a batch; theirs for each picture of it, as a data loader's worker would."""
    import torch
    from torchvision.transforms import v2

    from striate.nn.augment.augmenter import Augmenter
    from striate.nn.augment.presets import resolve
    from striate.nn.augment.settings import AugmentSettings

    torch.set_num_threads(1)  # a worker has one
    pixels = _photos(side, count)
    tensors = [torch.from_numpy(one).permute(2, 0, 1).contiguous() for one in pixels]
    bilinear = v2.InterpolationMode.BILINEAR
    theirs = {
        "randaugment": v2.RandAugment(2, 9, interpolation=bilinear),
        "trivialaugment": v2.TrivialAugmentWide(interpolation=bilinear),
        "augmix": v2.AugMix(3, interpolation=bilinear),
    }
    calls: dict[str, Callable[[], object]] = {}
    for name, transform in theirs.items():
        settings = resolve(
            AugmentSettings.parse({"augment": "none", "policy": name}), size_hw=(side, side), grey=False
        )
        augmenter = Augmenter(settings, (side, side), seed=0)
        epochs = iter(range(10**9))

        def ours(augmenter: Augmenter = augmenter, epochs: object = epochs) -> object:
            return augmenter.apply(pixels, augmenter.plan(next(epochs), np.arange(count)))  # type: ignore[call-overload]

        def peer(transform: Callable[[object], object] = transform) -> object:
            return torch.stack([transform(one) for one in tensors])  # type: ignore[misc]

        calls |= {f"striate {name}": ours, f"torchvision {name}": peer}
    return calls


def _photos(side: int, count: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Crops of scikit-image's astronaut."""
    from skimage import data

    portrait = data.astronaut()  # type: ignore[no-untyped-call]  # scikit-image leaves it untyped
    rng = np.random.default_rng(0)
    places = rng.integers(0, 512 - side, (count, 2))
    return np.stack([portrait[y : y + side, x : x + side] for y, x in places]).astype(np.uint8)


def _timed(calls: dict[str, Callable[[], object]], times: int) -> dict[str, list[float]]:
    """Seconds of each call, in turns."""
    found: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(times + 1):
        for name, call in calls.items():
            began = time.perf_counter()
            call()
            found[name].append(time.perf_counter() - began)
    return {name: seconds[1:] for name, seconds in found.items()}  # the first of each warms up
