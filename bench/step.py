"""What striate's training loop costs beside one written by hand on the same network and arrays."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from bench.outcome import Goal, Outcome, Row, spread
from bench.workbench import Workbench

CASES = {"32 px": (32, 8192), "128 px photos": (128, 1100)}
"""Side, and how many: as many as the default batch of such pictures needs."""


def run(bench: Workbench) -> Outcome:
    rows: list[Row] = []
    details: dict[str, Any] = {}
    for name, (side, count) in CASES.items():
        arrays = _shrunk(
            bench.folder / f"pixels-{side}.npy", bench.photos[1], side, bench.times(count, 60)
        )
        bench.say(f"training steps at {side} px")
        rounds = [
            bench.ask("train_step", arrays, bench.folder / "tuned", bench.times(60, 3))
            for _ in range(bench.times(3, 1))
        ]
        times = {who: [t for one in rounds for t in one["times_s"][who]] for who in ("striate", "plain")}
        plan = rounds[0]["plan"]
        what = f"training step, {name}, {rounds[0]['model']}, batch {plan['batch_size']}"
        rows.append(_row(what, times))
        details[name] = {
            "plan": plan,
            "ratio_of_each_round": [round(_ratio(one["times_s"]), 4) for one in rounds],
            "step_s_of": {who: spread(found) for who, found in times.items()},
        }
    return Outcome(rows, details)


def _ratio(times: dict[str, list[float]]) -> float:
    """Ours to theirs: the median over turns, in which both ran one after the other."""
    pairs = zip(times["striate"], times["plain"], strict=True)
    return statistics.median(ours / plain for ours, plain in pairs)


def _row(what: str, times: dict[str, list[float]]) -> Row:
    ours, plain = statistics.median(times["striate"]), statistics.median(times["plain"])
    goal = Goal("at most", 1.05)
    return Row(what, ours, "s", goal, plain, "hand-written torch loop", _ratio(times))


def _shrunk(path: Path, photos: Sequence[Path], side: int, count: int) -> Path:
    """`count` squares in one array file; photos come again where there are fewer."""
    pixels = np.empty((count, side, side, 3), np.uint8)
    for number, photo in enumerate(photos[:count]):
        with Image.open(photo) as picture:
            small = picture.convert("RGB").resize((side, side), Image.Resampling.BILINEAR)
        pixels[number] = np.asarray(small)
    for number in range(len(photos), count):
        pixels[number] = pixels[number % len(photos)]
    np.save(path, pixels)
    return path
