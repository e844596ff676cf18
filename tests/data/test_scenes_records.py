"""Scenes as data sets: targets are true, splits fair, nothing is rendered before it is read."""

from __future__ import annotations

import time
from collections import Counter

import numpy as np
import pytest

from striate.data.scenes import (
    OBJECT_NAMES,
    SceneOrigin,
    SceneSettings,
    make_scene,
    scenes_dataset,
    single_object_scene,
)
from striate.data.scenes.make import find_boxes
from striate.data.scenes.records import COUNTED, KINDS
from striate.errors import SettingError, UnknownNameError


def test_classes_are_balanced_in_every_split() -> None:
    found = scenes_dataset("class")
    assert len(found) == 1200
    assert found.names == OBJECT_NAMES
    assert found.splits == ("train", "validation", "test")
    assert Counter(record.split for record in found) == {"train": 840, "validation": 180, "test": 180}
    for split, each in (("train", 84), ("validation", 18), ("test", 18)):
        part = found.only(split)
        assert Counter(part.targets) == dict.fromkeys(((name,) for name in OBJECT_NAMES), each)
    assert len({record.key for record in found}) == 1200


def test_the_class_is_what_the_picture_shows() -> None:
    found = scenes_dataset("class", n=20, seed=3)
    for record in found:
        assert isinstance(record.origin, SceneOrigin)
        scene = record.origin.scene()
        assert scene.names == record.target
        assert np.array_equal(record.origin.read(), scene.picture)


def test_counts_are_what_can_be_seen() -> None:
    found = scenes_dataset("count", n=25, seed=1)
    assert found.names == ("count",)
    for record in found:
        assert isinstance(record.origin, SceneOrigin)
        scene = record.origin.scene()
        assert record.target == (float(len(scene.names)),)
        assert set(scene.names) <= set(COUNTED)
    assert len(set(found.targets)) > 4


@pytest.mark.parametrize("occlusion", [0.0, 0.6])
def test_boxes_found_unpainted_are_those_of_the_picture(occlusion: float) -> None:
    """Also where paint on a thing reaches a pixel beyond its body."""
    settings = SceneSettings(size_hw=(96, 128), occlusion=occlusion)
    for seed in range(40):
        scene = make_scene(settings, seed=seed)
        found = find_boxes(settings, seed)
        assert [box.label for box in found] == list(scene.names)
        assert [box.box_xyxy for box in found] == [tuple(row) for row in scene.boxes_xyxy.tolist()]


def test_counts_where_things_hide() -> None:
    hard = SceneSettings(size_hw=(40, 50), objects=(8, 12), occlusion=0.9, clutter=1.0)
    for record in scenes_dataset("count", n=8, seed=2, settings=hard):
        assert isinstance(record.origin, SceneOrigin)
        assert record.target == (float(len(record.origin.scene().names)),)


def test_values_are_the_factors() -> None:
    found = scenes_dataset("values", n=40, seed=5)
    assert found.names == ("illumination", "viewpoint_deg")
    targets = np.array(found.targets)
    assert targets.min(axis=0) == pytest.approx([0.0, -60.0], abs=0.2, rel=0.25)
    assert targets.max(axis=0) == pytest.approx([1.0, 60.0], abs=0.2, rel=0.25)
    origin = found.records[7].origin
    assert isinstance(origin, SceneOrigin)
    factors = origin.scene().factors
    assert (factors["illumination"], factors["viewpoint_deg"]) == found.targets[7]


def test_given_settings_hold_for_every_picture() -> None:
    chosen = SceneSettings(size_hw=(48, 64), classes=("dog", "car"), clutter=0.3)
    found = scenes_dataset("class", n=6, settings=chosen)
    assert found.names == ("car", "dog")
    assert {record.origin.settings for record in found} == {chosen}  # type: ignore[attr-defined]
    assert found.records[0].origin.read().shape == (48, 64, 3)
    values = scenes_dataset("values", n=3, settings=chosen)
    for record in values:
        assert record.origin.settings.clutter == 0.3  # type: ignore[attr-defined]


def test_the_same_seed_gives_the_same_set() -> None:
    for kind in KINDS:
        one, two = scenes_dataset(kind, n=12, seed=4), scenes_dataset(kind, n=12, seed=4)
        assert one.fingerprint() == two.fingerprint()
        assert one.fingerprint() != scenes_dataset(kind, n=12, seed=5).fingerprint()
    # A longer set begins with the shorter one's pictures.
    assert (
        scenes_dataset("class", n=30).records[3].origin
        == scenes_dataset("class", n=12).records[3].origin
    )


def test_equal_content_equal_hash_without_rendering() -> None:
    one, two = SceneOrigin(SceneSettings(), 5), SceneOrigin(SceneSettings(), 5)
    assert one.content_hash() == two.content_hash()
    others = {
        SceneOrigin(SceneSettings(), 6).content_hash(),
        SceneOrigin(SceneSettings(noise=0.1), 5).content_hash(),
        SceneOrigin(SceneSettings(), 5, "car").content_hash(),
    }
    assert len(others | {one.content_hash()}) == 4
    start = time.process_time()
    scenes_dataset("class", n=500).fingerprint()
    assert time.process_time() - start < 1.0


def test_reading_ignores_the_size_hint() -> None:
    origin = SceneOrigin(SceneSettings(), 3)
    assert np.array_equal(origin.read((10, 10)), make_scene(seed=3).picture)
    single = SceneOrigin(SceneSettings(), 3, "bus")
    assert np.array_equal(single.read(), single_object_scene("bus", seed=3).picture)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n", [1, 2, 3, 7])
def test_short_sets(kind: str, n: int) -> None:
    found = scenes_dataset(kind, n=n)  # type: ignore[call-overload]
    assert len(found) == n
    if kind != "class" and n >= 7:
        assert found.splits == ("train", "validation", "test")


def test_wrong_arguments() -> None:
    with pytest.raises(UnknownNameError, match="class, count, values"):
        scenes_dataset("clas")  # type: ignore[call-overload]
    with pytest.raises(SettingError, match="1 to"):
        scenes_dataset("class", n=0)


def test_a_scene_is_drawn_in_time() -> None:
    """15 ms a picture on a core of its own; three times that here, where cores are shared."""
    best = 1.0
    for _ in range(3):
        start = time.process_time()
        for seed in range(5):
            make_scene(seed=seed)
        best = min(best, (time.process_time() - start) / 5)
    assert best < 0.045
