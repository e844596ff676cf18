from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
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


# -- differences ------------------------------------------------------------------------------------


def answers(scores: list[float], boxes: list[list[float]], labels: list[int]) -> dict[str, np.ndarray]:
    return {
        "boxes": np.asarray([boxes], np.float32),
        "scores": np.asarray([scores], np.float32),
        "labels": np.asarray([labels], np.int64),
    }


OWN = answers([0.9, 0.6, 0.0], [[0, 0, 30, 30], [40, 0, 70, 30], [0, 0, 0, 0]], [0, 1, 0])


def test_equal_answers_in_another_order_do_not_differ(make_detection: MakeDetection) -> None:
    recipe = make_detection("fcos").recipe
    other = answers([0.6, 0.9, 0.0], [[40, 0, 70, 30], [0, 0, 30, 30], [0, 0, 0, 0]], [1, 0, 2])
    assert recipe.differences(OWN, other) == {"boxes": 0.0, "scores": 0.0, "unmatched": 0.0}
    assert set(recipe.differences(OWN, OWN).values()) == {0.0}


@pytest.mark.parametrize(
    ("other", "name", "least"),
    [
        (answers([0.9, 0.5, 0], [[0, 0, 30, 30], [40, 0, 70, 30], [0] * 4], [0, 1, 0]), "scores", 0.09),
        (answers([0.9, 0.6, 0], [[0, 0, 30, 30], [41, 0, 71, 30], [0] * 4], [0, 1, 0]), "boxes", 0.01),
        (
            answers([0.9, 0.6, 0], [[0, 0, 30, 30], [40, 0, 70, 30], [0] * 4], [0, 2, 0]),
            "unmatched",
            0.4,
        ),
        (answers([0.9, 0.0, 0], [[0, 0, 30, 30], [0] * 4, [0] * 4], [0, 1, 0]), "unmatched", 0.4),
        (answers([0.0, 0.0, 0], [[0] * 4] * 3, [0, 1, 0]), "unmatched", 0.9),
    ],
    ids=["score", "moved", "another class", "one lost", "all lost"],
)
def test_other_answers_differ(
    make_detection: MakeDetection, other: dict[str, np.ndarray], name: str, least: float
) -> None:
    assert make_detection("fcos").recipe.differences(OWN, other)[name] >= least


def test_answers_that_only_the_graph_gives_differ(make_detection: MakeDetection) -> None:
    """A graph that finds more than its network is another model too."""
    only_one = answers([0.9, 0.0, 0], [[0, 0, 30, 30], [0] * 4, [0] * 4], [0, 1, 0])
    assert make_detection("fcos").recipe.differences(only_one, OWN)["unmatched"] > 0.1


def test_no_answers_at_all_do_not_differ(make_detection: MakeDetection) -> None:
    none = answers([0.0], [[0, 0, 0, 0]], [0])
    assert set(make_detection("fcos").recipe.differences(none, none).values()) == {0.0}


def test_what_a_recipe_says_by_default(make_detection: MakeDetection) -> None:
    """Differences are relative to the largest number, where it exceeds 1; truths stay where they are."""
    recipe: Recipe[Any] = make_detection("fcos").recipe
    own = {"a": np.array([[200.0, 1.0]]), "b": np.array([0.5]), "c": np.zeros((0, 3))}
    other = {"a": np.array([[198.0, 1.0]]), "b": np.array([0.4]), "c": np.zeros((0, 3))}
    assert Recipe.differences(recipe, own, other) == pytest.approx({"a": 0.01, "b": 0.1, "c": 0.0})
    nan = {name: value * np.nan for name, value in own.items()}
    assert np.isnan(Recipe.differences(recipe, own, nan)["a"])
    truths = {"labels": torch.arange(3)}
    plan = Augmenter(
        recipe.augment(AugmentSettings(), np.zeros((1, 8, 8, 3), np.uint8)),
        (8, 8),
        seed=0,
    ).plan(0, np.arange(3))
    assert Recipe.follow(recipe, truths, plan) is truths


def test_batches_fit_small_sets(make_detection: MakeDetection) -> None:
    recipe = make_detection("fcos").recipe
    for pictures in (1, 5, 20, 40, 64, 300, 20_000):
        wishes = recipe.defaults(pictures, transfer=True)
        assert 1 <= wishes.batch_size <= 16
        assert wishes.epochs >= 1
        assert wishes.batch_size * 4 <= max(pictures, 8)
