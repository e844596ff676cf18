"""Follow a torch module as it runs on tensors without memory, and note its layers.

Every operation is seen below the modules (`TorchDispatchMode`), so that sums, products and reshapes
that a `forward` makes by hand are followed too; names come from the module that is running.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from striate.arithmetic.counting import Cost, thousands
from striate.arithmetic.tracing import Tracer
from striate.arithmetic.values import Value

__all__ = ["Call", "Handler", "LayerTrace", "tensors_in"]


@dataclass(frozen=True, slots=True)
class Call:
    """One operation: its name without a final _, its arguments by name, what it returned."""

    name: str
    arguments: Mapping[str, Any]
    outputs: tuple[Tensor, ...]

    def __getitem__(self, name: str) -> Any:
        return self.arguments[name]

    def get(self, name: str, default: Any = None) -> Any:
        return self.arguments.get(name, default)

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.outputs[0].shape)

    @property
    def first(self) -> Tensor:
        """The first argument, a tensor."""
        found: Tensor = next(iter(self.arguments.values()))
        return found


Handler: TypeAlias = "Callable[[LayerTrace, Call], Value | list[Value]]"
"""Notes the layer of an operation; one value for all outputs, or one each."""


class LayerTrace(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """What happens inside `with LayerTrace(...) as trace, trace.naming(module): module(picture)`."""

    def __init__(
        self, tracer: Tracer, params: Sequence[Tensor], handlers: Mapping[str, Handler]
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.tracer = tracer
        self._handlers = handlers
        self._values: dict[int, Value] = {}
        self._made_of: dict[int, frozenset[int]] = {id(one): frozenset({id(one)}) for one in params}
        self._sizes = {id(one): one.numel() for one in params}
        self._counted: set[int] = set()
        self._kept: list[Tensor] = list(params)  # an id is only its own while its tensor lives
        self._running: list[tuple[str, bool, frozenset[int]]] = []

    def enter(self, tensor: Tensor, value: Value) -> None:
        """The tensor that holds the picture."""
        self._values[id(tensor)] = value
        self._kept.append(tensor)

    @contextmanager
    def naming(self, module: nn.Module) -> Iterator[None]:
        """Know which part of `module` is running."""
        handles = []
        for name, part in module.named_modules():
            handles += self._watch(name, part)
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def _watch(self, name: str, part: nn.Module) -> list[Any]:
        leaf = next(part.children(), None) is None
        starts: list[int] = []

        def enter(running: nn.Module, _: Any) -> None:
            own = frozenset(id(one) for one in running.parameters(recurse=False))
            self._running.append((name, leaf, own))
            starts.append(len(self.tracer.layers))

        def leave(*_: Any) -> None:
            self._running.pop()
            if starts and isinstance(part, nn.RNNBase):
                self._collapse(starts.pop(), type(part).__name__.lower(), name)

        return [
            part.register_forward_pre_hook(enter),
            part.register_forward_hook(leave, always_call=True),
        ]

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        several = result if isinstance(result, tuple | list) else (result,)
        outputs = tuple(one for one in several if isinstance(one, Tensor))
        if outputs:
            call = Call(_base_name(func), _bound(func, args, kwargs or {}), outputs)
            self._follow(call, pointwise=torch.Tag.pointwise in func.tags)
        return result

    def _follow(self, call: Call, *, pointwise: bool) -> None:
        tensors = list(tensors_in(call.arguments.values()))
        values = [self._values[id(one)] for one in tensors if id(one) in self._values]
        self._kept.extend(call.outputs)
        if not values:
            made_of = frozenset().union(*(self._made_of.get(id(one), frozenset()) for one in tensors))
            for output in call.outputs:
                self._made_of[id(output)] = made_of
            return
        handle = self._handlers.get(call.name)
        if handle is not None and (call.name in _SEVERAL or id(call.first) in self._values):
            found = handle(self, call)
        elif pointwise or call.name in _POINTWISE:
            found = self._pointwise(call, values)
        else:
            found = self.unknown(call, values)
        many = found if isinstance(found, list) else [found] * len(call.outputs)
        for output, value in zip(call.outputs, many, strict=True):
            self._values[id(output)] = value

    def _collapse(self, start: int, kind: str, name: str) -> None:
        """What a recurrence does step by step, as one layer."""
        if len(self.tracer.layers) == start:
            return
        self.tracer.collapse(start, kind, name)
        for key, value in self._values.items():
            if value.layer >= start:
                self._values[key] = Value(start, value.shape, None, (1, 1), False, True)

    # -- for the handlers ---------------------------------------------------------------------

    def value(self, tensor: Any) -> Value | None:
        """What is known of a tensor that depends on the picture."""
        return self._values.get(id(tensor))

    def known(self, tensor: Any) -> Value:
        """The same of one that does."""
        return self._values[id(tensor)]

    def params(self, *tensors: Any) -> int:
        """Numbers that are learnt, behind these tensors, and were not counted before."""
        made_of = [self._made_of.get(id(one), frozenset()) for one in tensors if one is not None]
        fresh = frozenset().union(*made_of) - self._counted
        self._counted |= fresh
        return sum(self._sizes[one] for one in fresh)

    def learnt(self, cost: Cost, *tensors: Any) -> Cost:
        """`cost` with the parameters that are truly there: shared ones count once."""
        found = self.params(*tensors)
        if found == cost.params:
            return cost
        return cost._replace(params=found, each=0, formula=thousands(found) if found else "")

    def name(self, kind: str, *tensors: Any) -> str:
        """That of the module that is running; with the kind, unless it is all that the module does."""
        if not self._running:
            return kind
        name, leaf, own = self._running[-1]
        made_of = [self._made_of.get(id(one), frozenset()) for one in tensors if one is not None]
        if name and (leaf or own & frozenset().union(*made_of)):
            return name
        return f"{name}.{kind}" if name else kind

    def unknown(self, call: Call, values: Sequence[Value]) -> Value:
        """An operation of which only the shape is known."""
        kind = call.name.strip("_")
        return self.tracer.unknown(kind, values, call.shape, name=self.name(kind))

    def _pointwise(self, call: Call, values: Sequence[Value]) -> Value:
        kind = _KINDS.get(call.name, call.name.strip("_"))
        tensors = list(tensors_in(call.arguments.values()))
        params = self.params(*tensors)
        alone = len(values) == 1 and call.shape == values[0].shape
        if alone and not params and kind in _ARITHMETIC:
            return values[0]  # a constant is added or multiplied: nothing of its own
        cost = Cost(params, 0, thousands(params) if params else "", 0)
        return self.tracer.pointwise(kind, values, call.shape, name=self.name(kind, *tensors), cost=cost)


def _base_name(func: Any) -> str:
    name: str = func._schema.name.partition("::")[2]
    return name.rstrip("_")


def _bound(func: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments by the names of the operation's schema, defaults included."""
    names = [argument.name for argument in func._schema.arguments]
    found = dict(zip(names, args, strict=False))
    for argument in func._schema.arguments:
        if argument.name not in found:
            given = kwargs.get(argument.name, argument.default_value)
            found[argument.name] = given
    return found


def tensors_in(values: Any) -> Iterator[Tensor]:
    """The tensors among arguments, also in lists."""
    for one in values:
        if isinstance(one, Tensor):
            yield one
        elif isinstance(one, list | tuple):
            yield from tensors_in(one)


_SEVERAL = frozenset({"convolution", "mm", "addmm", "bmm", "baddbmm", "cat", "stack"})
"""Operations any of whose tensors may be the one that depends on the picture."""
_ARITHMETIC = frozenset(
    {"add", "sub", "mul", "div", "neg", "rsub", "clamp", "clamp_min", "where", "pow"}
)
_POINTWISE = frozenset({"hardswish", "native_dropout", "dropout", "masked_fill", "_prelu_kernel"})
_KINDS = {
    "hardtanh": "relu6",
    "native_dropout": "dropout",
    "_prelu_kernel": "prelu",
    "_softmax": "softmax",
}
