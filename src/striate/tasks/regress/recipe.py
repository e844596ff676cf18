"""How a regressor is fitted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, final

import numpy as np
import torch
from torch import Tensor, nn

from striate.data.prepared import PreparedSet
from striate.nn.augment.presets import resolve
from striate.nn.augment.settings import AugmentSettings
from striate.nn.defaults import defaults_for
from striate.nn.heads import solve_ridge
from striate.nn.network import build_network
from striate.nn.recipe import (
    Batch,
    Defaults,
    GraphSource,
    HeadSolution,
    Losses,
    Recipe,
    mix_losses,
    mixed,
)
from striate.task import Aim, Task
from striate.tasks.regress.config import RegressFacts
from striate.tasks.regress.loss import huber_per_picture, spread_per_picture
from striate.tasks.regress.network import RegressGraph, RegressHead
from striate.tasks.regress.still import still_numbers
from striate.tasks.regress.task import Regress
from striate.types import PictureArray

__all__ = ["RECIPE", "RegressRecipe"]


@final
class RegressRecipe(Recipe[tuple[float, ...]]):
    """Huber loss of standardised values and of (sine, cosine) pairs; spreads by Laplace likelihood."""

    task_name = "regress"

    def __init__(self, task: Task[tuple[float, ...], Any]) -> None:
        super().__init__(task)
        assert isinstance(task, Regress)
        self.known: RegressFacts = task.facts

    def build(self) -> nn.Module:
        columns = sum(2 if angle else 1 for angle in self.known.is_angle)
        targets = len(self.known.names)
        return build_network(
            self.known.model,
            in_channels=self.known.channels,
            size_hw=self.known.size_hw,
            head=lambda features: RegressHead(features, columns=columns, targets=targets),
        )

    def defaults(self, pictures: int, *, transfer: bool) -> Defaults:
        return defaults_for(self.known.model, self.known.size_hw, pictures, transfer=transfer)

    def augment(self, settings: AugmentSettings, sample: PictureArray) -> AugmentSettings:
        """Where the user says nothing, only what leaves a number as it is: small shifts and light.

        Mirroring negates a yaw, zooming changes a distance: those are asked for by name.
        """
        quiet = {"flip": "none", "scale": 0.0, "crop": 0.0, "rotate_deg": 0.0}
        given = {name: value for name, value in settings if value not in (None, "auto")}
        if given.get("augment", "auto") == "auto":
            given = quiet | given
        return resolve(
            AugmentSettings(**given), size_hw=self.known.size_hw, grey=self.known.channels == 1
        )

    def augment_remarks(self, settings: AugmentSettings) -> list[str]:
        return still_numbers(settings, self.known.names)

    def encode(self, targets: Sequence[tuple[float, ...]], prepared: PreparedSet) -> dict[str, Tensor]:
        """Columns float32 (N, C): standardised values, and (sine, cosine) of angles."""
        values = np.asarray(targets, np.float64).reshape(len(targets), len(self.known.names))
        columns = []
        for index, angle in enumerate(self.known.is_angle):
            if angle:
                radians = np.deg2rad(values[:, index])
                columns += [np.sin(radians), np.cos(radians)]
            else:
                columns.append((values[:, index] - self.known.mean[index]) / self.known.scale[index])
        return {"columns": torch.from_numpy(np.stack(columns, axis=1).astype(np.float32))}

    def loss(self, module: nn.Module, batch: Batch) -> Losses:
        columns, log_sigmas = (part.float() for part in module(batch.pixels))
        value, spread = self._per_picture(columns, log_sigmas, batch.targets)
        if batch.partner_targets is None:
            return {"loss": (value + spread).mean(), "value": value.mean(), "spread": spread.mean()}
        other, other_spread = self._per_picture(columns, log_sigmas, batch.partner_targets)
        return {"loss": mix_losses(value + spread, other + other_spread, batch.share)}

    def harm(self, module: nn.Module, batch: Batch) -> Tensor:
        """Squared error of the standardised values."""
        columns = module(batch.pixels)[0].float()

        def error(targets: Mapping[str, Tensor]) -> Tensor:
            found: Tensor = (columns - targets["columns"]).square().sum(dim=1)
            return found

        partner = batch.partner_targets
        return mixed(error(batch.targets), None if partner is None else error(partner), batch.share)

    def _per_picture(
        self, columns: Tensor, log_sigmas: Tensor, targets: Mapping[str, Tensor]
    ) -> tuple[Tensor, Tensor]:
        errors = columns - targets["columns"]
        sizes = self._error_sizes(errors.detach())
        return huber_per_picture(errors), spread_per_picture(sizes, log_sigmas)

    def _error_sizes(self, errors: Tensor) -> Tensor:
        """|error| a target (B, K); an angle's is the length of its (sine, cosine) error, radians."""
        sizes, at = [], 0
        for angle in self.known.is_angle:
            width = 2 if angle else 1
            sizes.append(torch.linalg.vector_norm(errors[:, at : at + width], dim=1))
            at += width
        return torch.stack(sizes, dim=1)

    def outputs(
        self, module: nn.Module, pixels: Tensor, more: Mapping[str, Tensor]
    ) -> dict[str, Tensor]:
        values, sigmas = self._graph(module).to(pixels.device).answer(pixels)
        return {"values": values, "sigmas": sigmas}

    def _graph(self, module: nn.Module) -> RegressGraph:
        # an angle's sigma is learnt in radians and told in degrees
        scale = [
            float(np.rad2deg(1.0)) if angle else float(unit)
            for angle, unit in zip(self.known.is_angle, self.known.scale, strict=True)
        ]
        return RegressGraph(module, is_angle=self.known.is_angle, mean=self.known.mean, scale=scale)

    def pull(self, outputs: Mapping[str, Tensor], aims: Sequence[Aim]) -> Tensor:
        """The number itself, in its own units."""
        values = outputs["values"]
        rows = torch.tensor([one.index for one in aims], device=values.device)
        return values.gather(1, rows[:, None])[:, 0]

    def graphs(self, module: nn.Module) -> Mapping[str, GraphSource]:
        return {"main": GraphSource(self._graph(module), ("values", "sigmas"))}

    def solve_head(
        self,
        features: Tensor,
        targets: Mapping[str, Tensor],
        held_features: Tensor,
        held_targets: Mapping[str, Tensor],
    ) -> HeadSolution:
        return solve_ridge(features, targets["columns"], held_features, held_targets["columns"])


RECIPE = RegressRecipe
