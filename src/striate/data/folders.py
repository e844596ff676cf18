"""Class folders: one folder a class, with or without split folders above them.

    cat/1.jpg  dog/2.jpg                       or    train/cat/1.jpg  val/dog/2.jpg  test/…

A folder is a split only by its name (`naming.SPLIT_WORDS`, any case) and only at the top. Pictures in
folders below a class folder belong to that class.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from striate.data.dataset import Dataset, Record
from striate.data.naming import class_name, ordered, split_of, synset_names
from striate.data.origins import FileOrigin
from striate.data.walk import Tree, kinds_seen
from striate.errors import LayoutError
from striate.pictures.formats import is_picture_name
from striate.pictures.sources import shown_name
from striate.types import Problem, Split

__all__ = ["class_folders", "read_folders"]


@dataclass(frozen=True, slots=True)
class _Plan:
    """Which keys are pictures of which class folder; `depth` is that of the class folder's name."""

    depth: int
    splits: Mapping[str, Split]
    placed: Sequence[tuple[str, str]]  # (key, class folder)
    loose: Sequence[str]
    outside: Mapping[str, Sequence[str]]


def class_folders(tree: Tree) -> tuple[str, ...]:
    """The class folders that a reading of `tree` would find, sorted; none if it holds no such layout."""
    plan = _plan(tree)
    return tuple(sorted({folder for _, folder in plan.placed})) if plan else ()


def read_folders(tree: Tree) -> Dataset[tuple[str, ...]]:
    """The pictures in class folders, each with its class; a `LayoutError` if there are none."""
    plan = _plan(tree)
    if plan is None or not plan.placed:
        raise _not_class_folders(tree)
    folders = {folder for _, folder in plan.placed}
    readable = synset_names(folders, tree.root)
    names = {folder: readable.get(folder, class_name(folder)) for folder in folders}
    targets: dict[str, tuple[str, ...]] = {name: (name,) for name in names.values()}  # shared
    records = tuple(
        Record(key, FileOrigin(tree.path(key)), targets[names[folder]], plan.splits.get(_part(key, 0)))
        for key, folder in plan.placed
    )
    problems = (*tree.problems, *_left_out(tree, plan), *_twins(names))
    tops = ", ".join(f"{shown_name(top)}/" for top in sorted(plan.splits))
    layout = f"class folders with {tops}" if plan.depth else "class folders"
    return Dataset(records, ordered(targets), tree.root, layout, problems)


def _plan(tree: Tree) -> _Plan | None:
    pictures = [key for key in tree.files if is_picture_name(key)]
    by_top: dict[str, list[str]] = defaultdict(list)
    for key in pictures:
        if "/" in key:
            by_top[_part(key, 0)].append(key)
    if not by_top:
        return None
    loose = [key for key in pictures if "/" not in key]
    splits = _split_folders(by_top)
    if splits is None:
        return None
    if not splits:
        placed = [(key, top) for top, keys in by_top.items() for key in keys]
        return _Plan(0, {}, placed, loose, {})
    inside = [key for top in splits for key in by_top[top]]
    placed = [(key, _part(key, 1)) for key in inside if key.count("/") > 1]
    loose += [key for key in inside if key.count("/") == 1]
    outside = {top: keys for top, keys in by_top.items() if top not in splits}
    return _Plan(1, splits, placed, loose, outside)


def _split_folders(by_top: Mapping[str, Sequence[str]]) -> dict[str, Split] | None:
    """The top folders that are splits; empty if the top folders are classes; None if neither.

    Beside other folders, "train" is taken for a split only if two or more class folders lie in it:
    otherwise it is a class (a railway) among classes.
    """
    splits = {top: split for top in by_top if (split := split_of(top))}
    classes = {top: {_part(key, 1) for key in by_top[top] if key.count("/") > 1} for top in splits}
    if len(splits) == len(by_top):
        return splits if any(classes.values()) else None
    return splits if any(len(found) > 1 for found in classes.values()) else {}


def _part(key: str, index: int) -> str:
    return key.split("/", index + 1)[index]


def _left_out(tree: Tree, plan: _Plan) -> list[Problem]:
    """Everything in the folder that is no record, each with the reason."""
    problems = []
    for top, keys in sorted(plan.outside.items()):
        reason = f"{len(keys)} pictures lie outside the split folders and were left out"
        repair = "move them into a split folder, or away"
        problems.append(Problem("outside-splits", "warning", top, reason, repair, others=tuple(keys)))
    if plan.loose:
        reason = f"{len(plan.loose)} pictures lie in no class folder and were left out"
        repair = "move them into the folder of their class"
        problems.append(_about("loose-picture", "warning", plan.loose, reason, repair))
    others = [key for key in tree.files if key.count("/") > plan.depth and not is_picture_name(key)]
    if others:  # a README beside the class folders is nobody's picture
        reason = f"{len(others)} files are no pictures by their ending ({kinds_seen(others)})"
        problems.append(_about("not-a-picture", "note", others, reason, "nothing, or convert them"))
    full = {"/".join(key.split("/")[: plan.depth + 1]) for key, _ in plan.placed}
    for folder in tree.folders:
        at_depth = folder.count("/") == plan.depth and (
            not plan.depth or _part(folder, 0) in plan.splits
        )
        if at_depth and folder not in full:
            reason, repair = "the folder holds no pictures; it is not a class here", "fill or remove it"
            problems.append(Problem("empty-class", "warning", folder, reason, repair))
    return problems


def _about(
    kind: str, severity: Literal["warning", "note"], keys: Sequence[str], reason: str, repair: str
) -> Problem:
    return Problem(kind, severity, keys[0], reason, repair, others=tuple(keys[1:]))


def _twins(names: Mapping[str, str]) -> list[Problem]:
    """Class folders that a person would take for one: equal but for an accent's encoding, or case."""
    encoded, cased = defaultdict(list), defaultdict(list)
    for folder, name in sorted(names.items()):
        encoded[name].append(folder)
    for name, folders in encoded.items():
        cased[name.casefold()].append(folders[0])
    same, repair = "are read as one class: their names differ only in their encoding", "rename a folder"
    case, merge = "are two classes: their names differ only in case", "rename or merge the folders"
    found = [_about("same-name", "note", group, same, repair) for group in encoded.values() if group[1:]]
    return found + [_about("case-twins", "warning", g, case, merge) for g in cased.values() if g[1:]]


def _not_class_folders(tree: Tree) -> LayoutError:
    tops = Counter(_part(key, 0) for key in tree.files if "/" in key and is_picture_name(key))
    if tops:
        held = ", ".join(f"{shown_name(top)}/ ({count} pictures)" for top, count in sorted(tops.items()))
        return LayoutError(
            f"{shown_name(tree.root)} has split folders without class folders in them: {held}",
            expected="train/CLASS/picture.jpg",
            remedy="sort the pictures into class folders, or add a table that says what each one shows",
        )
    return LayoutError(
        f"{shown_name(tree.root)} has no class folders; it holds {kinds_seen(tree.files)}",
        expected="class folders (CLASS/picture.jpg or train/CLASS/picture.jpg), a table (CSV, TSV, JSON "
        "lines), IDX files or CIFAR batches (binary version)",
        remedy=_first_repair(tree.problems),
    )


def _first_repair(problems: Iterable[Problem]) -> str:
    for problem in problems:
        return f"{shown_name(problem.key)}: {problem.reason}; {problem.repair}"
    return "sort the pictures into one folder a class"
