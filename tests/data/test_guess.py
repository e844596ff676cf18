from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import run

import numpy as np
import pytest

from striate.data.dataset import Dataset, Record
from striate.data.embedded import EMBEDDED
from striate.data.guess import read_labels, read_values, require_trainable
from striate.data.origins import ArrayOrigin
from striate.errors import LabelError, LayoutError

Save = Callable[..., str]


def test_digits_are_those_of_scikit_learn() -> None:
    from sklearn.datasets import load_digits

    found, known = read_labels("digits"), load_digits()
    assert found.names == tuple("0123456789")
    assert [target[0] for target in found.targets] == [str(label) for label in known.target]
    for i in (0, 900, 1796):
        wanted = np.rint(known.images[i] * 255 / 16)
        np.testing.assert_array_equal(found.records[i].origin.read()[:, :, 0], wanted)
    assert found.records[12].key == "digits/00012"
    assert found.splits == ()


def test_faces_or_not() -> None:
    found = read_labels("faces-or-not")
    assert [target[0] for target in found.targets] == ["face"] * 100 + ["other"] * 100
    assert found.records[0].origin.read().shape == (25, 25, 3)


def test_scenes() -> None:
    classes, values = read_labels("scenes"), read_values("scenes-values")
    assert len(classes.names) == 10
    assert len(values.names) == 2
    require_trainable(classes)
    require_trainable(values)
    assert EMBEDDED["scenes"].values is not None  # counting 600 scenes takes seconds: not here


def test_embedded_sets_are_described() -> None:
    drawn = {"scenes", "scenes-3d", "scenes-boxes", "scenes-heads", "scenes-values"}
    assert set(EMBEDDED) == {"digits", "faces-or-not", *drawn}
    assert all(one.about and (one.labels or one.values or one.boxes) for one in EMBEDDED.values())
    with pytest.raises(LayoutError, match="has no numbers"):
        read_values("digits")
    with pytest.raises(LayoutError, match="has no labels"):
        read_labels("scenes-values")


def test_digits_do_not_import_scikit_learn() -> None:
    code = (
        "import sys; from striate.data.guess import read_labels; read_labels('digits'); "
        "print([m for m in ('sklearn', 'scipy', 'skimage', 'torch', 'onnxruntime') if m in sys.modules])"
    )
    done = run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(LayoutError, match=r"does not exist.*did you mean 'digits'"):
        read_labels("digit")
    with pytest.raises(LayoutError, match="device"):
        read_labels("/dev/null")
    with pytest.raises(LayoutError, match="no files"):
        read_labels(tmp_path)
    with pytest.raises(LayoutError, match="no table with numbers"):
        read_values(tmp_path)


@pytest.mark.parametrize(
    ("name", "words"), [("a.png", "one picture"), ("a.zip", r"a \.zip"), ("a", "without")]
)
def test_files_that_are_no_data_set(tmp_path: Path, name: str, words: str) -> None:
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(LayoutError, match=words):
        read_labels(tmp_path / name)


def test_pickled_cifar_is_refused(tmp_path: Path) -> None:
    for name in ("batches.meta", "data_batch_1"):
        (tmp_path / name).write_bytes(b"\x80\x04.")
    with pytest.raises(LayoutError, match="pickle"):
        read_labels(tmp_path)


def test_a_table_that_names_the_pictures_wins(tmp_path: Path, save: Save) -> None:
    save("train_images/1.png")
    save("test_images/2.png")
    (tmp_path / "train.csv").write_text("id,label\n1,x\n")
    (tmp_path / "sample_submission.csv").write_text("id,label\n9,x\n")
    found = read_labels(tmp_path)
    assert [(r.key, r.target, r.split) for r in found] == [("train_images/1.png", ("x",), "train")]


def test_class_folders_win_over_a_table_about_something_else(tmp_path: Path, save: Save) -> None:
    for name in ("cat/1.png", "dog/2.png"):
        save(name)
    (tmp_path / "prices.csv").write_text("item,price\nfood,3\n")
    assert read_labels(tmp_path).names == ("cat", "dog")
    with pytest.raises(LabelError, match="not one of the 1 rows"):
        read_labels(tmp_path, target_columns=["price"])


def test_a_table_in_a_folder_tells_what_is_wrong_with_it(tmp_path: Path, save: Save) -> None:
    save("images/1.png")
    (tmp_path / "labels.csv").write_text("file,a,b\n1.png,x,y\n")
    with pytest.raises(LabelError, match="which column"):
        read_labels(tmp_path)
    assert read_labels(tmp_path, target_columns=["a"]).targets == [("x",)]
    (tmp_path / "more.csv").write_text("file,a,b\n1.png,x,y\n")
    with pytest.raises(LayoutError, match=r"several tables: labels\.csv, more\.csv"):
        read_labels(tmp_path, target_columns=["a"])


def test_pictures_with_masks_or_boxes_are_no_classes(tmp_path: Path, save: Save) -> None:
    for split in ("train", "val"):
        for folder in ("images", "masks"):
            save(f"streets/{split}/{folder}/1.png")
    (tmp_path / "streets/classes.json").write_text('{"classes": ["road", "sky"]}', "utf-8")
    with pytest.raises(LayoutError, match="streets holds pictures with masks, not classes"):
        read_labels(tmp_path / "streets")
    save("cells/images/1.png")
    (tmp_path / "cells/labels").mkdir()
    (tmp_path / "cells/labels/1.txt").write_text("0 0.5 0.5 0.2 0.2", "utf-8")
    (tmp_path / "cells/data.yaml").write_text("names: [cell]\ntrain: images\n", "utf-8")
    with pytest.raises(LayoutError, match="boxes, not classes") as caught:
        read_labels(tmp_path / "cells")
    assert "--task detect" in str(caught.value.remedy)


def test_voc_and_coco_are_no_classes(tmp_path: Path, save: Save) -> None:
    for folder in ("JPEGImages", "SegmentationClass", "SegmentationObject"):
        save(f"voc/{folder}/1.png")
    with pytest.raises(LayoutError, match="voc holds pictures with masks, not classes"):
        read_labels(tmp_path / "voc")
    for folder in ("train2017", "val2017"):
        save(f"coco/{folder}/{folder}.png")
        (tmp_path / "coco" / "annotations").mkdir(exist_ok=True)
        found = {
            "images": [{"id": 1, "file_name": f"{folder}.png", "width": 8, "height": 8}],
            "categories": [{"id": 1, "name": "cell"}],
            "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 1, 3, 3]}],
        }
        (tmp_path / "coco" / "annotations" / f"instances_{folder}.json").write_text(json.dumps(found))
    with pytest.raises(LayoutError, match="coco holds pictures with boxes, not classes"):
        read_labels(tmp_path / "coco")


def test_images_and_masks_may_be_classes(tmp_path: Path, save: Save) -> None:
    for name in ("images", "masks"):
        save(f"{name}/{name}.png")
    assert read_labels(tmp_path).names == ("images", "masks")


def test_numbers_from_a_folder(tmp_path: Path, save: Save) -> None:
    save("1.png")
    (tmp_path / "values.csv").write_text("file,yaw,pitch\n1.png,1,2\n")
    found = read_values(tmp_path)
    assert (found.names, found.targets) == (("yaw", "pitch"), [(1.0, 2.0)])
    assert read_values(tmp_path / "values.csv", target_columns=["pitch"]).targets == [(2.0,)]


def test_what_can_be_trained_on() -> None:
    def of(*targets: tuple[object, ...]) -> Dataset[tuple[object, ...]]:
        array = np.zeros((1, 2, 2), np.uint8)
        records = tuple(Record(str(i), ArrayOrigin(array, 0, "x"), t) for i, t in enumerate(targets))
        return Dataset(records, (), "/data/mine", "")

    require_trainable(of(("a",), ("b",)))
    require_trainable(of((1.0,), (2.0,)))
    require_trainable(of(("a",), ()))
    for data, match in (
        (of(), "mine has no pictures"),
        (of(("a",)), "1 picture to"),
        (of(("a",), ("a",)), "same truth: a"),
        (of((), ()), "no label"),
        (of((1.5,), (1.5,), (1.5,)), r"all 3 .* 1\.5"),
    ):
        with pytest.raises(LabelError, match=match):
            require_trainable(data)


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("name", "layout", "pictures", "classes"),
    [
        ("clothing10", "class folders with train/, validation/", 1108, 10),
        ("brain_mri", "class folders", 253, 2),
        ("fashion_mnist", "IDX files (t10k and train)", 70_000, 10),
    ],
)
def test_real_folders(real_data: Path, name: str, layout: str, pictures: int, classes: int) -> None:
    found = read_labels(real_data / name)
    assert (found.layout, len(found), len(found.names)) == (layout, pictures, classes)
