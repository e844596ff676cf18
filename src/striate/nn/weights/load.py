"""Putting weights into a network: every tensor accounted for, a wrong network refused."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from striate.errors import DataError, UsageError
from striate.nn.network import PictureNetwork
from striate.nn.networks.registry import is_own
from striate.nn.networks.timm_models import translate_pretrained
from striate.nn.weights.source import WeightsSource, sha256_of

__all__ = ["load_weights"]

_ENOUGH = 0.9
"""Part of a backbone's tensors that must find their place; with less it is another network."""

_BODY, _HEAD = "backbone.", "head."
_INPUT = ("scale", "shift")
_COUNTER = "num_batches_tracked"


def load_weights(network: PictureNetwork, source: WeightsSource) -> list[str]:
    """Copy the tensors of `source` into `network`; sentences on what was taken and left out.

    A file that striate wrote brings its normalisation, and its head where the shapes agree; other
    files bring a backbone. First filters for colours are summed for a grey network.

    Errors: `DataError` if the file is not the one that was resolved, damaged or not finite;
    `UsageError` naming the first tensor that differs if it is of another network.
    """
    tensors = _read(source)
    own_format = any(name.startswith(_BODY) for name in tensors)
    if own_format:
        body = {name.removeprefix(_BODY): t for name, t in tensors.items() if name.startswith(_BODY)}
    else:
        body = {f"model.{name}": tensor for name, tensor in tensors.items()}
    state = network.backbone.state_dict()
    # how many batches were seen matters to nobody, and some publishers leave it out
    wanted = {name: tensor for name, tensor in state.items() if not name.endswith(_COUNTER)}
    body = _fitted(network, body, wanted)
    matching = {name: body[name] for name in wanted if _same_shape(body.get(name), wanted[name])}
    _check_enough(source, network, body, wanted, matching)
    network.backbone.load_state_dict(matching, strict=False)
    notes = [f"loaded {len(matching)} of {len(wanted)} tensors of {network.name} from {source.name}"]
    missing = [name.removeprefix("model.") for name in wanted if name not in matching]
    if missing:
        notes.append(f"left random, because they do not fit: {_listed(missing)}")
    if own_format:
        return notes + _load_rest(network, tensors)
    unused = sorted(name.removeprefix("model.") for name in body if name not in state)
    if unused:
        notes.append(f"left out: {_listed(unused)} (a head for other classes)")
    return notes


def _read(source: WeightsSource) -> dict[str, Tensor]:
    if not source.path.is_file() or sha256_of(source.path) != source.sha256:
        raise DataError(
            f"the weights {source.path.name} are missing or not the file they were: the sha256 differs",
            expected=f"sha256 {source.sha256}",
            remedy=f"delete {source.path} and fetch them again" if source.kind == "pretrained" else "",
        )
    try:
        tensors: dict[str, Tensor] = load_file(source.path)
    except (SafetensorError, ValueError) as error:
        raise DataError(
            f"{source.path.name} is not a readable safetensors file: {str(error).splitlines()[0]}"
        ) from error
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            raise DataError(
                f"tensor {name} of {source.path.name} holds values that are not finite numbers"
            )
    return tensors


def _fitted(
    network: PictureNetwork, body: dict[str, Tensor], wanted: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """`body` for this network's size and channels."""
    if all(_same_shape(body.get(name), tensor) for name, tensor in wanted.items()):
        return body
    # timm fills what it does not find with random numbers, so the names must agree beforehand
    known = sum(name in body for name in wanted) >= _ENOUGH * len(wanted)
    if known and not is_own(network.name):
        plain = {name.removeprefix("model."): tensor for name, tensor in body.items()}
        try:
            found = translate_pretrained(
                network.name, plain, channels=network.channels, size_hw=network.size_hw
            )
        except RuntimeError:
            return body  # another network: reported tensor by tensor
        return {f"model.{name}": tensor for name, tensor in found.items()}
    return {name: _grey(tensor, wanted.get(name)) for name, tensor in body.items()}


def _grey(tensor: Tensor, wanted: Tensor | None) -> Tensor:
    """A filter (K, 3, h, w) for colours as one (K, 1, h, w) for luma: equal on grey pictures."""
    if wanted is None or tensor.ndim != 4 or wanted.ndim != 4:
        return tensor
    if tensor.shape[1] != 3 or wanted.shape[1] != 1:
        return tensor
    return tensor.sum(dim=1, keepdim=True)


def _check_enough(
    source: WeightsSource,
    network: PictureNetwork,
    body: Mapping[str, Tensor],
    wanted: Mapping[str, Tensor],
    matching: Mapping[str, Tensor],
) -> None:
    if len(matching) >= _ENOUGH * len(wanted):
        return
    first = next(name for name in wanted if name not in matching)
    shape = tuple(wanted[first].shape)
    found = f"has it as {tuple(body[first].shape)}" if first in body else "does not have it"
    of = f" ({source.model})" if source.model else ""
    raise UsageError(
        f"the weights {source.name}{of} are not of the network {network.name}: "
        f"{len(matching)} of its {len(wanted)} tensors match. "
        f"The first that does not is {first.removeprefix('model.')}",
        expected=f"shape {shape}; the file {found}",
        remedy=f"use --model {source.model}"
        if source.model
        else "use --weights none, or another --model",
    )


def _load_rest(network: PictureNetwork, tensors: Mapping[str, Tensor]) -> list[str]:
    """Normalisation and head of a file that striate wrote, where they fit."""
    state = network.state_dict()
    names = [name for name in state if name in _INPUT or name.startswith(_HEAD)]
    fitting = [name for name in names if _same_shape(tensors.get(name), state[name])]
    # half a head would be worse than a new one
    if any(name not in fitting for name in names if name.startswith(_HEAD)):
        fitting = [name for name in fitting if not name.startswith(_HEAD)]
    network.load_state_dict({name: tensors[name] for name in fitting}, strict=False)
    if any(name.startswith(_HEAD) for name in fitting):
        return ["its head is taken over too"]
    return ["its head is left out: it answers for other classes or values"]


def _same_shape(tensor: Tensor | None, wanted: Tensor) -> bool:
    return tensor is not None and tensor.shape == wanted.shape


def _listed(names: list[str]) -> str:
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
