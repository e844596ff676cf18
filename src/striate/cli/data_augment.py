"""`striate data augment`: see what augmentation does to your pictures, and measure what it is worth."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
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
from striate.pictures.write import WRITABLE_SUFFIXES
from striate.task import task_names, task_type

if TYPE_CHECKING:
    from striate.verbs.ablate import Ablation
    from striate.verbs.data.augment import Preview

__all__ = ["augment", "make_augment"]

_AUTO = "auto"
_PICTURES, _VARIANTS, _SEEDS = 5, 6, 3
_FILES = (".html", ".htm", *WRITABLE_SUFFIXES)
_NOT_FLAGS = {"seed", "time_budget"}
"""Of training: an ablation has seeds, and one budget for everything."""


def augment(
    source: str,
    /,
    *,
    out: Path,
    task: str = _AUTO,
    pictures: int = _PICTURES,
    variants: int = _VARIANTS,
    seed: int = 0,
    ablate: bool = False,
    time_budget: str | None = None,
    seeds: int = _SEEDS,
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
        source: A data set as for striate train; for a sheet also any folder of pictures, one picture or
            a pattern: it needs no labels, and draws those that are there.
        out: The sheet to write, .png (or another picture format) or .html; with --ablate a folder.
        task: What is learnt; further flags depend on it. auto takes what the labels are for, with
            --ablate classify.
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
    shown = {"pictures": pictures != _PICTURES, "variants": variants != _VARIANTS, "seed": seed != 0}
    trained = {
        "time_budget": time_budget is not None, "only": bool(only), "seeds": seeds != _SEEDS,
        "added_only": added_only, **dict.fromkeys(set(wishes) & set(TrainSettings.model_fields), True),
    }  # fmt: skip
    _check_flags(shown if ablate else trained, ablate=ablate)
    if ablate:
        return _ablated(
            output, source, out, _named(task), wishes, time_budget=time_budget, seeds=seeds,
            only=only, leave_out=not added_only, overwrite=overwrite,
        )  # fmt: skip
    return _shown(
        output, source, out, None if task == _AUTO else task, wishes, pictures=pictures,
        variants=variants, seed=seed, overwrite=overwrite,
    )  # fmt: skip


def _check_flags(typed: Mapping[str, bool], *, ablate: bool) -> None:
    """Nothing that was typed is passed over: a `UsageError` for flags of the other way."""
    foreign = [f"--{name.replace('_', '-')}" for name in sorted(typed) if typed[name]]
    if not foreign:
        return
    one = len(foreign) == 1
    raise UsageError(
        f"{' and '.join(foreign)} {'is' if one else 'are'} for "
        + ("a sheet, and --ablate draws none" if ablate else "--ablate: a sheet trains nothing"),
        remedy=f"leave {'it' if one else 'them'} out" + ("" if ablate else ", or add --ablate"),
    )


def _shown(
    output: Output,
    source: str,
    out: Path,
    task: str | None,
    wishes: dict[str, Any],
    *,
    pictures: int,
    variants: int,
    seed: int,
    overwrite: bool,
) -> int:
    # by name: pictures are varied by torch, which the use half never reaches
    verb = importlib.import_module("striate.verbs.data.augment")

    verb.sheet_file(out, overwrite=overwrite)
    found: Preview = verb.augment(
        source, task=task, pictures=pictures, variants=variants, seed=seed, **wishes
    )
    path = found.save(out, overwrite=overwrite)
    if output.json:
        output.line({**found.to_dict(), "out": str(path)})
        return 0
    for note in found.notes:
        output.say(note, style="yellow")
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
    if out.suffix.lower() in _FILES or out.is_file():
        raise UsageError(f"--out {out} names a file", expected="with --ablate, a folder for its results")
    names = [part.strip() for text in only or () for part in text.split(",") if part.strip()]
    candidates = verb.candidates_named(names, task)
    lab = importlib.import_module("striate.verbs.data.augment")
    for one in candidates.values():
        lab.check_settings(task, {**wishes, **one})
    if time_budget is not None or "epochs" in wishes:  # else that is what is wrong
        lab.check_trainable(source, task, wishes)
    with listener(output) as listen:
        found: Ablation = verb.ablate(
            source,
            out=out,
            task=task,
            candidates=candidates,
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


def _named(task: str) -> str:
    return "classify" if task == _AUTO else task


def make_augment(words: Sequence[str]) -> Callable[..., int]:
    """`augment` with the flags of the task that `--task` names among `words`."""
    task = _named(task_named_in(words))
    flags = [
        *flags_of(AugmentSettings, Group.create_ordered("Augmentation")),
        *flags_of(task_type(task).config_type, Group.create_ordered(f"The task: {task}")),
        *flags_of(TrainSettings, Group.create_ordered("Training, with --ablate")),
    ]
    own = [flag for flag in flags if flag.name not in _NOT_FLAGS]
    return with_flags(augment, own, choices={"task": (_AUTO, *task_names())})
