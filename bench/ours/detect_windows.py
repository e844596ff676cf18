"""Sliding windows as one convolution and one by one: `detect_windows.py SAMPLED ROUNDS SCRATCH`.

The window network of the method, random weights, its normalisation fitted to the windows of a generated
picture so that scores differ from place to place. One by one means: of SAMPLED windows of all sizes,
each is cut out of the scaled picture and run on its own; the scaled pictures are made beforehand and
not counted, which favours it. Times of the sample are scaled up to all windows. On a smaller picture,
all windows are compared.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from striate.data.scenes import make_scene
from striate.data.scenes.settings import SceneSettings
from striate.pictures.resize import fit
from striate.tasks.detect.config import DetectFacts
from striate.tasks.detect.methods.window import STRIDE, WINDOW, SlidingWindow, _resized
from striate.tasks.detect.network import Detector, build_detector
from striate.types import Array

_SIDES = (20.0, 75.6, 82.4, 89.5, 206.9)
"""Quantiles of the sides of BCCD's objects in an input of 384×512 pixels."""
_SIZE_HW = (384, 512)
_SMALLER = 0.35
_FORMATS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}


@dataclass(frozen=True, slots=True)
class Way:
    """`whole` gives the scores (N, K + 1) of all windows, `single` those (1, K + 1) of one cut-out."""

    whole: Callable[[], Array]
    single: Callable[[Any], Array]
    windows: Sequence[Any]


class _Scores(nn.Module):
    """A normalised picture (1, 3, H, W) → scores (N, K + 1) of all its windows."""

    def __init__(self, detector: Detector) -> None:
        super().__init__()
        self.backbone, self.head = detector.backbone, detector.head

    def forward(self, pictures: Tensor) -> Tensor:
        logits: Tensor = self.head(self.backbone, pictures, None)["logits"]
        return logits[0].softmax(dim=1)


class _One(nn.Module):
    """A normalised window (1, 3, 40, 40) → its scores (1, K + 1)."""

    def __init__(self, detector: Detector) -> None:
        super().__init__()
        self.backbone, self.judge = detector.backbone, _head(detector).judge

    def forward(self, window: Tensor) -> Tensor:
        scores: Tensor = self.judge(self.backbone(window)).flatten(1).float().softmax(dim=1)
        return scores


def build(scale: float) -> tuple[Detector, Tensor]:
    """The detector in evaluation mode, and a normalised picture (1, 3, H, W)."""
    size_hw = (round(_SIZE_HW[0] * scale), round(_SIZE_HW[1] * scale))
    facts = DetectFacts(
        method="sliding-window",
        model="window-cnn",
        names=("platelets", "red", "white"),
        size_hw=size_hw,
        side_quantiles=_SIDES,
    )
    torch.manual_seed(0)
    detector = build_detector(facts, SlidingWindow)
    scene = fit(make_scene(SceneSettings(), seed=1).picture, size_hw, how="squash").pixels
    noise = np.random.default_rng(0).integers(-20, 21, scene.shape)
    pixels = np.clip(scene.astype(int) + noise, 0, 255).astype(np.float32)
    with torch.no_grad():
        picture = detector.normalise(torch.from_numpy(pixels).permute(2, 0, 1)[None])
        for part in detector.modules():
            if isinstance(part, nn.BatchNorm2d):
                part.momentum = None
        detector.train()
        detector.head(detector.backbone, picture, None)
        _head(detector).judge.weight.mul_(4.0)
    return detector.eval(), picture


def _head(detector: Detector) -> SlidingWindow:
    assert isinstance(detector.head, SlidingWindow)
    return detector.head


def cut(detector: Detector, picture: Tensor, rows: Array) -> list[Tensor]:
    """Views (1, 3, 40, 40) of the scaled pictures: the windows of those numbers."""
    found: list[Tensor] = []
    first = 0
    for size_hw in _head(detector).sizes_hw:
        scaled = _resized(picture, size_hw)
        down, across = (1 + (length - WINDOW) // STRIDE for length in size_hw)
        for row in rows[(rows >= first) & (rows < first + down * across)]:
            y, x = (STRIDE * int(part) for part in divmod(row - first, across))
            found.append(scaled[:, :, y : y + WINDOW, x : x + WINDOW])
        first += down * across
    return found


def torch_way(detector: Detector, picture: Tensor, rows: Array, memory: str) -> Way:
    layout = _FORMATS[memory]
    detector = detector.to(memory_format=layout)
    shaped = picture.contiguous(memory_format=layout)
    whole, one = _Scores(detector), _One(detector)
    return Way(
        lambda: np.asarray(whole(shaped)),
        lambda window: np.asarray(one(window.contiguous(memory_format=layout))),
        cut(detector, shaped, rows),
    )


def onnx_way(detector: Detector, picture: Tensor, rows: Array, scratch: Path) -> Way:
    windows = [one.contiguous().numpy() for one in cut(detector, picture, rows)]
    whole = _session(_Scores(detector), picture, scratch / "whole.onnx")
    one = _session(_One(detector), torch.from_numpy(windows[0]), scratch / "one.onnx")
    pixels = picture.numpy()
    return Way(lambda: whole(pixels), one, windows)


def _session(module: nn.Module, example: Tensor, path: Path) -> Callable[[Array], Array]:
    import onnxruntime

    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # as in striate.engine.export: the exporter is deprecated
        torch.onnx.export(
            module.eval(), (example,), str(path), dynamo=False, opset_version=18, input_names=["x"]
        )
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return lambda array: np.asarray(session.run(None, {"x": array})[0])


def measure(way: Way, windows: int, rows: Array, rounds: int) -> dict[str, Any]:
    """Seconds of both ways in turns, those of one by one scaled to all windows."""
    whole_s, single_s, worst = [], [], 0.0
    for turn in range(rounds + 1):
        began = time.perf_counter()
        together = way.whole()
        whole_s.append(time.perf_counter() - began)
        began = time.perf_counter()
        apart = [way.single(window) for window in way.windows]
        single_s.append((time.perf_counter() - began) * windows / len(rows))
        worst = max(worst, float(np.abs(np.concatenate(apart) - together[rows]).max()))
        if not turn:  # the first warms up
            whole_s, single_s = [], []
    spread = float(together.std(axis=0).max())
    return {"whole_s": whole_s, "single_s": single_s, "worst": worst, "spread": spread}


def compare_all(scale: float) -> dict[str, Any]:
    """Every window of a smaller picture, by the method's own naïve way and by its convolution."""
    detector, picture = build(scale)
    with torch.inference_mode():
        apart = _head(detector).windows_one_by_one(detector.backbone, picture).softmax(dim=1)
        worst = float((apart - _Scores(detector)(picture)).abs().max())
    return {"size_hw": list(picture.shape[2:]), "windows": len(apart), "worst": worst}


def cost(module: nn.Module, given: Tensor) -> int:
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        module(given)
    return int(counter.get_total_flops()) // 2


def main() -> None:
    sampled, rounds, scratch = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
    scratch.mkdir(parents=True, exist_ok=True)
    detector, picture = build(1.0)
    head = _head(detector)
    windows = len(head.places)
    # all sizes are sampled alike, evenly over the picture
    rows = np.unique(np.linspace(0, windows - 1, min(sampled, windows)).round().astype(int))
    single_window = picture[:, :, :WINDOW, :WINDOW]
    found: dict[str, Any] = {
        "size_hw": list(picture.shape[2:]),
        "windows": windows,
        "sampled": len(rows),
        "sizes": len(head.sizes_hw),
        "multiply_adds_whole": cost(_Scores(detector), picture),
        "multiply_adds_single": windows * cost(_One(detector), single_window),
        "all_of_a_smaller_picture": compare_all(_SMALLER),
        "ways": {},
    }
    for threads in sorted({1, torch.get_num_threads()}):
        torch.set_num_threads(threads)
        with torch.inference_mode():
            for memory in _FORMATS:
                way = torch_way(detector, picture, rows, memory)
                name = f"torch, {memory.replace('_', ' ')}, {threads} threads"
                found["ways"][name] = measure(way, windows, rows, rounds)
    detector = detector.to(memory_format=torch.contiguous_format)
    way = onnx_way(detector, picture, rows, scratch)
    found["ways"]["ONNX Runtime"] = measure(way, windows, rows, rounds)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
