"""The main job, from a folder of pictures to a model that can be trusted. Needs no network.

    make demo

Real pictures: scikit-learn's scanned digits, and faces cut from news photos (scikit-image).
"""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
import time
from pathlib import Path

import striate
from striate.pictures import read, write

RUNS = Path("runs")


def striate_command(*arguments: str) -> str:
    """Run `striate …` as a user would, showing the command; returns what it printed on stdout."""
    print(f"\n$ striate {shlex.join(arguments)}", flush=True)
    done = subprocess.run(
        [sys.executable, "-m", "striate", *arguments], stdout=subprocess.PIPE, text=True, check=False
    )
    print(done.stdout, end="", flush=True)
    if done.returncode:
        sys.exit(done.returncode)
    return done.stdout


def main() -> None:
    started = time.monotonic()
    striate_command("train", "digits", "--out", str(RUNS / "digits"), "--overwrite")
    striate_command("train", "faces-or-not", "--out", str(RUNS / "faces"), "--overwrite")

    folder = RUNS / "demo-pictures"
    folder.mkdir(parents=True, exist_ok=True)
    model = striate.load(RUNS / "digits")
    held = [record for record in model.task.read("digits") if record.target == ("7",)][:3]
    for index, record in enumerate(held):
        write(record.origin.read(), folder / f"seven-{index}.png", overwrite=True)
    striate_command("predict", str(RUNS / "digits"), str(folder))

    print("\nThe same from Python:")
    result = model.predict(read(folder / "seven-0.png"))
    print(json.dumps({name: round(p, 3) for name, p in result.to_dict()["scores"].items()}))

    striate_command("export", str(RUNS / "digits"), "--out", str(RUNS / "digits.onnx"), "--overwrite")
    took = time.monotonic() - started
    print(f"\nDone in {took:.0f} s. Open {RUNS / 'digits' / 'report.html'} in a browser.")


if __name__ == "__main__":
    main()
