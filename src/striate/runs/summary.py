"""The few numbers of a run that a person reads first, as its task puts them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from striate.errors import StriateError
from striate.runs.header import RunHeader
from striate.runs.markup import number
from striate.task import Task, task_type

__all__ = ["Summary", "headline_of", "shown_split", "summary_of"]

Summary: TypeAlias = Sequence[tuple[str, str]]
"""(name, formatted value, perhaps with its interval in brackets)."""


def shown_split(header: RunHeader) -> tuple[str, Mapping[str, Any]]:
    """The split whose metrics count, test before validation, and those metrics; ("", {}) for none."""
    for split in ("test", "validation", "train"):
        if header.metrics.get(split):
            return split, header.metrics[split]
    return "", {}


def summary_of(header: RunHeader, metrics: Mapping[str, Any]) -> Summary:
    """As the task puts it; where this striate does not know the task, the first plain numbers."""
    if not metrics:
        return []
    task = _task(header)
    if task is not None:
        return task.summary(metrics)
    plain = [(name, value) for name, value in metrics.items() if type(value) in (int, float)]
    return [(name.replace("_", " "), number(value)) for name, value in plain[:6]]


def headline_of(header: RunHeader) -> str:
    """The metric by which epochs were compared; "" if the task is unknown here."""
    task = _task(header)
    return "" if task is None else task.headline


def _task(header: RunHeader) -> Task[Any, Any] | None:
    try:
        kind = task_type(header.task)
        return kind(kind.config_type.parse(header.config), kind.facts_type.parse(header.facts))
    except StriateError:
        return None
