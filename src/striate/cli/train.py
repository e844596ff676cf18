"""`striate train`: its flags are the fields of the settings, so a new task needs no change here."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from cyclopts import Group

from striate.cli.flags import flags_of
from striate.cli.output import Output
from striate.cli.progress import listener
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

    output = Output(json=json)
    given = {name: value for name, value in settings.items() if value is not None}
    with listener(output) as listen:
        model = striate.train(
            source, out=out, task=task, resume=resume, overwrite=overwrite, on_event=listen, **given
        )
    if not json:
        conclude(output, model, str(out))
    return 0


def make_train(words: Sequence[str]) -> Callable[..., int]:
    """`train` with the flags of the task that `--task` names among `words`."""
    task = task_named_in(words)
    config = task_type(task).config_type  # an unknown task is refused here

    @wraps(train)
    def command(*arguments: Any, **flags: Any) -> int:
        return train(*arguments, **flags)

    own = [
        one.replace(annotation=Literal[tuple(task_names())]) if one.name == "task" else one
        for one in inspect.signature(train, eval_str=True).parameters.values()
        if one.kind is not inspect.Parameter.VAR_KEYWORD
    ]
    signature = inspect.Signature(
        [
            *own,
            *flags_of(config, Group.create_ordered(f"The task: {task}")),
            *flags_of(TrainSettings, Group.create_ordered("Training")),
            *flags_of(AugmentSettings, Group.create_ordered("Augmentation")),
        ]
    )
    command.__signature__ = signature  # type: ignore[attr-defined]
    command.__annotations__ = {name: one.annotation for name, one in signature.parameters.items()}
    return command


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
    metrics = model.header.metrics
    split = next((name for name in ("test", "validation") if name in metrics), None)
    if split is not None:
        output.facts(f"On {split} pictures", model.task.summary(metrics[split]))
    after = [
        ("look", f"{out}/report.html"),
        ("use", f"striate predict {out} PICTURES"),
        ("measure", f"striate evaluate {out} DATA"),
    ]
    output.facts("Next", after, talk=True)
