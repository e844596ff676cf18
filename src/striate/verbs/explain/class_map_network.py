"""The torch side of class maps: one pass over the picture, then the head at every window."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from striate.errors import UsageError
from striate.gradients.class_map import map_of, window_logits
from striate.gradients.layer_choice import choose_layer, map_layers
from striate.gradients.question import Network, Question
from striate.pictures.resize import resize
from striate.task import Aim
from striate.tasks.classify.config import ClassifyFacts
from striate.types import Array, Picture, SizeHW
from striate.verbs.model import Model
from striate.verbs.networks import open_network

__all__ = ["Windows", "look"]


@dataclass(frozen=True, slots=True, eq=False)
class Windows:
    """`probabilities` float32 (rows, columns, K); a window and its step, as shares of the picture."""

    probabilities: Array
    window_hw: tuple[float, float]
    step_hw: tuple[float, float]
    layer: str


def look(model: Model, picture: Picture, seen_hw: SizeHW) -> Windows:
    """`picture` at `seen_hw`, window by window."""
    trained = open_network(model, needed_for="a class map")
    network = Network.of(trained.recipe, trained.module)
    facts = model.task.facts
    assert isinstance(facts, ClassifyFacts)
    one = _pixels(resize(picture, facts.size_hw))
    chosen = _layer(network, one, facts)
    small = map_of(network, one, chosen)
    _check(network, one, small, chosen, model.run.name)
    whole = _whole(network, _pixels(resize(picture, seen_hw)), chosen, model.run.name)
    places = (int(small.shape[2]), int(small.shape[3]))
    logits = window_logits(network, whole, chosen, places_hw=places, size_hw=facts.size_hw)
    scaled = logits.float() / facts.temperature
    found = scaled.sigmoid() if facts.multi_label else scaled.softmax(dim=-1)
    high, wide = int(whole.shape[2]), int(whole.shape[3])
    return Windows(
        found.cpu().numpy().astype(np.float32),
        (places[0] / high, places[1] / wide),
        (1 / high, 1 / wide),
        chosen,
    )


def _pixels(picture: Picture) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(picture)).permute(2, 0, 1)[None].float()


def _layer(network: Network, one: Tensor, facts: ClassifyFacts) -> str:
    """The last one of the backbone that has a map."""
    question = Question(one, [Aim(facts.names[0], 0, 0.0, "")])
    return choose_layer(map_layers(network, question), None, fewest=1).name


def _check(network: Network, one: Tensor, small: Tensor, layer: str, run: str) -> None:
    """That nothing goes past the layer: the head, given its map alone, must say the same."""
    if small.ndim == 4:
        size_hw = (int(one.shape[2]), int(one.shape[3]))
        places = (int(small.shape[2]), int(small.shape[3]))
        with torch.no_grad():
            whole = network.recipe.outputs(network.module, one, {})["logits"]
        again = window_logits(network, small, layer, places_hw=places, size_hw=size_hw)
        if torch.allclose(again[0], whole, atol=1e-3, rtol=1e-3):
            return
    raise UsageError(
        f"the answer of {run} does not come from the map of {layer} alone",
        expected="a convolutional network, whose last map all that follows is made from",
        remedy="use gradcam",
    )


def _whole(network: Network, pixels: Tensor, layer: str, run: str) -> Tensor:
    try:
        return map_of(network, pixels, layer)
    except (RuntimeError, ValueError, AssertionError) as error:
        raise UsageError(
            f"the network of {run} takes pictures of one size only",
            expected="a convolutional network",
            remedy="use gradcam",
        ) from error
