"""What training tells whoever listens. The engine yields these and prints nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias

__all__ = ["Epoch", "Event", "Finished", "Note", "Planned", "Stage", "Step", "event_to_dict"]


@dataclass(frozen=True, slots=True)
class Stage:
    """A phase begins: "read", "cache", "tune", "features", "train", "calibrate", "export", "evaluate"…

    `total` counts units of work when known; `Step` reports progress in it.
    """

    name: str
    text: str
    total: int | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """Progress within the stage: `done` of its total; `loss` smoothed, while training."""

    done: int
    loss: float | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """A sentence for the user; `level` is "info" or "warning"."""

    text: str
    level: str = "info"


@dataclass(frozen=True, slots=True)
class Planned:
    """What was chosen on this machine, before the first step (written to the run)."""

    choices: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Epoch:
    """An epoch ended: `metrics` on validation by torch-backed graphs; `elapsed_s`, `eta_s` seconds."""

    number: int
    of: int
    loss: float
    metrics: Mapping[str, Any]
    elapsed_s: float
    eta_s: float
    best: bool


@dataclass(frozen=True, slots=True)
class Finished:
    """The run is sealed: its metrics by split, from the exported graphs."""

    run: str
    metrics: Mapping[str, Any]
    seconds: float


Event: TypeAlias = Stage | Step | Note | Planned | Epoch | Finished


def event_to_dict(event: Event) -> dict[str, Any]:
    """One line for `--json` and `metrics.jsonl`."""
    return {"event": type(event).__name__.lower(), **asdict(event)}
