"""Hear one layer of a torch network: a module, or whatever tensor a layer of the exported graph is.

A graph names layers that are no modules (a functional GELU, an addition) and merges others (a batch
normalisation into its convolution). Such a layer is found by its values: the network is run once, and
the call whose result equals them is counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from striate.errors import UsageError

__all__ = ["Place", "Spot", "find_spots", "hear"]

_NEAR = 2e-3
"""Distance from the graph's values, as a part of their own length, at which they are the same."""


@dataclass(frozen=True, slots=True)
class Spot:
    """The result of the call number `call` of a forward pass, counted from 0.

    `shape`: (C, h, w) or (C,) of one picture. `channels_last`: the tensor is (B, h, w, C).
    """

    call: int
    shape: tuple[int, ...]
    channels_last: bool = False

    def arranged(self, found: Tensor) -> Tensor:
        """(B, C, h, w) or (B, C); maps of pictures of another size have another h and w."""
        turned = found.permute(0, 3, 1, 2) if self.channels_last else found
        if turned.ndim == 4 and len(self.shape) == 3:
            return turned
        return turned.reshape(len(found), *self.shape)


Place: TypeAlias = nn.Module | Spot
"""Where to listen: a module of the network, or a spot of its forward pass."""


class _Reached(Exception):
    """What was listened for is known; the rest of the forward pass is not needed."""

    def __init__(self, found: Any) -> None:
        super().__init__()
        self.found = found


class _Calls(TorchFunctionMode):
    """Numbers every tensor that a torch function gives back."""

    def __init__(self, heard: Callable[[int, Tensor], None]) -> None:
        super().__init__()
        self._heard, self._count = heard, 0

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        found = func(*args, **(kwargs or {}))
        for one in found if isinstance(found, tuple | list) else (found,):
            if isinstance(one, Tensor):
                self._heard(self._count, one)
                self._count += 1
        return found


def hear(module: nn.Module, place: Place, pixels: Tensor) -> Tensor:
    """The values of `place` for `pixels` (B, 3, h, w), 0 … 255: (B, C) or (B, C, h, w), with gradient.

    The forward pass ends there. A `UsageError` where the network never comes by, or where a module's
    values are neither numbers a channel nor a map of them.
    """
    with _stopping(place) as found, torch.enable_grad():
        try:
            module(pixels)
        except _Reached as reached:
            found.append(reached.found)
    if not found:
        raise UsageError(
            "the layer takes no part in what this network makes of a picture",
            remedy="choose another layer",
        )
    return _whole(place, found[0])


@contextmanager
def _stopping(place: Place) -> Iterator[list[Any]]:
    if isinstance(place, Spot):

        def heard(call: int, one: Tensor) -> None:
            if call == place.call:
                raise _Reached(one)

        with _Calls(heard):
            yield []
        return

    def hook(_: nn.Module, given: Any, found: Any) -> None:
        raise _Reached(found)

    handle = place.register_forward_hook(hook)
    try:
        yield []
    finally:
        handle.remove()


def _whole(place: Place, found: Any) -> Tensor:
    if isinstance(place, Spot):
        return place.arranged(cast(Tensor, found))
    if not isinstance(found, Tensor) or found.ndim not in (2, 4):
        form = tuple(found.shape) if isinstance(found, Tensor) else type(found).__name__
        raise UsageError(
            f"the values of this {type(place).__name__} are of the form {form}",
            expected="a layer with a number for each channel, or a map of them",
        )
    return found


def find_spots(module: nn.Module, pixels: Tensor, values: Mapping[str, Tensor]) -> dict[str, Spot]:
    """Where the layers with these `values` (B, C) or (B, C, h, w) are in the forward pass of `module`.

    `values`: by name, what the exported graph says for `pixels` (B, 3, h, w), 0 … 255. Layers that are
    not part of the module (probabilities are made after it) are left out.
    """
    wanted = {name: one.to(pixels.device) for name, one in values.items()}
    sizes = {name: float(one.double().norm()) for name, one in wanted.items()}
    found: dict[str, Spot] = {}

    def heard(call: int, one: Tensor) -> None:
        for name in [key for key in wanted if key not in found]:
            spot = _spot(call, one, wanted[name], sizes[name])
            if spot is not None:
                found[name] = spot
        if len(found) == len(wanted):
            raise _Reached(None)

    was_training = module.training
    module.eval()
    try:
        with torch.enable_grad(), _Calls(heard):
            module(pixels)
    except _Reached:
        pass
    finally:
        module.train(was_training)
    return found


def _spot(call: int, one: Tensor, wanted: Tensor, size: float) -> Spot | None:
    if one.numel() != wanted.numel() or one.ndim < 2 or len(one) != len(wanted):
        return None
    shape = tuple(wanted.shape[1:])
    for last in (False, True) if one.ndim == 4 else (False,):
        spot = Spot(call, shape, last)
        if one.ndim == 4 and one.shape[3 if last else 1] != shape[0]:
            continue
        found = spot.arranged(one.detach())
        if found.shape != wanted.shape:
            continue
        apart = float((found.double() - wanted.double()).norm())
        if apart <= _NEAR * size:
            return spot
    return None
