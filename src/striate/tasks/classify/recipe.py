"""How a classifier is fitted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, final

import numpy as np
import torch
from torch import Tensor, nn

from striate.data.prepared import PreparedSet
from striate.nn.augment.presets import looks_like_writing, resolve
from striate.nn.augment.settings import AugmentSettings
from striate.nn.defaults import defaults_for
from striate.nn.heads import solve_binary, solve_logistic
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
from striate.tasks.classify.config import ClassifyConfig, ClassifyFacts
from striate.tasks.classify.data import encode
from striate.tasks.classify.loss import cross_entropy_per_picture, label_cross_entropy_per_picture
from striate.tasks.classify.network import ClassifyGraph
from striate.tasks.classify.task import Classify
from striate.types import PictureArray

__all__ = ["RECIPE", "ClassifyRecipe"]


@final
class ClassifyRecipe(Recipe[tuple[str, ...]]):
    """Cross-entropy with label smoothing; a multinomial or per-label logistic head."""

    task_name = "classify"

    def __init__(self, task: Task[tuple[str, ...], Any]) -> None:
        super().__init__(task)
        assert isinstance(task, Classify)
        self.config: ClassifyConfig = task.config
        self.known: ClassifyFacts = task.facts
        weights = self.known.class_weights
        self._class_weights = torch.tensor(weights) if weights else None

    def build(self) -> nn.Module:
        return build_network(
            self.known.model,
            in_channels=self.known.channels,
            size_hw=self.known.size_hw,
            head=lambda features: nn.Linear(features, len(self.known.names)),
        )

    def defaults(self, pictures: int, *, transfer: bool) -> Defaults:
        return defaults_for(self.known.model, self.known.size_hw, pictures, transfer=transfer)

    def augment(self, settings: AugmentSettings, sample: PictureArray) -> AugmentSettings:
        grey = self.known.channels == 1
        return resolve(
            settings, size_hw=self.known.size_hw, grey=grey, writing=looks_like_writing(sample)
        )

    def encode(self, targets: Sequence[tuple[str, ...]], prepared: PreparedSet) -> dict[str, Tensor]:
        labels = encode(targets, self.known.names, multi_label=self.known.multi_label)
        return {"labels": torch.from_numpy(np.ascontiguousarray(labels))}

    def loss(self, module: nn.Module, batch: Batch) -> Losses:
        logits = module(batch.pixels)
        own = self._per_picture(logits, batch.targets)
        partner = (
            None if batch.partner_targets is None else self._per_picture(logits, batch.partner_targets)
        )
        return {"loss": mix_losses(own, partner, batch.share)}

    def harm(self, module: nn.Module, batch: Batch) -> Tensor:
        """By how much the wrong answer leads, in logits: unlike the loss, it never fades where the right
        one is sure (Carlini & Wagner 2017), and label smoothing does not turn it round."""
        logits, partner = module(batch.pixels).float(), batch.partner_targets
        own = self._lead(logits, batch.targets["labels"])
        return mixed(
            own, None if partner is None else self._lead(logits, partner["labels"]), batch.share
        )

    def _lead(self, logits: Tensor, labels: Tensor) -> Tensor:
        """By how much another answer than `labels` leads, (B,)."""
        if self.known.multi_label:  # the label nearest to being wrong
            return torch.logsumexp(torch.where(labels > 0.5, -logits, logits), dim=1)
        right = nn.functional.one_hot(labels, logits.shape[1]).bool()
        others = logits.masked_fill(right, -torch.inf)
        found: Tensor = torch.logsumexp(others, dim=1) - logits[right]
        return found

    def _per_picture(self, logits: Tensor, targets: Mapping[str, Tensor]) -> Tensor:
        per_picture = (
            label_cross_entropy_per_picture if self.known.multi_label else cross_entropy_per_picture
        )
        weights = self._class_weights
        return per_picture(
            logits,
            targets["labels"],
            smoothing=self.config.label_smoothing,
            class_weights=None if weights is None else weights.to(logits.device),
        )

    def outputs(
        self, module: nn.Module, pixels: Tensor, more: Mapping[str, Tensor]
    ) -> dict[str, Tensor]:
        return {"logits": module(pixels)}

    def pull(self, outputs: Mapping[str, Tensor], aims: Sequence[Aim]) -> Tensor:
        """The logit of the class: a probability near 1 has no gradient left."""
        logits = outputs["logits"]
        rows = torch.tensor([one.index for one in aims], device=logits.device)
        return logits.gather(1, rows[:, None])[:, 0]

    def graphs(self, module: nn.Module) -> Mapping[str, GraphSource]:
        graph = ClassifyGraph(
            module, temperature=self.known.temperature, multi_label=self.known.multi_label
        )
        return {"main": GraphSource(graph, ("logits", "probabilities"))}

    def solve_head(
        self,
        features: Tensor,
        targets: Mapping[str, Tensor],
        held_features: Tensor,
        held_targets: Mapping[str, Tensor],
    ) -> HeadSolution:
        own, held = targets["labels"], held_targets["labels"]
        if self.known.multi_label:
            return solve_binary(features, own, held_features, held)
        return solve_logistic(features, own, len(self.known.names), held_features, held)


RECIPE = ClassifyRecipe
