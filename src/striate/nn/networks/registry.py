"""Networks by name: a visible dict of our own, and all of timm."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping

import torch

from striate.errors import UnknownNameError, UsageError
from striate.nn.networks.backbone import Backbone, probe_features
from striate.nn.networks.classic import alexnet, googlenet, zfnet
from striate.nn.networks.deck import deck_cnn
from striate.nn.networks.pixels import pixels_linear, pixels_mlp
from striate.nn.networks.small import small_cnn
from striate.nn.networks.timm_models import is_timm_name, timm_backbone, timm_names
from striate.types import SizeHW

__all__ = ["NETWORKS", "build_backbone", "check_name", "is_own", "smallest_side"]

NETWORKS: Mapping[str, Callable[[int, SizeHW], Backbone]] = {
    "pixels-linear": pixels_linear,
    "pixels-mlp": pixels_mlp,
    "deck-cnn": deck_cnn,
    "small-cnn": small_cnn,
    "alexnet": alexnet,
    "zfnet": zfnet,
    "googlenet": googlenet,
}
"""Our own networks: (channels, size_hw) → backbone."""

_LARGEST_SIDE = 1024
"""No network known asks for more; the search for the smallest side ends here."""


def is_own(name: str) -> bool:
    """Whether `name` is one of `NETWORKS`, with dashes or underscores."""
    return name.replace("_", "-") in NETWORKS


def check_name(name: str) -> str:
    """`name` as it is kept; an `UnknownNameError` with the nearest names if there is no such network."""
    if is_own(name):
        return name.replace("_", "-")
    if is_timm_name(name):
        return name
    raise UnknownNameError("model", name, NETWORKS, more="or a name of timm", remedy=_nearest(name))


def _nearest(name: str) -> str:
    """A hint at what `name` may be a slip of: our own networks first, then timm's, the nearest first."""
    own = difflib.get_close_matches(name.replace("_", "-"), NETWORKS, n=2)
    found = own + difflib.get_close_matches(name.replace("-", "_"), timm_names(), n=5 - len(own))
    if not found:
        return "timm.list_models() lists those of timm"
    *others, last = map(repr, found)
    return f"did you mean {', '.join(others)} or {last}" if others else f"did you mean {last}"


def build_backbone(name: str, *, channels: int, size_hw: SizeHW) -> Backbone:
    """The network `name` with random weights from torch's generator.

    Errors: `UnknownNameError`; `UsageError` with the smallest size if pictures of `size_hw` do not fit.
    """
    name = check_name(name)
    try:
        return _build(name, channels, size_hw)
    except UsageError as error:
        side = smallest_side(name, channels=channels)
        small = min(size_hw) < side
        raise UsageError(
            f"{name} cannot take pictures of {size_hw[0]}×{size_hw[1]} pixels"
            + ("" if small else f": {error.what}"),
            expected=f"at least {side}×{side}" if small else "",
            remedy=f"use --size {side if small else 224}, or a network for any size, such as small-cnn",
        ) from error


def smallest_side(name: str, *, channels: int = 3) -> int:
    """The smallest side of a square picture that fits `name`, found by trying; 0 if none does."""
    low, high = 0, 1
    while not _fits(name, channels, high):
        low, high = high, 2 * high
        if high > _LARGEST_SIDE:
            return 0
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _fits(name, channels, middle) else (middle, high)
    return high


def _build(name: str, channels: int, size_hw: SizeHW) -> Backbone:
    if name not in NETWORKS:
        return timm_backbone(name, channels=channels, size_hw=size_hw)
    backbone = NETWORKS[name](channels, size_hw)
    probe_features(backbone, channels=channels, size_hw=size_hw)
    return backbone


def _fits(name: str, channels: int, side: int) -> bool:
    """Built without memory: only shapes are tried."""
    try:
        with torch.device("meta"):
            _build(name, channels, (side, side))
    except (UsageError, RuntimeError, ValueError, AssertionError):
        return False
    return True
