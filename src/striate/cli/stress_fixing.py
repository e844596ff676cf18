"""`striate stress --fix`: the advice tried, heard on stderr."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING

from striate.cli.output import Output
from striate.engine.events import Event, Note, Stage, Step

if TYPE_CHECKING:
    from striate.verbs.stress import StressReport
    from striate.verbs.stress_session import Watch

__all__ = ["tried"]

_USUAL_S = 300.0


def tried(
    output: Output,
    report: StressReport,
    source: str,
    out: Path | None,
    budget_s: float | None,
    listen: Watch,
) -> StressReport:
    """The report with its first piece of advice measured; training takes half of the budget."""
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

    # by name: what trains needs torch, which the use half never reaches
    verb = importlib.import_module("striate.verbs.stress_fix")
    found: StressReport = verb.try_advice(
        report,
        source,
        out=None if out is None else out / "trials",
        time_budget=_USUAL_S if budget_s is None else budget_s / 2,
        on_event=hear,
    )
    return found
