"""R-CNN's features of many proposals, together and one by one.

    detect_crops.py PICTURE MOST SINGLE ROUNDS SCRATCH

The network is R-CNN's own: resnet18 at 64 × 64 pixels, random weights, normalisation fitted to crops.
`PICTURE` is a file, or `-` for a generated scene; it is made 480×640. One by one: SINGLE of the MOST
proposals, each cut out and run on its own, the time scaled up to all. Ways that cut out alike must give
the same features; those that resample otherwise, or compute in bfloat16, are told with their difference.
"""

from __future__ import annotations

import copy
import json
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torchvision.ops import roi_align

from bench.ours.folded import folded_network
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
_BATCHES = (64, 128, 256, 512)
_TRIED = 512
"""Proposals that the batch size is chosen on."""


@dataclass(frozen=True, slots=True)
class Kit:
    """The picture as bytes and normalised (1, 3, H, W), its proposals (N, 5), and the detector."""

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


@dataclass(frozen=True, slots=True)
class Way:
    """A network (B, 3, 64, 64) → (B, D), and what it is fed: layout, kind of number, autocast or not."""

    network: Callable[[Tensor], Tensor]
    last: bool = False
    half: bool = False
    autocast: bool = False

    def run(self, kit: Kit, most: int, batch: int) -> Tensor:
        """The features of the first `most` proposals, cut out in batches."""
        layout = torch.channels_last if self.last else torch.contiguous_format
        number = torch.bfloat16 if self.half else torch.float32
        found = []
        with torch.autocast("cpu", torch.bfloat16, enabled=self.autocast):
            for rois in torch.split(kit.rois[:most], batch):
                crops = roi_align(kit.picture, rois, CROP, 1.0, _SAMPLES)
                crops = crops.to(number).contiguous(memory_format=layout)
                found.append(self.network(crops).float())
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


def ways_together(kit: Kit, scratch: Path) -> dict[str, Way]:
    """By name. Folded: as `folded_network` makes it."""
    plain = kit.detector.backbone
    last = copy.deepcopy(plain).to(memory_format=torch.channels_last)
    folded = folded_network(plain, (CROP, CROP))
    folded_last = copy.deepcopy(folded).to(memory_format=torch.channels_last)
    small = copy.deepcopy(folded_last).to(torch.bfloat16)
    return {
        "float32": Way(plain),
        "float32, channels last": Way(last, last=True),
        "float32, folded": Way(folded),
        "float32, folded, channels last": Way(folded_last, last=True),
        "float32, ONNX Runtime": Way(through_onnx(plain, scratch / "crops.onnx")),
        "bfloat16": Way(plain, autocast=True),
        "bfloat16, channels last": Way(last, last=True, autocast=True),
        "bfloat16, folded, channels last": Way(small, last=True, half=True),
    }


def through_onnx(network: nn.Module, path: Path) -> Callable[[Tensor], Tensor]:
    import onnxruntime

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as in striate.engine.export: the exporter is deprecated
        torch.onnx.export(
            network,
            (torch.zeros(2, 3, CROP, CROP),),
            str(path),
            dynamo=False,
            opset_version=18,
            input_names=["x"],
            dynamic_axes={"x": {0: "batch"}},
        )
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return lambda crops: torch.from_numpy(session.run(None, {"x": crops.numpy()})[0])


def timed(call: Callable[[], Tensor]) -> tuple[float, Tensor]:
    began = time.perf_counter()
    found = call()
    return time.perf_counter() - began, found


def best_batch(way: Way, kit: Kit, most: int) -> tuple[int, dict[int, float]]:
    """The batch size that is fastest on some of the proposals, and crops a second of each size."""
    tried = min(_TRIED, most)
    speeds: dict[int, float] = {}
    way.run(kit, min(_BATCHES[-1], most), _BATCHES[-1])
    for batch in _BATCHES:
        took = min(timed(lambda batch=batch: way.run(kit, tried, batch))[0] for _ in range(2))  # type: ignore[misc]
        speeds[batch] = tried / took
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
    most, single, rounds, scratch = *(int(word) for word in sys.argv[2:5]), Path(sys.argv[5])
    scratch.mkdir(parents=True, exist_ok=True)
    kit = build(sys.argv[1], most)
    rows = np.unique(np.linspace(0, most - 1, min(single, most)).round().astype(int))
    with torch.inference_mode():
        wanted, pooled = apart(kit, rows, half=False), shared(kit)
        pooled()
    with torch.no_grad():
        ways = ways_together(kit, scratch)
    singles: dict[str, Callable[[], Tensor]] = {
        "float32": lambda: apart(kit, rows, half=False),
        "bfloat16": lambda: apart(kit, rows, half=True),
        "Pillow, float32": lambda: apart_pillow(kit, rows),
    }
    together: dict[str, Any] = {}
    alone: dict[str, Any] = {name: {"times_s": []} for name in singles}
    shared_s: list[float] = []
    with torch.inference_mode():
        for name, way in ways.items():
            batch, speeds = best_batch(way, kit, most)
            together[name] = {"batch": batch, "crops_per_s_of_batch": speeds, "times_s": []}
        for _ in range(rounds):  # in turns, so that drift hits all alike
            for name, call in singles.items():
                took, features = timed(call)
                alone[name]["times_s"].append(took * most / len(rows))
                alone[name]["difference"] = differences(features, wanted)
            for name, way in ways.items():
                one = together[name]
                took, features = timed(lambda way=way, one=one: way.run(kit, most, one["batch"]))  # type: ignore[misc]
                one["times_s"].append(took)
                one["difference"] = differences(features[rows], wanted)
            shared_s.append(timed(pooled)[0])
    found = {"proposals": most, "one_by_one_timed": len(rows), "together": together}
    print(json.dumps({**found, "one_by_one": alone, "shared": {"times_s": shared_s}}))


if __name__ == "__main__":
    main()
