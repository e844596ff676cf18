from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from striate.nn.augment.augmenter import Augmenter
from striate.nn.augment.settings import AugmentSettings
from striate.nn.recipe import Batch, Recipe

MakeDetection = Callable[..., Any]


def test_what_is_encoded_is_where_it_is_in_the_input(make_detection: MakeDetection) -> None:
    """48 × 64 in 64 × 96: a third larger (64/48), and half of what is left over to each side."""
    made = make_detection("fcos", (2, 0, 5))
    targets = made.batch.targets
    assert targets["boxes"].shape == (3, 5, 4)
    assert (targets["labels"] >= 0).sum(dim=1).tolist() == [2, 0, 5]
    offset_x = (96 - round(64 * 64 / 48)) // 2
    scale = np.array([round(64 * 64 / 48) / 64, 64 / 48])
    first = np.asarray(made.targets[0][0].box_xyxy).reshape(2, 2) * scale + (offset_x, 0)
    np.testing.assert_allclose(targets["boxes"][0, 0].view(2, 2), first, rtol=1e-5)


def test_objects_are_not_hidden_blended_or_mirrored_twice(make_detection: MakeDetection) -> None:
    made = make_detection("fcos")
    settled = made.recipe.augment(AugmentSettings(), made.pixels)
    assert settled.border == "grey"
    assert (settled.mixup, settled.cutmix, settled.erase) == (0.0, 0.0, 0.0)
    assert settled.flip == "horizontal"
    heavy = made.recipe.augment(AugmentSettings(augment="heavy"), made.pixels)
    assert (heavy.mixup, heavy.cutmix, heavy.border) == (0.0, 0.0, "grey")
    off = made.recipe.augment(AugmentSettings(augment="none"), made.pixels)
    assert {off.crop, off.scale, off.translate, off.rotate_deg, off.colour, off.erase} == {0.0}
    asked = made.recipe.augment(AugmentSettings(flip="both", rotate_deg=30.0), made.pixels)
    assert (asked.flip, asked.rotate_deg) == ("both", 30.0)


def test_auto_is_the_same_whether_it_is_said_or_not(make_detection: MakeDetection) -> None:
    """Never a mirror image of objects that are to be found, unless asked for by name."""
    made = make_detection("fcos")
    fields = AugmentSettings().model_dump()
    said = AugmentSettings(**fields)
    assert said.model_fields_set == set(fields)
    for augment in ("auto", "none", "light", "standard", "heavy"):
        quiet = made.recipe.augment(AugmentSettings(augment=augment), made.pixels)
        loud = made.recipe.augment(AugmentSettings(**{**fields, "augment": augment}), made.pixels)
        assert loud == quiet
        assert loud.border == "grey"
    assert made.recipe.augment(AugmentSettings(border="reflect"), made.pixels).border == "reflect"


def test_truths_follow_their_pictures(make_detection: MakeDetection) -> None:
    """White objects on black: after augmentation white lies within the boxes, and fills them."""
    made = make_detection("fcos", (1, 1, 1, 1))
    pixels = np.zeros((4, 64, 96, 3), np.uint8)
    for row, box in enumerate(made.batch.targets["boxes"][:, 0].round().int().tolist()):
        pixels[row, box[1] : box[3], box[0] : box[2]] = 255
    rounded = {**made.batch.targets, "boxes": made.batch.targets["boxes"].round()}
    settled = made.recipe.augment(AugmentSettings(colour=0.0), pixels)
    augmenter = Augmenter(settled, (64, 96), seed=5)
    for epoch in range(6):
        plan = augmenter.plan(epoch, np.arange(4))
        moved = augmenter.apply(pixels, plan)
        followed = made.recipe.follow(dict(rounded), plan)
        for row in torch.nonzero(followed["labels"][:, 0] >= 0)[:, 0].tolist():
            ys, xs = torch.nonzero(moved[row, 0] > 190, as_tuple=True)
            seen = [int(xs.min()), int(ys.min()), int(xs.max()) + 1, int(ys.max()) + 1]
            np.testing.assert_allclose(followed["boxes"][row, 0], seen, atol=1.5)


def test_a_wrapped_network_has_the_same_loss(make_detection: MakeDetection) -> None:
    made = make_detection("fcos")
    module = made.network().train()

    class Wrapper(torch.nn.Module):
        """As torch's distributed and compiled ones: calls are passed on, attributes are not."""

        def __init__(self, inner: torch.nn.Module, name: str) -> None:
            super().__init__()
            self.inner_name = name
            self.add_module(name, inner)

        def forward(self, *args: Any) -> Any:
            return getattr(self, self.inner_name)(*args)

    plain = made.recipe.loss(module, made.batch)["loss"]
    for name in ("module", "_orig_mod"):
        torch.testing.assert_close(made.recipe.loss(Wrapper(module, name), made.batch)["loss"], plain)


def test_a_picture_without_objects_changes_no_box_loss(make_detection: MakeDetection) -> None:
    made = make_detection("single", (1, 0))
    module = made.network().eval()
    alone = Batch(made.batch.pixels[:1], {k: v[:1] for k, v in made.batch.targets.items()})
    both = made.recipe.loss(module, made.batch)
    torch.testing.assert_close(both["box"], made.recipe.loss(module, alone)["box"])


def test_truths_stay_where_they_are_by_default(make_detection: MakeDetection) -> None:
    recipe: Recipe[Any] = make_detection("fcos").recipe
    truths = {"labels": torch.arange(3)}
    settled = recipe.augment(AugmentSettings(), np.zeros((1, 8, 8, 3), np.uint8))
    plan = Augmenter(settled, (8, 8), seed=0).plan(0, np.arange(3))
    assert Recipe.follow(recipe, truths, plan) is truths


def test_batches_fit_small_sets(make_detection: MakeDetection) -> None:
    recipe = make_detection("fcos").recipe
    for pictures in (1, 5, 20, 40, 64, 300, 20_000):
        wishes = recipe.defaults(pictures, transfer=True)
        assert 1 <= wishes.batch_size <= 16
        assert wishes.epochs >= 1
        assert wishes.batch_size * 4 <= max(pictures, 8)
