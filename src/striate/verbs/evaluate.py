"""Measure a trained run on pictures whose answer is known, along the path of use."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any, Literal, TypeAlias

from striate.data.dataset import Dataset, Record
from striate.errors import DataError, PictureError, UnknownNameError, UsageError
from striate.runs.run import Run
from striate.task import Evidence, Result
from striate.types import SPLITS, Picture, Problem
from striate.verbs.model import FilePath, Model, load

__all__ = ["SPLIT_CHOICES", "Evaluation", "SplitChoice", "evaluate", "evaluate_model"]

SplitChoice: TypeAlias = Literal["auto", "train", "validation", "test", "all"]
SPLIT_CHOICES: tuple[SplitChoice, ...] = ("auto", *SPLITS, "all")

_LISTING = "data.json"


@dataclass(frozen=True, eq=False)
class Evaluation(Mapping[str, Any]):
    """What a model got right and wrong. Reads like a dictionary of its metrics.

    `metrics`: what the task's meter computed, JSON-ready. `split`: what was measured: "train",
    "validation", "test" or "all". `pictures`: how many. `seen_in_training`: how many of them the
    model was trained on, by content; None where the run does not list its pictures. `problems`: what
    was left out or looks wrong, and why. `evidence`: pictures, truths and answers, for a report.
    """

    metrics: Mapping[str, Any]
    split: str
    seen_in_training: int | None
    problems: tuple[Problem, ...]
    evidence: Evidence[Any, Any] = field(repr=False)
    model: Model = field(repr=False)

    def __getitem__(self, name: str) -> Any:
        return self.metrics[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.metrics)

    def __len__(self) -> int:
        return len(self.metrics)

    @property
    def pictures(self) -> int:
        """How many pictures were measured."""
        return len(self.evidence.dataset)

    def summary(self) -> list[tuple[str, str]]:
        """The few metrics that a person reads first: (name, formatted value)."""
        return self.model.task.summary(self.metrics)

    def _repr_html_(self) -> str:
        """A small table for notebooks; nothing is fetched."""
        rows = "".join(
            f'<tr><td style="text-align:left">{escape(name)}</td><td>{escape(value)}</td></tr>'
            for name, value in self.summary()
        )
        return f"<table>{rows}</table>"

    def to_dict(self) -> dict[str, Any]:
        """The line of `striate evaluate --json`."""
        return {
            "task": self.model.task.name,
            "split": self.split,
            "pictures": self.pictures,
            "seen_in_training": self.seen_in_training,
            "problems": [problem.to_dict() for problem in self.problems],
            **self.metrics,
        }

    def report(self, path: FilePath, *, overwrite: bool = False) -> Path:
        """Write the evaluation as a self-contained HTML page; its path."""
        from striate.runs.atomic import write_text
        from striate.runs.report import render_report
        from striate.verbs.outputs import writable

        target, measured = writable(path, overwrite=overwrite), self.evidence.dataset
        page = render_report(
            self.model.header,
            self.model.task.sections(self.evidence),
            (),
            self.problems,
            run=os.fspath(self.model.run.folder),
            summary=self.summary(),
            measured_on=f"{self.pictures} pictures of {measured.shown_root()} ({self.split})",
        )
        write_text(target, page)
        return target


def evaluate(
    run: FilePath | Run,
    source: FilePath,
    *,
    split: SplitChoice = "auto",
    unseen: bool = False,
    backend: Literal["onnxruntime", "openvino"] = "onnxruntime",
    threads: int = 0,
) -> Evaluation:
    """How good the trained run is on the data set `source`: a folder, a table or an embedded set.

    `split`: "auto" takes the test split, or else the validation split, or else everything. `unseen`
    leaves out what the run was trained on, which is told by content, wherever it lies. Raises
    `DataError` where nothing can be measured, and names labels that the run does not know.
    """
    model = load(run, backend=backend, threads=threads)
    return evaluate_model(model, source, split=split, unseen=unseen)


def evaluate_model(
    model: Model, source: FilePath, *, split: SplitChoice = "auto", unseen: bool = False
) -> Evaluation:
    """`evaluate` with a loaded model."""
    if split not in SPLIT_CHOICES:
        raise UnknownNameError("split", split, SPLIT_CHOICES)
    given = model.task.read(source if isinstance(source, str) else Path(source))
    chosen, name = _choose(given, split)
    trained = _trained_on(model.run)
    if unseen:
        chosen = _without(chosen, trained, model.run.name)
    aligned = model.task.align(chosen)
    measured, results, unreadable = _answers(model, aligned)
    if not results:
        raise DataError(
            f"not one of the {len(aligned)} pictures in {aligned.shown_root()} could be read",
            remedy=f"see what is wrong with: striate data check {source}",
        )
    meter = model.task.meter()
    meter.update(results, measured.targets)
    metrics = meter.compute()
    return Evaluation(
        metrics=metrics,
        split=name,
        seen_in_training=None if trained is None else sum(_are_in(trained, measured)),
        problems=(*given.problems, *unreadable),
        evidence=Evidence(measured, results, metrics),
        model=model,
    )


def _choose(dataset: Dataset[Any], split: SplitChoice) -> tuple[Dataset[Any], str]:
    """The records to measure, and what to call them."""
    if split == "auto":
        held = [name for name in ("test", "validation") if name in dataset.splits]
        split = held[0] if held else "all"
    return (dataset, "all") if split == "all" else (dataset.only(split), split)


def _answers(
    model: Model, dataset: Dataset[Any]
) -> tuple[Dataset[Any], list[Result], tuple[Problem, ...]]:
    """The records that could be read, their answers, and what became of the others."""
    size = model.task.read_at_least_hw

    def read(row: int) -> Picture:
        return dataset.records[row].origin.read(size)

    rows, results, problems = [], [], []
    for row, result, error in model.stream(range(len(dataset)), read):
        if error is None and result is not None:
            rows.append(row)
            results.append(result)
        elif error is not None:
            problems.append(_problem(dataset.records[row], error.reason, error.remedy))
    return dataset.take(rows), results, tuple(problems)


def _problem(record: Record[Any], reason: str, remedy: str) -> Problem:
    return Problem("unreadable", "error", record.key, reason, remedy)


def _trained_on(run: Run) -> frozenset[str] | None:
    """The content hashes of the run's training pictures; None if it does not list them."""
    if _LISTING not in run.files:
        return None
    listed = json.loads(run.file(_LISTING).read_bytes())["pictures"]
    return frozenset(row["sha256"] for row in listed if row["split"] == "train")


def _are_in(trained: frozenset[str], dataset: Dataset[Any]) -> list[bool]:
    """Whether each record is among `trained`; one that cannot be read is not."""
    found = []
    for record in dataset:
        try:
            found.append(record.origin.content_hash() in trained)
        except PictureError:
            found.append(False)
    return found


def _without(dataset: Dataset[Any], trained: frozenset[str] | None, run: str) -> Dataset[Any]:
    if trained is None:
        raise UsageError(
            f"run {run} does not list the pictures that it was trained on",
            remedy="leave out --unseen (unseen=True), and see to it yourself that the pictures are new",
        )
    rows = [row for row, seen in enumerate(_are_in(trained, dataset)) if not seen]
    if not rows:
        raise DataError(
            f"run {run} was trained on each of the {len(dataset)} pictures in {dataset.shown_root()}",
            expected="pictures that are new to it",
        )
    return dataset.take(rows)
