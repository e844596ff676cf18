"""Kill a training at random moments; every resume must end with the bits of the uninterrupted run."""

from __future__ import annotations

import hashlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.record import save

KILLS = 20
COMMAND = ["train", "digits", "--epochs", "12", "--seed", "5", "--checkpoint-every", "0.2"]


def start(out: Path, *, resume: bool = False) -> subprocess.Popen[bytes]:
    extra = ["--resume"] if resume else []
    return subprocess.Popen(
        [sys.executable, "-m", "striate", *COMMAND, "--out", str(out), *extra],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def weights(out: Path) -> str:
    return hashlib.sha256((out / "model.safetensors").read_bytes()).hexdigest()


def finish(process: subprocess.Popen[bytes]) -> None:
    _, errors = process.communicate(timeout=600)
    if process.returncode:
        raise SystemExit(f"training failed: {errors.decode()[-2000:]}")


def one(folder: Path, index: int, span_s: float, dice: random.Random) -> dict[str, Any]:
    """Start, kill up to three times, resume to the end."""
    out = folder / f"run{index}"
    moments: list[float] = []
    process = start(out)
    for _ in range(dice.choice([1, 1, 2, 3])):
        moment = dice.uniform(0.02, 1.0) * span_s
        time.sleep(moment)
        if process.poll() is not None:
            break
        process.send_signal(signal.SIGKILL)
        process.communicate()
        moments.append(round(moment, 2))
        process = start(out, resume=True)
    finish(process)
    return {"killed_after_s": moments, "weights": weights(out)}


def run() -> dict[str, Any]:
    dice = random.Random(20261121)  # noqa: S311  # moments, not secrets
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        finish(start(folder / "warm"))  # fills the caches, so that all runs start alike
        began = time.perf_counter()
        finish(start(folder / "whole"))
        span = time.perf_counter() - began
        expected = weights(folder / "whole")
        rows, kills, index = [], 0, 0
        while kills < KILLS:
            row = one(folder, index, span, dice)
            shutil.rmtree(folder / f"run{index}")
            row["identical"] = row.pop("weights") == expected
            kills += len(row["killed_after_s"])
            rows.append(row)
            index += 1
            print(row, flush=True)
    result = {
        "training": "striate " + " ".join(COMMAND),
        "uninterrupted_s": round(span, 2),
        "kills": kills,
        "resumed_runs": len(rows),
        "identical": sum(row["identical"] for row in rows),
        "rows": rows,
    }
    save("kills", result)
    return {key: value for key, value in result.items() if key != "rows"}
