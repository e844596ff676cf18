"""Result files: what was measured, with which command, versions and machine."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.outcome import Outcome, Row
from striate.runs.machine import describe_machine, package_versions

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "bench" / "results"
PACKAGES = (
    "striate",
    "numpy",
    "pillow",
    "onnxruntime",
    "torch",
    "torchvision",
    "timm",
    "scikit-learn",
    "pycocotools",
    "faster-coco-eval",
    "openvino",
)


def save(
    name: str,
    outcome: Outcome,
    *,
    quick: bool,
    wall_s: float,
    load_before: float,
    peer_versions: Mapping[str, str] | None,
    flags: str = "",
) -> Path:
    """Write `bench/results/NAME.json`; a smoke run goes to `bench/results/quick/`, which git ignores."""
    folder = results_folder(quick=quick)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    whole = {
        "benchmark": name,
        "command": " ".join(["python -m bench", name, *(["--quick"] if quick else []), flags]).strip(),
        "date": time.strftime("%Y-%m-%d %H:%M"),
        "machine": describe_machine().to_toml_dict(),
        "load_before": round(load_before, 2),
        "versions": package_versions(PACKAGES),
        **({"peer_versions": dict(peer_versions)} if peer_versions else {}),
        "wall_s": round(wall_s, 1),
        "rows": [row.to_dict() for row in outcome.rows],
        **outcome.details,
    }
    path.write_text(json.dumps(whole, indent=1, ensure_ascii=False) + "\n", "utf-8")
    return path


def results_folder(*, quick: bool) -> Path:
    """Where results of full runs, or of smoke runs, are written."""
    return RESULTS / "quick" if quick else RESULTS


def load(name: str) -> dict[str, Any] | None:
    """A saved result; None if the benchmark was never run here in full."""
    try:
        found: dict[str, Any] = json.loads((RESULTS / f"{name}.json").read_text("utf-8"))
    except FileNotFoundError:
        return None
    return found


def rows_of(result: Mapping[str, Any]) -> list[Row]:
    return [Row.from_dict(saved) for saved in result["rows"]]


def load_average() -> float:
    """Processes that wanted a processor in the last minute; 0 where the system does not tell."""
    try:
        return os.getloadavg()[0]
    except (AttributeError, OSError):
        return 0.0
