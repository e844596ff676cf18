"""The network that is trained: built, given weights, its head solved on frozen features."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from striate.engine.devices import PRECISIONS
from striate.engine.events import Event, Note, Stage, Step
from striate.engine.job import Arrays
from striate.engine.plan import Plan
from striate.engine.settings import TrainSettings
from striate.engine.transfer import frozen_features, set_head
from striate.nn.network import Network, PictureNetwork
from striate.nn.recipe import Recipe
from striate.nn.weights.load import load_weights
from striate.nn.weights.source import WeightsSource, resolve_weights
from striate.types import PictureArray, Split
from striate.verbs.training.data import Material

__all__ = ["Start", "arrays_of", "build_start", "solve_start_head"]


@dataclass(frozen=True, slots=True)
class Start:
    """A network before training, and where its weights come from (None: random)."""

    module: PictureNetwork
    source: WeightsSource | None


def build_start(
    recipe: Recipe[Any],
    settings: TrainSettings,
    *,
    model: str,
    sample: PictureArray,
    announce: Callable[[str], None],
) -> Generator[Event, None, Start]:
    """A seeded network, with weights loaded where the settings say so, frozen to their depth.

    `sample`: training pictures uint8 (N, H, W, 3), from which a network without weights learns its
    normalisation. `announce` is told what will be fetched before it is, so it must speak at once.
    """
    torch.manual_seed(settings.seed)
    module = recipe.build()
    assert isinstance(module, PictureNetwork)
    source = resolve_weights(
        model, settings.weights, allow_noncommercial=settings.allow_noncommercial, announce=announce
    )
    if source is None:
        module.learn_input(torch.from_numpy(sample).permute(0, 3, 1, 2).float())
        return Start(module, None)
    for text in load_weights(module, source):
        yield Note(text)
    module.freeze(settings.depth)
    return Start(module, source)


def solve_start_head(
    recipe: Recipe[Any],
    start: Start,
    train: Arrays,
    held: Arrays,
    plan: Plan,
    *,
    data_key: str,
    home: Path,
) -> Generator[Event, None, None]:
    """Solve the head on features of the loaded body, computed once and kept."""
    assert start.source is not None
    device = torch.device(plan.device)
    module = start.module.to(device).eval()
    assert isinstance(module, Network), "a recipe that solves heads builds a Network"
    found = []
    for name, arrays in (("train", train), ("validation", held)):
        yield Stage(
            "features", f"computing features of {len(arrays)} {name} pictures", total=len(arrays)
        )
        found.append(
            frozen_features(
                module.features,
                arrays.pixels,
                key=f"{start.source.sha256} {data_key} {name}",
                home=home,
                device=device,
                precision=PRECISIONS["float32"],
                on_progress=lambda done: None,
            )
        )
        yield Step(len(arrays))
    solution = recipe.solve_head(found[0], train.encoded, found[1], held.encoded)
    head = solved_layer(module.head)
    set_head(head, solution.weight, solution.bias)
    yield Note(
        f"head solved on {found[0].shape[1]} features: validation loss "
        f"{solution.validation_loss:.4f} at regularisation {solution.regularisation:g}"
    )


def arrays_of(material: Material, recipe: Recipe[Any], name: Split) -> Arrays:
    """One split as the loop wants it; empty where the data set has no such split."""
    prepared = material.prepared.get(name)
    if prepared is None or not len(prepared):
        none = material.prepared["train"].none()
        return Arrays(none.pixels, [], recipe.encode([], none), [], none.geometry)
    part = material.parts[name]
    encoded = recipe.encode(part.targets, prepared)
    keys = [record.key for record in part.records]
    return Arrays(prepared.pixels, part.targets, encoded, keys, prepared.geometry)


def solved_layer(head: nn.Module) -> nn.Linear:
    """The linear layer that a solution is for: the head, or its first linear layer."""
    for part in head.modules():
        if isinstance(part, nn.Linear):
            return part
    raise AssertionError(f"{type(head).__name__} has no linear layer")
