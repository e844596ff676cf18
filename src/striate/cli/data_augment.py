"""`striate data augment`: see what augmentation does to your pictures, and measure what it is worth."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Group, Parameter

from striate.cli.flags import flags_of, given, with_flags
from striate.cli.output import Output
from striate.cli.progress import listener
from striate.cli.train import task_named_in
from striate.engine.settings import TrainSettings
from striate.errors import UsageError
from striate.nn.augment.settings import AugmentSettings
from striate.task import task_names, task_type

if TYPE_CHECKING:
    from striate.verbs.ablate import Ablation
    from striate.verbs.data.augment import Preview

__all__ = ["augment", "make_augment"]

_NOT_FLAGS = {"seed", "time_budget"}
"""Of training: an ablation has seeds, and one budget for everything."""


def augment(
    source: str,
    /,
    *,
    out: Path,
    task: str = "classify",
    pictures: int = 5,
    variants: int = 6,
    seed: int = 0,
    ablate: bool = False,
    time_budget: str | None = None,
    seeds: int = 3,
    only: Annotated[list[str] | None, Parameter(metavar="NAMES", negative=())] = None,
    added_only: bool = False,
    overwrite: bool = False,
    json: bool = False,
    **settings: Any,
) -> int:
    """Show what augmentation makes of your pictures, or measure what it is worth.

    Draws a sheet: pictures as they are and as training would see them, their labels moved along. With
    --ablate, trains with each augmentation on and off instead and reports what each gains, with
    intervals; the same command goes on where it was cut off.

    Args:
        source: A folder, a table or the name of an embedded set, as for striate train.
        out: The sheet to write, .png or .html; with --ablate a folder.
        task: What is learnt; further flags depend on it.
        pictures: Rows of the sheet.
        variants: Versions of each picture.
        seed: Seed of which pictures are shown and how they are varied.
        ablate: Train with each augmentation on and off.
        time_budget: With --ablate: for everything, such as 20m; sets the epochs of each training.
        seeds: With --ablate: how many times each is trained.
        only: With --ablate: the augmentations to try, such as blur,mixup; by default all that suit.
        added_only: With --ablate: do not take the parts out of the preset as well.
        overwrite: Replace the sheet; with --ablate, what an earlier one made there.
        json: Write one JSON object.
    """
    output, wishes = Output(json=json), given(settings)
    if ablate:
        return _ablated(
            output, source, out, task, wishes, time_budget=time_budget, seeds=seeds, only=only,
            leave_out=not added_only, overwrite=overwrite,
        )  # fmt: skip
    if time_budget is not None or only:
        raise UsageError("--time-budget and --only are for --ablate", remedy="add --ablate")
    return _shown(
        output, source, out, task, wishes, pictures=pictures, variants=variants, seed=seed,
        overwrite=overwrite,
    )  # fmt: skip


def _shown(
    output: Output,
    source: str,
    out: Path,
    task: str,
    wishes: dict[str, Any],
    *,
    pictures: int,
    variants: int,
    seed: int,
    overwrite: bool,
) -> int:
    from striate.verbs.outputs import writable

    # by name: pictures are varied by torch, which the use half never reaches
    verb = importlib.import_module("striate.verbs.data.augment")

    writable(out, overwrite=overwrite)
    training = [name for name in wishes if name in TrainSettings.model_fields]
    if training:
        raise UsageError(
            f"--{training[0].replace('_', '-')} is of training, and a sheet trains nothing",
            remedy="add --ablate, or leave it out",
        )
    found: Preview = verb.augment(
        source, task=task, pictures=pictures, variants=variants, seed=seed, **wishes
    )
    path = found.save(out, overwrite=overwrite)
    if output.json:
        output.line({**found.to_dict(), "out": str(path)})
        return 0
    output.listing("What is done to the pictures", [(one, "") for one in found.words], style="bold")
    output.facts("Next", [("look", str(path))], talk=True)
    return 0


def _ablated(
    output: Output,
    source: str,
    out: Path,
    task: str,
    wishes: dict[str, Any],
    *,
    time_budget: str | None,
    seeds: int,
    only: Sequence[str] | None,
    leave_out: bool,
    overwrite: bool,
) -> int:
    verb = importlib.import_module("striate.verbs.ablate")
    on = [name for name in wishes if name in AugmentSettings.model_fields]
    if on:
        raise UsageError(
            f"--{on[0].replace('_', '-')} is an augmentation: an ablation tries each by itself",
            expected="--only with names of what to try",
        )
    if seeds < 1:
        raise UsageError(f"--seeds {seeds}", expected="at least 1, best 3 or more")
    names = [part.strip() for text in only or () for part in text.split(",") if part.strip()]
    with listener(output) as listen:
        found: Ablation = verb.ablate(
            source,
            out=out,
            task=task,
            candidates=verb.candidates_named(names, task),
            leave_out=leave_out,
            seeds=range(seeds),
            time_budget=time_budget,
            overwrite=overwrite,
            on_event=listen,
            **wishes,
        )
    page = out / verb.FILES[1]
    if output.json:
        output.line({**found.to_dict(), "report": str(page)})
        return 0
    output.listing("What each is worth", [(one, "") for one in found.statements()], style="bold")
    if found.limits():
        output.listing("What falls short", [(one, "") for one in found.limits()], style="bold")
    output.facts("Next", [("look", str(page))], talk=True)
    return 0


def make_augment(words: Sequence[str]) -> Callable[..., int]:
    """`augment` with the flags of the task that `--task` names among `words`."""
    task = task_named_in(words)
    flags = [
        *flags_of(AugmentSettings, Group.create_ordered("Augmentation")),
        *flags_of(task_type(task).config_type, Group.create_ordered(f"The task: {task}")),
        *flags_of(TrainSettings, Group.create_ordered("Training, with --ablate")),
    ]
    own = [flag for flag in flags if flag.name not in _NOT_FLAGS]
    return with_flags(augment, own, choices={"task": task_names()})
