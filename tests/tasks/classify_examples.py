"""Classification for the conformance suite."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from striate.task import Task
from striate.tasks.classify.data import encode

NAMES = ("ant", "bee", "cow")

VARIANTS: dict[str, dict[str, Any]] = {
    "single": {},
    "rejecting": {"reject_at": 0.2, "class_weights": "balanced", "fit": "pad"},
    "labels": {"multi_label": True, "size": "10x14"},
}
WRONG_COLUMN = {"target": "colour"}

PICTURE_HW = (12, 9)
COMPARED_OTHERWISE: tuple[str, ...] = ()
MODEL, SIZE = "small-cnn", "12x9"
MIXES = True
BATCH, STEPS, LR = 24, 150, 3e-3


def names(variant: str) -> tuple[str, ...]:
    return NAMES


def targets(variant: str, n: int) -> list[tuple[str, ...]]:
    """`n` truths in which every class occurs from n = 3 on."""
    if variant == "labels":
        return [tuple(name for k, name in enumerate(NAMES) if (row + k) % 3 != 0) for row in range(n)]
    return [(NAMES[row % 3],) for row in range(n)]


def paint(picture: np.ndarray, target: Any) -> None:
    """Noise will do: it can be learnt by heart."""


def learnt(before: float) -> float:
    """What one batch, learnt by heart, must score at least."""
    return 0.95


def outputs(task: Task[Any, Any], truths: Sequence[tuple[str, ...]]) -> dict[str, np.ndarray]:
    """What a graph that is always right would put out."""
    multi = bool(task.facts.to_toml_dict()["multi_label"])
    encoded = encode(truths, NAMES, multi_label=multi)
    hot = encoded if multi else np.eye(len(NAMES))[encoded]
    return {"logits": (12.0 * hot - 6.0).astype(np.float32)}


def is_perfect(metrics: dict[str, Any]) -> bool:
    return metrics["accuracy"] == metrics["headline_score"] == metrics["macro_f1"] == 1.0


def write_files(variant: str, folder: Path) -> None:
    """A data set on disk: pictures, and a table with their labels."""
    rng = np.random.default_rng(0)
    with (folder / "labels.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["file", "label"])
        for row, target in enumerate(targets(variant, 12)):
            Image.fromarray(rng.integers(0, 256, (9, 12, 3), dtype=np.uint8)).save(folder / f"{row}.png")
            rows.writerow([f"{row}.png", "|".join(target)])
