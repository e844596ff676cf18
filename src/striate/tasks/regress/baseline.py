"""How numbers are learnt on hand-made features: standardised columns, a sine and a cosine an angle."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, final

import numpy as np

from striate.baselines.contract import Baseline
from striate.baselines.truth import Kind, Truth
from striate.features.vectors.writer import GraphWriter
from striate.settings import Settings
from striate.task import Task
from striate.tasks.regress.config import RegressFacts
from striate.tasks.regress.data import Values
from striate.tasks.regress.task import Regress

__all__ = ["BASELINE", "RegressBaseline"]

_TINY = 1e-6


@final
class RegressBaseline(Baseline[Values]):
    """Numbers in the targets' own units. No spread is told: intervals are equally wide everywhere."""

    def __init__(self, task: Task[Values, Any]) -> None:
        super().__init__(task)
        assert isinstance(task, Regress)
        self.known: RegressFacts = task.facts

    @classmethod
    def kind_of(cls, config: Settings) -> Kind:
        return "columns"

    @property
    def channels(self) -> int:
        return self.known.channels

    def truth(self, targets: Sequence[Values]) -> Truth:
        values = np.asarray(targets, np.float64).reshape(len(targets), len(self.known.names))
        columns: list[np.ndarray[Any, Any]] = []
        for index, angle in enumerate(self.known.is_angle):
            if angle:
                radians = np.deg2rad(values[:, index])
                columns += [np.sin(radians), np.cos(radians)]
            else:
                columns.append((values[:, index] - self.known.mean[index]) / self.known.scale[index])
        made = np.stack(columns, axis=1).astype(np.float32)
        return Truth("columns", made, made.shape[1], np.ones(len(made)))

    def write(self, graph: GraphWriter, scores: str) -> Mapping[str, int]:
        found, at = [], 0
        for index, angle in enumerate(self.known.is_angle):
            column = graph.cut(scores, 1, at, at + 1)
            if angle:
                found.append(_degrees(graph, column, graph.cut(scores, 1, at + 1, at + 2)))
            else:
                scaled = graph.combine("Mul", column, float(self.known.scale[index]))
                found.append(graph.combine("Add", scaled, float(self.known.mean[index])))
            at += 2 if angle else 1
        graph.add("Identity", [graph.join(found, 1)], name="values")
        return {"values": len(self.known.names)}


def _degrees(graph: GraphWriter, sine: str, cosine: str) -> str:
    """atan2 in degrees; the operators have only atan."""
    none = graph.add("Cast", [graph.combine("Equal", cosine, 0.0)], {"to": 1})
    safe = graph.combine("Add", cosine, graph.combine("Mul", none, _TINY))
    angle = graph.add("Atan", [graph.combine("Div", sine, safe)])
    behind = graph.add("Cast", [graph.combine("Less", safe, 0.0)], {"to": 1})
    below = graph.add("Cast", [graph.combine("Less", sine, 0.0)], {"to": 1})
    side = graph.combine("Sub", graph.constant(1.0), graph.combine("Mul", below, 2.0))
    turned = graph.combine("Mul", graph.combine("Mul", behind, side), math.pi)
    return graph.combine("Mul", graph.combine("Add", angle, turned), 180.0 / math.pi)


BASELINE = RegressBaseline
