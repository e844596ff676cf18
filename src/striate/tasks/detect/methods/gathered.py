"""Vectors of regions: what an R-CNN's network makes of proposals and objects, computed once."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from striate.ops.boxes import iou_xyxy
from striate.tasks.detect.methods.regions import Rcnn
from striate.tasks.detect.network import Detector, objects_of
from striate.types import Array

__all__ = ["NEAR", "Regions", "regions_of"]

NEAR = 0.6
"""A region that overlaps an object by more than this learns to move to it."""
_MOST_BYTES, _MOST_REGIONS, _MOST_NEAR = 1 << 29, 200_000, 30_000
"""Vectors that are kept: bytes (solving takes as many again), regions, and regions where only boxes are
solved."""
_PICTURES, _CHUNK = 8, 256
"""Pictures whose regions are cut out together, and regions that the network sees at once."""
_HELD_EVERY = 5
"""Every fifth picture with objects is held out."""


@dataclass(frozen=True, slots=True, eq=False)
class Regions:
    """Regions of training pictures: proposals, and the objects themselves.

    `vectors` float32 (R, D); `boxes_xyxy` float32 (R, 4), input pixels; `overlaps` float32 (R, K) with
    the nearest object of each class; `nearest_xyxy` (R, 4) and `label` (R,): the object nearest of all,
    and its class, −1 without; `truth` bool (R,): whether it is an object itself; `held` bool (R,):
    whether its picture is held out; `of`: how many regions there were.
    """

    vectors: Array
    boxes_xyxy: Array
    overlaps: Array
    nearest_xyxy: Array
    label: Array
    truth: Array
    held: Array
    of: int

    def __len__(self) -> int:
        return len(self.boxes_xyxy)


def regions_of(
    detector: Detector,
    pixels: Array,
    encoded: Mapping[str, Tensor],
    *,
    device: torch.device,
    near_only: bool = False,
    seconds: float | None = None,
) -> Generator[float, None, Regions]:
    """Vectors of the regions of training pictures, computed once; `near_only`: of those that overlap an
    object by more than 0.6. Yields the share that is done, at most 0.6.

    `seconds`: what it may take; where all would take longer, evenly fewer regions are taken.
    """
    head = detector.to(device).eval().head
    assert isinstance(head, Rcnn)
    most = _MOST_NEAR if near_only else _MOST_REGIONS
    most = max(1, min(most, _MOST_BYTES // (4 * head.shapes[0].channels)))
    found = list(_found(encoded, len(head.facts.names), near=NEAR if near_only else -1.0))
    count = sum(len(one.boxes_xyxy) for one in found)
    step = count / most
    if step > 1:
        found = _thinned(found, step)
    if seconds is not None:
        found = _affordable(detector, pixels, found, device, seconds)
    vectors = [np.zeros((0, head.shapes[0].channels), np.float32)]
    for start in range(0, len(found), _PICTURES):
        part = found[start : start + _PICTURES]
        vectors += _seen(detector, np.asarray(pixels[start : start + _PICTURES]), part, device)
        yield 0.6 * min(1.0, (start + _PICTURES) / len(found))
    columns = zip(
        *((one.boxes_xyxy, one.overlaps, one.nearest_xyxy, one.label) for one in found), strict=True
    )
    boxes, overlaps, nearest, label = (np.concatenate(one) for one in columns)
    return Regions(
        np.concatenate(vectors),
        boxes,
        overlaps,
        nearest,
        label,
        np.concatenate([one.truth for one in found]),
        _held(found),
        count,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    """Regions of one picture: columns of `Regions`."""

    boxes_xyxy: Array
    overlaps: Array
    nearest_xyxy: Array
    label: Array
    truth: Array

    def take(self, rows: Array) -> _Found:
        return _Found(
            self.boxes_xyxy[rows],
            self.overlaps[rows],
            self.nearest_xyxy[rows],
            self.label[rows],
            self.truth[rows],
        )


def _found(encoded: Mapping[str, Tensor], classes: int, *, near: float) -> Iterator[_Found]:
    """The objects of each picture and its proposals, with what they overlap."""
    for objects, proposed in zip(objects_of(encoded), encoded["proposals"].numpy(), strict=True):
        true_xyxy, labels = objects["boxes"].numpy(), objects["labels"].numpy()
        real = proposed[(proposed[:, 2:] > proposed[:, :2]).all(axis=1)]
        boxes = np.concatenate([true_xyxy, real]).astype(np.float32)
        truth = np.arange(len(boxes)) < len(true_xyxy)
        overlaps = np.zeros((len(boxes), classes), np.float32)
        nearest, label = np.zeros((len(boxes), 4), np.float32), np.full(len(boxes), -1)
        if len(true_xyxy):
            shared = iou_xyxy(boxes, true_xyxy)  # (R, M)
            for one in np.unique(labels):
                overlaps[:, one] = shared[:, labels == one].max(axis=1)
            best = shared.argmax(axis=1)
            nearest, label = true_xyxy[best], labels[best]
        found = _Found(boxes, overlaps, nearest, label, truth)
        yield found.take(np.flatnonzero(overlaps.max(axis=1, initial=0.0) > near))


def _affordable(
    detector: Detector, pixels: Array, found: list[_Found], device: torch.device, seconds: float
) -> list[_Found]:
    """As many of the regions as `seconds` allow, measured on the first pictures."""
    begun, part = time.monotonic(), found[:_PICTURES]
    _seen(detector, np.asarray(pixels[:_PICTURES]), part, device)
    tried = sum(len(one.boxes_xyxy) for one in part)
    count = sum(len(one.boxes_xyxy) for one in found)
    wanted_s = (time.monotonic() - begun) * count / max(1, tried)
    return found if wanted_s <= seconds else _thinned(found, wanted_s / max(seconds, 1e-3))


def _thinned(found: list[_Found], step: float) -> list[_Found]:
    """About one region in `step`, spread evenly from the objects to the last proposal."""
    return [
        one.take(np.unique(np.floor(np.arange(0, len(one.boxes_xyxy), step)).astype(int)))
        for one in found
    ]


def _held(found: list[_Found]) -> Array:
    """True for the regions of every fifth picture with objects; for none where there are fewer."""
    flags, number = [], 0
    for one in found:
        number += bool(one.truth.any())
        held = bool(one.truth.any()) and number % _HELD_EVERY == 0
        flags.append(np.full(len(one.boxes_xyxy), held))
    return np.concatenate(flags)


@torch.inference_mode()
def _seen(detector: Detector, pixels: Array, found: list[_Found], device: torch.device) -> list[Array]:
    """Vectors of the regions of a few pictures, float32 (R, D) each chunk."""
    head = detector.head
    assert isinstance(head, Rcnn)
    numbered = [
        np.concatenate([np.full((len(one.boxes_xyxy), 1), row, np.float32), one.boxes_xyxy], axis=1)
        for row, one in enumerate(found)
    ]
    rois = torch.from_numpy(np.concatenate(numbered)).to(device)
    own = np.array(pixels)  # torch warns of read-only memory, which the cache's is
    pictures = torch.from_numpy(own).to(device).permute(0, 3, 1, 2).float()
    normalised = detector.normalise(pictures)
    chunks = [rois[at : at + _CHUNK] for at in range(0, len(rois), _CHUNK)]
    return [head.vectors_of(detector.backbone, normalised, one).float().cpu().numpy() for one in chunks]
