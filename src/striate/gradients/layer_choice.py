"""Which layer's map an explanation looks at: the last one that is fine enough, unless one is named."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from striate.errors import UnknownNameError, UsageError
from striate.gradients.question import Network, Question
from striate.types import SizeHW

__all__ = ["MapLayer", "as_maps", "choose_layer", "map_layers"]

_PREFIXES = (0, 1, 2, 5)
"""Tokens that stand for no place (class, distillation, registers), ahead of those that do."""
_ROUNDED = 1.0
"""By less than how many places a side of a map is off its share of the picture's, after rounding."""
_BACKBONE = "backbone."


@dataclass(frozen=True, slots=True)
class MapLayer:
    """A module that gives a map: `channels` values at each of `places_hw` places."""

    name: str
    kind: str
    channels: int
    places_hw: SizeHW

    def __str__(self) -> str:
        return f"{self.name} ({self.channels} × {self.places_hw[0]} × {self.places_hw[1]})"


def as_maps(values: Any, size_hw: SizeHW) -> Tensor | None:
    """What a module gave as (B, C, h, w), where it is a map of pictures of `size_hw`; else None.

    Maps with channels last (B, h, w, C) and tokens (B, N, C), after a few that stand for no place, are
    told by the shape of the picture: channels come first wherever that can be, but for rounding.
    """
    if not isinstance(values, Tensor) or not values.is_floating_point():
        return None
    aspect = math.log(size_hw[0] / size_hw[1])
    if values.ndim == 4:
        _, one, two, three = values.shape
        last_is_nearer = abs(math.log(one / two) - aspect) < abs(math.log(two / three) - aspect)
        turned = last_is_nearer and not _suits((two, three), size_hw)
        return values.permute(0, 3, 1, 2) if turned else values
    if values.ndim != 3:
        return None
    for prefix in _PREFIXES:
        count = values.shape[1] - prefix
        high = round(math.sqrt(max(0, count) * size_hw[0] / size_hw[1]))
        if count > 1 and high and count % high == 0:
            wide = count // high
            if abs(math.log(high / wide) - aspect) < 0.2:
                tokens = values[:, prefix:].transpose(1, 2)
                return tokens.reshape(len(values), -1, high, wide)
    return None


def _suits(places_hw: SizeHW, size_hw: SizeHW) -> bool:
    """Whether a map of so many places may come of a picture of that size, by steps of one length."""
    step = math.sqrt(size_hw[0] * size_hw[1] / (places_hw[0] * places_hw[1]))
    return all(abs(a - b / step) < _ROUNDED for a, b in zip(places_hw, size_hw, strict=True))


def map_layers(network: Network, question: Question) -> tuple[MapLayer, ...]:
    """The modules that give one map a picture, in the order in which they answer.

    Those that run several times, or on cut-outs, are left out.
    """
    size_hw = (int(question.pixels.shape[2]), int(question.pixels.shape[3]))
    batch, found, runs = len(question.pixels), dict[str, MapLayer](), dict[str, int]()

    def hear(name: str) -> Any:
        def hook(module: nn.Module, given: Any, values: Any) -> None:
            runs[name] = runs.get(name, 0) + 1
            maps = as_maps(values, size_hw)
            if maps is not None and len(maps) == batch and maps.shape[2] * maps.shape[3] > 1:
                places = (int(maps.shape[2]), int(maps.shape[3]))
                found.pop(name, None)
                found[name] = MapLayer(name, type(module).__name__, int(maps.shape[1]), places)

        return hook

    modules = [(name, one) for name, one in network.module.named_modules() if name]
    handles = [one.register_forward_hook(hear(name)) for name, one in modules]
    try:
        with torch.no_grad():
            network.pull(question)
    finally:
        for handle in handles:
            handle.remove()
    return tuple(one for one in found.values() if runs[one.name] == 1)


def _named(layers: Sequence[MapLayer], name: str) -> MapLayer | None:
    """By its name or, where only one has it, the end of one."""
    exact = [one for one in layers if one.name == name]
    ending = [one for one in layers if one.name.endswith(f".{name}")]
    return (exact or ending)[0] if exact or len(ending) == 1 else None


def choose_layer(layers: Sequence[MapLayer], wish: str | None, *, fewest: int) -> MapLayer:
    """The layer called `wish`, whole or the end of its name; by default the last of the backbone with
    `fewest` places or more a side, or the finest.

    A name of the exported graph, which ends with what a module does (`stage3.first.3.gelu`), is that
    module.

    `UnknownNameError` with the choices; a `UsageError` where no layer has a map.
    """
    if not layers:
        raise UsageError(
            "no layer of this network has a map of places, so none can be looked at",
            remedy="use a method without layers: integrated, saliency, occlusion or rise",
        )
    if wish is not None:
        if (found := _named(layers, wish)) is not None:
            return found
        module, _, does = wish.rpartition(".")
        found = _named(layers, module) if module and does.isidentifier() else None
        if found is not None and not any(one.name.startswith(f"{found.name}.") for one in layers):
            return found
        raise UnknownNameError("layer", wish, [one.name for one in layers])
    seen = [one for one in layers if one.name.startswith(_BACKBONE)] or list(layers)
    fine = [one for one in seen if min(one.places_hw) >= fewest]
    return fine[-1] if fine else max(reversed(seen), key=lambda one: min(one.places_hw))
