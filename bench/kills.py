"""Kill a training at random moments; every resume must end with the bits of the uninterrupted run."""

from __future__ import annotations

import hashlib
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from typing import Any

from bench.outcome import Goal, Outcome, Row
from bench.processes import BenchmarkFailed
from bench.workbench import Workbench

KILLS = 20
SEED = 20261121


def run(bench: Workbench) -> Outcome:
    trial, dice = Trial(bench), random.Random(SEED)
    trial.finish(trial.start("warm"))  # fills the caches, so that all runs start alike
    began = time.perf_counter()
    trial.finish(trial.start("whole"))
    span = time.perf_counter() - began
    expected, wanted = trial.weights("whole"), bench.times(KILLS, 2)
    runs: list[dict[str, Any]] = []
    kills = 0
    while kills < wanted:
        found = trial.one(f"run{len(runs)}", span, dice)
        found["identical"] = found.pop("weights") == expected
        kills += len(found["killed_after_s"])
        runs.append(found)
        bench.say(f"{kills} of {wanted} kills; the last run was identical: {found['identical']}")
    identical = sum(found["identical"] for found in runs)
    kept = sum(len(found["killed_after_s"]) for found in runs if found["identical"])
    row = Row("kills at random moments, bit-identical resumes", kept, "", Goal("at least", kills, ""))
    details = {
        "training": "striate " + " ".join(trial.command),
        "uninterrupted_s": round(span, 2),
        "kills": kills,
        "resumed_runs": len(runs),
        "identical_runs": identical,
        "runs": runs,
    }
    return Outcome([row], details)


class Trial:
    """One training, started, killed and resumed in the scratch folder."""

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench
        epochs = bench.times(12, 4)
        self.command: Sequence[str] = (
            *("train", "digits", "--epochs", str(epochs)),
            *("--seed", "5", "--checkpoint-every", "0.2"),
            # a run that is killed before its plan is made measures the machine anew when it is resumed;
            # with the same settings for all, only resuming itself can make a difference
            *("--precision", "float32", "--memory-format", "contiguous", "--threads", "2"),
        )

    def start(self, name: str, *, resume: bool = False) -> subprocess.Popen[bytes]:
        words = [*self._bench.striate, *self.command, "--out", str(self._bench.folder / name)]
        return subprocess.Popen(
            [*words, "--resume"] if resume else words,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=self._bench.env(),
        )

    def finish(self, process: subprocess.Popen[bytes]) -> None:
        _, errors = process.communicate(timeout=900)
        if process.returncode:
            raise BenchmarkFailed(f"training failed: {errors.decode('utf-8', 'replace')[-2000:]}")

    def weights(self, name: str) -> str:
        data = (self._bench.folder / name / "model.safetensors").read_bytes()
        return hashlib.sha256(data).hexdigest()

    def one(self, name: str, span_s: float, dice: random.Random) -> dict[str, Any]:
        """Start, kill up to three times, resume to the end."""
        moments: list[float] = []
        process = self.start(name)
        for _ in range(dice.choice([1, 1, 2, 3])):
            moment = dice.uniform(0.02, 1.0) * span_s
            time.sleep(moment)
            if process.poll() is not None:
                break
            process.send_signal(signal.SIGKILL)
            process.communicate()
            moments.append(round(moment, 2))
            process = self.start(name, resume=True)
        self.finish(process)
        found = {"killed_after_s": moments, "weights": self.weights(name)}
        shutil.rmtree(self._bench.folder / name)
        return found
