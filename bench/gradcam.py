"""Grad-CAM of one picture from a cold start, with its checks, beside `import torch` alone."""

from __future__ import annotations

import json
import statistics
from pathlib import Path

from bench import pictures
from bench.outcome import Goal, Outcome, Row, spread
from bench.processes import BenchmarkFailed, in_turns
from bench.workbench import Workbench


def run(bench: Workbench) -> Outcome:
    picture = bench.photos[1][0]
    model = bench.wishes.runs[0] if bench.wishes.runs else own_run(bench)
    out = bench.fresh("explained")
    words = [*bench.striate, "explain", str(model), str(picture), "--out", str(out), "--overwrite"]
    commands = {
        "import torch": [bench.python, "-c", "import torch"],
        "checked": [*words, "--json"],
        "unchecked": [*words, "--json", "--no-check"],
    }
    bench.say("cold starts, in turns")
    timings = in_turns(commands, times=bench.times(9, 2), env=dict.fromkeys(commands, bench.env()))
    line = json.loads(timings["checked"][0].output.strip().splitlines()[-1])
    if not line["explanations"] or not (out / "explain.html").exists():
        raise BenchmarkFailed(f"striate explain answered {line}")
    wall = {name: statistics.median(one.wall_s for one in found) for name, found in timings.items()}
    rows = [
        Row(
            f"Grad-CAM from a cold start, {words_of}: beyond import torch",
            wall[name] - wall["import torch"],
            "s",
            Goal("at most", 1.5, "s") if name == "checked" else None,
            wall["import torch"],
            "import torch",
        )
        for name, words_of in (("checked", "with its checks"), ("unchecked", "without"))
    ]
    details = {
        "model": str(model.name),
        "commands": {name: " ".join(one) for name, one in commands.items()},
        "wall_s_of": {name: spread([one.wall_s for one in found]) for name, found in timings.items()},
        "processor_s_of": {
            name: spread([one.processor_s for one in found]) for name, found in timings.items()
        },
        "peak_mb_of": {name: spread([one.peak_mb for one in found]) for name, found in timings.items()},
        "explained": line["explanations"][0],
    }
    return Outcome(rows, details)


def own_run(bench: Workbench) -> Path:
    """A small-cnn at 128 pixels, trained for one epoch on 40 pictures: time does not depend on more."""
    data = pictures.class_folders(bench.folder / "tiny", bench.photos[1], classes=10, each=4)
    out = bench.folder / "cam-run"
    bench.say("training small-cnn for one epoch on 40 pictures")
    words = ["--model", "small-cnn", "--size", 128, "--epochs", 1, "--batch-size", 8]
    bench.run_striate("train", data, "--out", out, *words)
    return out
