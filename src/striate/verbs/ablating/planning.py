"""What an ablation fixes before it trains: what was asked for, and what fits into the time."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from striate.errors import UsageError
from striate.runs.atomic import write_text
from striate.runs.header import RunHeader
from striate.runs.run import partial_of
from striate.verbs.ablating.arms import Arm, arms_added, arms_left_out, file_name
from striate.verbs.ablating.effects import number_of
from striate.verbs.training.request import Request

__all__ = [
    "PILOT",
    "PRESET",
    "RUNS",
    "SCORES",
    "Asked",
    "Plan",
    "arms_of",
    "fit_plan",
    "fixed_by",
    "forget",
    "read_plan",
    "save_plan",
]

PRESET: Mapping[str, Any] = {"augment": "auto"}
"""The preset of the task: what it does where the user says nothing."""
RUNS, SCORES, PILOT = "ablate-runs", "ablate-scores", "pilot"
"""Folders beside the plan, so called that nobody else has one; and the name of the first training."""
_PLAN = "ablate-plan.json"
_FEW, _MANY = 3, 100
"""Epochs: with fewer than the first nothing can be told; more than the second is no ablation."""
_RESERVE = 0.92
"""The part of a budget that is planned: trainings differ, and scores take time too."""
_FIXED = ("batch_size", "precision", "memory_format", "compile", "threads")
"""What the pilot chose, and every training keeps."""
_ONCE = ("tune", "cache", "compare")
"""Stages that later trainings find done."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A call of `ablate`, as far as it decides what is trained."""

    source: str
    task: str
    candidates: dict[str, dict[str, Any]]
    against: dict[str, Any]
    leave_out: bool
    seeds: tuple[int, ...]
    settings: dict[str, Any]

    def check(self, budget: float | None, measured: str | None) -> None:
        """Refuse what cannot be trained before anything is."""
        if not self.candidates and not self.leave_out:
            raise UsageError("an ablation of nothing", expected="at least one augmentation to try")
        if not self.seeds or len(set(self.seeds)) < len(self.seeds):
            raise UsageError(
                f"seeds {list(self.seeds)}", expected="one or more different whole numbers, best three"
            )
        if budget is None and "epochs" not in self.settings:
            raise UsageError(
                "an ablation needs to know when to stop",
                expected="--time-budget, such as 20m, for everything, or --epochs for each training",
            )
        if measured == "":
            raise UsageError("a measure of your own needs a name", expected="measured='right under …'")
        for name in ("seed", "time_budget"):
            if name in self.settings:
                raise UsageError(f"{name} is not for each training", expected="seeds, and one budget")
        self._check_names()
        for arm in arms_added(self.candidates, self.against):
            Request.of(self.source, self.task, {**self.settings, **arm.settings})

    def _check_names(self) -> None:
        """Two candidates in one folder would be one training under two names."""
        taken: dict[str, str] = {}
        for name in self.candidates:
            folder = file_name(name)
            if folder in taken:
                raise UsageError(
                    f"candidates {taken[folder]!r} and {name!r} would share the folder of their runs",
                    expected="names that differ in more than spaces, signs and capital letters",
                )
            taken[folder] = name

    def to_dict(self) -> dict[str, Any]:
        return {
            "source": self.source,
            "task": self.task,
            "candidates": self.candidates,
            "against": self.against,
            "leave_out": self.leave_out,
            "seeds": list(self.seeds),
            "settings": self.settings,
        }

    @classmethod
    def from_dict(cls, saved: dict[str, Any]) -> Self:
        """What `to_dict` made."""
        return cls(**(saved | {"seeds": tuple(saved["seeds"])}))


@dataclass(frozen=True, slots=True)
class Plan:
    """Fixed by the pilot, kept in the folder: what every training has in common."""

    epochs: int
    seeds: tuple[int, ...]
    fixed: dict[str, Any]
    resolved: dict[str, Any]
    leave_out: bool
    seconds: float
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        return {
            "epochs": self.epochs,
            "seeds": list(self.seeds),
            "fixed": self.fixed,
            "resolved": self.resolved,
            "leave_out": self.leave_out,
            "seconds": self.seconds,
            "notes": list(self.notes),
        }

    @classmethod
    def from_dict(cls, saved: dict[str, Any]) -> Self:
        """What `to_dict` made."""
        return cls(**(saved | {"seeds": tuple(saved["seeds"]), "notes": tuple(saved["notes"])}))


def read_plan(folder: Path, asked: Asked) -> Plan | None:
    """The plan of an earlier call, if there was one; a `UsageError` if it asked for something else."""
    path = folder / _PLAN
    if not path.exists():
        return None
    kept = json.loads(path.read_text("utf-8"))
    now = json.loads(json.dumps(asked.to_dict()))
    if kept["asked"] != now:
        differ = [name for name in now if kept["asked"].get(name) != now[name]]
        raise UsageError(
            f"{folder} holds an ablation of other settings ({', '.join(differ)})",
            remedy="give another folder, or --overwrite to begin anew",
        )
    return Plan.from_dict(kept["plan"])


def save_plan(folder: Path, asked: Asked, plan: Plan) -> None:
    """Keep it for the next call."""
    text = json.dumps({"asked": asked.to_dict(), "plan": plan.to_dict()}, indent=1)
    write_text(folder / _PLAN, text + "\n")


def forget(folder: Path) -> None:
    """Remove the trainings and scores that the plan in `folder` made; whatever else is there stays."""
    path = folder / _PLAN
    if not path.exists():
        return
    try:
        kept = json.loads(path.read_text("utf-8"))
        asked, plan = Asked.from_dict(kept["asked"]), Plan.from_dict(kept["plan"])
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"{path} is damaged, so nobody knows what it made",
            remedy=f"remove it, and {RUNS} and {SCORES} beside it",
        ) from error
    names = [arm.file_name(seed) for arm in arms_of(asked, plan) for seed in plan.seeds]
    _forget_runs(folder / RUNS, [PILOT, *names])
    _forget_scores(folder / SCORES, names)
    path.unlink()


def _forget_runs(home: Path, names: Sequence[str]) -> None:
    import shutil

    for name in names:
        for run in (home / name, partial_of(home / name)):
            shutil.rmtree(run, ignore_errors=True)
    _remove_if_empty(home)


def _forget_scores(home: Path, names: Sequence[str]) -> None:
    measures = [one for one in home.iterdir() if one.is_dir()] if home.is_dir() else []
    for measure in measures:
        for name in names:
            (measure / f"{name}.json").unlink(missing_ok=True)
        _remove_if_empty(measure)
    _remove_if_empty(home)


def _remove_if_empty(folder: Path) -> None:
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()


def arms_of(asked: Asked, plan: Plan) -> list[Arm]:
    """In the order in which they are trained: what is compared with comes first."""
    added = arms_added(asked.candidates, asked.against) if asked.candidates else []
    out = arms_left_out(PRESET, plan.resolved) if plan.leave_out else []
    return added + (out if len(out) > 1 else [])


def fixed_by(header: RunHeader, seconds: float) -> tuple[dict[str, Any], float, float]:
    """Of a pilot of one epoch in `seconds`: what is kept, an epoch's time, and the time around."""
    fixed = {name: header.plan[name] for name in _FIXED if name in header.plan}
    if "compile" in fixed:
        fixed["compile"] = "on" if fixed["compile"] else "off"
    learning = header.timings.get("train", 0.0)
    once = sum(header.timings.get(name, 0.0) for name in _ONCE)
    return fixed, max(learning, 1e-3), max(0.1, seconds - learning - once)


def fit_plan(
    asked: Asked,
    fixed: dict[str, Any],
    resolved: dict[str, Any],
    *,
    epoch_s: float,
    around_s: float,
    seconds_left: float | None,
) -> Plan:
    """Epochs that fit: with all arms and seeds, or else with fewer of them.

    `resolved`: the preset's settings as they are for this data. A `UsageError` where there is not time
    for one comparison.
    """
    notes = []
    plan = Plan(0, asked.seeds, fixed, resolved, asked.leave_out, 0.0)
    given = asked.settings.get("epochs")
    each_s = around_s + int(given or 1) * epoch_s
    if seconds_left is not None and seconds_left < 2 * each_s:
        raise _too_short(seconds_left, each_s, int(given or 1))
    if given is not None:
        return replace(plan, epochs=int(given), seconds=each_s)
    assert seconds_left is not None, "checked before"
    left = seconds_left * _RESERVE

    def fits(one: Plan) -> int:
        trainings = len(arms_of(asked, one)) * len(one.seeds)
        return int((left / trainings - around_s) / epoch_s)

    if fits(plan) < _FEW and plan.leave_out and asked.candidates:
        plan = replace(plan, leave_out=False)
        notes.append("time was too short to take parts out of the preset as well")
    while fits(plan) < _FEW and len(plan.seeds) > 2:
        plan = replace(plan, seeds=plan.seeds[:-1])
    if len(plan.seeds) < len(asked.seeds):
        notes.append(f"time was too short for more than {len(plan.seeds)} seeds")
    epochs = min(max(fits(plan), 1), _MANY)
    if epochs < _FEW:
        number = f"{epochs} epochs are" if epochs > 1 else "one epoch is"
        notes.append(f"{number} hardly a training: give more time, or try fewer things")
    return replace(plan, epochs=epochs, seconds=around_s + epochs * epoch_s, notes=tuple(notes))


def _too_short(left_s: float, each_s: float, epochs: int) -> UsageError:
    """Said after the pilot, before the first training."""
    return UsageError(
        "the time budget is too short for a single comparison: after a first look "
        f"{max(left_s, 0.0):.0f} s are left, and each of its two trainings takes about {each_s:.0f} s "
        f"with {number_of(epochs, 'epoch')}",
        remedy="give more time, or train on fewer or smaller pictures",
    )
