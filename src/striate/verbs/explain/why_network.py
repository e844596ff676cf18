"""The torch side of `striate explain`: maps by gradient, and networks that forgot what they learnt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from striate.gradients.attribution import GRADIENT_METHODS
from striate.gradients.layer_choice import MapLayer, choose_layer, map_layers
from striate.gradients.question import Network, Question
from striate.gradients.randomised import cascade
from striate.graphs import Graph
from striate.nn.torch_graphs import TorchGraph
from striate.task import Aim
from striate.types import Array
from striate.verbs.model import Model
from striate.verbs.networks import open_network

__all__ = ["NetworkSide", "open_side"]

_FEWEST, _FEWEST_FOR_BOXES = 4, 12
"""Places a side that a map should have: to tell parts of a picture, and objects in it."""


@dataclass(slots=True, eq=False)
class NetworkSide:
    """A run's network. The layer, and the networks that forgot, are made at the first question."""

    network: Network
    wish: str | None
    seed: int
    layers: tuple[MapLayer, ...] | None = None
    forgotten: list[tuple[str, Network]] | None = None

    def ask(self, feeds: Mapping[str, Array], aims: Sequence[Aim]) -> Question:
        """A question about prepared pictures, as the graph `main` is fed with them."""
        given = {name: torch.from_numpy(np.array(value)) for name, value in feeds.items()}
        pixels = given.pop("pictures").permute(0, 3, 1, 2).float().contiguous()
        return Question(pixels, aims, given)

    def has_layer(self, question: Question) -> bool:
        """Whether any layer has a map."""
        return bool(self._layers(question))

    def layer(self, question: Question) -> MapLayer:
        """The one that was wished for, or the one chosen."""
        fewest = _FEWEST if question.aims[0].box_xyxy is None else _FEWEST_FOR_BOXES
        return choose_layer(self._layers(question), self.wish, fewest=fewest)

    def _layers(self, question: Question) -> tuple[MapLayer, ...]:
        if self.layers is None:
            self.layers = map_layers(self.network, question)
        return self.layers

    def layer_for(self, method: str, question: Question) -> MapLayer | None:
        """None for a method that looks at pixels."""
        return self.layer(question) if GRADIENT_METHODS[method].layered else None

    def heat(self, method: str, question: Question) -> Array:
        """float32 (B, h, w), 0 or more."""
        return self._heat(self.network, method, question)

    def _heat(self, network: Network, method: str, question: Question) -> Array:
        layer = self.layer_for(method, question)
        found = GRADIENT_METHODS[method].heat(
            network, question, "" if layer is None else layer.name, self.seed
        )
        heat: Array = np.nan_to_num(found.detach().float().cpu().numpy())
        return heat

    def forgetful_heat(self, method: str, question: Question) -> list[tuple[str, Array]]:
        """(what was drawn anew, the map that is found then), less and less of it learnt."""
        return [
            (words, self._heat(network, method, question))
            for words, network in self._forgotten(question)
        ]

    def forgetful_graph(self, question: Question) -> Graph:
        """The network that forgot everything, for methods that only ask."""
        network = self._forgotten(question)[-1][1]
        return TorchGraph(network.recipe, network.module, device=torch.device("cpu"))

    def _forgotten(self, question: Question) -> list[tuple[str, Network]]:
        if self.forgotten is None:
            self.forgotten = cascade(self.network, question, seed=self.seed)
        return self.forgotten


def open_side(model: Model, *, needed_for: str, layer: str | None, seed: int) -> NetworkSide:
    """The network of `model`; a `UsageError` naming `needed_for` for a hand-made one."""
    trained = open_network(model, needed_for=needed_for)
    return NetworkSide(Network.of(trained.recipe, trained.module), layer, seed)
