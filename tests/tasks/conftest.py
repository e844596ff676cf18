"""Fixtures for tests of single tasks. Torch is loaded by those that need it: half of a task does not."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from striate.data.boxes.truth import Box, Boxes
from striate.data.prepared import PreparedSet
from striate.types import Array, Prepared

if TYPE_CHECKING:
    from torch import Tensor

    from striate.nn.recipe import Batch
    from striate.tasks.detect.network import Detector
    from striate.tasks.detect.recipe import DetectRecipe

NAMES = ("ant", "bee", "cow")


@dataclass(frozen=True)
class Detection:
    """A detector in the making: its recipe, and pictures of 48 × 64 pixels with their truths."""

    recipe: DetectRecipe
    targets: list[Boxes]
    prepared: list[Prepared]
    batch: Batch

    @property
    def pixels(self) -> Array:
        return np.stack([one.pixels for one in self.prepared])

    def network(self, seed: int = 0) -> Detector:
        import torch

        from striate.tasks.detect.network import Detector

        torch.manual_seed(seed)
        found = self.recipe.build()
        assert isinstance(found, Detector)
        return found

    def more(self, rows: slice = slice(None)) -> dict[str, Tensor]:
        """What the graph is fed besides the pictures."""
        import torch

        feeds: Mapping[str, Array] = self.recipe.feeds(self.pixels[rows])
        return {name: torch.from_numpy(one) for name, one in feeds.items() if name != "pictures"}


def draw_boxes(count: int, rng: np.random.Generator) -> Boxes:
    """`count` boxes of 3 to 40 pixels in a picture of 48 × 64."""
    found = []
    for row in range(count):
        size = rng.uniform(3, 40, 2)
        low = rng.uniform(0, np.array([64, 48]) - size)
        left, top, right, bottom = np.concatenate([low, low + size]).tolist()
        found.append(Box(NAMES[row % 3], (left, top, right, bottom)))
    return tuple(found)


@pytest.fixture
def make_detection(make_dataset: Any) -> Callable[..., Detection]:
    """`make_detection(method, objects=(2, 0, 5), …settings)`: so many objects in each picture."""

    import torch

    from striate.nn.recipe import Batch
    from striate.tasks.detect.config import OWN_NETWORKS, DetectConfig
    from striate.tasks.detect.recipe import DetectRecipe
    from striate.tasks.detect.task import Detect

    def make(
        method: str,
        objects: Sequence[int] = (2, 0, 5),
        *,
        model: str = "",
        size: str = "64x96",
        **settings: Any,
    ) -> Detection:
        rng = np.random.default_rng(7)
        targets = [draw_boxes(count, rng) for count in objects]
        data = make_dataset(targets, NAMES, size_hw=(48, 64))
        model = model or ("auto" if method in OWN_NETWORKS else "test_resnet")
        config = DetectConfig.parse({"method": method, "model": model, "size": size, **settings})
        # classes and sizes are learnt from pictures that have some, whatever the batch has
        known = make_dataset([draw_boxes(6, rng)], NAMES, size_hw=(48, 64))
        task = Detect(config).learn(known)
        recipe = DetectRecipe(task)
        prepared = [task.prepare(record.origin.read()) for record in data]
        geometry = np.array([[*one.size_hw, *one.scale_yx, *one.offset_yx] for one in prepared])
        pixels = np.stack([one.pixels for one in prepared])
        encoded = recipe.encode(targets, PreparedSet(pixels, geometry, np.arange(len(data)), ()))
        batch = Batch(torch.from_numpy(pixels).permute(0, 3, 1, 2).float(), encoded)
        return Detection(recipe, targets, prepared, batch)

    return make
