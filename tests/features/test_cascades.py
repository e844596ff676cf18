from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage

from striate.errors import UnknownNameError
from striate.features.cascades import CASCADES, Objects, detect_objects
from striate.pictures import resize
from striate.types import Picture

Photo = Callable[[str], Picture]

FACE = (177, 66, 272, 161)
"""Of the astronaut, by eye."""


def overlap(one: np.ndarray, other: tuple[float, ...]) -> float:
    wide = min(one[2], other[2]) - max(one[0], other[0])
    tall = min(one[3], other[3]) - max(one[1], other[1])
    shared = max(0.0, wide) * max(0.0, tall)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return float(shared / (sum(areas) - shared))


@pytest.mark.parametrize("cascade", ["frontal-face", "frontal-face-alt"])
def test_the_face_of_the_astronaut(cascade: str, photo: Photo) -> None:
    found = detect_objects(photo("astronaut.png"), cascade)
    assert len(found) == 1
    assert overlap(found.boxes_xyxy[0], FACE) > 0.7
    assert found.to_dict()["count"] == 1


def test_her_eyes(photo: Photo) -> None:
    found = detect_objects(photo("astronaut.png"), "eye")
    assert len(found) == 2
    for box in found.boxes_xyxy:
        x, y = (box[:2] + box[2:]) / 2
        assert FACE[0] < x < FACE[2]
        assert FACE[1] < y < (FACE[1] + FACE[3]) / 2


def test_other_poses_are_missed(photo: Photo) -> None:
    """B6: what the frontal cascade learnt is upright."""
    picture = np.array(photo("astronaut.png"))
    counts = {}
    for degrees in (0, 15, 45, 90, 180):
        turn = cv2.getRotationMatrix2D((224, 113), degrees, 1)
        counts[degrees] = len(
            detect_objects(cv2.warpAffine(picture, turn, (512, 512)), "frontal-face-alt")
        )
    assert counts == {0: 1, 15: 1, 45: 0, 90: 0, 180: 0}


def test_small_faces_and_what_is_none() -> None:
    """LFW's subset: 100 faces, then 100 pictures without, all of 25 × 25 pixels."""
    levels = np.load(Path(skimage.__file__).parent / "data" / "lfw_subset.npy")
    hits = []
    for one in levels[::8]:
        small = np.rint(np.repeat(one[..., None], 3, axis=2) * 255).astype(np.uint8)
        large = np.pad(
            resize(small, (100, 100), how="bicubic"), ((30, 30), (30, 30), (0, 0)), mode="edge"
        )
        hits.append(len(detect_objects(large)) > 0)
    assert np.mean(hits[:13]) > 0.85
    assert np.mean(hits[13:]) < 0.05


def test_boxes_are_in_the_original_pixels(photo: Photo) -> None:
    large = resize(photo("astronaut.png"), (2048, 1536))
    found = detect_objects(large)
    assert len(found) == 1
    assert overlap(found.boxes_xyxy[0], tuple(np.array(FACE) * (3, 4, 3, 4))) > 0.55


def test_smaller_windows_find_smaller_faces(photo: Photo) -> None:
    scene = np.full((900, 1200, 3), 128, np.uint8)
    scene[300:400, 500:600] = resize(photo("astronaut.png"), (100, 100))  # a face of 19 pixels
    scene[500:700, 100:300] = resize(photo("astronaut.png"), (200, 200))  # and one of 37
    assert len(detect_objects(scene)) == 0
    assert len(detect_objects(scene, least_share=1 / 40)) == 1


@pytest.mark.parametrize("cascade", CASCADES)
def test_every_cascade_loads_and_degenerate_pictures_are_empty(cascade: str) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (70, 90, 3), dtype=np.uint8)
    assert detect_objects(noise, cascade).boxes_xyxy.shape[1] == 4
    for size in ((1, 1), (1, 300), (19, 90), (90, 120)):
        assert len(detect_objects(np.full((*size, 3), 120, np.uint8), cascade)) == 0


def test_a_profile_is_looked_for_on_both_sides() -> None:
    """Windows of the mirrored picture come back to where they were."""
    noise = np.random.default_rng(1).integers(0, 256, (30, 40, 3), dtype=np.uint8)
    scene = np.full((240, 320, 3), 90, np.uint8)
    scene[100:130, 200:240] = noise
    first = detect_objects(scene, "profile-face", neighbours=1, least_share=0.05)
    second = detect_objects(
        np.ascontiguousarray(scene[:, ::-1]), "profile-face", neighbours=1, least_share=0.05
    )
    assert len(first) == len(second)
    for box in first.boxes_xyxy:
        mirrored = (320 - box[2], box[1], 320 - box[0], box[3])
        assert max((overlap(one, mirrored) for one in second.boxes_xyxy), default=0) > 0.5


def test_fast_enough_at_640_by_480(photo: Photo) -> None:
    """Under 100 ms alone on two cores; the processor's time is what a busy machine leaves to measure."""
    picture = resize(photo("motorcycle_left.png"), (480, 640))
    spent = []
    for _ in range(3):
        start = time.process_time()
        detect_objects(picture)
        spent.append(time.process_time() - start)
    assert min(spent) < 0.15


@pytest.mark.realdata
def test_most_faces_of_lfpw_are_found(real_data: Path) -> None:
    from striate.pictures import read

    faces = sorted((real_data / "lfpw68").rglob("*.jpg"))[::9]
    found = [len(detect_objects(read(path))) > 0 for path in faces]
    assert len(faces) > 40
    assert np.mean(found) > 0.9


def test_wrong_arguments(photo: Photo) -> None:
    picture = photo("coffee.png")
    with pytest.raises(UnknownNameError, match="did you mean 'eye'"):
        detect_objects(picture, "eyes")
    with pytest.raises(ValueError, match="neighbours"):
        detect_objects(picture, neighbours=0)
    with pytest.raises(ValueError, match="least_share"):
        detect_objects(picture, least_share=0)
    with pytest.raises(ValueError, match="boxes_xyxy"):
        Objects(np.zeros((1, 3), np.float32), np.zeros(1, np.float32), "eye")
