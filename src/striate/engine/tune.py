"""Measure on this machine which arithmetic is fastest for this network, then remember it.

precision × memory format × threads are tried with real training steps for about two seconds;
torch.compile only where a run is long enough to repay its compilation. The answer is kept under
STRIATE_HOME by network, input size, batch and processor: the same machine gives the same choice,
and the same choice the same bits.
"""

from __future__ import annotations

import copy
import hashlib
import json
import os
import platform
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from striate.cores import usable_cores
from striate.engine.devices import MEMORY_FORMATS
from striate.engine.settings import TrainSettings
from striate.engine.step import Stepper, slice_batch
from striate.nn.recipe import Batch, Recipe

__all__ = ["Choice", "Trial", "measure", "trials_as_rows", "tune"]

_CLEARLY_FASTER = 1.15
"""A choice that costs accuracy or portability must win by this much; noise must not decide."""
_SECONDS = 2.0
_COMPILE_REPAYS_S = 900.0
_BUSY = 0.15
"""A measurement beside others' work is used once and not remembered."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One way to run the same arithmetic."""

    precision: str
    memory_format: str
    threads: int
    compile: bool = False


@dataclass(frozen=True, slots=True)
class Trial:
    """A choice and its measured speed; `pictures_per_s` is 0 where it failed."""

    choice: Choice
    pictures_per_s: float
    error: str = ""


def candidates(settings: TrainSettings, device: torch.device, *, seconds: float | None) -> list[Choice]:
    """What is tried, the plainest first. A value that the user fixed is the only one of its kind."""
    cpus = usable_cores()
    threads = [settings.threads] if settings.threads else [cpus]
    precisions = ["float32", "bfloat16"] if settings.precision == "auto" else [settings.precision]
    formats = (
        ["contiguous", "channels_last"] if settings.memory_format == "auto" else [settings.memory_format]
    )
    repays = seconds is not None and seconds >= _COMPILE_REPAYS_S and device.type == "cuda"
    compiles = {"off": [False], "on": [True], "auto": [False, True] if repays else [False]}
    found = [
        Choice(precision, layout, count, compiled)
        for compiled in compiles[settings.compile]
        for count in threads
        for precision in precisions
        for layout in formats
    ]
    if not settings.threads and cpus > 1 and device.type == "cpu":
        # tiny networks are faster on one thread: synchronising costs more than it saves
        found.append(Choice(precisions[0], formats[0], 1))
    return found


def measure(
    recipe: Recipe[Any],
    module: nn.Module,
    batch: Batch,
    choice: Choice,
    *,
    seconds: float,
    clock: Callable[[], float] = time.perf_counter,
) -> Trial:
    """Pictures a second of whole steps on copies of `module`: best of what fits into `seconds`.

    The weights, the optimizer and the caller's random state stay as they were.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(choice.threads)
    try:
        trial = copy.deepcopy(module).train()
        layout = MEMORY_FORMATS[choice.memory_format]
        for part in trial.modules():
            if isinstance(part, nn.Conv2d):
                part.to(memory_format=layout)
        pixels = batch.pixels.contiguous(memory_format=layout)
        moved = Batch(pixels, batch.targets, batch.partner_targets, batch.share)
        optimizer = torch.optim.SGD([p for p in trial.parameters() if p.requires_grad], lr=1e-6)
        runner = torch.compile(trial) if choice.compile else trial
        step = Stepper(recipe, runner, optimizer, precision=choice.precision, clip_norm=0.0)  # type: ignore[arg-type]  # compiled modules are typed as callables
        return Trial(choice, _pictures_per_s(step, moved, seconds, clock))
    except Exception as error:  # a backend that lacks a kernel must not end the run
        return Trial(choice, 0.0, type(error).__name__)
    finally:
        torch.set_num_threads(before)


def _pictures_per_s(step: Stepper, batch: Batch, seconds: float, clock: Callable[[], float]) -> float:
    size = len(batch.pixels)
    fastest, start = float("inf"), clock()
    # the first step allocates and, on the CPU, packs weights: it does not count
    for count in range(1000):
        before = clock()
        step(batch, global_size=size)
        if batch.pixels.device.type == "cuda":
            torch.cuda.synchronize()
        if count:
            fastest = min(fastest, clock() - before)
        elif clock() - before > seconds:
            return size / (clock() - before)
        if clock() - start > seconds and count >= 2:
            break
    return size / fastest


def tune(
    recipe: Recipe[Any],
    module: nn.Module,
    batch: Batch,
    settings: TrainSettings,
    *,
    name: str,
    home: Path,
    seconds: float | None = None,
) -> tuple[Choice, float, list[Trial]]:
    """(choice, pictures a second, every trial); from memory where this was measured before.

    `seconds` is how long the training may last, None if unknown.
    """
    options = candidates(settings, batch.pixels.device, seconds=seconds)
    key = _key(name, batch, options)
    remembered = _recall(home, key)
    if remembered is not None:
        return remembered[0], remembered[1], []
    piece = _affordable(recipe, module, batch, options[0])
    share = _SECONDS / len(options)
    before = _processor_seconds()
    trials = [measure(recipe, module, piece, option, seconds=share) for option in options]
    best = _pick(trials)
    if _others_share(before, _processor_seconds()) < _BUSY:
        _remember(home, key, best)
    return best.choice, best.pictures_per_s, trials


def _processor_seconds() -> tuple[float, float, float]:
    """Seconds that all processors worked, that they were there, and that this process worked.

    Zeros where the system does not tell.
    """
    try:
        words = Path("/proc/stat").read_text("ascii").partition("\n")[0].split()
        fields = [int(word) for word in words[1:9]]
    except (OSError, ValueError):
        return 0.0, 0.0, 0.0
    total, idle = sum(fields), fields[3] + fields[4]  # user nice system idle iowait irq softirq steal
    ticks = os.sysconf("SC_CLK_TCK")
    return (total - idle) / ticks, total / ticks, time.process_time()


def _others_share(before: tuple[float, ...], after: tuple[float, ...]) -> float:
    """Part of the machine that other processes took in between."""
    worked, there, own = (end - start for start, end in zip(before, after, strict=True))
    return max(0.0, worked - own) / there if there > 0 else 0.0


def _affordable(recipe: Recipe[Any], module: nn.Module, batch: Batch, choice: Choice) -> Batch:
    """A slice of the batch whose step takes a fraction of the tuning time."""
    few = slice_batch(batch, 0, min(4, len(batch.pixels)))
    trial = measure(recipe, module, few, choice, seconds=0.1)
    if trial.pictures_per_s <= 0:
        return few
    allowed = int(trial.pictures_per_s * _SECONDS / 8)
    return slice_batch(batch, 0, max(2, min(len(batch.pixels), allowed)))


def _pick(trials: list[Trial]) -> Trial:
    """The fastest, unless the plainest is nearly as fast."""
    plain, fastest = trials[0], max(trials, key=lambda trial: trial.pictures_per_s)
    return fastest if fastest.pictures_per_s > _CLEARLY_FASTER * plain.pictures_per_s else plain


def _key(name: str, batch: Batch, options: list[Choice]) -> str:
    parts = {
        "network": name,
        "pictures": list(batch.pixels.shape),
        "device": batch.pixels.device.type,
        "processor": _processor(),
        "torch": torch.__version__,
        "options": [asdict(option) for option in options],
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:24]


def _processor() -> str:
    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    capability = torch.backends.cpu.get_cpu_capability()
    return f"{platform.machine()} {capability} {os.cpu_count()}"


def _recall(home: Path, key: str) -> tuple[Choice, float] | None:
    try:
        saved = json.loads((home / "tuned" / f"{key}.json").read_text())
        return Choice(**saved["choice"]), float(saved["pictures_per_s"])
    except (OSError, ValueError, KeyError, TypeError):
        return None  # a cache that cannot be read is measured again


def _remember(home: Path, key: str, trial: Trial) -> None:
    folder = home / "tuned"
    content = {"choice": asdict(trial.choice), "pictures_per_s": trial.pictures_per_s}
    partial = folder / f".{key}.{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        partial.write_text(json.dumps(content))
        partial.replace(folder / f"{key}.json")
    except OSError:
        partial.unlink(missing_ok=True)  # it is only a memory; the next run measures again


def trials_as_rows(trials: list[Trial]) -> Iterator[Mapping[str, Any]]:
    """For the run header: what was measured."""
    for trial in trials:
        yield asdict(trial.choice) | {"pictures_per_s": round(trial.pictures_per_s, 1)}
