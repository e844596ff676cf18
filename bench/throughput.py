"""A folder of photos through a loaded model: striate against fastai and ultralytics, each at its best.

Each peer's batch size and worker count are chosen first, on a part of the pictures; then all three are
measured in turns.
"""

from __future__ import annotations

import shutil
import statistics
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bench.outcome import Goal, Outcome, Row, spread
from bench.pictures import big_photos
from bench.workbench import MODEL, SIDE, Workbench

FASTAI = [(batch, workers) for batch in (16, 64, 256) for workers in (0, 2)]
ULTRALYTICS = [(batch,) for batch in (1, 8, 32)]
Measure = Callable[..., dict[str, Any]]


def run(bench: Workbench) -> Outcome:
    what, photos = bench.photos
    big = big_photos(bench.folder / "big", photos, count=bench.times(40, 4), side=bench.times(4000, 800))
    sets = {f"{what}, about 240×320": photos, "12-megapixel photos": big}
    rows: list[Row] = []
    details: dict[str, Any] = {
        "models": {
            "striate": f"timm {MODEL}",
            "fastai": "torchvision mobilenet_v3_small",
            "ultralytics": f"yolo11n-cls, {bench.yolo_model[1]} parameters",
        }
    }
    for name, files in sets.items():
        bench.say(f"{len(files)} {name}")
        found = _measure(bench, files)
        rows += _rows(f"{len(files)} {name}", found)
        details[name] = {
            **found,
            "pictures_per_s": {k: spread(v) for k, v in found["pictures_per_s"].items()},
        }
    return Outcome(rows, details)


def _measure(bench: Workbench, files: Sequence[Path]) -> dict[str, Any]:
    folder, few = files[0].parent, _part(bench, files)

    def fastai(where: Path, rounds: int, *settings: int) -> dict[str, Any]:
        return bench.peers.ask("fastai_folder.py", where, rounds, SIDE, *settings)

    def ultralytics(where: Path, rounds: int, *settings: int) -> dict[str, Any]:
        return bench.peers.ask(
            "ultralytics_folder.py", bench.yolo_model[0], where, rounds, SIDE, *settings
        )

    best: dict[str, Any] = {}
    tried: dict[str, Any] = {}
    for name, measure, settings in (
        ("fastai", fastai, FASTAI),
        ("ultralytics", ultralytics, ULTRALYTICS),
    ):
        best[name], tried[name] = _best(measure, few, settings[:2] if bench.quick else settings)
    speeds: dict[str, list[float]] = {"striate": [], "fastai": [], "ultralytics": []}
    rounds = bench.times(2, 1)
    for _ in range(bench.times(3, 1)):
        speeds["striate"] += bench.ask("predict_folder", bench.small_run, folder, rounds)[
            "pictures_per_s"
        ]
        speeds["fastai"] += fastai(folder, rounds, *best["fastai"])["pictures_per_s"]
        speeds["ultralytics"] += ultralytics(folder, rounds, *best["ultralytics"])["pictures_per_s"]
    return {"pictures_per_s": speeds, "chosen": best, "tried": tried}


def _part(bench: Workbench, files: Sequence[Path]) -> Path:
    """A folder with half of the files, at most 500."""
    folder = bench.fresh("part")
    folder.mkdir()
    count = max(1, min(500, len(files) // 2))
    for path in files[:: len(files) // count][:count]:
        shutil.copy(path, folder)
    return folder


def _best(
    measure: Measure, folder: Path, settings: Sequence[tuple[int, ...]]
) -> tuple[tuple[int, ...], list[dict[str, Any]]]:
    """The fastest of `settings`, and what each gave."""
    tried = []
    for values in settings:
        speed = max(measure(folder, 1, *values)["pictures_per_s"])
        tried.append({"settings": list(values), "pictures_per_s": round(speed, 1)})
    best = max(range(len(tried)), key=lambda index: float(str(tried[index]["pictures_per_s"])))
    return settings[best], tried


def _rows(what: str, found: dict[str, Any]) -> list[Row]:
    median = {name: statistics.median(speeds) for name, speeds in found["pictures_per_s"].items()}
    ours, goal = median["striate"], Goal("at least", 3)
    return [
        Row(what, ours, "pictures/s", goal, median[peer], f"{peer} {shown}", ours / median[peer])
        for peer, shown in (("fastai", "get_preds"), ("ultralytics", "predict"))
    ]
