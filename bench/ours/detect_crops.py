"""R-CNN's features of many proposals, together and one by one: `detect_crops.py PICTURE MOST SINGLE ROUNDS`.

The network is R-CNN's own (resnet18 at 64 × 64 pixels, random weights, normalisation fitted to the crops).
`PICTURE` is a file, or `-` for a generated scene; it is made 480×640. One by one: SINGLE of the MOST
proposals, each cut out and run on its own, the time scaled up to all. Ways that cut out alike must give
the same features; those that resample otherwise, or compute in bfloat16, are told with their difference.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torchvision.ops import roi_align

from striate.data.scenes import make_scene
from striate.data.scenes.settings import SceneSettings
from striate.features.proposals import propose
from striate.pictures import read
from striate.pictures.resize import fit
from striate.tasks.detect.config import DetectFacts
from striate.tasks.detect.methods.regions import CROP, FastRcnn, Rcnn
from striate.tasks.detect.network import Detector, build_detector
from striate.types import Array

_SIZE_HW = (480, 640)
_SAMPLES = 2
_BATCHES = (32, 64, 128, 256)
_TRIED = 512
"""Proposals that the batch size is chosen on."""


@dataclass(frozen=True, slots=True)
class Kit:
    """The picture as bytes and normalised, its proposals, the detector, and its folded network."""

    pixels: Array
    picture: Tensor
    rois: Tensor
    detector: Detector


def build(picture: str, most: int) -> Kit:
    source = make_scene(SceneSettings(), seed=1).picture if picture == "-" else read(picture)
    pixels = fit(source, _SIZE_HW, how="squash").pixels
    boxes = propose(pixels, most=most).boxes_xyxy
    # a picture with fewer proposals shows some again
    boxes = boxes[np.arange(most) % len(boxes)]
    rois = torch.cat([torch.zeros(most, 1), torch.from_numpy(boxes).float()], dim=1)
    torch.manual_seed(0)
    detector = build_detector(_facts("rcnn"), Rcnn)
    floats = torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None].float()
    with torch.no_grad():
        detector.learn_input(floats)
        normalised = detector.normalise(floats)
        detector.train()
        detector.backbone(roi_align(normalised, rois[:256], CROP, 1.0, _SAMPLES))
    return Kit(pixels, normalised, rois, detector.eval())


def _facts(method: Any) -> DetectFacts:
    return DetectFacts(method=method, model="resnet18", names=("a", "b", "c"), size_hw=_SIZE_HW)


class Together:
    """All crops in batches; `network` takes (B, 3, 64, 64)."""

    def __init__(
        self, kit: Kit, network: Callable[[Tensor], Tensor], *, batch: int, half: bool, last: bool
    ) -> None:
        self.kit, self.network, self.batch, self.half = kit, network, batch, half
        self.layout = torch.channels_last if last else torch.contiguous_format

    def __call__(self, most: int) -> Tensor:
        found = []
        with torch.autocast("cpu", torch.bfloat16, enabled=self.half):
            for rois in self.kit.rois[:most].split(self.batch):
                crops = roi_align(self.kit.picture, rois, CROP, 1.0, _SAMPLES)
                found.append(self.network(crops.contiguous(memory_format=self.layout)).float())
        return torch.cat(found)


def apart(kit: Kit, rows: Array, *, half: bool) -> Tensor:
    """One crop and one run of the network for each."""
    with torch.autocast("cpu", torch.bfloat16, enabled=half):
        return torch.cat(
            [
                kit.detector.backbone(
                    roi_align(kit.picture, kit.rois[row : row + 1], CROP, 1.0, _SAMPLES)
                ).float()
                for row in rows.tolist()
            ]
        )


def apart_pillow(kit: Kit, rows: Array) -> Tensor:
    """The same with the crop that one would write: Pillow cuts out and resizes."""
    image = Image.fromarray(kit.pixels)
    found = []
    for row in rows.tolist():
        box = tuple(kit.rois[row, 1:].tolist())
        crop = image.resize((CROP, CROP), Image.Resampling.BILINEAR, box=box)
        pixels = torch.from_numpy(np.array(crop)).permute(2, 0, 1)[None].float()
        found.append(kit.detector.backbone(kit.detector.normalise(pixels)))
    return torch.cat(found)


def ways_together(kit: Kit) -> dict[str, tuple[Callable[[Tensor], Tensor], bool, bool]]:
    """(network, bfloat16, channels last) by name; the layout of a network's weights is set at its turn."""
    network = kit.detector.backbone
    folded = torch.jit.freeze(torch.jit.trace(network, torch.zeros(2, 3, CROP, CROP)))  # type: ignore[no-untyped-call]
    return {
        "float32": (network, False, False),
        "float32, channels last": (network, False, True),
        "float32, folded": (folded, False, False),
        "bfloat16": (network, True, False),
        "bfloat16, channels last": (network, True, True),
        "float32, ONNX Runtime": (through_onnx(network), False, False),
    }


def through_onnx(network: nn.Module) -> Callable[[Tensor], Tensor]:
    import io
    import warnings

    import onnxruntime

    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as in striate.engine.export: the exporter is deprecated
        torch.onnx.export(
            network,
            (torch.zeros(2, 3, CROP, CROP),),
            file,
            dynamo=False,
            opset_version=18,
            input_names=["x"],
            dynamic_axes={"x": {0: "batch"}},
        )
    session = onnxruntime.InferenceSession(file.getvalue(), providers=["CPUExecutionProvider"])
    return lambda crops: torch.from_numpy(session.run(None, {"x": crops.numpy()})[0])


def timed(call: Callable[[], Tensor]) -> tuple[float, Tensor]:
    began = time.perf_counter()
    found = call()
    return time.perf_counter() - began, found


def best_batch(way: Callable[[int], Together], most: int) -> tuple[int, dict[int, float]]:
    """The batch size that is fastest on some of the proposals, and pictures a second of each."""
    speeds: dict[int, float] = {}
    for batch in _BATCHES:
        runner = way(batch)
        runner(min(batch, most))
        took = min(timed(lambda runner=runner: runner(min(_TRIED, most)))[0] for _ in range(2))  # type: ignore[misc]
        speeds[batch] = min(_TRIED, most) / took
    return max(speeds, key=lambda batch: speeds[batch]), speeds


def differences(found: Tensor, wanted: Tensor) -> dict[str, float]:
    """Largest and mean difference of a feature, as a part of the features' standard deviation."""
    gap = (found - wanted).abs() / wanted.std()
    alike = torch.nn.functional.cosine_similarity(found, wanted).min()
    return {"worst": float(gap.max()), "mean": float(gap.mean()), "least_cosine": float(alike)}


def shared(kit: Kit) -> Callable[[], Tensor]:
    """Fast R-CNN: the picture is seen once, and all proposals are pooled from its maps."""
    torch.manual_seed(0)
    detector = build_detector(_facts("fast-rcnn"), FastRcnn).eval()
    head = detector.head
    assert isinstance(head, FastRcnn)
    see = detector.maps
    assert see is not None
    return lambda: head._vectors(head._look(see, kit.picture), kit.rois)


def main() -> None:
    most, single, rounds = (int(word) for word in sys.argv[2:5])
    kit = build(sys.argv[1], most)
    rows = np.unique(np.linspace(0, most - 1, min(single, most)).round().astype(int))
    found: dict[str, Any] = {"proposals": most, "one_by_one_timed": len(rows), "together": {}}
    with torch.inference_mode(False), torch.no_grad():
        ways = ways_together(kit)
        wanted, layouts = apart(kit, rows, half=False), (torch.contiguous_format, torch.channels_last)
        runners: dict[str, Together] = {}
        for name, (network, half, last) in ways.items():
            kit.detector.backbone.to(memory_format=layouts[last])

            def way(
                batch: int, network: Any = network, half: bool = half, last: bool = last
            ) -> Together:
                return Together(kit, network, batch=batch, half=half, last=last)

            batch, speeds = best_batch(way, most)
            runners[name] = way(batch)
            found["together"][name] = {"batch": batch, "crops_per_s_of_batch": speeds, "times_s": []}
        singles: dict[str, Callable[[], Tensor]] = {
            "float32": lambda: apart(kit, rows, half=False),
            "bfloat16": lambda: apart(kit, rows, half=True),
            "Pillow, float32": lambda: apart_pillow(kit, rows),
        }
        found["one_by_one"] = {name: {"times_s": []} for name in singles}
        pooled, found["shared"] = shared(kit), {"times_s": []}
        pooled()
        for _ in range(rounds):
            kit.detector.backbone.to(memory_format=torch.contiguous_format)
            for name, call in singles.items():
                took, features = timed(call)
                found["one_by_one"][name]["times_s"].append(took * most / len(rows))
                found["one_by_one"][name]["difference"] = differences(features, wanted)
            for name, runner in runners.items():
                kit.detector.backbone.to(memory_format=layouts[ways[name][2]])
                took, features = timed(lambda runner=runner: runner(most))  # type: ignore[misc]
                found["together"][name]["times_s"].append(took)
                found["together"][name]["difference"] = differences(features[rows], wanted)
            found["shared"]["times_s"].append(timed(pooled)[0])
    print(json.dumps(found))


if __name__ == "__main__":
    main()
