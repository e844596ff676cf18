"""What every task must do for learners on hand-made features: the counterpart of the train half's suite.

A task needs nothing here beyond its `<name>_examples.py`.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from striate.baselines.contract import Baseline, baseline_for, baseline_type
from striate.baselines.fitting import fit_extractor, write_graph
from striate.baselines.learners import LEARNING
from striate.baselines.names import LEARNERS
from striate.graphs import OnnxGraph
from striate.task import task_names, task_type
from striate.types import Prepared

SIZE = "12x9"


def examples_of(name: str) -> ModuleType:
    path = Path(__file__).with_name(f"{name}_examples.py")
    spec = importlib.util.spec_from_file_location(f"{path.stem}_baseline", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


CASES = [
    (name, variant)
    for name in filter(baseline_type, task_names())
    for variant in examples_of(name).VARIANTS
]


class Case:
    def __init__(self, name: str, variant: str, make_dataset: Any) -> None:
        self.examples = examples_of(name)
        kind = task_type(name)
        config = kind.config_type.parse(
            {**self.examples.VARIANTS[variant], "size": SIZE, "model": "pixels+forest"}
        )
        data = make_dataset(self.examples.targets(variant, 24), self.examples.names(variant))
        self.task = kind(config).learn(data)
        self.data = self.task.align(data)
        self.pixels = np.stack([self.task.prepare(r.origin.read()).pixels for r in self.data])
        self.baseline: Baseline[Any] = baseline_for(self.task)
        self.kind = self.baseline.kind_of(config)


@pytest.fixture(params=CASES, ids="-".join)
def case(request: pytest.FixtureRequest, make_dataset: Any) -> Case:
    return Case(*request.param, make_dataset)


def answers(case: Case, learner: str) -> list[Any]:
    """What the exported graph of a learner answers for the pictures that it was fitted to."""
    channels: Any = case.baseline.channels
    extractor = fit_extractor(("pixels",), case.pixels, channels, seed=0)
    vectors = extractor.vectors(case.pixels, on_progress=lambda done: None)
    truth = case.baseline.truth(case.data.targets)
    assert len(truth) == len(case.pixels)
    solution = LEARNING[learner](vectors, truth, vectors, truth, seed=0, done=lambda: False)
    graph = OnnxGraph(write_graph(extractor, solution, case.baseline, {}))
    prepared = [Prepared(one, (one.shape[0], one.shape[1])) for one in case.pixels]
    found: list[Any] = case.task.decode(graph({"pictures": case.pixels}), prepared)
    return found


def test_pictures_that_differ_are_learnt_by_heart(case: Case) -> None:
    learner = next(name for name, kinds in LEARNERS.items() if case.kind in kinds)
    meter = case.task.meter()
    meter.update(answers(case, learner), case.data.targets)
    metrics = meter.compute()
    untaught = case.task.meter()
    shuffled = list(np.roll(np.arange(len(case.data.targets)), 1))
    untaught.update(answers(case, learner), [case.data.targets[i] for i in shuffled])
    worse = untaught.compute()[case.task.headline]
    better = metrics[case.task.headline]
    assert better > worse if case.task.headline_mode == "max" else better < worse


def test_no_targets_are_no_truths(case: Case) -> None:
    truth = case.baseline.truth([])
    assert len(truth) == 0
    assert truth.kind == case.kind
    assert np.isnan(truth.loss(np.zeros((0, truth.outputs))))


def test_every_learner_of_the_kind_answers(case: Case) -> None:
    for learner, kinds in LEARNERS.items():
        if case.kind in kinds and learner in ("forest", "mlp"):
            found = answers(case, learner)
            assert len(found) == len(case.pixels)
            assert found[0].to_dict()
