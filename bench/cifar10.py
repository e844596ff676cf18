"""CIFAR-10 from the JPEG folder: seconds to 85 % on the test pictures, against fastai.

Ours is the wall-clock of the whole command with its defaults (start, reading, decoding, tuning,
training on 45 000 pictures, validation, export, report), from an empty cache; the accuracy is then
measured with `striate evaluate`. fastai trains on all 50 000, is stopped at the first epoch that
reaches 85 %, and neither its imports nor its evaluation are counted.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.outcome import Goal, Outcome, Row, spread
from bench.pictures import fewer_files, needed
from bench.workbench import Workbench

GOAL = 0.85
SEEDS = (0, 1, 2)
FASTAI: Mapping[str, Sequence[str]] = {
    "fastai, resnet9-half": ("--recipe", "resnet9-half", "--epochs", "5", "--layout", "channels_last"),
}
"""fastai as it is: recipes that were fastest in trials, and arguments for `peers/fastai_cifar.py`."""
HELPED: Mapping[str, Sequence[str]] = {
    f"{name}, bfloat16 by a callback of ours": (*words, "--precision", "bfloat16")
    for name, words in FASTAI.items()
}
"""The same in bfloat16. fastai's own `to_bf16()` is for CUDA and does nothing here; nine lines do it."""


def run(bench: Workbench) -> Outcome:
    data = needed("cifar10_jpg")
    if bench.quick:
        data = fewer_files(bench.folder / "cifar", data, each=60)
    ours = [_ours(bench, data, seed) for seed in SEEDS[: bench.times(len(SEEDS), 1)]]
    goal = 0.05 if bench.quick else GOAL
    peers = {name: _fastai(bench, data, words, goal) for name, words in {**FASTAI, **HELPED}.items()}
    details = {"ours": ours, "fastai": peers, "seconds": spread([one["seconds"] for one in ours])}
    return Outcome(_rows(ours, peers, goal), details)


def _ours(bench: Workbench, data: Path, seed: int) -> dict[str, Any]:
    bench.say(f"striate train on {data.name}, seed {seed}")
    out = bench.fresh("cifar-run")
    words = ["--epochs", 1] if bench.quick else []
    timing = bench.run_striate(
        "train", data, "--out", out, "--seed", seed, *words, home=bench.fresh("home")
    )
    measured = json.loads(bench.run_striate("evaluate", out, data, "--json").output.splitlines()[-1])
    assert measured["split"] == "test", measured["split"]
    return {
        "seed": seed,
        "seconds": round(timing.wall_s, 2),
        "processor_s": round(timing.processor_s, 2),
        "peak_mb": round(timing.peak_mb),
        "accuracy": measured["accuracy"],
        "accuracy_interval": measured.get("accuracy_interval"),
    }


def _fastai(bench: Workbench, data: Path, words: Sequence[str], goal: float) -> dict[str, Any]:
    bench.say(f"fastai {' '.join(words)}")
    limit = ["--goal", goal, "--limit", bench.times(2400, 60)]
    return bench.peers.ask("fastai_cifar.py", data, *words, *limit)


def _rows(ours: list[dict[str, Any]], peers: dict[str, dict[str, Any]], goal: float) -> list[Row]:
    lowest = min(one["accuracy"] for one in ours)
    fault = "" if lowest >= goal else f"one of our runs ended at {lowest:.2%}"
    seconds = statistics.median(one["seconds"] for one in ours)
    rows = [_row(seconds, goal, fault, name, peer["seconds"]) for name, peer in peers.items()]
    what = "CIFAR-10, lowest test accuracy of our seeds"
    return [*rows, Row(what, lowest, "%", Goal("at least", goal, "%"))]


def _row(ours: float, goal: float, fault: str, name: str, peer: float | None) -> Row:
    """Against one recipe; the goal is for fastai as it is."""
    what = f"CIFAR-10, time to {goal:.0%} test accuracy"
    wanted = Goal("at least", 2) if name in FASTAI else None
    if peer is None:
        return Row(what, ours, "s", wanted, peer_name=name, fault=f"{name} did not reach it")
    return Row(what, ours, "s", wanted, peer, name, peer / ours, fault)
