"""Scenes as files: what is written says the same as the scenes, or nothing is written at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from striate.data.scenes import OBJECT_NAMES, SceneSettings, make_scene, write, write_scenes
from striate.data.scenes.truth import Scene
from striate.data.scenes.write import mask_to_rle, scene_seeds
from striate.errors import DiskError, SettingError, UsageError

SMALL = SceneSettings(size_hw=(60, 84), objects=(2, 5))


def decoded(rle: dict[str, Any]) -> np.ndarray[Any, Any]:
    """COCO's rule, written independently: runs of 0 and 1 in turn, column by column."""
    height, width = rle["size"]
    flat: list[bool] = []
    for index, run in enumerate(rle["counts"]):
        flat += [bool(index % 2)] * run
    return np.array(flat).reshape(width, height).T


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_scenes(tmp_path_factory.mktemp("scenes") / "town", n=3, seed=8, settings=SMALL)


def truth() -> list[Scene]:
    return [make_scene(SMALL, seed=seed) for seed in scene_seeds(3, 8)]


def test_pictures_and_semantic_masks(written: Path) -> None:
    for index, scene in enumerate(truth()):
        with Image.open(written / "pictures" / f"{index:05d}.png") as picture:
            assert np.array_equal(np.asarray(picture), scene.picture)
        with Image.open(written / "semantic" / f"{index:05d}.png") as mask:
            assert np.array_equal(np.asarray(mask), scene.semantic)


def test_coco_annotations(written: Path) -> None:
    coco = json.loads((written / "annotations.json").read_text())
    assert [category["name"] for category in coco["categories"]] == list(OBJECT_NAMES)
    assert [image["file_name"] for image in coco["images"]] == ["00000.png", "00001.png", "00002.png"]
    ids = [annotation["id"] for annotation in coco["annotations"]]
    assert ids == list(range(1, len(ids) + 1))
    for image, scene in zip(coco["images"], truth(), strict=True):
        assert (image["height"], image["width"]) == (60, 84)
        mine = [a for a in coco["annotations"] if a["image_id"] == image["id"]]
        assert len(mine) == len(scene.names)
        for index, found in enumerate(mine):
            x0, y0, x1, y1 = scene.boxes_xyxy[index].tolist()
            assert found["bbox"] == [x0, y0, x1 - x0, y1 - y0]
            assert OBJECT_NAMES[found["category_id"] - 1] == scene.names[index]
            mask = decoded(found["segmentation"])
            assert np.array_equal(mask, scene.instances == index + 1)
            assert found["area"] == mask.sum()


def test_captions_and_truth(written: Path) -> None:
    scenes = truth()
    captions = [json.loads(line) for line in (written / "captions.jsonl").read_text().splitlines()]
    assert [tuple(row["captions"]) for row in captions] == [scene.captions for scene in scenes]
    assert captions[0]["picture"] == "pictures/00000.png"
    everything = [json.loads(line) for line in (written / "scenes.jsonl").read_text().splitlines()]
    assert [row["counts"] for row in everything] == [scene.counts for scene in scenes]
    about = json.loads((written / "names.json").read_text())
    assert SceneSettings.parse(about["settings"]) == SMALL


@pytest.mark.parametrize(
    ("mask", "counts"),
    [
        ([[0, 0], [0, 0]], [4]),
        ([[1, 1], [1, 1]], [0, 4]),
        ([[0, 1], [1, 1]], [1, 3]),
        ([[1, 0, 0], [0, 0, 1]], [0, 1, 4, 1]),
        ([[0, 1], [0, 0]], [2, 1, 1]),
    ],
)
def test_run_lengths_by_hand(mask: list[list[int]], counts: list[int]) -> None:
    found = mask_to_rle(np.array(mask, dtype=bool))
    assert found["counts"] == counts
    assert np.array_equal(decoded(found), np.array(mask, dtype=bool))


def test_an_empty_folder_is_used_and_a_full_one_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    assert write_scenes(tmp_path / "new", n=1, settings=SMALL) == tmp_path / "new"
    full = tmp_path / "full"
    full.mkdir()
    (full / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match="empty folder"):
        write_scenes(full, n=1, settings=SMALL)
    assert [path.name for path in full.iterdir()] == ["mine.txt"]


def test_trouble_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full_disk(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(write, "_save", full_disk)
    with pytest.raises(DiskError, match="No space left"):
        write_scenes(tmp_path / "town", n=1, settings=SMALL)
    assert list(tmp_path.iterdir()) == []


def test_an_unwritable_place(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DiskError, match="cannot write scenes"):
        write_scenes(tmp_path / "file" / "town", n=1, settings=SMALL)


def test_no_scenes(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="1 or more"):
        write_scenes(tmp_path / "none", n=0)
    assert list(tmp_path.iterdir()) == []
