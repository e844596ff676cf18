"""`striate stress --fix`: the advice tried, heard on stderr."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from striate.cli.bars import Watch
from striate.cli.output import Output
from striate.engine.events import Event, Note, Stage, Step

if TYPE_CHECKING:
    from striate.verbs.stress.card import StressReport

__all__ = ["check", "is_unfinished", "tried"]

_USUAL_S = 300.0
_CARD, _TRIALS, _DONE = "card.json", "trials", "ablate.json"


def check(run: Path, source: str) -> None:
    """Refuse, before anything is measured, a run whose advice cannot be tried on `source`."""
    from striate.verbs.model import load

    _verb().check_fixable(load(run), source)


def is_unfinished(out: Path | None, run: Path) -> bool:
    """Whether trials for a card of `run` were begun in `out` and not ended: the same call goes on."""
    trials, card = (None, None) if out is None else (out / _TRIALS, out / _CARD)
    if trials is None or card is None or not trials.is_dir() or (trials / _DONE).exists():
        return False
    try:
        whose = json.loads(card.read_text("utf-8"))["run"]
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return bool(whose == run.resolve().name)


def tried(
    output: Output,
    report: StressReport,
    source: str,
    out: Path | None,
    budget_s: float | None,
    listen: Watch,
    *,
    overwrite: bool = False,
) -> StressReport:
    """The report with its first piece of advice measured: `budget_s` seconds of training and measuring.

    Trials that were interrupted are gone on with; `overwrite` begins anew.
    """
    stage, total = "trying the advice", 1

    def hear(event: Event) -> None:
        nonlocal stage, total
        match event:
            case Stage():
                stage, total = event.text, event.total or 1
                listen(stage, 0, total)
            case Step():
                listen(stage, min(event.done, total), total)
            case Note():
                output.say(f"  {event.text}")

    found: StressReport = _verb().try_advice(
        report,
        source,
        out=None if out is None else out / _TRIALS,
        overwrite=overwrite,
        time_budget=_USUAL_S if budget_s is None else budget_s,
        on_event=hear,
    )
    return found


def _verb() -> Any:
    # by name: what trains needs torch, which the use half never reaches
    return importlib.import_module("striate.verbs.stress.fix")
