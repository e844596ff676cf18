"""The contract of a task, for learners on hand-made features; the counterpart of `nn.recipe`."""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Generic, TypeVar

from striate.baselines.truth import Kind, Truth
from striate.features.vectors.writer import GraphWriter
from striate.task import Task

__all__ = ["Baseline", "baseline_for"]

Target = TypeVar("Target")


class Baseline(ABC, Generic[Target]):
    """How a task's truths are learnt. Abstract here, final in `tasks/<name>/baseline.py`."""

    def __init__(self, task: Task[Target, Any]) -> None:
        self.task = task

    @property
    @abstractmethod
    def kind(self) -> Kind:
        """What is learnt."""

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


def baseline_for(task: Task[Any, Any]) -> Baseline[Any]:
    """The baseline of `task`, from its folder."""
    found: Baseline[Any] = importlib.import_module(f"striate.tasks.{task.name}.baseline").BASELINE(task)
    return found
