"""`striate stress`: what breaks a run, as a card; strange poses and attacks by flags of their own."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Group, Parameter

from striate.cli.bars import watched
from striate.cli.output import Output
from striate.cli.reporting import check_free, tell_problems, tell_report
from striate.cli.stress_card import card
from striate.errors import UsageError

if TYPE_CHECKING:
    from striate.stress.attacked import Attacked
    from striate.verbs.evaluate import SplitChoice

__all__ = ["stress"]

_POSES = Group("Strange poses", sort_key=2)
_ATTACK = Group("Attacks", sort_key=3)
_FIX = Group("Fix it", sort_key=1)


def stress(
    run: Path | None = None,
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
    up: Annotated[Literal["auto", "y", "z"], Parameter(group=_POSES)] = "auto",
    samples: Annotated[int, Parameter(group=_POSES)] = 2000,
    attack: Annotated[str | None, Parameter(metavar="NAME", group=_ATTACK)] = None,
    strengths: Annotated[str, Parameter(metavar="LIST", group=_ATTACK)] = "",
    steps: Annotated[int, Parameter(group=_ATTACK)] = 0,
    target: Annotated[str | None, Parameter(metavar="CLASS", group=_ATTACK)] = None,
    device: Annotated[str, Parameter(group=_ATTACK)] = "cpu",
) -> int:
    """Measure what breaks a run, and write it as a card.

    Pictures are changed step by step along some fifty axes: viewpoint, occlusion, light, background,
    shape, noise, blur, weather and files. For each there is a curve with its 95 % band, the knee at
    which the run surely loses, a verdict by a stated rule, and the worst cases as pictures. Truths that
    move with the picture, such as boxes, are moved.

    Args:
        run: Folder of a trained run, network or hand-made.
        data: A folder, a table or the name of an embedded set, as for striate evaluate.
        out: Also write card.html and card.json to this folder.
        split: What to measure; auto takes the test split, else the validation split, else everything.
        axes: Axes or families, separated by commas, hyphen or underscore; all by default. --list names
            them.
        severities: Which of the five, separated by commas.
        at_most: Of more pictures, take so many; 10000 by default, 500 of them for an attack.
        time_budget: Where all pictures would take longer than this, take fewer; "none" takes all.
        against: A second run on the same pictures: its curves beside, which of the two surely bears an
            axis better, and mCE relative to it.
        masks: A folder of masks, named as the pictures: white where the object is. For backgrounds.
        truth_stays: For runs that predict numbers: measure axes that move places, too, as if the numbers
            stayed true.
        seed: Seed of which pictures are taken, of the changes and of the intervals.
        threads: Processor cores to use; 0 takes all.
        listing: List the axes, and do nothing else.
        json: Write one JSON object with everything.
        overwrite: Replace an earlier card.
        fix: Try the advice at the end of the card: train with and without it for what the card leaves of
            the time budget (half of it at least), and measure the worst axis again.
        train: Training pictures for --fix; by default DATA, where the run was trained on it.
        poses: Instead, look for poses of this .obj file (or built-in solid) that fool the run.
        true: Its right class; by default its name, or what the run says of it unturned.
        background: A picture to stand it before.
        up: Which axis of the .obj file points upwards; auto takes y, as is usual.
        samples: Poses to draw at random; maps, the nearest pose (about 20 at least) and the searches
            cost at most as many again, each.
        attack: Instead, attack the run: fgsm, pgd, pgd-l2, one-pixel or patch.
        strengths: How strong, separated by commas.
        steps: Steps of the attack; 0 takes its own.
        target: The class that answers shall become.
        device: Where gradients are computed: cpu, cuda.
    """
    output = Output(json=json)
    if listing:
        return _list(output)
    if run is None:
        raise UsageError("no run was given", expected="striate stress RUN DATA, or --list alone")
    _check_flags("--poses" if poses is not None else "--attack" if attack is not None else "", {
        "data": data, "split": split, "axes": axes, "severities": severities, "at_most": at_most,
        "against": against, "masks": masks, "truth_stays": truth_stays, "fix": fix, "train": train,
        "true": true, "background": background, "up": up, "samples": samples, "attack": attack,
        "strengths": strengths, "steps": steps, "target": target, "device": device,
    })  # fmt: skip
    if train is not None and not fix:
        raise UsageError("--train says nothing without --fix", remedy="add --fix, or leave --train out")
    if poses is not None:
        return _poses(
            output, run, poses, out, true=true, samples=samples, background=background, up=up, seed=seed,
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
            time_budget=time_budget,
        )  # fmt: skip
    return card(
        output, run, data, out, split=split, axes=axes, severities=severities, at_most=at_most,
        time_budget=time_budget, against=against, masks=masks, truth_stays=truth_stays, seed=seed,
        threads=threads, overwrite=overwrite, fix=fix, train=train,
    )  # fmt: skip


_WAYS: Mapping[str, tuple[str, ...]] = {
    "data": ("", "--attack"),
    "split": ("", "--attack"),
    "at_most": ("", "--attack"),
    "axes": ("",),
    "severities": ("",),
    "against": ("",),
    "masks": ("",),
    "truth_stays": ("",),
    "fix": ("",),
    "train": ("",),
    "true": ("--poses",),
    "background": ("--poses",),
    "up": ("--poses",),
    "samples": ("--poses",),
    "attack": ("--attack",),
    "strengths": ("--attack",),
    "steps": ("--attack",),
    "target": ("--attack",),
    "device": ("--attack",),
}
"""Which flags belong to which ways of stress, "" being the card; the others belong to all."""


def _check_flags(way: str, typed: Mapping[str, object]) -> None:
    """Nothing that was typed is passed over: a `UsageError` for a flag of another way."""
    known = inspect.signature(stress).parameters
    for name, value in typed.items():
        if value != known[name].default and way not in _WAYS[name]:
            shown = "DATA" if name == "data" else f"--{name.replace('_', '-')}"
            belongs = next((one for one in _WAYS[name] if one), "")
            raise UsageError(
                f"{shown} says nothing {f'with {way}' if way else f'without {belongs}'}",
                remedy=f"leave {shown} out",
            )


def _list(output: Output) -> int:
    from striate.stress.registry import AXES, EXTRA, FAMILIES, name_of_family

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
                    "needs_redraw": axis.needs_redraw,
                    "source": axis.source,
                }
            )
        return 0
    for family in FAMILIES:
        rows = [
            (
                axis.name,
                f"{axis.title}; {', '.join(f'{one:g}' for one in axis.levels)} {axis.unit}"
                + ("; drawn sets only" if axis.needs_redraw else ""),
            )
            for axis in AXES.values()
            if axis.family == family
        ]
        output.facts(name_of_family(family), rows)
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
    up: Literal["auto", "y", "z"],
    seed: int,
    threads: int,
    overwrite: bool,
    time_budget: str,
) -> int:
    from striate.verbs.stress import poses as stress_poses

    check_free(out, stress_poses.FILES, overwrite=overwrite)
    output.say(stress_poses.share_of(samples).words)
    budget = None if time_budget == "none" else time_budget
    with watched(output) as listen:
        found = stress_poses.poses(
            run, mesh, true=true, samples=samples, time_budget=budget, background=background,
            up=None if up == "auto" else up, seed=seed, threads=threads,
            listen=lambda done, of: listen("turning it", done, of),
        )  # fmt: skip
    page = None if out is None else found.save(out, overwrite=overwrite)
    tell_report(output, f"Strange poses of {mesh}", found.statements, found.to_dict(), page)
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
    split: SplitChoice,
    at_most: int | None,
    seed: int,
    threads: int,
    device: str,
    overwrite: bool,
    time_budget: str,
) -> int:
    from striate.stress.attacked import FILES

    # by name: gradients need torch, which the use half never reaches
    verb = importlib.import_module("striate.verbs.stress.attack")
    check_free(out, FILES, overwrite=overwrite)
    with watched(output) as listen:
        found: Attacked = verb.attack(
            run, data, name, strengths=_floats(strengths), steps=steps, target=target, split=split,
            at_most=500 if at_most is None else at_most, seed=seed, threads=threads, device=device,
            time_budget=None if time_budget == "none" else time_budget, listen=listen,
        )  # fmt: skip
    page = None if out is None else found.save(out, overwrite=overwrite)
    title = f"{name} on {run.name}"
    tell_problems(output, found.problems)
    tell_report(output, title, found.statements, found.to_dict(), page, found.warnings)
    return 0


def _floats(text: str) -> list[float]:
    try:
        return [float(one) for one in text.split(",")] if text else []
    except ValueError:
        raise UsageError(f"strengths {text!r}", expected="numbers, separated by commas") from None
