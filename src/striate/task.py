"""The contract of a task, use half: what the engine, the runs and the surfaces know of it.

A task is its settings (what the user chose) and its facts (what was learnt from the data: class
names, input size, temperature …). Facts are frozen; learning more gives a new task. Both are
written to `run.toml` and are all that is needed, with the graphs, to use a run.
"""

from __future__ import annotations

import importlib
import pkgutil
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Generic, Protocol, Self, TypeVar, final

import numpy as np

from striate.data.dataset import Dataset
from striate.errors import UnknownNameError
from striate.figures import Section
from striate.graphs import Graphs
from striate.settings import Settings
from striate.types import Array, Picture, PictureArray, Prepared, SizeHW

__all__ = ["Aim", "Evidence", "Meter", "Result", "Task", "task_names", "task_type"]

Target = TypeVar("Target")
TargetIn = TypeVar("TargetIn", contravariant=True)
Prediction = TypeVar("Prediction", bound="Result")
PredictionIn = TypeVar("PredictionIn", contravariant=True)


class Result(Protocol):
    """What a task answers for one picture: a frozen dataclass in original pixels."""

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready, with the keys that the command line prints."""
        ...


class Meter(Protocol[PredictionIn, TargetIn]):
    """Collects predictions and truths, computes metrics once. Pure NumPy."""

    def update(self, predictions: Sequence[PredictionIn], targets: Sequence[TargetIn]) -> None: ...

    def compute(self) -> dict[str, Any]:
        """JSON-ready metrics; intervals are [low, high]."""
        ...


@dataclass(frozen=True, slots=True)
class Aim:
    """What of an answer is asked "why?" of: a class, a number, or an object.

    `name`: it in words. `index`: which class or number, in the order of the graph's outputs. `value`:
    what the answer says of it (probability, number, score), `shown` the same for people. `unit`: what
    a change of the number is measured by. `box_xyxy`: of an object, in input pixels. `either_way`:
    what lowers it explains it as much as what raises it, as with numbers.
    """

    name: str
    index: int
    value: float
    shown: str
    unit: float = 1.0
    box_xyxy: tuple[float, float, float, float] | None = None
    either_way: bool = False


@dataclass(frozen=True, slots=True)
class Evidence(Generic[Target, Prediction]):
    """What a report section is drawn from: an evaluated data set and how to see its pictures."""

    dataset: Dataset[Target]
    predictions: Sequence[Prediction]
    metrics: Mapping[str, Any]
    history: Sequence[Mapping[str, Any]] = field(default_factory=tuple)

    def picture(self, index: int, at_least_hw: SizeHW = (160, 160)) -> Picture:
        """The picture of record `index`, decoded small."""
        return self.dataset.records[index].origin.read(at_least_hw)


class Task(ABC, Generic[Target, Prediction]):
    """One thing that can be learnt from pictures. Abstract here, final in `tasks/<name>/task.py`."""

    name: ClassVar[str]
    config_type: ClassVar[type[Settings]]
    facts_type: ClassVar[type[Settings]]
    headline: ClassVar[str]
    """The metric by which epochs are compared, a key of `Meter.compute()`."""
    headline_mode: ClassVar[str]
    """"max" or "min"."""
    placed: ClassVar[bool] = False
    """Whether targets and answers say where in the picture something is."""

    def __init__(self, config: Settings, facts: Settings | None = None) -> None:
        self.config = config
        self._facts = facts

    # -- reading ------------------------------------------------------------------------------

    @abstractmethod
    def read(self, source: Path | str) -> Dataset[Target]:
        """The data set at `source` (a folder, a table, the name of an embedded set)."""

    @abstractmethod
    def learn(self, train: Dataset[Target]) -> Self:
        """A task that knows what the training records tell: class names, input size, scales."""

    @abstractmethod
    def align(self, dataset: Dataset[Target]) -> Dataset[Target]:
        """`dataset` with its targets in this task's terms (its class order); errors name strangers."""

    # -- using --------------------------------------------------------------------------------

    @property
    @abstractmethod
    def input_hw(self) -> SizeHW:
        """Height and width of the network input, pixels."""

    @property
    @abstractmethod
    def read_at_least_hw(self) -> SizeHW | None:
        """The smallest decoded size that `prepare` needs; None for full size."""

    @abstractmethod
    def prepare(self, picture: Picture) -> Prepared:
        """The network input for `picture`, and how to undo it."""

    @abstractmethod
    def decode(self, outputs: Mapping[str, Array], prepared: Sequence[Prepared]) -> list[Prediction]:
        """Answers, in original pixels, from the outputs of the graph `main` (B on axis 0)."""

    @abstractmethod
    def calibrate(
        self, outputs: Mapping[str, Array], targets: Sequence[Target], prepared: Sequence[Prepared]
    ) -> Self:
        """A task whose scores are honest, given raw outputs, truths and pictures of the validation
        set.
        """

    def differences(self, own: Mapping[str, Array], answers: Mapping[str, Array]) -> dict[str, float]:
        """How far a graph's outputs (B, …) are from those that they should equal, by output.

        Relative to the largest value where that exceeds 1.
        """
        found = {}
        for name, expected in own.items():
            scale = max(1.0, float(np.abs(expected).max(initial=0.0)))
            found[name] = float(np.abs(expected - answers[name]).max(initial=0.0)) / scale
        return found

    @abstractmethod
    def meter(self, *, full: bool = True) -> Meter[Prediction, Target]:
        """Collects and measures; without `full`, only what is compared after each epoch."""

    @abstractmethod
    def render(self, picture: Picture, prediction: Prediction) -> Picture:
        """`picture` with the answer drawn on it."""

    @abstractmethod
    def sections(self, evidence: Evidence[Target, Prediction]) -> list[Section]:
        """What a report shows of an evaluation."""

    @abstractmethod
    def summary(self, metrics: Mapping[str, Any]) -> list[tuple[str, str]]:
        """The few metrics that a person reads first: (name, formatted value)."""

    @abstractmethod
    def aim(self, prediction: Prediction, prepared: Prepared, wish: str = "") -> Aim | None:
        """What to explain of an answer: `wish` as the user named it, by default what it is surest of.

        None where there is nothing, such as no object. A `UsageError` lists what could be wished.
        """

    @abstractmethod
    def pull(self, outputs: Mapping[str, Array], aims: Sequence[Aim]) -> Array:
        """How much of each aim the outputs (B, …) of the graph `main` hold: float64 (B,), 0 to 1."""

    def moved(self, target: Target, prepared: Prepared, move: Callable[[Array], Array]) -> Target:
        """The truth of a picture whose places were moved: of itself the same, as that of classes is.

        `move`: where points float64 (N, 2), (x, y) in pixels of the input that `prepared` is, now lie.
        Numbers stay, too: what they mean is not known here. An angle or a length that is read off the
        picture changes as it is turned or scaled, and must not be judged under such a move.
        """
        del prepared, move
        return target

    @property
    def facts(self) -> Settings:
        """What was learnt; only a task that went through `learn` has it."""
        assert self._facts is not None, "task used before learn()"
        return self._facts

    @final
    def raw(self, graphs: Graphs, prepared: Sequence[Prepared]) -> dict[str, Array]:
        """Outputs of the graph `main` for a batch."""
        return graphs["main"](self.feeds(np.stack([one.pixels for one in prepared])))

    def feeds(self, pixels: PictureArray) -> Mapping[str, Array]:
        """The inputs of the graph `main` for prepared pictures uint8 (B, h, w, 3)."""
        return {"pictures": pixels}

    @final
    def predict(self, graphs: Graphs, pictures: Sequence[Picture]) -> list[Prediction]:
        """prepare → graph → decode: the one path, in training and in use."""
        if not pictures:
            return []
        prepared = [self.prepare(picture) for picture in pictures]
        return self.decode(self.raw(graphs, prepared), prepared)


def task_names() -> list[str]:
    """The tasks that exist: the folders of `striate.tasks`."""
    # by name, not by import: this floor lies below the tasks
    folders = importlib.import_module("striate.tasks").__path__
    return sorted(module.name for module in pkgutil.iter_modules(folders) if module.ispkg)


def task_type(name: str) -> type[Task[Any, Any]]:
    """The task called `name`; an unknown name lists the choices."""
    if name not in task_names():
        raise UnknownNameError("task", name, task_names())
    found: type[Task[Any, Any]] = importlib.import_module(f"striate.tasks.{name}.task").TASK
    return found
