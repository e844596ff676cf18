"""The contract of a task, for learners on hand-made features; the counterpart of `nn.recipe`."""

from __future__ import annotations

import importlib
import importlib.util
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Generic, TypeVar

from striate.baselines.truth import Kind, Truth
from striate.features.vectors.writer import GraphWriter
from striate.settings import Settings
from striate.task import Task

__all__ = ["Baseline", "baseline_for", "baseline_type"]

Target = TypeVar("Target")


class Baseline(ABC, Generic[Target]):
    """How a task's truths are learnt. Abstract here, final in `tasks/<name>/baseline.py`."""

    def __init__(self, task: Task[Target, Any]) -> None:
        self.task = task

    @classmethod
    @abstractmethod
    def kind_of(cls, config: Settings) -> Kind:
        """What is learnt with the task's settings `config`."""

    @property
    @abstractmethod
    def channels(self) -> int:
        """1 if the pictures are grey, else 3."""

    @abstractmethod
    def truth(self, targets: Sequence[Target]) -> Truth:
        """`targets` as numbers."""

    @abstractmethod
    def write(self, graph: GraphWriter, scores: str) -> Mapping[str, int]:
        """Add what makes the graph's outputs of `scores` (B, K): {output: columns}."""


def baseline_type(task: str) -> type[Baseline[Any]] | None:
    """The baseline in the folder of the task called `task`; None where it has none."""
    name = f"striate.tasks.{task}.baseline"
    if importlib.util.find_spec(name) is None:
        return None
    found: type[Baseline[Any]] = importlib.import_module(name).BASELINE
    return found


def baseline_for(task: Task[Any, Any]) -> Baseline[Any]:
    """The baseline of `task`, which has one."""
    found = baseline_type(task.name)
    assert found is not None, f"{task.name} has no baseline"
    return found(task)
