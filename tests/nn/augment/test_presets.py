from __future__ import annotations

import gzip
import io
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from PIL import Image, ImageDraw
from sklearn.datasets import load_digits

from striate.nn.augment.presets import PRESETS, TINY_SIDE, looks_like_writing, resolve
from striate.nn.augment.settings import AugmentSettings

POLICY = ("policy", "policy_ops", "policy_magnitude")
TINY, PHOTO = (TINY_SIDE, 200), (TINY_SIDE + 1, 200)


@pytest.mark.parametrize("augment", ["auto", "none", "light", "standard", "heavy"])
@pytest.mark.parametrize("size_hw", [TINY, PHOTO])
def test_every_value_is_concrete_and_resolving_again_changes_nothing(
    augment: str, size_hw: tuple[int, int]
) -> None:
    settings = resolve(AugmentSettings(augment=augment), size_hw=size_hw, grey=False)  # type: ignore[arg-type]
    values = settings.model_dump()
    assert "auto" not in values.values()
    assert None not in values.values()
    assert resolve(settings, size_hw=size_hw, grey=True) == settings


def test_every_preset_covers_every_setting() -> None:
    fields = set(AugmentSettings.model_fields) - {"augment", "flip", "border", *POLICY}
    assert {name: set(values) for name, values in PRESETS.items()} == dict.fromkeys(PRESETS, fields)


def test_none_changes_nothing_at_all() -> None:
    values = resolve(AugmentSettings(augment="none"), size_hw=PHOTO, grey=False).model_dump()
    assert values.pop("flip") == "none"
    assert values.pop("augment") == "none"
    assert values.pop("policy") == "none"
    assert values.pop("border") == "reflect"  # of what never happens
    assert set(values.values()) == {0.0}


@pytest.mark.parametrize(
    ("size_hw", "grey", "writing", "flip"),
    [
        (TINY, True, None, "none"),  # digits, letters, as far as one can tell
        (TINY, True, True, "none"),
        (TINY, True, False, "horizontal"),  # Fashion-MNIST, once looked at
        (TINY, False, None, "horizontal"),
        (PHOTO, True, None, "horizontal"),
        (PHOTO, True, True, "none"),  # scanned pages
        (PHOTO, False, None, "horizontal"),
    ],
)
def test_flip_rule(size_hw: tuple[int, int], grey: bool, writing: bool | None, flip: str) -> None:
    assert resolve(AugmentSettings(), size_hw=size_hw, grey=grey, writing=writing).flip == flip


@pytest.mark.parametrize(
    ("asked", "border"), [("auto", "reflect"), ("reflect", "reflect"), ("grey", "grey")]
)
def test_border_rule(asked: Literal["auto", "reflect", "grey"], border: str) -> None:
    for augment in PRESETS:
        settings = AugmentSettings.parse({"augment": augment, "border": asked})
        assert resolve(settings, size_hw=PHOTO, grey=False).border == border


def test_what_the_user_gave_stands() -> None:
    asked = AugmentSettings(augment="heavy", flip="horizontal", erase=0.0, mixup=3.0)
    found = resolve(asked, size_hw=TINY, grey=True, writing=True)
    assert (found.flip, found.erase, found.mixup) == ("horizontal", 0.0, 3.0)
    assert found.cutmix == PRESETS["heavy"]["cutmix"]


def _rgb(grey: np.ndarray) -> np.ndarray:
    return np.repeat(grey.astype(np.uint8)[..., None], 3, axis=-1)


def test_digits_and_printed_letters_look_like_writing() -> None:
    assert looks_like_writing(_rgb(load_digits().images[:200] * 15.9))
    letters = []
    for letter in "ABEFGKRSZbdeghk":
        page = Image.new("L", (29, 27), 255)
        ImageDraw.Draw(page).text((6, 1), letter, fill=0, font_size=22)
        letters.append(np.asarray(page))
    assert looks_like_writing(_rgb(np.stack(letters)))


def test_filled_shapes_colours_and_nothing_do_not(rng: np.random.Generator) -> None:
    coats = np.zeros((20, 28, 24))
    coats[:, 4:26, 6:19] = rng.integers(150, 255, (20, 22, 13))
    assert not looks_like_writing(_rgb(coats))
    strokes = _rgb(load_digits().images[:50] * 15.9)
    strokes[..., 2] = 0
    assert not looks_like_writing(strokes)
    assert not looks_like_writing(np.zeros((0, 8, 8, 3), np.uint8))
    assert not looks_like_writing(np.full((4, 8, 8, 3), 7, np.uint8))
    assert looks_like_writing(np.eye(2, dtype=np.uint8)[None, ..., None].repeat(3, -1) * 255)


@pytest.mark.realdata
def test_fashion_mnist_is_not_writing(real_data: Path) -> None:
    with gzip.open(real_data / "fashion_mnist/train-images-idx3-ubyte.gz") as file:
        pixels = np.frombuffer(file.read(16 + 200 * 784), np.uint8, offset=16)
    assert not looks_like_writing(_rgb(pixels.reshape(-1, 28, 28)))


@pytest.mark.realdata
def test_omniglots_characters_are_writing(real_data: Path) -> None:
    with zipfile.ZipFile(real_data / "omniglot/omniglot_resized_28x28.zip") as archive:
        names = [name for name in archive.namelist() if name.endswith(".png")][:200]
        pages = [np.asarray(Image.open(io.BytesIO(archive.read(name))).convert("L")) for name in names]
    assert looks_like_writing(_rgb(np.stack(pages)))


def test_choosing_needs_no_torch() -> None:
    modules = "striate.nn.augment.presets, striate.nn.augment.plan"
    code = f"import sys, {modules}; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
