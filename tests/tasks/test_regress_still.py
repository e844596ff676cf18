"""Numbers that stay while their pictures move are told of, and nothing else is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from striate.nn.augment.settings import AugmentSettings
from striate.tasks.regress.recipe import RegressRecipe
from striate.tasks.regress.still import still_numbers
from striate.tasks.regress.task import Regress


@pytest.fixture
def recipe(make_dataset: Any) -> RegressRecipe:
    config = Regress.config_type.parse({"model": "small-cnn", "size": "80x96", "angles": "yaw"})
    data = make_dataset([(1.0, 2.0), (3.0, 40.0)], ("size", "yaw"), size_hw=(80, 96))
    return RegressRecipe(Regress(config).learn(data))


def told(recipe: RegressRecipe, **asked: object) -> list[str]:
    """As training asks: by what a user said, made concrete."""
    settled = recipe.augment(AugmentSettings.parse(asked), np.zeros((2, 80, 96, 3), np.uint8))
    return recipe.augment_remarks(settled)


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"augment": "none"},
        {"augment": "none", "colour": 0.3, "noise": 0.1, "erase": 0.2, "blur": 2.0},
        {"mixup": 0.2, "cutmix": 1.0},
        {"policy": "none"},
        {"translate": 0.05},
    ],
    ids=str,
)
def test_nothing_is_said_of_what_leaves_a_number_as_it_is(
    recipe: RegressRecipe, asked: dict[str, object]
) -> None:
    assert told(recipe, **asked) == []


@pytest.mark.parametrize(
    ("asked", "moved", "remedy"),
    [
        ({"flip": "horizontal"}, "mirrored", "--flip none"),
        ({"rotate_deg": 20.0}, "turned", "--rotate-deg 0"),
        (
            {"augment": "standard"},
            "mirrored, turned, zoomed and cropped",
            "--flip none --rotate-deg 0 --scale 0 --crop 0",
        ),
        ({"policy": "trivialaugment"}, "moved by trivialaugment", "--policy none"),
        ({"policy": "augmix"}, "moved by augmix", "--policy none"),
        ({"shear_deg": 5.0, "elastic": 0.01}, "slanted and distorted", "--shear-deg 0 --elastic 0"),
        ({"translate": 0.3}, "shifted", "--translate 0"),
    ],
    ids=str,
)
def test_each_move_is_told_with_the_flag_that_leaves_it_out(
    recipe: RegressRecipe, asked: dict[str, object], moved: str, remedy: str
) -> None:
    (one,) = told(recipe, **asked)
    assert one.startswith(f"size and yaw stay as labelled, although pictures are {moved}.")
    assert one.endswith(f"train with {remedy}")
    flags = remedy.replace("--", "").split()
    silent = {name.replace("-", "_"): value for name, value in zip(flags[::2], flags[1::2], strict=True)}
    assert told(recipe, **(asked | silent)) == []


def test_many_numbers_are_counted() -> None:
    mirrored = AugmentSettings(flip="both")
    assert still_numbers(mirrored, ["yaw"])[0].startswith("yaw stays as labelled")
    assert still_numbers(mirrored, list("abcdefg"))[0].startswith("all 7 numbers stay as labelled")
