"""The same architecture with weights drawn anew: what a network finds without having learnt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from striate.explain.fields import onnx_module
from striate.graphs import OnnxGraph
from striate.types import Array, PictureArray

__all__ = ["randomised"]

_WEIGHING = frozenset({"Conv", "ConvTranspose", "Gemm", "MatMul"})
_STARTING: Mapping[str, tuple[float, ...]] = {
    "BatchNormalization": (1.0, 0.0, 0.0, 1.0),
    "LayerNormalization": (1.0, 0.0),
    "InstanceNormalization": (1.0, 0.0),
    "GroupNormalization": (1.0, 0.0),
    "PRelu": (0.25,),
}
"""What a fresh layer has beside its input: scale, shift, mean and variance; a slope."""
_SHIFTING: Mapping[str, float] = {"Add": 0.0, "Mul": 1.0}
"""Shifts and scales by stored numbers (biases, what a normalisation was taken apart into)."""
_TABLE_SPREAD = 0.02
"""Of what is added place by place, such as where a token lies (as in Dosovitskiy et al. 2021)."""
_LEAST_SPREAD = 1e-6


def randomised(
    data: bytes, pixels: PictureArray, *, until: Sequence[str] = (), seed: int = 0, threads: int = 0
) -> bytes:
    """The ONNX graph `data` with fresh weights, as bytes.

    Convolutions and dense layers get normal weights of He et al. (2015); normalisations start anew, and
    so does what is added to or multiplied with values behind the first of these: shifts become 0, scales
    1, tables of positions small normal numbers. Single numbers, and what prepares the picture, stay, as
    does what is joined to values (class tokens).

    Since exported graphs have batch normalisation folded into the weights, each convolution is then
    shifted and scaled so that its channels have mean 0 and variance 1 on `pixels` (a few are enough), as
    batch normalisation would do: without that, deep random units would mostly be dead, and too easy to
    beat. A kernel that several convolutions share is scaled at the first. `until`: names of tensors that
    are looked at; convolutions that none depends on are not scaled.
    """
    onnx = onnx_module()
    model = onnx.load_model_from_string(data)
    rng = np.random.default_rng(seed)
    stored = {one.name: one for one in model.graph.initializer}
    needed, learnt = _needed(model, until), set[str]()
    for node in model.graph.node:
        if node.op_type in _WEIGHING:
            _redraw(onnx, node, stored, rng)
        elif node.op_type in _STARTING:
            for name, value in zip(node.input[1:5], _STARTING[node.op_type], strict=False):
                _fill(onnx, stored, name, value)
        behind = bool(learnt.intersection(node.input))
        if behind and node.op_type in _SHIFTING and needed.intersection(node.output):
            _restart(onnx, node, stored, rng)
        if behind or node.op_type in _WEIGHING:
            learnt.update(node.output)
    settled = set[str]()
    for node in [one for one in model.graph.node if one.op_type == "Conv" and one.output[0] in needed]:
        if node.input[1] in stored and node.input[1] not in settled:
            _settle(onnx, model, node, stored, pixels, threads)
            settled.add(node.input[1])
    return bytes(model.SerializeToString())


def _needed(model: Any, until: Sequence[str]) -> set[str]:
    """All tensors that those of `until`, or the outputs, are made from."""
    needed = set(until) or {one.name for one in model.graph.output}
    for node in reversed(model.graph.node):
        if needed.intersection(node.output):
            needed.update(node.input)
    return needed


def _redraw(onnx: Any, node: Any, stored: dict[str, Any], rng: np.random.Generator) -> None:
    for place, name in enumerate(node.input[1:], start=1):
        if name not in stored:
            continue
        old = onnx.numpy_helper.to_array(stored[name])
        if old.dtype.kind != "f":
            continue
        if place == 1 and old.ndim > 1:
            spread = np.sqrt(2 / _fan_in(node, old.shape))
            new = rng.normal(0.0, spread, old.shape).astype(old.dtype)
        else:
            new = np.zeros_like(old)
        _put(onnx, stored, name, new)


def _restart(onnx: Any, node: Any, stored: dict[str, Any], rng: np.random.Generator) -> None:
    """Fill what is stored of a sum or product anew; single numbers belong to the formula."""
    for name in node.input:
        if name not in stored:
            continue
        old = onnx.numpy_helper.to_array(stored[name])
        if old.dtype.kind != "f" or old.size == 1:
            continue
        table = node.op_type == "Add" and sum(side > 1 for side in old.shape) > 1
        new = np.full_like(old, _SHIFTING[node.op_type])
        if table:
            new = rng.normal(0.0, _TABLE_SPREAD, old.shape).astype(old.dtype)
        _put(onnx, stored, name, new)


def _fan_in(node: Any, shape: tuple[int, ...]) -> int:
    """Values that one output is the sum of."""
    if node.op_type == "Conv":
        return int(np.prod(shape[1:]))
    if node.op_type == "ConvTranspose":
        return int(shape[0])
    flipped = any(one.name == "transB" and one.i for one in node.attribute)
    return int(shape[-1] if flipped else shape[-2])


def _fill(onnx: Any, stored: dict[str, Any], name: str, value: float) -> None:
    if name in stored:
        old = onnx.numpy_helper.to_array(stored[name])
        _put(onnx, stored, name, np.full_like(old, value))


def _put(onnx: Any, stored: dict[str, Any], name: str, values: Array) -> None:
    stored[name].CopyFrom(onnx.numpy_helper.from_array(np.ascontiguousarray(values), name))


def _settle(
    onnx: Any, model: Any, node: Any, stored: dict[str, Any], pixels: PictureArray, threads: int
) -> None:
    """Shift and scale one convolution so that its channels have mean 0 and variance 1."""
    values = _output(onnx, model, node.output[0], pixels, threads)
    mean = values.mean(axis=(0, 2, 3), dtype=np.float64)
    spread = np.maximum(values.std(axis=(0, 2, 3), dtype=np.float64), _LEAST_SPREAD)
    weights = onnx.numpy_helper.to_array(stored[node.input[1]])
    scaled = weights / spread.reshape(-1, *[1] * (weights.ndim - 1))
    _put(onnx, stored, node.input[1], scaled.astype(weights.dtype))
    bias = (-mean / spread).astype(weights.dtype)
    sharing = [one for one in model.graph.node if node.input[1] in one.input and one.op_type == "Conv"]
    old = _bias(node)
    alike = [one for one in sharing if _bias(one) == old]
    if old in stored and sum(old in one.input for one in model.graph.node) == len(alike):
        _put(onnx, stored, old, bias)
        return
    # exporters store equal biases of several layers once: this one must not change the others'
    name = f"{node.output[0]}.settled"
    one = model.graph.initializer.add()
    one.CopyFrom(onnx.numpy_helper.from_array(bias, name))
    stored[name] = one
    for each in alike:
        del each.input[2:]
        each.input.append(name)


def _bias(node: Any) -> str:
    return node.input[2] if len(node.input) > 2 else ""


def _output(onnx: Any, model: Any, tensor: str, pixels: PictureArray, threads: int) -> Array:
    """What the graph so far gives for `pixels` at one tensor."""
    part = onnx.ModelProto()
    part.CopyFrom(model)
    needed, kept = {tensor}, []
    for node in reversed(model.graph.node):
        if needed.intersection(node.output):
            needed.update(node.input)
            kept.append(node)
    weights = [one for one in model.graph.initializer if one.name in needed]
    for field in ("node", "output", "value_info", "initializer"):
        part.graph.ClearField(field)
    part.graph.node.extend(reversed(kept))
    part.graph.initializer.extend(weights)
    part.graph.output.append(onnx.ValueInfoProto(name=tensor))
    graph = OnnxGraph(part.SerializeToString(), threads=threads)
    found: Array = graph({graph.input_names[0]: np.ascontiguousarray(pixels)})[tensor]
    return found
