"""A run as if it had learnt nothing: the same network with random weights, and its graph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from striate.gradients.question import Network
from striate.gradients.randomised import cascade
from striate.graphs import Graphs
from striate.nn.torch_graphs import TorchGraph
from striate.verbs.explain.why import Why
from striate.verbs.model import Model

__all__ = ["untrained"]


class Untrained(Model):
    """The same run with the graph of a network that learnt nothing."""

    def untrain(self, network: Network) -> None:
        self._graph = TorchGraph(network.recipe, network.module, device=torch.device("cpu"))

    def graphs(self, threads: int = 0) -> Graphs:
        return {"main": self._graph}


def untrained(model: Model, methods: Sequence[str], *, masks: int, threads: int = 0) -> Why:
    """What explains `model` with random weights, checked as if it were trained."""
    other = Untrained(model.run)
    why = Why.of(model, methods, (), layer=None, masks=masks, check=True, seed=1, threads=threads)
    assert why.side is not None
    blank: Any = np.zeros((32, 32, 3), np.uint8)
    first = model.task.prepare(blank)
    (answer,) = model.task.predict(model.graphs(threads), [blank])
    aim = model.task.aim(answer, first)
    assert aim is not None, "a network whose every answer can be asked about"
    question = why.side.ask(dict(model.task.feeds(first.pixels[None])), [aim])
    network = cascade(why.side.network, question, seed=99)[-1][1]
    other.untrain(network)
    why.side.network, why.model = network, other
    return why
