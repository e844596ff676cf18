"""`striate stress RUN DATA`: the card measured, its advice tried, both told."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from striate.cli import stress_fixing
from striate.cli.bars import watched
from striate.cli.output import Output
from striate.cli.reporting import check_free, tell_page, tell_problems
from striate.errors import StriateError, UsageError

if TYPE_CHECKING:
    from striate.stress.advice import Gain
    from striate.stress.card import StressCard
    from striate.stress.curves import StressCurve
    from striate.verbs.evaluate import SplitChoice

__all__ = ["card"]


def card(
    output: Output,
    run: Path,
    data: str,
    out: Path | None,
    *,
    split: SplitChoice,
    axes: str,
    severities: str,
    at_most: int | None,
    time_budget: str,
    against: Path | None,
    masks: Path | None,
    truth_stays: bool,
    seed: int,
    threads: int,
    overwrite: bool,
    fix: bool,
    train: str | None,
) -> int:
    """Measure, write and tell; with `fix` the advice is tried before it is told."""
    from striate.verbs.stress import card as verb
    from striate.verbs.stress.session import seconds_of

    # an interrupted --fix has left its card, and goes on with its trials
    replaced = overwrite or (fix and stress_fixing.is_unfinished(out, run))
    check_free(out, verb.FILES, overwrite=replaced)
    budget = None if time_budget == "none" else seconds_of(time_budget)
    wished = _names(axes)
    if fix:
        stress_fixing.check(run, train or data)
    began = time.monotonic()
    with watched(output) as listen:
        report = verb.stress_card(
            run,
            data,
            split=split,
            axes=wished,
            severities=_numbers(severities),
            at_most=10_000 if at_most is None else at_most,
            time_budget=budget / 2 if fix and budget is not None else budget,
            against=against,
            masks=masks,
            truth_stays=truth_stays,
            seed=seed,
            threads=threads,
            listen=listen,
        )
    page = None if out is None else report.save(out, overwrite=replaced)
    if fix:
        try:
            with watched(output) as listen:
                left = None if budget is None else max(budget / 2, budget - (time.monotonic() - began))
                report = stress_fixing.tried(
                    output, report, train or data, out, left, listen, overwrite=overwrite
                )
        except StriateError:
            _show(output, report.card, page)  # what was measured stands, and is saved
            raise
        page = None if out is None else report.save(out, overwrite=True)
    _show(output, report.card, page)
    return 0


def _names(text: str) -> list[str]:
    found = [one.strip() for one in text.split(",") if one.strip()]
    if text and not found:
        raise UsageError(f"axes {text!r}", expected="names of axes or families: striate stress --list")
    return found


def _numbers(text: str) -> list[int]:
    parts = [one.strip() for one in text.split(",") if one.strip()]
    if not parts or not all(one.isdecimal() for one in parts):
        raise UsageError(f"severities {text!r}", expected="some of 1,2,3,4,5, separated by commas")
    return [int(one) for one in parts]


def _show(output: Output, card: StressCard, page: Path | None) -> None:
    """The sentences and the table, or everything as JSON."""
    if output.json:
        output.line({**card.to_dict(), "card": None if page is None else str(page)})
        return
    output.listing(f"What breaks {card.run}", [(one, "") for one in card.statements], style="bold")
    rows = [
        (one.axis.name, f"{one.verdict:<7} {_scores(one)}{_resting(card, one)}")
        for verdict in ("breaks", "bends", "unclear", "holds")
        for one in card.of_verdict(verdict)
    ]
    if rows:
        output.facts(f"{card.measured.scorer.name} by severity", rows)
    for reason, same in card.left_out_by_reason.items():
        output.say(f"not measured: {', '.join(one.axis for one in same)}: {reason}", style="yellow")
    tell_problems(output, card.problems)
    for warning in card.warnings:
        output.say(warning, style="yellow")
    if card.advice:
        advised = [(_advised(one.words, one.gain), "") for one in card.advice]
        commands = [one.command for one in card.advice]
        output.listing("What to try", advised, style="bold", commands=commands)
    tell_page(output, page)


def _scores(curve: StressCurve) -> str:
    return "  ".join(f"{one.score.value:.3f}" for one in curve.levels)


def _resting(card: StressCard, curve: StressCurve) -> str:
    """Of how many pictures, where not all could be changed so."""
    few = curve.pictures < card.pictures
    return f"  ({curve.pictures} of {card.pictures} pictures)" if few else ""


def _advised(words: str, gain: Gain | None) -> str:
    return f"{words} {'Not measured.' if gain is None else gain.statement}"
