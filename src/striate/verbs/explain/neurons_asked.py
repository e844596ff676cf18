"""Which layers and channels of a run `explain --neurons` was asked for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from striate.errors import UnknownNameError, UsageError
from striate.explain.inside import Inside, Layer
from striate.explain.orientation import hierarchy_layers
from striate.verbs.model import Model

__all__ = ["ALL", "HEAD", "asked_layers"]

ALL = "all"
"""The word for the layers from low to high."""
HEAD = "head"
"""The word for the output whose channels are classes."""
_LEVELS = 5
"""Layers of the hierarchy, besides the output."""


def asked_layers(
    model: Model, inside: Inside, layer: str, class_name: str, channels: Sequence[int]
) -> tuple[list[Layer], tuple[int, ...]]:
    """The layers and the channels that were named."""
    name, _, rest = layer.partition(":")
    if name == HEAD and rest:
        class_name, layer = rest, ""
    if class_name:
        if layer not in ("", HEAD) or channels:
            raise UsageError("a class was named, and a layer or channels too", remedy="name one of them")
        return [_output(inside)], (_class_row(model, class_name),)
    if not layer:
        raise UsageError("no layer was named", expected=f"a layer, {ALL!r} or a class")
    if layer == ALL:
        if channels:
            raise UsageError("channels of all layers cannot be named", remedy="name one layer")
        return _hierarchy(inside), ()
    if layer == HEAD:
        return [_output(inside)], _existing(_output(inside), channels)
    found = inside.unit(layer) if rest else None
    chosen = inside.layer(layer) if found is None else found.layer
    picked = (found.channel,) if found is not None else tuple(channels)
    return [chosen], _existing(chosen, picked)


def _hierarchy(inside: Inside) -> list[Layer]:
    """Maps after nonlinearities from first to last, spread evenly, and the output."""
    maps = [one for one in hierarchy_layers(inside, most=64) if one.is_map]
    rows = np.unique(np.linspace(0, len(maps) - 1, min(_LEVELS, len(maps))).round().astype(int))
    return [*(maps[row] for row in rows), _output(inside)]


def _output(inside: Inside) -> Layer:
    return inside.layer(inside.output_names[0])


def _class_row(model: Model, name: str) -> int:
    if model.header.task not in ("classify", "regress"):
        raise UsageError(
            f"a run of {model.header.task} has no one number for a class",
            remedy="name a layer: striate explain tuning RUN --list shows them",
        )
    if name not in model.names:
        raise UnknownNameError("class", name, model.names)
    return model.names.index(name)


def _existing(layer: Layer, channels: Sequence[int]) -> tuple[int, ...]:
    for one in channels:
        if not 0 <= one < layer.channels:
            raise UsageError(
                f"layer {layer.name} has no channel {one}", expected=f"0 to {layer.channels - 1}"
            )
    return tuple(dict.fromkeys(channels))
