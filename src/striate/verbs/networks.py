"""The torch network behind a run, for what graphs cannot give: gradients, and layers as modules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from safetensors.torch import load_file

from striate.errors import UsageError
from striate.nn.network import PictureNetwork
from striate.nn.recipe import Recipe
from striate.verbs.model import Model
from striate.verbs.training.recipes import recipe_for

__all__ = ["TrainedNetwork", "open_network"]

_WEIGHTS = "model.safetensors"


@dataclass(frozen=True, slots=True, eq=False)
class TrainedNetwork:
    """A run's network as it was exported: float32, in evaluation mode, on `device`.

    `recipe.outputs(module, pixels, {})` are the raw outputs of the graph `main` for pixels float
    (B, 3, h, w), 0 … 255; `recipe.loss` is what training minimised.
    """

    recipe: Recipe[Any]
    module: PictureNetwork
    device: torch.device


def open_network(model: Model, *, needed_for: str, device: str = "cpu") -> TrainedNetwork:
    """The network of `model`, its weights checked against the run's manifest.

    Torch then uses as many threads as `model` may. `needed_for` goes into the error: a `UsageError`
    where the run is a hand-made baseline, which has no gradients.
    """
    if _WEIGHTS not in model.run.files:
        raise UsageError(
            f"{needed_for} needs a network, and {model.run.name} is a hand-made model without gradients",
            expected="a run that has model.safetensors",
            remedy="use a method that only asks the model: occlusion or rise",
        )
    torch.set_num_threads(model.threads)  # it counts the host's cores, not what a container is granted
    recipe = recipe_for(model.task)
    module = recipe.build()
    assert isinstance(module, PictureNetwork)
    module.load_state_dict(load_file(model.run.file(_WEIGHTS)))
    place = torch.device(device)
    return TrainedNetwork(recipe, module.to(place).eval(), place)
