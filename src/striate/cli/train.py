"""`striate train`: its flags are the fields of the settings, so a new task needs no change here."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
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
