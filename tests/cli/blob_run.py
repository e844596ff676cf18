"""A stand-in for a trained detector: a real run folder whose graph finds bright and dark blobs.

Bright blobs are "bead", black ones "hole"; the score of a blob is how far it is from mid grey.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from striate.runs.folder import RunWriter
from striate.runs.header import RunHeader
from striate.runs.run import Run
from striate.types import Array, Picture

NAMES = ("bead", "hole")
MOST = 50


class BlobGraph:
    """uint8 (B, h, w, 3) → boxes (B, 50, 4), scores (B, 50), labels (B, 50)."""

    input_names = ("pictures",)
    output_names = ("boxes", "scores", "labels")

    def __call__(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        found = [_blobs(picture) for picture in feeds["pictures"]]
        return {
            name: np.stack([one[row] for one in found]) for row, name in enumerate(self.output_names)
        }


def _blobs(picture: Array) -> tuple[Array, Array, Array]:
    boxes, scores = np.zeros((MOST, 4), np.float32), np.zeros(MOST, np.float32)
    labels = np.zeros(MOST, np.int64)
    grey = picture.astype(np.float32).mean(axis=2)
    rows: list[tuple[float, int, list[int]]] = []
    for label, mask in enumerate((grey > 160, grey < 90)):
        count, marks, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=4)
        for number in range(1, count):
            left, top, wide, high, area = stats[number].tolist()
            if area < 9:
                continue
            far = np.abs(grey[marks == number] - 114).max() / 141
            rows.append((float(min(far, 1.0)), label, [left, top, left + wide, top + high]))
    for at, (score, label, box) in enumerate(sorted(rows, reverse=True)[:MOST]):
        boxes[at], scores[at], labels[at] = box, score, label
    return boxes, scores, labels


def blob_run(folder: Path, *, size_hw: tuple[int, int] = (320, 320), show_from: float = 0.5) -> Run:
    """A sealed run of the task detect; its graph file is only a name for `BlobGraph`."""
    header = RunHeader.parse(
        {
            "striate_version": "0.1.0",
            "created": "2026-11-21T06:00:00+00:00",
            "task": "detect",
            "config": {},
            "facts": {
                "method": "fcos",
                "model": "small-cnn",
                "names": NAMES,
                "counts": (10, 10),
                "size_hw": size_hw,
                "show_from": show_from,
            },
            "train": {},
            "plan": {},
            "data": {
                "name": "blobs",
                "layout": "drawn",
                "fingerprint": "ab" * 32,
                "counts": {"train": 20},
                "names": NAMES,
            },
            "graphs": {"main": "graphs/main.onnx"},
            "metrics": {"validation": {"ap50": 1.0}},
            "versions": {"python": "3.11"},
            "machine": {"cpu": "none", "cores": 2, "memory_bytes": 0, "os": "none"},
        }
    )
    with RunWriter.begin(folder) as writer:
        writer.save("graphs/main.onnx", b"a stand-in")
        writer.save("data.json", json.dumps({"pictures": [], "problems": []}).encode())
        return writer.seal(header)


def load_blob_graph(path: object, **how: Any) -> BlobGraph:
    """What stands in the place of `load_graph`."""
    return BlobGraph()


def paint(size_hw: tuple[int, int], blobs: list[tuple[int, int, int, int, int]]) -> Picture:
    """A mid-grey picture with rectangles (left, top, width, height, grey value)."""
    picture = np.full((*size_hw, 3), 114, np.uint8)
    for left, top, wide, high, value in blobs:
        picture[max(0, top) : max(0, top + high), max(0, left) : max(0, left + wide)] = value
    return picture
