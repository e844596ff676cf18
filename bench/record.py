"""What every benchmark shares: the machine, the versions, the result file, the table."""

from __future__ import annotations

import json
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "bench" / "results"


def machine() -> dict[str, Any]:
    """The processor, as Linux names it, and the cores and memory that are there."""
    from striate.runs.machine import describe_machine

    return describe_machine().to_toml_dict()


def versions(names: Sequence[str]) -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in names:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def save(name: str, content: dict[str, Any]) -> Path:
    """Write `bench/results/<name>.json` with the command, the versions and the machine."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    packages = ["striate", "numpy", "pillow", "onnxruntime", "torch", "torchvision", "timm"]
    whole = {
        "command": f"python -m bench {name}",
        "date": time.strftime("%Y-%m-%d"),
        "machine": machine(),
        "versions": versions(packages),
        **content,
    }
    path.write_text(json.dumps(whole, indent=1) + "\n")
    return path


def median_s(run: Callable[[], object], *, times: int, warm_up: int = 1) -> float:
    """Median wall-clock seconds of `times` runs."""
    for _ in range(warm_up):
        run()
    found = []
    for _ in range(times):
        start = time.perf_counter()
        run()
        found.append(time.perf_counter() - start)
    return statistics.median(found)


def command(*arguments: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command to its end; its output is shown if it fails."""
    done = subprocess.run(arguments, capture_output=True, text=True, env=env, check=False)
    if done.returncode:
        sys.stderr.write(done.stdout[-2000:] + done.stderr[-4000:])
        raise SystemExit(f"failed ({done.returncode}): {' '.join(arguments[:6])} …")
    return done
