from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from striate.data.masks.classes import VOC_NAMES, voc_classes
from striate.data.masks.read import is_masks, read_masks, read_target
from striate.data.masks.truth import IGNORED
from striate.data.scenes.names import SEMANTIC_NAMES
from striate.data.scenes.write import write_scenes
from striate.errors import LabelError, LayoutError
from striate.types import Array, Problem

Save = Callable[[Path, Array], None]


def picture(path: Path, size_hw: tuple[int, int] = (6, 9)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((*size_hw, 3), 90, np.uint8)).save(path)


def grey(path: Path, ids: Array) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(ids, np.uint8)).save(path)


def palette(path: Path, ids: Array) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(np.asarray(ids, np.uint8)).convert("L")
    image = Image.frombytes("P", image.size, image.tobytes())
    image.putpalette([value for at in range(256) for value in (at, 255 - at, 7)])
    image.save(path)


def sixteen(path: Path, ids: Array) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(ids, np.uint16)).save(path)


def coloured(path: Path, ids: Array) -> None:
    table = np.array([[10 * at, 3, 200 - at] for at in range(20)], np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(table[np.asarray(ids)]).save(path)


def classes(root: Path, told: Any) -> None:
    root.mkdir(parents=True, exist_ok=True)
    (root / "classes.json").write_text(json.dumps(told), "utf-8")


@pytest.fixture
def streets(tmp_path: Path) -> Path:
    """train/ and val/ of three pictures each with masks of ids 0 to 2, and 7, which is ignored."""
    root = tmp_path / "streets"
    classes(root, {"classes": ["sky", "road", "car"], "ignore": 7})
    rng = np.random.default_rng(1)
    for split in ("train", "val"):
        for stem in "abc":
            picture(root / split / "images" / f"{stem}.jpg")
            grey(root / split / "masks" / f"{stem}.png", rng.choice([0, 1, 2, 7], (6, 9)))
    return root


def test_ids_with_a_class_file(streets: Path) -> None:
    found = read_masks(streets)
    assert found.names == ("sky", "road", "car")
    assert not found.problems
    assert [one.key for one in found][:2] == ["train/images/a.jpg", "train/images/b.jpg"]
    assert found.splits == ("train", "validation")
    stored = np.asarray(Image.open(streets / "val/masks/c.png"))
    ours = found.only("validation").records[2].target.read()
    assert ours.dtype == np.uint8
    np.testing.assert_array_equal(ours, np.where(stored == 7, IGNORED, stored))
    assert is_masks(streets)


@given(
    ids=hnp.arrays(
        np.uint8, st.tuples(st.integers(1, 12), st.integers(1, 17)), elements=st.integers(0, 3)
    ),
    save=st.sampled_from([grey, palette, sixteen, coloured]),
)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_what_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, ids: Array, save: Save
) -> None:
    root = tmp_path_factory.mktemp("round")
    told = [{"name": name, "id": at, "color": [10 * at, 3, 200 - at]} for at, name in enumerate("abcd")]
    # where colours are told, a palette's colours count
    classes(root, {"classes": told if save is coloured else list("abcd")})
    picture(root / "images" / "x.png", (ids.shape[0], ids.shape[1]))
    save(root / "masks" / "x.png", ids)
    found = read_masks(root)
    assert [one.kind for one in found.problems if one.severity != "note"] == []
    np.testing.assert_array_equal(found.records[0].target.read(), ids)


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_few_bits_are_not_stretched(tmp_path: Path, bits: int) -> None:
    ids = np.arange(48).reshape(6, 8) % min(2**bits, 9)
    classes(tmp_path, [f"c{at}" for at in range(2**bits)])
    picture(tmp_path / "images" / "x.png", (6, 8))
    (tmp_path / "masks").mkdir()
    _png(tmp_path / "masks" / "x.png", ids, bits)
    np.testing.assert_array_equal(read_masks(tmp_path).records[0].target.read(), ids)


def _png(path: Path, ids: Array, bits: int) -> None:
    """A grey PNG of few bits, byte by byte: Pillow writes none of 2 or 4."""
    import struct
    import zlib

    rows = b""
    for row in ids:
        packed = "".join(f"{one:0{bits}b}" for one in row)
        packed += "0" * (-len(packed) % 8)
        rows += b"\0" + int(packed, 2).to_bytes(len(packed) // 8, "big")

    def chunk(kind: bytes, data: bytes) -> bytes:
        whole = kind + data
        return struct.pack(">I", len(data)) + whole + struct.pack(">I", zlib.crc32(whole))

    head = struct.pack(">IIBBBBB", ids.shape[1], ids.shape[0], bits, 0, 0, 0, 0)
    data = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + data)


def test_faults_are_told_and_the_rest_is_read(streets: Path) -> None:
    images, masks = streets / "train/images", streets / "train/masks"
    grey(masks / "a.png", np.full((6, 9), 5))
    grey(masks / "b.png", np.zeros((9, 6)))
    picture(images / "d.jpg")
    picture(images / "e.jpg")
    (masks / "e.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    grey(masks / "lone.png", np.zeros((6, 9)))
    found = read_masks(streets)
    told = {one.key: one for one in found.problems}
    assert told["train/images/a.jpg"].kind == "wrong-mask"
    assert "holds 5, which names no class (54 pixels)" in told["train/images/a.jpg"].reason
    assert "ids 0 to 2, 7" in told["train/images/a.jpg"].reason
    assert told["train/images/b.jpg"].kind == "size-differs"
    assert "6 × 9 pixels, the picture 9 × 6" in told["train/images/b.jpg"].reason
    assert told["train/images/b.jpg"].others == ("train/masks/b.png",)
    assert told["train/images/d.jpg"].kind == "missing-mask"
    assert told["train/images/e.jpg"].kind == "unreadable"
    assert told["train/masks/lone.png"].kind == "mask-without-picture"
    assert all(one.repair for one in found.problems)
    assert [one.key for one in found.only("train")] == ["train/images/c.jpg"]
    unchecked = read_masks(streets, check=False)
    (one,) = [record for record in unchecked if record.key == "train/images/a.jpg"]
    problem = read_target(one)
    assert isinstance(problem, Problem)
    assert problem.kind == "wrong-mask"


def test_pixels_of_the_wrong_size_are_a_problem(streets: Path) -> None:
    record = read_masks(streets).records[0]
    found = read_target(record, (5, 9))
    assert isinstance(found, Problem)
    assert found.kind == "size-differs"


def test_colours_told_by_class_dict(tmp_path: Path) -> None:
    picture(tmp_path / "images" / "x.png", (2, 2))
    (tmp_path / "class_dict.csv").write_text(
        "name, r, g, b\nroad,0,3,200\ncar,10,3,199\nVoid,20,3,198\n"
    )
    coloured(tmp_path / "labels" / "x_L.png", np.array([[0, 1], [2, 0]]))
    found = read_masks(tmp_path)
    assert found.names == ("road", "car")
    assert found.problems[0].kind == "not-judged"
    np.testing.assert_array_equal(found.records[0].target.read(), [[0, 1], [IGNORED, 0]])
    coloured(tmp_path / "labels" / "x_L.png", np.array([[0, 1], [3, 0]]))
    again = read_masks(tmp_path)
    assert not len(again)
    assert "colour #1e03c5" in again.problems[-1].reason


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("label_colors.txt", "0 3 200\troad\n10 3 199\tcar\n"),
        ("labelmap.txt", "# label:color_rgb:parts:actions\nroad:0,3,200::\ncar:10,3,199::\n"),
        ("colormap.json", '{"road": [0, 3, 200], "car": [10, 3, 199]}'),
    ],
)
def test_other_colour_maps(tmp_path: Path, name: str, text: str) -> None:
    picture(tmp_path / "images" / "x.png", (1, 2))
    (tmp_path / name).write_text(text)
    coloured(tmp_path / "masks" / "x.png", np.array([[1, 0]]))
    found = read_masks(tmp_path)
    assert found.names == ("road", "car")
    np.testing.assert_array_equal(found.records[0].target.read(), [[1, 0]])


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("classes.json", "{", "class file classes.json"),
        ("classes.json", '{"classes": ["a", "a"]}', "class 'a' is there twice"),
        ("classes.json", '{"classes": ["a"], "ignore": 0}', "both a class and ignored"),
        ("classes.json", "[]", "it names 0 classes"),
        ("classes.json", '{"classes": ["a"], "ignore": "x"}', "whole numbers"),
        ("class_dict.csv", "name,red\na,1\n", "cannot be understood"),
        ("class_dict.csv", "r,g,b,name\n1,2,3\n", "too few columns: 1, 2, 3"),
        ("class_dict.csv", "name,r,g,b\na,1\n", "too few columns: a, 1"),
        ("class_dict.csv", f"name,r,g,b\n{'a' * 200_000},1,2,3\n", "field larger than field limit"),
        ("classes.json", "[" * 100_000, "recursion"),
        ("classes.json", '{"a": [Infinity, 0, 0]}', "infinity"),
        ("classes.json", '{"a": 4294967296}', "larger than a mask can store"),
        ("labelmap.txt", "road:0,3,999\n", "is no colour"),
    ],
)
def test_class_files_that_are_wrong(streets: Path, name: str, text: str, words: str) -> None:
    (streets / "classes.json").unlink()
    (streets / name).write_text(text)
    with pytest.raises(LabelError, match=words):
        read_masks(streets)


def test_voc(tmp_path: Path) -> None:
    for stem in ("in", "held", "unlisted"):
        picture(tmp_path / "JPEGImages" / f"{stem}.jpg", (2, 3))
        palette(tmp_path / "SegmentationClass" / f"{stem}.png", np.array([[0, 15, 255], [7, 7, 0]]))
    picture(tmp_path / "JPEGImages" / "boxes-only.jpg", (2, 3))
    lists = tmp_path / "ImageSets/Segmentation"
    lists.mkdir(parents=True)
    (lists / "train.txt").write_text("in\n")
    (lists / "val.txt").write_text("held\n")
    found = read_masks(tmp_path)
    assert found.names == VOC_NAMES
    assert [(one.key, one.split) for one in found] == [
        ("JPEGImages/held.jpg", "validation"),
        ("JPEGImages/in.jpg", "train"),
    ]
    np.testing.assert_array_equal(found.records[0].target.read(), [[0, 15, IGNORED], [7, 7, 0]])
    assert [one.kind for one in found.problems] == ["class-unused"]


def test_lists_of_names_with_spaces_and_of_what_is_not_there(tmp_path: Path) -> None:
    for stem in ("red car", "red", "plain"):
        picture(tmp_path / "JPEGImages" / f"{stem}.jpg", (2, 3))
        palette(tmp_path / "SegmentationClass" / f"{stem}.png", np.zeros((2, 3)))
    lists = tmp_path / "ImageSets/Segmentation"
    lists.mkdir(parents=True)
    (lists / "train.txt").write_bytes(b"\xef\xbb\xbfred car\r\n  plain 1 \r\n\r\nlost 1\nlost\n")
    (lists / "val.txt").write_text("red -1\n" + "".join(f"gone{at}\n" for at in range(5)))
    found = read_masks(tmp_path)
    assert [(PurePosixPath(one.key).stem, one.split) for one in found] == [
        ("plain", "train"),
        ("red car", "train"),
        ("red", "validation"),
    ]
    told = {one.key: one for one in found.problems if one.kind == "listed-without-picture"}
    assert told["ImageSets/Segmentation/train.txt"].others == ("lost",)
    many = told["ImageSets/Segmentation/val.txt"]
    assert many.severity == "warning"
    assert many.others == tuple(f"gone{at}" for at in range(5))
    assert many.reason.startswith(
        "5 of the pictures that it lists are not there: gone0, gone1, gone2 and"
    )


def test_more_class_folders_than_a_mask_can_hold(tmp_path: Path) -> None:
    picture(tmp_path / "images" / "x.png", (1, 2))
    for at in range(254):
        grey(tmp_path / "masks" / f"c{at:03}" / "x.png", np.array([[0, int(at == 253)]]))
    found = read_masks(tmp_path)
    np.testing.assert_array_equal(found.records[0].target.read(), [[0, 254]])
    grey(tmp_path / "masks" / "c254" / "x.png", np.array([[0, 0]]))
    with pytest.raises(LayoutError, match="masks in 255 class folders"):
        read_masks(tmp_path)


def test_the_palette_of_voc() -> None:
    by_colour = {at: rgb for rgb, at in voc_classes().by_colour.items()}
    # VOC devkit: aeroplane, person, tvmonitor, void
    assert by_colour[1] == (128, 0, 0)
    assert by_colour[15] == (192, 128, 128)
    assert by_colour[20] == (0, 64, 128)
    assert by_colour[IGNORED] == (224, 224, 192)


def test_binary_masks_in_class_folders(tmp_path: Path) -> None:
    for stem in ("x", "y", "none"):
        picture(tmp_path / "images" / f"{stem}.png", (2, 2))
    for name, ids in (("car", [[255, 255], [0, 0]]), ("tree", [[0, 255], [255, 0]])):
        grey(tmp_path / "masks" / name / "x.png", np.array(ids))
    grey(tmp_path / "masks" / "tree" / "y.png", np.array([[0, 0], [1, 0]]))
    found = read_masks(tmp_path)
    assert found.names == ("background", "car", "tree")
    np.testing.assert_array_equal(found.records[0].target.read(), [[1, IGNORED], [2, 0]])
    np.testing.assert_array_equal(found.records[1].target.read(), [[0, 0], [2, 0]])
    assert {one.kind for one in found.problems} == {"missing-mask", "class-mask-absent"}
    grey(tmp_path / "masks" / "tree" / "y.png", np.array([[0, 9], [1, 0]]))
    assert "holds 3 levels: 0, 1, 9" in read_masks(tmp_path).problems[-1].reason


def test_layouts_that_are_none(tmp_path: Path, streets: Path) -> None:
    picture(tmp_path / "flat" / "x.png")
    with pytest.raises(LayoutError, match="is not a segmented data set"):
        read_masks(tmp_path / "flat")
    assert not is_masks(tmp_path / "flat")
    assert not is_masks(tmp_path / "absent")
    (streets / "classes.json").unlink()
    with pytest.raises(LayoutError, match="no file tells what their numbers mean"):
        read_masks(streets)
    assert not is_masks(streets)


def test_two_masks_of_one_name(streets: Path) -> None:
    masks = streets / "train/masks"
    Image.fromarray(np.zeros((6, 9), np.uint8)).save(masks / "a.bmp")
    (problem,) = read_masks(streets).problems
    assert problem.kind == "two-masks"
    assert problem.key == "train/masks/a.png"


def test_embedded_scenes() -> None:
    found = read_masks("scenes", check=False)
    assert found.names == SEMANTIC_NAMES
    assert len(found) == 600
    record = found.records[3]
    mask = record.target.read()
    assert mask.shape == record.origin.read().shape[:2]
    assert mask.max() < len(SEMANTIC_NAMES)
    assert is_masks("embedded:scenes")


def test_scenes_that_were_written(tmp_path: Path) -> None:
    folder = write_scenes(tmp_path / "written", n=2, seed=5)
    found = read_masks(folder)
    assert found.names == SEMANTIC_NAMES
    assert len(found) == 2
    assert not [one for one in found.problems if one.severity == "error"]


def test_a_data_set_is_known_by_its_masks(streets: Path) -> None:
    before = read_masks(streets).fingerprint()
    assert read_masks(streets).fingerprint() == before
    ids = np.asarray(Image.open(streets / "val/masks/c.png")).copy()
    ids[0, 0] = 1 - min(int(ids[0, 0]), 1)
    grey(streets / "val/masks/c.png", ids)
    assert read_masks(streets).fingerprint() != before


@pytest.mark.realdata
def test_camvid(real_data: Path) -> None:
    found = read_masks(real_data / "camvid", check=False)
    assert len(found.only("train")) == 367
    assert len(found.only("validation")) == 101
    assert found.names[0] == "sky"
    assert set(np.unique(found.records[0].target.read()).tolist()) <= {*range(11), IGNORED}
    assert not found.problems
