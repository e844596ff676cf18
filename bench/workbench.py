"""What the benchmarks of one call share: a scratch folder, pictures, a small trained run, the peers."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from bench import peers_environment, pictures
from bench.peers_environment import Peers
from bench.processes import Timing, ask, cold
from bench.record import ROOT

MODEL = "mobilenetv3_small_100"
SIDE = 224


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the command line asks of benchmarks of trained runs; the others have no use for it.

    `runs`: finished runs to measure instead of new ones. `methods`: those to train. `minutes`: the time
    budget of each training; None leaves it to the benchmark.
    """

    runs: tuple[Path, ...] = ()
    methods: tuple[str, ...] = ()
    minutes: float | None = None

    def as_flags(self) -> str:
        """As they were typed, for the result file."""
        words = [f"--run {run}" for run in self.runs]
        words += [f"--methods {','.join(self.methods)}"] if self.methods else []
        return " ".join(words + ([] if self.minutes is None else [f"--minutes {self.minutes:g}"]))


class Workbench:
    """Everything in it is made when first asked for, and thrown away with `folder`.

    striate keeps its caches in the scratch folder too, so that every call measures it from nothing.
    """

    def __init__(
        self, folder: Path, *, quick: bool, say: Callable[[str], None], wishes: Wishes | None = None
    ) -> None:
        self.folder, self.quick, self.say = folder, quick, say
        self.wishes = wishes or Wishes()
        self.peers_used = False

    def times(self, full: int, quick: int) -> int:
        """How often, how many: `full`, or `quick` in a smoke run."""
        return quick if self.quick else full

    def fresh(self, name: str) -> Path:
        """A path in the scratch folder that does not exist yet."""
        number, path = 1, self.folder / name
        while path.exists():
            number, path = number + 1, self.folder / f"{name}-{number}"
        return path

    # -- striate ------------------------------------------------------------------------------

    @property
    def python(self) -> str:
        return sys.executable

    @property
    def striate(self) -> list[str]:
        """The command as a user types it, or the module where only the sources are there."""
        command = Path(sys.executable).with_name("striate")
        return [str(command)] if command.exists() else [sys.executable, "-m", "striate"]

    def env(self, home: Path | None = None) -> Mapping[str, str]:
        """With striate's cache in `home`."""
        return {**os.environ, "STRIATE_HOME": str(home or self.folder / "home")}

    def run_striate(self, *words: object, home: Path | None = None) -> Timing:
        """`striate WORDS…` in a process of its own, which must succeed."""
        return cold([*self.striate, *(str(word) for word in words)], env=self.env(home))

    def ask(self, script: str, *arguments: object) -> dict[str, Any]:
        """What the module `bench.ours.SCRIPT` answers."""
        words = [self.python, "-m", f"bench.ours.{script}", *(str(word) for word in arguments)]
        return ask(words, env=self.env(), folder=ROOT)

    # -- made once ----------------------------------------------------------------------------

    @cached_property
    def photos(self) -> tuple[str, list[Path]]:
        """What they are, and where."""
        self.say("laying out photos")
        return pictures.photos(self.folder / "photos", most=self.times(pictures.PHOTOS, 60))

    @cached_property
    def small_run(self) -> Path:
        """A run of MobileNetV3-small at 224 pixels, trained for one epoch on 40 pictures."""
        data = pictures.class_folders(self.folder / "tiny", self.photos[1], classes=10, each=4)
        self.say(f"training {MODEL} for one epoch on 40 pictures")
        out = self.folder / "small-run"
        words = ["--model", MODEL, "--size", SIDE, "--epochs", 1, "--weights", "none", "--batch-size", 8]
        self.run_striate("train", data, "--out", out, *words)
        return out

    @cached_property
    def cells(self) -> Path:
        """The blood cells of BCCD, in Pascal VOC's form; a few of them in a smoke run."""
        whole = pictures.needed("bccd")
        return pictures.fewer_voc(self.folder / "bccd", whole, most=16) if self.quick else whole

    @cached_property
    def detectors(self) -> list[Path]:
        """The runs that were named, else one of each method that was, else of fcos: trained briefly."""
        if self.wishes.runs:
            return list(self.wishes.runs)
        minutes = self.wishes.minutes or 1.0
        return [self.train_detector(one, minutes) for one in self.wishes.methods or ("fcos",)]

    def train_detector(self, method: str, minutes: float) -> Path:
        """A run of `method` from scratch on `cells`, within that time."""
        out = self.fresh(f"run-{method}")
        self.say(f"training {method} for " + ("an epoch" if self.quick else f"{minutes:g} min"))
        # a smoke run ends after an epoch, however long that takes
        span = ["--epochs", 1] if self.quick else ["--time-budget", f"{minutes:g}m"]
        words = ["--task", "detect", "--method", method, "--weights", "none", *span]
        self.run_striate("train", self.cells, "--out", out, *words)
        return out

    @cached_property
    def peers(self) -> Peers:
        self.peers_used = True
        return peers_environment.prepare(self.folder / "peers", say=self.say)

    @cached_property
    def yolo_model(self) -> tuple[Path, int]:
        """A YOLO11n classifier with 10 classes and random weights, and its parameters."""
        path = self.folder / "yolo11n-cls-10.pt"
        answer = self.peers.ask("ultralytics_model.py", path, 10)
        return path, int(answer["parameters"])
