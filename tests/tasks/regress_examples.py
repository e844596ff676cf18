"""Regression for the conformance suite."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from striate.task import Task

VARIANTS: dict[str, dict[str, Any]] = {
    "one": {"target": "size"},
    "angles": {"target": "size,yaw", "angles": "yaw", "size": "10x14", "fit": "squash"},
}
WRONG_COLUMN = {"target": "colour"}

PICTURE_HW = (12, 9)
COMPARED_OTHERWISE: tuple[str, ...] = ()
MODEL, SIZE = "small-cnn", "12x9"
MIXES = True
BATCH, STEPS, LR = 24, 150, 3e-3


def names(variant: str) -> tuple[str, ...]:
    return ("size",) if variant == "one" else ("size", "yaw")


def targets(variant: str, n: int) -> list[tuple[float, ...]]:
    rows = [(3.5 * row - 4.0, float((170 + 7 * row + 180) % 360 - 180)) for row in range(n)]
    return [row[: len(names(variant))] for row in rows]


def paint(picture: np.ndarray, target: Any) -> None:
    """Noise will do: it can be learnt by heart."""


def learnt(before: float) -> float:
    """What one batch, learnt by heart, may score at most."""
    return 0.35 * before


def outputs(task: Task[Any, Any], truths: Sequence[tuple[float, ...]]) -> dict[str, np.ndarray]:
    """What a graph that is always right would put out."""
    columns = len(task.facts.to_toml_dict()["names"])
    values = np.asarray(truths, np.float32).reshape(len(truths), columns)
    return {"values": values, "sigmas": np.ones_like(values)}


def is_perfect(metrics: dict[str, Any]) -> bool:
    return metrics["mae"] < 1e-5 and metrics["r2"] > 1 - 1e-9


def write_files(variant: str, folder: Path) -> None:
    """A data set on disk: pictures, and a table with their numbers."""
    rng = np.random.default_rng(0)
    with (folder / "values.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["file", *names(variant)])
        for row, target in enumerate(targets(variant, 12)):
            Image.fromarray(rng.integers(0, 256, (9, 12, 3), dtype=np.uint8)).save(folder / f"{row}.png")
            rows.writerow([f"{row}.png", *target])
