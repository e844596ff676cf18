"""`striate stress`: what breaks a run, as a card; strange poses and attacks by flags of their own."""

from __future__ import annotations

import importlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Group, Parameter

from striate.cli.output import Output
from striate.cli.progress import duration
from striate.errors import StriateError, UsageError

if TYPE_CHECKING:
    from striate.stress.advice import Gain
    from striate.stress.attacked import Attacked
    from striate.stress.card import StressCard
    from striate.verbs.stress.session import Watch

__all__ = ["stress"]

_POSES = Group("Strange poses", sort_key=2)
_ATTACK = Group("Attacks", sort_key=3)
_FIX = Group("Fix it", sort_key=1)
_SAID_EVERY_S = 15.0


def stress(
    run: Path,
    data: str | None = None,
    /,
    *,
    out: Path | None = None,
    split: Literal["auto", "train", "validation", "test", "all"] = "auto",
    axes: Annotated[str, Parameter(metavar="NAMES")] = "",
    severities: Annotated[str, Parameter(metavar="LIST")] = "1,2,3,4,5",
    at_most: int | None = None,
    time_budget: str = "10m",
    against: Path | None = None,
    masks: Path | None = None,
    truth_stays: Annotated[bool, Parameter(negative=())] = False,
    seed: int = 0,
    threads: int = 0,
    listing: Annotated[bool, Parameter(name="--list", negative=())] = False,
    json: bool = False,
    overwrite: bool = False,
    fix: Annotated[bool, Parameter(negative=(), group=_FIX)] = False,
    train: Annotated[str | None, Parameter(metavar="DATA", group=_FIX)] = None,
    poses: Annotated[str | None, Parameter(metavar="MESH", group=_POSES)] = None,
    true: Annotated[str | None, Parameter(metavar="CLASS", group=_POSES)] = None,
    background: Annotated[Path | None, Parameter(group=_POSES)] = None,
    samples: Annotated[int, Parameter(group=_POSES)] = 2000,
    attack: Annotated[str | None, Parameter(metavar="NAME", group=_ATTACK)] = None,
    strengths: Annotated[str, Parameter(metavar="LIST", group=_ATTACK)] = "",
    steps: Annotated[int, Parameter(group=_ATTACK)] = 0,
    target: Annotated[str | None, Parameter(metavar="CLASS", group=_ATTACK)] = None,
    device: Annotated[str, Parameter(group=_ATTACK)] = "cpu",
) -> int:
    """Measure what breaks a run, and write it as a card.

    Pictures are changed step by step along some forty axes: viewpoint, occlusion, light, background,
    shape, noise, blur, weather and files. For each there is a curve with its 95 % band, the knee at
    which the run surely loses, a verdict by a stated rule, and the worst cases as pictures. Truths that
    move with the picture, such as boxes, are moved.

    Args:
        run: Folder of a trained run, network or hand-made.
        data: A folder, a table or the name of an embedded set, as for striate evaluate.
        out: Also write card.html and card.json to this folder.
        split: What to measure; auto takes the test split, else the validation split, else everything.
        axes: Axes or families, separated by commas; all by default. --list names them.
        severities: Which of the five, separated by commas.
        at_most: Of more pictures, take so many; 10000 by default, 500 of them for an attack.
        time_budget: Where all pictures would take longer than this, take fewer; "none" takes all.
        against: A second run on the same pictures: its curves beside, and mCE relative to it.
        masks: A folder of masks, named as the pictures: white where the object is. For backgrounds.
        truth_stays: For runs that predict numbers: measure axes that move places, too, as if the numbers
            stayed true.
        seed: Seed of which pictures are taken, of the changes and of the intervals.
        threads: Processor cores to use; 0 takes all.
        listing: List the axes, and do nothing else.
        json: Write one JSON object with everything.
        overwrite: Replace an earlier card.
        fix: Try the advice at the end of the card: train with and without it for half the time budget,
            and measure the worst axis again.
        train: Training pictures for --fix; by default DATA, where the run was trained on it.
        poses: Instead, look for poses of this .obj file (or built-in solid) that fool the run.
        true: Its right class; by default its name, or what the run says of it unturned.
        background: A picture to stand it before.
        samples: Poses to draw at random.
        attack: Instead, attack the run: fgsm, pgd, pgd-l2, one-pixel or patch.
        strengths: How strong, separated by commas.
        steps: Steps of the attack; 0 takes its own.
        target: The class that answers shall become.
        device: Where gradients are computed: cpu, cuda.
    """
    output = Output(json=json)
    if listing:
        return _list(output)
    if poses is not None:
        return _poses(
            output, run, poses, out, true=true, samples=samples, background=background, seed=seed,
            threads=threads, overwrite=overwrite, time_budget=time_budget,
        )  # fmt: skip
    if data is None:
        raise UsageError(
            "no pictures were given", expected="striate stress RUN DATA, or --poses MESH instead"
        )
    if attack is not None:
        return _attack(
            output, run, data, attack, out, strengths=strengths, steps=steps, target=target, split=split,
            at_most=at_most, seed=seed, threads=threads, device=device, overwrite=overwrite,
        )  # fmt: skip
    return _card(
        output, run, data, out, split=split, axes=axes, severities=severities, at_most=at_most,
        time_budget=time_budget, against=against, masks=masks, truth_stays=truth_stays, seed=seed,
        threads=threads, overwrite=overwrite, fix=fix, train=train,
    )  # fmt: skip


def _card(
    output: Output,
    run: Path,
    data: str,
    out: Path | None,
    *,
    split: Literal["auto", "train", "validation", "test", "all"],
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
    from striate.cli import stress_fixing
    from striate.verbs.outputs import writable
    from striate.verbs.stress import card as verb
    from striate.verbs.stress.session import seconds_of

    # an interrupted --fix has left its card, and goes on with its trials
    replaced = overwrite or (fix and stress_fixing.is_unfinished(out, run))
    for file in () if out is None else (out / name for name in verb.FILES):
        writable(file, overwrite=replaced)
    budget = None if time_budget == "none" else seconds_of(time_budget)
    if fix:
        stress_fixing.check(run, train or data)
    with watched(output) as listen:
        report = verb.stress_card(
            run,
            data,
            split=split,
            axes=[one.strip() for one in axes.split(",") if one.strip()],
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
                report = stress_fixing.tried(
                    output, report, train or data, out, budget, listen, overwrite=overwrite
                )
        except StriateError:
            _show(output, report.card, page)  # what was measured stands, and is saved
            raise
        page = None if out is None else report.save(out, overwrite=True)
    _show(output, report.card, page)
    return 0


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
        (one.axis.name, f"{one.verdict:<7} {_scores(card, one.axis.name)}")
        for verdict in ("breaks", "bends", "unclear", "holds")
        for one in card.of_verdict(verdict)
    ]
    if rows:
        output.facts(f"{card.measured.scorer.name} by severity", rows)
    for one in card.left_out[:_SHOWN]:
        output.say(f"not measured: {one.axis}: {one.reason}", style="yellow")
    if len(card.left_out) > _SHOWN:
        output.say(f"… and {len(card.left_out) - _SHOWN} more; the card lists all", style="yellow")
    for problem in card.problems[:_SHOWN]:
        output.say(f"left out: {problem.key}: {problem.reason}", style="yellow")
    for warning in card.warnings:
        output.say(warning, style="yellow")
    if card.advice:
        advised = [(_advised(one.words, one.command, one.gain), "") for one in card.advice]
        output.listing("What to try", advised, style="bold")
    if page is not None:
        output.facts("Next", [("look", str(page))], talk=True)


_SHOWN = 5


def _scores(card: StressCard, axis: str) -> str:
    curve = card.measured.curve(axis)
    assert curve is not None
    return "  ".join(f"{one.score.value:.3f}" for one in curve.levels)


def _advised(words: str, command: str, gain: Gain | None) -> str:
    mark = "Not measured." if gain is None else gain.statement
    return f"{words} {mark} {command}".strip()


def _list(output: Output) -> int:
    from striate.stress.registry import AXES, EXTRA, FAMILIES

    everything = [*AXES.values(), *EXTRA.values()]
    if output.json:
        for axis in everything:
            output.line(
                {
                    "axis": axis.name,
                    "title": axis.title,
                    "family": axis.family,
                    "unit": axis.unit,
                    "levels": list(axis.levels),
                    "needs_masks": axis.needs_masks,
                    "source": axis.source,
                }
            )
        return 0
    for family in FAMILIES:
        rows = [
            (axis.name, f"{axis.title}; {', '.join(f'{one:g}' for one in axis.levels)} {axis.unit}")
            for axis in AXES.values()
            if axis.family == family
        ]
        output.facts(family, rows)
    output.facts("only by name", [(axis.name, axis.title) for axis in EXTRA.values()])
    return 0


def _poses(
    output: Output,
    run: Path,
    mesh: str,
    out: Path | None,
    *,
    true: str | None,
    samples: int,
    background: Path | None,
    seed: int,
    threads: int,
    overwrite: bool,
    time_budget: str,
) -> int:
    from striate.verbs.outputs import writable
    from striate.verbs.stress import poses as stress_poses

    for file in () if out is None else (out / name for name in stress_poses.FILES):
        writable(file, overwrite=overwrite)
    budget = None if time_budget == "none" else time_budget
    with watched(output) as listen:
        found = stress_poses.poses(
            run, mesh, true=true, samples=samples, time_budget=budget, background=background,
            seed=seed, threads=threads, listen=lambda done, of: listen("turning it", done, of),
        )  # fmt: skip
    page = None if out is None else found.save(out, overwrite=overwrite)
    _tell(output, f"Strange poses of {mesh}", found.statements, found.to_dict(), page)
    return 0


def _attack(
    output: Output,
    run: Path,
    data: str,
    name: str,
    out: Path | None,
    *,
    strengths: str,
    steps: int,
    target: str | None,
    split: Literal["auto", "train", "validation", "test", "all"],
    at_most: int | None,
    seed: int,
    threads: int,
    device: str,
    overwrite: bool,
) -> int:
    from striate.stress.attacked import FILES
    from striate.verbs.outputs import writable

    # by name: gradients need torch, which the use half never reaches
    verb = importlib.import_module("striate.verbs.stress.attack")
    for file in () if out is None else (out / one for one in FILES):
        writable(file, overwrite=overwrite)
    with watched(output) as listen:
        found: Attacked = verb.attack(
            run, data, name, strengths=_floats(strengths), steps=steps, target=target, split=split,
            at_most=500 if at_most is None else at_most, seed=seed, threads=threads, device=device,
            listen=lambda done, of: listen("attacking", done, of),
        )  # fmt: skip
    page = None if out is None else found.save(out, overwrite=overwrite)
    _tell(output, f"{name} on {run.name}", found.statements, found.to_dict(), page)
    return 0


def _floats(text: str) -> list[float]:
    try:
        return [float(one) for one in text.split(",") if one.strip()]
    except ValueError:
        raise UsageError(f"strengths {text!r}", expected="numbers, separated by commas") from None


def _tell(
    output: Output, title: str, statements: list[str], found: dict[str, object], page: Path | None
) -> None:
    if output.json:
        output.line({**found, "report": None if page is None else str(page)})
        return
    output.listing(title, [(one, "") for one in statements], style="bold")
    if page is not None:
        output.facts("Next", [("look", str(page))], talk=True)


@contextmanager
def watched(output: Output) -> Iterator[Watch]:
    """A bar with the time left where a person watches, a line now and then in a log, else nothing."""
    if output.json:
        yield lambda stage, done, of: None
    elif output.watched:
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
        )

        with Progress(
            TextColumn("  {task.description}"),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TimeRemainingColumn(compact=True),
            console=output.console(talk=True),
            transient=True,
        ) as bar:
            tasks: dict[str, object] = {}

            def show(stage: str, done: int, of: int) -> None:
                if stage not in tasks:
                    for earlier in tasks.values():
                        bar.update(earlier, visible=False)  # type: ignore[arg-type]
                    tasks[stage] = bar.add_task(stage, total=of)
                bar.update(tasks[stage], completed=done, total=of)  # type: ignore[arg-type]

            yield show
    else:
        yield _Log(output)


class _Log:
    """Each stage once, and how far it is every quarter of a minute."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._stage, self._began, self._said = "", 0.0, 0.0

    def __call__(self, stage: str, done: int, of: int) -> None:
        now = time.monotonic()
        if stage != self._stage:
            self._stage, self._began, self._said = stage, now, now
            self._output.say(stage)
        elif now - self._said > _SAID_EVERY_S and 0 < done < of:
            self._said = now
            left = (now - self._began) * (of - done) / done
            self._output.say(f"  {done} of {of}, {duration(left)} left")
