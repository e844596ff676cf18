"""How a detector is fitted."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, final

import torch
from torch import Tensor, nn

from striate.data.boxes.truth import Boxes
from striate.data.prepared import PreparedSet
from striate.errors import UsageError
from striate.nn.augment.plan import Plan
from striate.nn.augment.presets import resolve
from striate.nn.augment.settings import AugmentSettings
from striate.nn.recipe import Batch, Defaults, GraphSource, Losses, Recipe
from striate.task import Aim, Task
from striate.tasks.detect.aims import likeness
from striate.tasks.detect.config import DetectFacts
from striate.tasks.detect.data import arrays_of_boxes
from striate.tasks.detect.follow import follow_boxes
from striate.tasks.detect.methods.registry import head_of
from striate.tasks.detect.methods.solved import solve_regions
from striate.tasks.detect.network import DetectGraph, Detector, build_detector
from striate.tasks.detect.proposed import Proposed
from striate.tasks.detect.proposing import MOST_PROPOSALS, PROPOSED_OUTSIDE
from striate.tasks.detect.task import Detect
from striate.types import Array, PictureArray

__all__ = ["RECIPE", "DetectRecipe"]


@final
class DetectRecipe(Recipe[Boxes]):
    """One loop for every method: what they differ in is their head."""

    task_name = "detect"
    solves_head: ClassVar[bool] = False
    ahead_words: ClassVar[str] = "proposing boxes in"

    def __init__(self, task: Task[Boxes, Any]) -> None:
        super().__init__(task)
        assert isinstance(task, Detect)
        self.known: DetectFacts = task.facts
        self.outside = task.facts.method in PROPOSED_OUTSIDE
        self.finish_share = 0.3 if task.facts.method == "rcnn" else 0.0
        self._proposed = Proposed()

    def build(self) -> nn.Module:
        return build_detector(self.known, head_of(self.known))

    def defaults(self, pictures: int, *, transfer: bool) -> Defaults:
        batch = 8
        while batch > 2 and pictures / batch < 8:
            batch //= 2
        return Defaults(
            optimizer="adamw",
            lr=5e-4 if transfer else 1e-3,
            weight_decay=0.05,
            warmup=0.05,
            ema=0.99,
            batch_size=batch,
            epochs=max(12, min(150, round(15_000 / max(1, pictures)))),
        )

    def augment(self, settings: AugmentSettings, sample: PictureArray) -> AugmentSettings:
        """Mirroring, zoom, shift and light; nothing that would hide or blend objects."""
        if settings.mixup or settings.cutmix:
            raise UsageError(
                "mixup and cutmix blend pictures whose boxes would then lie",
                remedy="leave them out with --task detect",
            )
        if settings.policy == "augmix":
            raise UsageError(
                "augmix lays moved copies of a picture over it, whose boxes would then lie",
                remedy="use --policy randaugment or trivialaugment with --task detect",
            )
        # "auto", said or not, leaves the choice to the task
        given = {name: value for name, value in settings if value not in (None, "auto")}
        if "augment" not in given:
            usual = {
                "crop": 0.2,
                "scale": 0.3,
                "translate": 0.1,
                "rotate_deg": 0.0,
                "colour": 0.25,
                "erase": 0.0,
                "flip": "horizontal",
            }
            given = usual | given
        return resolve(
            AugmentSettings(**({"border": "grey"} | given | {"mixup": 0.0, "cutmix": 0.0})),
            size_hw=self.known.size_hw,
            grey=False,
        )

    def encode(self, targets: Sequence[Boxes], prepared: PreparedSet) -> dict[str, Tensor]:
        """Padded `boxes` float32 (N, M, 4) in input pixels, `angles` (N, M), `labels` int64 (N, M)."""
        boxes, angles, labels = arrays_of_boxes(targets, prepared.geometry, self.known)
        found = {"boxes": boxes, "angles": angles, "labels": labels}
        if self.outside:
            found["proposals"] = self._proposed.of(prepared.pixels)
        return {name: torch.from_numpy(value) for name, value in found.items()}

    def feeds(self, pixels: Array) -> Mapping[str, Array]:
        if not self.outside:
            return {"pictures": pixels}
        return {"pictures": pixels, "proposals": self._proposed.of(pixels)}

    def look_ahead(self, pixels: Array, home: Path) -> Iterator[int]:
        return self._proposed.fill(pixels, home) if self.outside else iter(())

    def remarks(self, module: Any) -> list[str]:
        told: list[str] = module.head.remarks()
        return told

    def follow(self, targets: dict[str, Tensor], plan: Plan) -> dict[str, Tensor]:
        return follow_boxes(targets, plan, oriented=self.known.oriented)

    def loss(self, module: nn.Module, batch: Batch) -> Losses:
        raw = module(batch.pixels, batch.targets)
        # a compiled or distributed wrapper passes the call on, not the attributes
        head = self._inner(module).head
        with torch.autocast(batch.pixels.device.type, enabled=False):
            parts: dict[str, Tensor] = head.losses(raw, batch.targets)
        return {"loss": torch.stack(list(parts.values())).sum()} | parts

    def finish(
        self,
        module: nn.Module,
        pixels: Array,
        encoded: Mapping[str, Tensor],
        *,
        device: torch.device,
        seconds: float | None = None,
    ) -> Generator[float, None, list[str]]:
        """R-CNN's second stage: classifiers and box adjustment solved on fixed vectors of regions."""
        if self.known.method != "rcnn":
            return []
        detector = self._inner(module)
        assert isinstance(detector, Detector)
        return (yield from solve_regions(detector, pixels, encoded, device=device, seconds=seconds))

    @staticmethod
    def _inner(module: Any) -> Any:
        for name in ("module", "_orig_mod"):
            module = getattr(module, name, module)
        return module

    def outputs(
        self, module: nn.Module, pixels: Tensor, more: Mapping[str, Tensor]
    ) -> dict[str, Tensor]:
        found: dict[str, Tensor] = self._graph(module).answer(pixels, more.get("proposals"))
        return found

    def pull(self, outputs: Mapping[str, Tensor], aims: Sequence[Aim]) -> Tensor:
        """The best of overlap × score over detections of the class; the overlap counts as fixed."""
        scores = outputs["scores"]
        found = {name: outputs[name].detach().cpu().numpy() for name in ("boxes", "labels")}
        weights = torch.from_numpy(likeness(found, aims)).to(scores)
        return (weights * scores).amax(dim=1)

    def _graph(self, module: Any) -> DetectGraph:
        return DetectGraph(module, self.known)

    def graphs(self, module: nn.Module) -> Mapping[str, GraphSource]:
        more = {"proposals": torch.zeros(2, MOST_PROPOSALS, 4)} if self.outside else {}
        graph = self._graph(module)
        return {"main": GraphSource(graph, graph.output_names, more)}


RECIPE = DetectRecipe
