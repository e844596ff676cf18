"""`striate train`: its flags are the fields of the settings, so a new task needs no change here."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cyclopts import Group

from striate.cli.flags import flags_of, given, with_flags
from striate.cli.output import Output
from striate.cli.progress import listener
from striate.engine.events import Event, Finished
from striate.engine.settings import TrainSettings
from striate.nn.augment.settings import AugmentSettings
from striate.task import task_names, task_type

if TYPE_CHECKING:
    from striate.verbs.comparing.measured import Comparison
    from striate.verbs.model import Model

__all__ = ["make_train", "task_named_in", "train"]

_DEFAULT_TASK = "classify"


def train(
    source: str,
    /,
    *,
    out: Path,
    task: str = _DEFAULT_TASK,
    resume: bool = False,
    overwrite: bool = False,
    json: bool = False,
    **settings: Any,
) -> int:
    """Train a model on pictures and write it to a run folder.

    Ctrl-C saves everything; the same command with --resume continues from there, also after a crash.

    Args:
        source: A folder of class folders (with or without train/ and test/), a table (CSV, TSV, JSONL)
            with a column of paths, IDX files, or the name of an embedded set (striate data list).
        out: Folder to write the run to.
        task: What to learn; further flags depend on it.
        resume: Continue an interrupted run; the result is that of a run that was never interrupted.
        overwrite: Replace a finished run, once the new one is finished.
        json: Write what happens as one JSON object a line; the last is the event "finished".
    """
    import striate

    output, wishes = Output(json=json), given(settings)
    if compares(task, wishes):
        return compared(output, source, out, task, resume, overwrite, wishes)
    if os.environ.get("RANK", "0") != "0":  # under torchrun one process speaks for all
        striate.train(source, out=out, task=task, resume=resume, overwrite=overwrite, **wishes)
        return 0
    ended: list[Finished] = []
    with listener(output) as listen:

        def tell(event: Event) -> None:
            listen(event)
            ended.extend([event] if isinstance(event, Finished) else [])

        model = striate.train(
            source, out=out, task=task, resume=resume, overwrite=overwrite, on_event=tell, **wishes
        )
        if json and not ended:  # a run that is finished already has nothing to tell
            listen(Finished(str(out), model.header.metrics, 0.0))
    if not json:
        conclude(output, model, str(out))
    return 0


def compares(task: str, wishes: Mapping[str, Any]) -> bool:
    """Whether several models, or several sizes, are asked for rather than one."""
    model = str(wishes.get(choice_of(task), ""))
    return model == "compare" or "," in model or wishes.get("size") == "compare"


def choice_of(task: str) -> str:
    """The setting by which the models of `task` differ."""
    from striate.verbs.comparing.ladder import CHOICES

    return CHOICES.get(task, "model")


def compared(
    output: Output,
    source: str,
    out: Path,
    task: str,
    resume: bool,
    overwrite: bool,
    wishes: dict[str, Any],
) -> int:
    """Train all, and show them side by side."""
    import striate

    choice = choice_of(task)
    sizes, model = wishes.get("size") == "compare", str(wishes.get(choice, ""))
    several = [part.strip() for part in model.split(",")] if "," in model else []
    if not sizes or model == "compare":
        wishes = {name: value for name, value in wishes.items() if name != choice}
    with listener(output) as listen:
        found = striate.compare(
            source,
            out=out,
            task=task,
            models=several,
            sizes=sizes,
            resume=resume,
            overwrite=overwrite,
            on_event=listen,
            **wishes,
        )
    if output.json:
        output.line(found.to_dict())
        return 0
    output.listing(f"By {found.metric}", [(line, "") for line in side_by_side(found)], style="bold")
    output.facts("Next", [("Look at them side by side", f"{out}/compare.html")], talk=True)
    return 0


def side_by_side(found: Comparison) -> list[str]:
    """A line a rung, in columns."""
    from striate.verbs.comparing.page import score_text

    rows = [("", found.metric, "training", "size", "latency")]
    for one in found.rungs:
        if one.score is None:
            rows.append((one.name, f"left out: {one.reason}", "", "", ""))
            continue
        numbers = (f"{one.train_s:.0f} s", f"{one.size_mb:.3g} MB", f"{one.latency_ms:.2f} ms")
        rows.append((one.name, score_text(one, found.metric), *numbers))
    whole = [row for row in rows if row[2]]
    widths = [max(len(row[column]) for row in whole) for column in range(5)]
    widths[0] = max(len(row[0]) for row in rows)
    lines = []
    for row in rows:
        left = f"{row[0]:<{widths[0]}}  {row[1]:<{widths[1] if row[2] else 0}}"
        right = "  ".join(f"{cell:>{width}}" for cell, width in zip(row[2:], widths[2:], strict=True))
        lines.append(f"{left}  {right}".rstrip() if row[2] else left)
    return lines


def make_train(words: Sequence[str]) -> Callable[..., int]:
    """`train` with the flags of the task that `--task` names among `words`."""
    task = task_named_in(words)
    flags = [
        *flags_of(task_type(task).config_type, Group.create_ordered(f"The task: {task}")),
        *flags_of(TrainSettings, Group.create_ordered("Training")),
        *flags_of(AugmentSettings, Group.create_ordered("Augmentation")),
    ]
    return with_flags(train, flags, choices={"task": task_names()})


def task_named_in(words: Sequence[str]) -> str:
    """The value of `--task` in `words`, read before they are parsed: the other flags depend on it.

    >>> task_named_in(["photos", "--task", "regress"]), task_named_in(["--task=regress"])
    ('regress', 'regress')
    """
    for number, word in enumerate(words):
        if word == "--":
            break
        if word == "--task" and number + 1 < len(words):
            return words[number + 1]
        if word.startswith("--task="):
            return word.removeprefix("--task=")
    return _DEFAULT_TASK


def conclude(output: Output, model: Model, out: str) -> None:
    """The few numbers that matter, and where to look next."""
    from striate.runs.commands import next_commands

    metrics = model.header.metrics
    split = next((name for name in ("test", "validation") if name in metrics), None)
    if split is not None:
        output.facts(f"On {split} pictures", model.task.summary(metrics[split]))
    report = ("Look at the report", f"{out}/report.html")
    output.facts("Next", [report, *next_commands(out)], talk=True)
