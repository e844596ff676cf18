"""`striate stress RUN DATA`: what breaks a trained run, measured and written as a card."""

from __future__ import annotations

import json
import os
import shlex
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from striate.randomness import checked_seed
from striate.runs.atomic import write_text
from striate.runs.plain import json_ready
from striate.runs.run import Run
from striate.stress.advice import Advice
from striate.stress.card import StressCard
from striate.stress.card_page import render_card
from striate.stress.changes import SEVERITIES, Axis
from striate.stress.corrupted import corrupted_from
from striate.stress.stock import Stock
from striate.verbs.evaluate import SplitChoice
from striate.verbs.model import FilePath, Model, load
from striate.verbs.outputs import writable
from striate.verbs.stress.findings import (
    advice_of,
    cases_of,
    is_hand_made,
    kinds_of,
    seen_in_training,
    variation_of,
)
from striate.verbs.stress.session import Asked, Session, Watch, seconds_of, severities_of, silent

__all__ = ["DEFAULT_BUDGET", "FILES", "StressReport", "save_card", "stress_card"]

FILES = ("card.html", "card.json")
DEFAULT_BUDGET = "10m"


@dataclass(frozen=True, slots=True, eq=False)
class StressReport:
    """A card, and what it was made with: for trying advice on the same pictures, with the same masks."""

    card: StressCard
    model: Model
    stock: Stock
    axes: tuple[Axis, ...]
    masks: FilePath | None = None

    def save(self, folder: FilePath, *, overwrite: bool = False) -> Path:
        """Write card.html and card.json to `folder`; the page's path."""
        return save_card(self.card, folder, overwrite=overwrite)

    def with_advice(self, advice: Sequence[Advice]) -> StressReport:
        """The same with other advice, such as what was tried."""
        return replace(self, card=replace(self.card, advice=tuple(advice)))


def stress_card(
    run: FilePath | Run,
    source: FilePath,
    *,
    split: SplitChoice = "auto",
    axes: Sequence[str] = (),
    severities: Sequence[int] = SEVERITIES,
    at_most: int = 10_000,
    time_budget: float | str | None = DEFAULT_BUDGET,
    against: FilePath | Run | None = None,
    masks: FilePath | None = None,
    truth_stays: bool = False,
    seed: int = 0,
    threads: int = 0,
    listen: Watch = silent,
) -> StressReport:
    """Measure what breaks `run` on the pictures of `source`.

    `axes`: names or families of `stress.registry`; all by default. `severities`: some of 1 to 5.
    `at_most`: of more pictures, so many are drawn by `seed`. `time_budget` (seconds, "10m"; None for no
    end): where all pictures would take longer on this machine, fewer are taken, never fewer than 50.
    `against`: a second run, measured on the same pictures, for mCE. `masks`: a folder of masks, named as
    the pictures are. `truth_stays`: for numbers, measure axes that move places too. Errors:
    `UsageError`, and those of `evaluate`.
    """
    asked = Asked(
        source=source,
        split=split,
        axes=tuple(axes),
        severities=severities_of(severities),
        at_most=at_most,
        budget_s=None if time_budget is None else seconds_of(time_budget),
        masks=masks,
        truth_stays=truth_stays,
        seed=checked_seed(seed),
        threads=threads,
    )
    other = None if against is None else load(against, threads=threads)
    session = Session.begin(load(run, threads=threads), other, asked, listen)
    return _report(session, asked)


def save_card(card: StressCard, folder: FilePath, *, overwrite: bool = False) -> Path:
    """Write card.html and card.json to `folder`; the page's path."""
    page, data = (writable(Path(folder) / name, overwrite=overwrite) for name in FILES)
    # both are made before either is written: no new numbers beside an old page
    numbers, text = json.dumps(json_ready(card.to_dict()), allow_nan=False), render_card(card)
    write_text(data, numbers + "\n")
    write_text(page, text)
    return page


def _report(session: Session, asked: Asked) -> StressReport:
    """Measure, compare, and lay it all on a card."""
    model, stock = session.model, session.stock
    measured, against = session.measure(), session.measure_other()
    began = time.monotonic()
    session.listen("comparing", 0, 1)
    variation, why_not = variation_of(model, stock, measured, asked.seed, asked.threads)
    clean = measured.clean.headline
    card = StressCard(
        run=model.run.name,
        task=model.task.name,
        source=session.shown_root,
        split=session.split,
        available=session.available,
        pictures=len(stock),
        shortened=session.shortened,
        size_hw=model.task.input_hw,
        seed=asked.seed,
        severities=asked.severities,
        measured=measured,
        left_out=session.left_out(measured),
        corrupted=corrupted_from(
            model.task.name, clean, measured.curves, baseline=session.baseline(against)
        ),
        variation=variation,
        variation_missing=why_not,
        kinds=kinds_of(stock, variation),
        cases=cases_of(session.engine, measured),
        advice=tuple(advice_of(model, measured, asked.source)),
        against=session.shown_beside(against),
        seconds={**session.seconds, "compare": time.monotonic() - began, "all": session.elapsed},
        seen_in_training=seen_in_training(model, stock),
        problems=tuple(one for one in stock.problems if one.severity == "error"),
        next_words="" if is_hand_made(model) else _fix_command(model, asked.source),
    )
    session.listen("comparing", 1, 1)
    return StressReport(card, model, stock, session.axes, asked.masks)


def _fix_command(model: Model, source: FilePath) -> str:
    words = ["striate", "stress", os.fspath(model.run.folder), os.fspath(source)]
    return shlex.join([*words, "--fix", "--out", "CARD-FIX"])
