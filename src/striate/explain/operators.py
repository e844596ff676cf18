"""Which operators of an ONNX graph are layers that a person would name, and by what name.

An exporter writes one activation as several operators: GELU as Div, Erf, Add, Mul, Mul. The last of
them is the layer. Names are those of `striate layers`: the module's path without what all share.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

__all__ = ["Operator", "Tap", "depend_on", "taps"]

_MODULES: Mapping[str, str] = {
    "Conv": "conv",
    "ConvTranspose": "transposed conv",
    "Gemm": "dense",
    "MatMul": "dense",
    "BatchNormalization": "batchnorm",
    "LayerNormalization": "layernorm",
    "InstanceNormalization": "instancenorm",
    "GroupNormalization": "groupnorm",
    "MaxPool": "maxpool",
    "AveragePool": "avgpool",
    "GlobalAveragePool": "global avgpool",
    "GlobalMaxPool": "global maxpool",
    "Relu": "relu",
    "LeakyRelu": "leaky relu",
    "PRelu": "prelu",
    "Elu": "elu",
    "Selu": "selu",
    "Gelu": "gelu",
    "Tanh": "tanh",
    "Softplus": "softplus",
    "Mish": "mish",
    "HardSwish": "hardswish",
    "Clip": "clip",
}
"""Operators that are a layer by themselves."""
_POOLED: Mapping[str, str] = {"ReduceMean": "global avgpool", "ReduceMax": "global maxpool"}
_JOINS: Mapping[str, str] = {"Add": "add", "Concat": "concat"}
"""Branches that meet; named only where an exporter tells modules apart."""
_GATES: Mapping[str, str] = {"Sigmoid": "silu", "HardSigmoid": "hardswish"}
"""x · gate(x) is an activation, named here."""
_TREES = frozenset({"TreeEnsemble", "TreeEnsembleRegressor", "TreeEnsembleClassifier"})

_ACTIVATIONS = frozenset(
    {
        "relu", "leaky relu", "prelu", "elu", "selu", "gelu", "tanh", "softplus", "mish", "hardswish",
        "silu", "clip", "sigmoid",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Operator:
    """A node of a graph: its kind, the name that the exporter gave it, its tensors."""

    kind: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]

    @property
    def scope(self) -> str:
        """`/network/stage1/stage1.0/conv/Conv` as `network.stage1.0.conv`."""
        parts = [part for part in self.name.split("/")[:-1] if part]
        kept = parts[-1:]
        for part, after in pairwise(parts[::-1]):
            kept += [] if part.startswith(f"{after}.") else [after]
        return ".".join(kept[::-1])


@dataclass(frozen=True, slots=True)
class Tap:
    """A place where a graph can be listened to: `tensor`, under a readable `name`.

    `kind`: conv, relu, … ; `is_activation`: it follows a non-linearity.
    """

    name: str
    kind: str
    tensor: str

    @property
    def is_activation(self) -> bool:
        return self.kind in _ACTIVATIONS


def depend_on(operators: Sequence[Operator], tensors: Iterable[str]) -> set[str]:
    """All tensors that are made from `tensors`, themselves included."""
    known = set(tensors)
    for one in operators:
        if known.intersection(one.inputs):
            known.update(one.outputs)
    return known


def taps(operators: Sequence[Operator], pictures: str, outputs: Sequence[str]) -> list[Tap]:
    """The layers of a graph in its own order; what the last layer weighs is "features" at the latest.

    `pictures`: its input. `outputs`: its outputs, which keep their own names.
    """
    finder = _Finder(operators, pictures)
    found = [tap for one in operators if (tap := finder.tap(one)) is not None]
    features = finder.features()
    if features in finder.order and all(tap.tensor != features for tap in found):
        place = finder.order[features]
        before = sum(finder.order[tap.tensor] < place for tap in found)
        found.insert(before, Tap("features", "features", features))
    own = {finder.origin(name): name for name in outputs}
    found = [Tap(tap.name, tap.kind, own.get(tap.tensor, tap.tensor)) for tap in found]
    named = {tap.tensor for tap in found}
    found += [Tap("", "output", name) for name in outputs if name not in named and name in finder.fed]
    return _named(found, set(outputs))


class _Finder:
    def __init__(self, operators: Sequence[Operator], pictures: str) -> None:
        self.operators = operators
        self.fed = depend_on(operators, [pictures])
        self.order = {name: at for at, one in enumerate(operators) for name in one.outputs}
        self.users: dict[str, list[Operator]] = {}
        for one in operators:
            for name in set(one.inputs):
                self.users.setdefault(name, []).append(one)
        self.scoped = any("/" in one.name for one in operators)

    def tap(self, one: Operator) -> Tap | None:
        """The layer that ends, or as a written-out activation starts, in this operator."""
        if not self.fed.intersection(one.inputs):
            return None
        if one.kind in _MODULES:
            return self._tap(one, _MODULES[one.kind], module=True)
        if one.kind in _GATES:
            return self._gate(one)
        if one.kind == "Erf":
            return self._written_out(one)
        joined = one.kind in _POOLED or (one.kind in _JOINS and self._joins(one))
        named = {**_POOLED, **_JOINS}.get(one.kind, "")
        return self._tap(one, named) if joined and self.scoped else None

    def origin(self, tensor: str) -> str:
        """The tensor of which this one is but another name."""
        at = self.order.get(tensor)
        same = at is not None and self.operators[at].kind == "Identity"
        return self.origin(self.operators[at].inputs[0]) if at is not None and same else tensor

    def features(self) -> str:
        """What the last dense layer, or the trees, weigh; "" where there are neither."""
        last = [one for one in self.operators if one.kind in {"Gemm", "MatMul"} | _TREES]
        fed = [one.inputs[0] for one in last if one.inputs[0] in self.fed]
        return fed[-1] if fed else ""

    def _tap(self, one: Operator, kind: str, *, module: bool = False) -> Tap:
        if module:
            return Tap(one.scope or kind.replace(" ", "_"), kind, one.outputs[0])
        word = kind.replace(" ", "_")
        return Tap(f"{one.scope}.{word}" if one.scope else word, kind, one.outputs[0])

    def _joins(self, one: Operator) -> bool:
        """Two branches, neither of them part of an activation that is written out."""
        fed = [name for name in dict.fromkeys(one.inputs) if name in self.fed]
        return len(fed) > 1

    def _gate(self, one: Operator) -> Tap | None:
        """x · gate(x); a sigmoid by itself is a layer too."""
        gated = self._next(one, "Mul")
        if gated is not None and one.inputs[0] in gated.inputs:
            return self._tap(gated, _GATES[one.kind])
        return self._tap(one, "sigmoid") if one.kind == "Sigmoid" else None

    def _written_out(self, erf: Operator) -> Tap | None:
        """x/2 · (1 + erf(x/√2)), to its last product."""
        added = self._next(erf, "Add")
        last = None if added is None else self._next(added, "Mul")
        if last is None:
            return None
        halved = self._next(last, "Mul")
        constant = halved is not None and any(name not in self.fed for name in halved.inputs)
        return self._tap(halved if halved is not None and constant else last, "gelu")

    def _next(self, one: Operator, kind: str) -> Operator | None:
        users = [user for user in self.users.get(one.outputs[0], ()) if user.kind == kind]
        return users[0] if len(users) == 1 else None


def _named(found: Sequence[Tap], outputs: set[str]) -> list[Tap]:
    """Names without what all module paths share, each once; outputs under their own."""
    paths = [tap.name.split(".") for tap in found if "." in tap.name and tap.tensor not in outputs]
    shared = 0
    while len({tuple(path[: shared + 1]) for path in paths if len(path) > shared + 1}) == 1:
        shared += 1
    start = next((path[:shared] for path in paths if len(path) > shared), [])
    seen: dict[str, int] = {}
    named = []
    for tap in found:
        path = tap.name.split(".")
        name = ".".join(path[shared:]) if shared and path[:shared] == start else tap.name
        name = tap.tensor if tap.tensor in outputs else name
        seen[name] = seen.get(name, 0) + 1
        named.append(Tap(f"{name}_{seen[name]}" if seen[name] > 1 else name, tap.kind, tap.tensor))
    return named
