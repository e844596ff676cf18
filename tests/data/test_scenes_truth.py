"""The truth of a scene agrees with its masks, and the same seed always gives the same scene."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from striate.data.scenes import (
    OBJECT_NAMES,
    SEMANTIC_NAMES,
    STUFF_NAMES,
    Scene,
    SceneSettings,
    make_scene,
    single_object_scene,
)
from striate.data.scenes.settings import Weather
from striate.errors import UnknownNameError

CROWDED = SceneSettings(objects=(9, 14), viewpoint_deg=25, clutter=0.7, elevation_deg=14)


def sha(scene: Scene) -> str:
    digest = hashlib.sha256()
    for array in (scene.picture, scene.semantic, scene.instances, scene.amodal, scene.boxes_xyxy):
        digest.update(np.ascontiguousarray(array).tobytes())
    digest.update(json.dumps(scene.to_dict(), sort_keys=True).encode())
    return digest.hexdigest()


@pytest.fixture(scope="module")
def scenes() -> list[Scene]:
    """Plain, crowded, hidden, cut off, bent and turned streets."""
    kinds = (
        SceneSettings(),
        CROWDED,
        SceneSettings(objects=(5, 9), occlusion=0.5, viewpoint_deg=-30),
        SceneSettings(truncation=0.5, deformation=0.8, weather="rainy", illumination=0.2),
        SceneSettings(objects=(6, 9), rotation_deg=37, viewpoint_deg=50, weather="snowy"),
    )
    return [make_scene(kind, seed=seed) for kind in kinds for seed in (1, 2, 3)]


def check(scene: Scene) -> None:
    """Everything that must hold of any scene."""
    height, width = scene.settings.size_hw
    assert scene.picture.shape == (height, width, 3)
    assert int(scene.semantic.max()) < len(SEMANTIC_NAMES)
    count = len(scene.labels)
    assert set(np.unique(scene.instances).tolist()) - {0} == set(range(1, count + 1))
    for index in range(count):
        mask, whole = scene.instances == index + 1, scene.amodal[index]
        rows, columns = np.nonzero(mask)
        box = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        assert scene.boxes_xyxy[index].tolist() == box
        assert not (mask & ~whole).any()
        share = np.count_nonzero(mask) / np.count_nonzero(whole)
        assert scene.visible_fraction[index] == pytest.approx(share)
        name = OBJECT_NAMES[scene.labels[index]]
        assert set(np.unique(scene.semantic[mask])) == {SEMANTIC_NAMES.index(name)}
        rows, columns = np.nonzero(whole)
        x0, y0, x1, y1 = scene.full_boxes_xyxy[index]
        assert x0 <= columns.min()
        assert y0 <= rows.min()
        assert x1 >= columns.max() + 1
        assert y1 >= rows.max() + 1
        outside = x0 < 0 or y0 < 0 or x1 > width or y1 > height
        assert bool(scene.truncated[index]) == outside
    assert (scene.semantic[scene.instances == 0] < len(STUFF_NAMES)).all()
    assert ((scene.truncated_fraction >= 0) & (scene.truncated_fraction < 1)).all()


def test_truth_agrees_with_the_masks(scenes: list[Scene]) -> None:
    for scene in scenes:
        check(scene)


def test_nearer_objects_hide_farther_ones(scenes: list[Scene]) -> None:
    overlaps = 0
    for scene in scenes:
        stacked = np.cumsum(scene.amodal, axis=0)
        for index in range(len(scene.labels)):
            behind = scene.amodal[index] & (stacked[index] > 1)
            overlaps += int(behind.any())
            # Something listed earlier is there too: this object may not be what is seen.
            assert not (scene.instances[behind] == index + 1).any()
    assert overlaps > 5


def test_same_seed_same_bytes_in_any_order() -> None:
    first = [sha(make_scene(CROWDED, seed=seed)) for seed in (3, 4)]
    make_scene(SceneSettings(noise=0.3, weather="snowy"), seed=9)
    assert [sha(make_scene(CROWDED, seed=seed)) for seed in (4, 3)] == first[::-1]
    assert first[0] != first[1]


def test_same_bytes_in_another_process() -> None:
    code = (
        "import hashlib; from striate.data.scenes import make_scene, SceneSettings; "
        "s = make_scene(SceneSettings(noise=0.1), seed=11); "
        "print(hashlib.sha256(s.picture.tobytes() + s.instances.tobytes()).hexdigest())"
    )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONHASHSEED": "7"}
    command = [sys.executable, "-c", code]
    found = subprocess.run(command, capture_output=True, text=True, env=env, check=False)
    scene = make_scene(SceneSettings(noise=0.1), seed=11)
    wanted = hashlib.sha256(scene.picture.tobytes() + scene.instances.tobytes()).hexdigest()
    assert found.stdout.strip() == wanted, found.stderr


@pytest.mark.parametrize("size_hw", [(8, 8), (16, 16), (300, 40), (40, 300), (9, 64)])
@pytest.mark.parametrize("objects", [(0, 0), (1, 1), (12, 12)])
def test_degenerate_sizes(size_hw: tuple[int, int], objects: tuple[int, int]) -> None:
    scene = make_scene(SceneSettings(size_hw=size_hw, objects=objects), seed=5)
    check(scene)
    assert len(scene.labels) <= objects[1]


def test_an_empty_street() -> None:
    scene = make_scene(SceneSettings(objects=(0, 0), occlusion=0.5, truncation=0.5), seed=2)
    assert scene.boxes_xyxy.shape == (0, 4)
    assert scene.amodal.shape == (0, 128, 160)
    assert scene.main is None
    assert not scene.instances.any()
    assert sum(scene.counts.values()) == scene.vehicles == 0
    assert {"road", "pavement", "building", "sky"} <= {
        SEMANTIC_NAMES[i] for i in np.unique(scene.semantic)
    }


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    viewpoint_deg=st.floats(-70, 70),
    elevation_deg=st.floats(2, 50),
    scale=st.floats(0.2, 1.5),
    occlusion=st.floats(0, 0.9),
    truncation=st.floats(0, 0.85),
    illumination=st.floats(0, 1),
    light_deg=st.one_of(st.none(), st.floats(-180, 180)),
    clutter=st.floats(0, 1),
    deformation=st.floats(0, 1),
    rotation_deg=st.floats(-180, 180),
    blur_px=st.floats(0, 8),
    noise=st.floats(0, 0.5),
    weather=st.sampled_from(Weather.__args__),  # type: ignore[attr-defined]
    seed=st.integers(0, 2**60),
    name=st.one_of(st.none(), st.sampled_from(OBJECT_NAMES)),
    size_hw=st.tuples(st.integers(8, 70), st.integers(8, 70)),
)
def test_any_settings(seed: int, name: str | None, **factors: object) -> None:
    chosen = SceneSettings.parse(factors)
    scene = (
        make_scene(chosen, seed=seed) if name is None else single_object_scene(name, chosen, seed=seed)
    )
    check(scene)
    assert len(scene.captions) == 5
    if name is not None:
        assert set(scene.names) <= {name}


@pytest.mark.parametrize("name", OBJECT_NAMES)
def test_a_single_object_fills_its_picture(name: str) -> None:
    for seed, viewpoint, elevation in ((1, 0, 11), (2, -70, 50), (3, 70, 2), (4, 35, 25)):
        chosen = SceneSettings(viewpoint_deg=viewpoint, elevation_deg=elevation, size_hw=(96, 120))
        scene = single_object_scene(name, chosen, seed=seed)
        assert scene.names == (name,)
        assert scene.main == 0
        x0, y0, x1, y1 = scene.boxes_xyxy[0]
        assert max((x1 - x0) / 120, (y1 - y0) / 96) > (0.36 if elevation > 40 else 0.44)
        assert scene.visible_fraction[0] > 0.97
        assert scene.truncated_fraction[0] < 0.12
        assert 0.25 < (x0 + x1) / 240 < 0.75


def test_an_unknown_class_lists_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'truck'"):
        single_object_scene("trucks", seed=0)


PARTS = {
    "car": ({"wheel", "window", "headlight"}, 0.0),
    "bus": ({"wheel", "window", "plate"}, 35.0),
    "truck": ({"wheel", "load"}, 0.0),
    "bicycle": ({"wheel", "frame", "saddle", "handlebar"}, 0.0),
    "pedestrian": ({"head", "coat", "shoe"}, 0.0),
    "traffic-light": ({"pole", "housing", "lamp"}, 0.0),
    "stop-sign": ({"pole", "plate"}, 0.0),
    "tree": ({"trunk", "crown"}, 0.0),
    "house": ({"wall", "roof", "window", "door", "chimney"}, 0.0),
    "dog": ({"head", "body", "tail", "paw"}, 0.0),
}


@pytest.mark.parametrize("name", OBJECT_NAMES)
def test_parts_lie_inside_their_object(name: str) -> None:
    wanted, viewpoint = PARTS[name]
    for seed in range(3):
        chosen = SceneSettings(viewpoint_deg=viewpoint, size_hw=(144, 180))
        scene = single_object_scene(name, chosen, seed=seed)
        box = scene.boxes_xyxy[0]
        for part in scene.parts:
            x0, y0, x1, y1 = part.box_xyxy
            assert box[0] <= x0 < x1 <= box[2]
            assert box[1] <= y0 < y1 <= box[3]
            assert 0 < part.pixels <= (x1 - x0) * (y1 - y0)
        assert wanted <= {part.name for part in scene.parts}
        total = sum(part.pixels for part in scene.parts)
        assert total <= np.count_nonzero(scene.instances)


def test_a_car_shows_headlights_and_plate_from_the_front() -> None:
    """Turning the camera exchanges what can be seen: front for rear."""
    found = set()
    for viewpoint in (60, -60):
        scene = single_object_scene("car", SceneSettings(viewpoint_deg=viewpoint), seed=6)
        names = [part.name for part in scene.parts]
        assert names.count("plate") == 1
        found.add("windscreen" if "windscreen" in names else "rear-window")
    assert found == {"windscreen", "rear-window"}


def test_keypoints_lie_on_their_object(scenes: list[Scene]) -> None:
    visible = 0
    for scene in scenes:
        height, width = scene.instances.shape
        for key in scene.keypoints:
            inside = 0 <= key.x < width and 0 <= key.y < height
            on = inside and scene.instances[int(key.y), int(key.x)] == key.item + 1
            assert on == key.visible
            visible += key.visible
    assert visible > 50
    names = {key.name for scene in scenes for key in scene.keypoints}
    assert {"head", "left-hand", "right-foot", "front-wheel", "nose"} <= names


def test_wheels_touch_the_lower_part_of_a_vehicle() -> None:
    scene = single_object_scene("car", seed=8)
    (x0, y0, x1, y1) = scene.boxes_xyxy[0]
    wheels = {key.name: key for key in scene.keypoints}
    front, rear = wheels["front-wheel"], wheels["rear-wheel"]
    for key in (front, rear):
        assert key.visible
        assert y0 + 0.6 * (y1 - y0) < key.y < y1
    assert abs(front.x - rear.x) > 0.45 * (x1 - x0)


def test_a_scene_is_validated() -> None:
    scene = make_scene(seed=1)
    wrong = {
        "semantic": scene.semantic.astype(np.int32),
        "boxes_xyxy": scene.boxes_xyxy[:, :3],
        "labels": scene.labels[:-1],
        "amodal": scene.amodal[:-1],
        "main": len(scene.labels),
        "colours": scene.colours[:-1],
    }
    for name, value in wrong.items():
        with pytest.raises(ValueError, match="expected"):
            dataclasses.replace(scene, **{name: value})
    with pytest.raises(ValueError, match="names nothing"):
        dataclasses.replace(scene, instances=scene.instances + np.uint16(90))


def test_to_dict_is_json_and_complete() -> None:
    scene = make_scene(CROWDED, seed=4)
    found = json.loads(json.dumps(scene.to_dict()))
    assert [item["label"] for item in found["objects"]] == list(scene.names)
    assert sum(found["counts"].values()) == len(scene.names)
    assert found["size_hw"] == [128, 160]
    assert found["factors"]["clutter"] == 0.7
    assert len(found["regions"]) == len(scene.names)
