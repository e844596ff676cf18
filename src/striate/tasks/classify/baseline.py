"""How a classifier is learnt on hand-made features: its scores are logits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, final

import numpy as np

from striate.baselines.contract import Baseline
from striate.baselines.truth import Kind, Truth
from striate.features.vectors.writer import GraphWriter
from striate.settings import Settings
from striate.task import Task
from striate.tasks.classify.config import ClassifyConfig, ClassifyFacts
from striate.tasks.classify.data import Labels, encode
from striate.tasks.classify.task import Classify

__all__ = ["BASELINE", "ClassifyBaseline"]


@final
class ClassifyBaseline(Baseline[Labels]):
    """Softmax of logits at the temperature, or a sigmoid a label."""

    def __init__(self, task: Task[Labels, Any]) -> None:
        super().__init__(task)
        assert isinstance(task, Classify)
        self.known: ClassifyFacts = task.facts

    @classmethod
    def kind_of(cls, config: Settings) -> Kind:
        assert isinstance(config, ClassifyConfig)
        return "labels" if config.multi_label else "classes"

    @property
    def channels(self) -> int:
        return self.known.channels

    def truth(self, targets: Sequence[Labels]) -> Truth:
        values = np.asarray(encode(targets, self.known.names, multi_label=self.known.multi_label))
        values = values.astype(np.int64)
        weights = np.ones(len(values))
        if self.known.class_weights:
            each = np.asarray(self.known.class_weights)
            weights = each[values] if values.ndim == 1 else np.where(values > 0, each, 1.0).mean(axis=1)
        return Truth(self.kind_of(self.task.config), values, len(self.known.names), weights)

    def write(self, graph: GraphWriter, scores: str) -> Mapping[str, int]:
        logits = graph.add("Identity", [scores], name="logits")
        scaled = graph.combine("Mul", logits, 1.0 / self.known.temperature)
        if self.known.multi_label:
            graph.add("Sigmoid", [scaled], name="probabilities")
        else:
            graph.add("Softmax", [scaled], {"axis": 1}, name="probabilities")
        return {"logits": len(self.known.names), "probabilities": len(self.known.names)}


BASELINE = ClassifyBaseline
