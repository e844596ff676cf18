"""One picture from a cold start: `striate predict` against `yolo classify predict`."""

from __future__ import annotations

import json
import math
import statistics
from pathlib import Path

from bench.outcome import Goal, Outcome, Row, spread
from bench.processes import BenchmarkFailed, Timing, in_turns
from bench.workbench import MODEL, SIDE, Workbench


def run(bench: Workbench) -> Outcome:
    picture = bench.photos[1][0]
    weights, parameters = bench.yolo_model
    out = bench.fresh("yolo-out")
    commands = {
        "striate": [*bench.striate, "predict", str(bench.small_run), str(picture), "--json"],
        # save=False spares it the annotated picture, which `striate predict` does not draw either
        "ultralytics": [
            bench.peers.command("yolo"),
            *("classify", "predict", f"model={weights}", f"source={picture}"),
            *(f"imgsz={SIDE}", "save=False", f"project={out}"),
        ],
    }
    bench.say("cold starts, in turns")
    env = {"striate": bench.env(), "ultralytics": bench.peers.env}
    timings = in_turns(commands, times=bench.times(9, 2), env=env)
    _check(timings["striate"][0].output)
    rows = _rows(timings)
    details = {
        "models": {
            "striate": f"timm {MODEL}, 10 classes, {parameters_of(bench.small_run)} parameters",
            "ultralytics": f"yolo11n-cls, 10 classes, {parameters} parameters",
        },
        "commands": {name: " ".join(words) for name, words in commands.items()},
        "wall_s_of": {name: spread([one.wall_s for one in found]) for name, found in timings.items()},
        "processor_s_of": {
            name: spread([one.processor_s for one in found]) for name, found in timings.items()
        },
        "peak_mb_of": {name: spread([one.peak_mb for one in found]) for name, found in timings.items()},
    }
    return Outcome(rows, details)


def parameters_of(run: Path) -> int:
    """Numbers in the weights file of a run, from its header: what is learnt, and batch statistics."""
    with (run / "model.safetensors").open("rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    header.pop("__metadata__", None)
    return sum(math.prod(tensor["shape"]) for tensor in header.values())


def _check(line: str) -> None:
    answer = json.loads(line.strip().splitlines()[-1])
    if "label" not in answer or len(answer["scores"]) != 10:
        raise BenchmarkFailed(f"striate predict answered {line}")


def _rows(timings: dict[str, list[Timing]]) -> list[Row]:
    wall, peak = (
        {
            name: statistics.median(getattr(one, field) for one in found)
            for name, found in timings.items()
        }
        for field in ("wall_s", "peak_mb")
    )
    ratio = wall["ultralytics"] / wall["striate"]
    what = "cold start, one picture"
    peer = "yolo classify predict"
    return [
        Row(
            f"{what}: time", wall["striate"], "s", Goal("at least", 8), wall["ultralytics"], peer, ratio
        ),
        Row(
            f"{what}: memory",
            peak["striate"],
            "MB",
            Goal("at most", 250, "MB"),
            peak["ultralytics"],
            peer,
        ),
    ]
