"""What every network has in common: normalised pictures in, pooled features out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor, nn
from torch.func import functional_call

from striate.errors import UsageError
from striate.nn.augment.colour import LUMA
from striate.types import SizeHW

__all__ = ["IMAGENET", "Backbone", "LearnsInput", "Normalisation", "probe_features", "probe_maps"]


_SMALL = 256 * 256
"""Pixels of a picture that is run for real to see what shape comes out."""


@dataclass(frozen=True, slots=True)
class Normalisation:
    """Mean and standard deviation a channel, on the scale 0 … 1."""

    mean: tuple[float, ...]
    std: tuple[float, ...]

    def for_channels(self, channels: int) -> Normalisation:
        """Itself for three channels; for one, that of luma (the spread is the mean of the three)."""
        if channels == len(self.mean):
            return self
        grey = sum(weight * value for weight, value in zip(LUMA, self.mean, strict=True))
        return Normalisation((grey,), (sum(self.std) / len(self.std),))


IMAGENET = Normalisation((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


class LearnsInput(nn.Module, ABC):
    """A model whose first layer is computed from pictures before training, instead of learnt."""

    @abstractmethod
    def learn_input(self, pictures: Tensor) -> None:
        """Set what is computed, from normalised training pictures (N, C, H, W)."""


@final
class Backbone(nn.Module):
    """`model` maps float (B, C, H, W), normalised, to features (B, D).

    `features_dim`: D. `preferred_norm`: the normalisation it is meant for. `stages` are names of
    submodules from first to last; what belongs to none (a class token) counts to the first.
    """

    def __init__(
        self,
        model: nn.Module,
        *,
        features_dim: int,
        stages: Sequence[Sequence[str]],
        norm: Normalisation = IMAGENET,
    ) -> None:
        super().__init__()
        self.model = model
        self.features_dim, self.preferred_norm = features_dim, norm
        self._stages = tuple(tuple(names) for names in stages)
        self.stages()  # a wrong name fails here, not when something is frozen

    def stages(self) -> list[nn.Module]:
        """The parts in order, looked up anew: a replaced layer is found too."""
        return [
            nn.ModuleList([self.model.get_submodule(name) for name in names]) for names in self._stages
        ]

    def forward(self, pictures: Tensor) -> Tensor:
        """Features float (B, D) of normalised pictures (B, C, H, W)."""
        features: Tensor = self.model(pictures)
        return features


def probe_features(model: nn.Module, *, channels: int, size_hw: SizeHW) -> int:
    """The number of features D that `model` yields for pictures of that size; its mode is kept.

    A `UsageError` if the pictures do not fit through the network.
    """
    return int(_output_shape(model, channels, size_hw)[1])


def probe_maps(model: nn.Module, *, channels: int, size_hw: SizeHW) -> SizeHW:
    """Height and width of the maps (B, C, h, w) that `model` yields; otherwise as `probe_features`."""
    _, _, height, width = _output_shape(model, channels, size_hw)
    return height, width


def _output_shape(model: nn.Module, channels: int, size_hw: SizeHW) -> torch.Size:
    """For large pictures shapes alone are computed (meta tensors), unless a layer cannot do that.

    The first meta tensor imports torch's symbolic half, which takes a second or two: one small picture
    is through long before.
    """
    was_training = model.training
    small = size_hw[0] * size_hw[1] <= _SMALL and not any(one.is_meta for one in model.parameters())
    model.eval()
    try:
        with torch.no_grad():  # not inference mode: some networks keep tensors for later
            found = None if small else _on_meta(model, channels, size_hw)
            return found or _for_real(model, channels, size_hw)
    finally:
        model.train(was_training)


def _on_meta(model: nn.Module, channels: int, size_hw: SizeHW) -> torch.Size | None:
    state = {**dict(model.named_parameters()), **dict(model.named_buffers())}
    shapes = {name: torch.empty_like(tensor, device="meta") for name, tensor in state.items()}
    pictures = torch.empty(1, channels, *size_hw, device="meta")
    try:
        output: Tensor = functional_call(model, shapes, (pictures,))
    except (RuntimeError, ValueError, AssertionError, TypeError):  # too small, or not made for meta
        return None
    return output.shape


def _for_real(model: nn.Module, channels: int, size_hw: SizeHW) -> torch.Size:
    device = next((parameter.device for parameter in model.parameters()), torch.device("cpu"))
    try:
        output: Tensor = model(torch.zeros(1, channels, *size_hw, device=device))
    except (RuntimeError, ValueError, AssertionError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UsageError(
            f"pictures of {size_hw[0]}×{size_hw[1]} do not fit the network: {reason}"
        ) from error
    return output.shape
