from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from striate.errors import DataError, LayoutError, UnknownNameError, UsageError
from striate.explain import dissection
from striate.explain.dissection import LayerUnits, SeenMask, ThinMask, seen_mask
from striate.runs.run import Run
from striate.types import Array
from striate.verbs.explain import dissect as explain_dissect
from striate.verbs.explain.dissect import DissectedRun, dissect


def stripes(angle_deg: float) -> Array:
    """uint8 (24, 20) of the period that the run's Gabors have when pictures are halved."""
    y, x = np.mgrid[:24, :20]
    turn = np.deg2rad(angle_deg)
    across = x * np.sin(turn) + y * np.cos(turn)
    found: Array = np.rint(127 + 100 * np.cos(2 * np.pi * across / 12)).astype(np.uint8)
    return found


@pytest.fixture
def fields(tmp_path: Path, rng: np.random.Generator) -> Path:
    """Pictures 48 × 40 with stripes at 0° in one place and at 60° in another, and masks of both; a
    class that no pixel shows; test/ of ten pictures and train/ of two; a background."""
    root = tmp_path / "fields"
    root.mkdir()
    told = {"classes": ["background", "level", "slanted", "never"], "ignore": 9}
    (root / "classes.json").write_text(json.dumps(told))
    for split, count in (("train", 2), ("test", 10)):
        for folder in ("images", "masks"):
            (root / split / folder).mkdir(parents=True)
        for number in range(count):
            picture = np.full((48, 40, 3), 127, np.uint8)
            mask = np.zeros((48, 40), np.uint8)
            mask[:2] = 9
            top, left = rng.integers(0, 2, 2)
            for label, angle in ((1, 0.0), (2, 60.0)):
                y, x = 24 * ((label + top) % 2), 20 * ((label + left) % 2)
                picture[y : y + 24, x : x + 20] = stripes(angle)[:, :, None]
                mask[y + 2 : y + 24, x : x + 20] = label
            Image.fromarray(picture).save(root / split / "images" / f"{number}.png")
            Image.fromarray(mask).save(root / split / "masks" / f"{number}.png")
    return root


@pytest.fixture
def found(gabor_run: Run, fields: Path) -> DissectedRun:
    return dissect(gabor_run, fields, layers=["act"], against=["random"], top=0.05, threads=1)


def test_units_find_what_they_are_made_for(found: DissectedRun) -> None:
    (layer,) = found.found.layers
    assert found.found.concepts.names == ("level", "slanted")  # neither background nor what is absent
    assert found.absent == ("never",)
    assert found.split == "test"
    assert found.available == found.found.pictures == 10
    assert layer.best[:2].tolist() == [0, 1]
    assert layer.iou[0, 0] > 2 * layer.iou[0, 1]
    assert found.found.best_unit(0)[1] == 0
    assert found.found.best_unit(1)[1] == 1
    low, high = layer.interval(0, 0)
    assert low <= layer.iou[0, 0] <= high
    assert [one.kind for one in found.networks] == ["run", "random"]


def test_concepts_whose_interval_reaches_chance_are_told(
    found: DissectedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = "The interval over pictures, too, is beyond chance for"
    assert not any(told in one for one in found.statements)
    ends = {0: (0.0, 1.0), 1: (0.9, 1.0)}
    monkeypatch.setattr(LayerUnits, "interval", lambda self, unit, concept, seed=0: ends[concept])
    assert any(f"{told} slanted only: more pictures" in one for one in found.statements)


def test_the_page_and_the_json(found: DissectedRun, tmp_path: Path) -> None:
    page = found.save(tmp_path / "out")
    text = page.read_text("utf-8")
    for words in ("What the units of gabors find", "Networks compared", "random weights", "act:0"):
        assert words in text
    assert "<script" not in text
    data = json.loads((tmp_path / "out" / "dissect.json").read_text())
    assert data["concepts"] == ["level", "slanted"]
    assert data["absent"] == ["never"]
    (layer,) = data["networks"][0]["layers"]
    assert sum(layer["histogram"].values()) == layer["detectors"]
    assert layer["exact_thresholds"]
    best = {one["concept"]: one for one in data["networks"][0]["best"]}
    assert best["level"]["unit"] == "act:0"
    assert best["level"]["iou_interval"][0] <= best["level"]["iou"] <= best["level"]["iou_interval"][1]
    assert best["level"]["reach"] <= 1
    assert [len(one) for one in found.examples.values()] == [3, 3]
    with pytest.raises(UsageError, match="exists already"):
        found.save(tmp_path / "out")


def test_several_runs_have_names_of_their_own(gabor_run: Run, fields: Path) -> None:
    heard: dict[str, list[tuple[int, int | None]]] = {}
    found = dissect(
        gabor_run.folder,
        fields,
        layers=["conv", "act"],
        against=[str(gabor_run.folder)],
        top=0.05,
        threads=1,
        listen=lambda stage, done, of: heard.setdefault(stage, []).append((done, of)),
    )
    assert [one.name for one in found.networks] == ["gabors", "gabors (2)"]
    assert "gabors finds as many concepts as gabors (2)" in " ".join(found.statements)
    assert list(heard) == ["reading masks", "reading pictures", "holding units against concepts"]
    assert all(told == sorted(told) for told in heard.values())
    assert heard["holding units against concepts"][-1][0] == heard["reading masks"][-1][0] * 4


def test_several_random_networks_have_seeds_of_their_own(gabor_run: Run, fields: Path) -> None:
    wished = partial(dissect, gabor_run, fields, layers=["act"], top=0.05, threads=1)
    found = wished(against=["random", "random"], seed=4)
    assert [one.name for one in found.networks] == ["gabors", "random weights", "random weights (2)"]
    first, second = (one.found.layers[0].iou for one in found.networks[1:])
    assert not np.allclose(first, second)
    again = wished(against=["random"], seed=5)
    np.testing.assert_allclose(again.networks[1].found.layers[0].iou, second)


def test_masks_are_not_kept_at_full_size(
    gabor_run: Run, fields: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dissection, "_MOST_SIDE", 16)
    kept: list[ThinMask] = []

    def watched(mask: ThinMask, *rest: Any) -> SeenMask:
        kept.append(mask)
        return seen_mask(mask, *rest)

    monkeypatch.setattr(explain_dissect, "seen_mask", watched)
    found = dissect(gabor_run, fields, layers=["act"], top=0.05, threads=1)
    assert {one.classes.shape for one in kept} == {(16, 13)}
    assert {one.classes.base is None for one in kept} == {True}
    assert found.found.layers[0].best[:2].tolist() == [0, 1]
    assert {one.picture.shape for rows in found.examples.values() for one in rows} == {(48, 40, 3)}


def test_what_is_wrong_with_masks_is_told(gabor_run: Run, fields: Path) -> None:
    masks = fields / "test/masks"
    Image.fromarray(np.full((48, 40), 8, np.uint8)).save(masks / "0.png")
    (masks / "1.png").unlink()
    (fields / "test/images/2.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    found = dissect(gabor_run, fields, layers=["act"], top=0.05, threads=1)
    kinds = {one.key: one.kind for one in found.problems}
    assert kinds == {
        "test/images/0.png": "wrong-mask",
        "test/images/1.png": "missing-mask",
        "test/images/2.png": "unreadable",
    }
    assert found.found.pictures == 7


def test_concepts_out_of_reach_are_told(gabor_run: Run, fields: Path) -> None:
    said = " ".join(dissect(gabor_run, fields, layers=["act"], top=0.005, threads=1).statements)
    assert "level and slanted cannot be found here" in said
    assert "Try --active 0.02" in said


def test_no_mask_that_can_be_used(gabor_run: Run, fields: Path) -> None:
    for path in (fields / "test/masks").iterdir():
        Image.fromarray(np.full((48, 40), 8, np.uint8)).save(path)
    with pytest.raises(DataError, match=r"shows a class: test/images/0\.png: .* holds 8"):
        dissect(gabor_run, fields, threads=1)


def test_bad_wishes(gabor_run: Run, fields: Path, tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="unknown layer 'nowhere'"):
        dissect(gabor_run, fields, layers=["nowhere"])
    with pytest.raises(UsageError, match="layer logits has no map"):
        dissect(gabor_run, fields, layers=["logits"])
    with pytest.raises(UsageError, match="top was given 1"):
        dissect(gabor_run, fields, top=1.0)
    with pytest.raises(LayoutError, match="not a segmented data set"):
        dissect(gabor_run, tmp_path / "fields" / "test" / "masks")


def test_a_run_without_maps(make_run: Callable[..., Run], fields: Path) -> None:
    with pytest.raises(UsageError, match="has no layer with a map"):
        dissect(make_run(), fields)
