"""How long `striate --help` and `import striate` take, and that nothing heavy is loaded for them."""

from __future__ import annotations

import json
import statistics
import subprocess

from bench.outcome import Goal, Outcome, Row, spread
from bench.processes import in_turns
from bench.workbench import Workbench

HEAVY = (
    "torch",
    "torchvision",
    "timm",
    "numpy",
    "PIL",
    "onnxruntime",
    "sklearn",
    "skimage",
    "scipy",
    "matplotlib",
)
_IMPORT = "import striate"
_HELP = """
import contextlib, sys
from striate.cli.main import main
sys.argv = ["striate", "--help"]
with contextlib.suppress(SystemExit):
    main()
"""
_TELL = "\nimport json, sys; print(json.dumps(sorted(sys.modules)))"


def loaded(bench: Workbench, code: str) -> list[str]:
    """Which of `HEAVY` are in `sys.modules` after `code`."""
    done = subprocess.run(
        [bench.python, "-c", code + _TELL], capture_output=True, text=True, env=bench.env(), check=True
    )
    modules = set(json.loads(done.stdout.strip().splitlines()[-1]))
    return [name for name in HEAVY if name in modules]


def run(bench: Workbench) -> Outcome:
    commands = {
        "python -c pass": [bench.python, "-c", "pass"],
        "import striate": [bench.python, "-c", _IMPORT],
        "striate --help": [*bench.striate, "--help"],
        "striate predict --help": [*bench.striate, "predict", "--help"],
        "striate train --help": [*bench.striate, "train", "--help"],
    }
    env = dict.fromkeys(commands, bench.env())
    timings = in_turns(commands, times=bench.times(15, 3), env=env)
    walls = {name: [one.wall_s for one in found] for name, found in timings.items()}
    median = {name: statistics.median(found) for name, found in walls.items()}
    bare = median.pop("python -c pass")
    goal = Goal("at most", 0.3, "s")
    rows = [
        Row(
            name,
            median[name],
            "s",
            goal if name in ("striate --help", "import striate") else None,
            bare,
            "bare Python",
        )
        for name in median
    ]
    heavy = {"import striate": loaded(bench, _IMPORT), "striate --help": loaded(bench, _HELP)}
    found = sum(len(names) for names in heavy.values())
    rows.append(Row("torch, NumPy and other heavy modules loaded", found, "", Goal("at most", 0, "")))
    return Outcome(
        rows, {"wall_s_of": {name: spread(found) for name, found in walls.items()}, "heavy": heavy}
    )
