from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from striate.data.dataset import Dataset
from striate.data.folders import class_folders, read_folders
from striate.data.walk import walk
from striate.errors import LayoutError

Save = Callable[..., str]
Labels = tuple[str, ...]


def read(root: Path) -> Dataset[Labels]:
    return read_folders(walk(root))


def shown(dataset: Dataset[Labels]) -> dict[str, tuple[str, str | None]]:
    return {record.key: (record.target[0], record.split) for record in dataset}


def test_class_folders(tmp_path: Path, save: Save) -> None:
    for name in ("dog/1.png", "dog/sub/deeper/2.PNG", "cat/1.jpeg", "cat/Thumbs.db"):
        save(name)
    found = read(tmp_path)
    assert shown(found) == {
        "cat/1.jpeg": ("cat", None),
        "dog/1.png": ("dog", None),
        "dog/sub/deeper/2.PNG": ("dog", None),
    }
    assert (found.names, found.layout, found.problems) == (("cat", "dog"), "class folders", ())
    assert found.records[0].origin.read().shape == (9, 12, 3)
    assert class_folders(walk(tmp_path)) == ("cat", "dog")


@pytest.mark.parametrize(
    ("train", "validation", "test"),
    [("train", "val", "test"), ("Training", "VALID", "Testing"), ("TRAIN", "validation", "Test")],
)
def test_split_folders(tmp_path: Path, save: Save, train: str, validation: str, test: str) -> None:
    for folder in (train, validation, test):
        for name in ("cat", "dog"):
            save(f"{folder}/{name}/1.png")
    found = read(tmp_path)
    assert found.splits == ("train", "validation", "test")
    assert found.names == ("cat", "dog")
    assert {r.split for r in found if r.key.startswith(validation)} == {"validation"}
    assert all(f"{folder}/" in found.layout for folder in (train, validation, test))


def test_a_class_may_be_called_train(tmp_path: Path, save: Save) -> None:
    for name in ("train/1.png", "bus/1.png", "train/steam/2.png"):
        save(name)
    assert shown(read(tmp_path))["train/steam/2.png"] == ("train", None)


def test_folders_beside_splits_are_left_out_and_told(tmp_path: Path, save: Save) -> None:
    for name in ("train/a/1.png", "train/b/1.png", "test/a/2.png", "extra/3.png", "extra/c/4.png"):
        save(name)
    found = read(tmp_path)
    assert len(found) == 3
    (problem,) = found.problems
    assert (problem.kind, problem.key, problem.others) == (
        "outside-splits",
        "extra",
        ("extra/3.png", "extra/c/4.png"),
    )


def test_everything_that_is_left_out_is_told(tmp_path: Path, save: Save) -> None:
    for name in ("train/a/1.png", "train/b/1.png", "train/loose.png", "val/a/1.png", "top.png"):
        save(name)
    (tmp_path / "train" / "hollow").mkdir()
    (tmp_path / "train" / "a" / "notes.txt").write_text("x")
    (tmp_path / "README.md").write_text("x")
    found = read(tmp_path)
    problems = {problem.kind: problem for problem in found.problems}
    assert set(problems) == {"loose-picture", "not-a-picture", "empty-class"}
    loose = problems["loose-picture"]
    assert {loose.key, *loose.others} == {"top.png", "train/loose.png"}
    assert problems["not-a-picture"].key == "train/a/notes.txt"
    assert problems["empty-class"].key == "train/hollow"
    assert found.names == ("a", "b")
    assert all(problem.reason and problem.repair for problem in found.problems)


def test_whole_numbers_are_ordered_by_value(tmp_path: Path, save: Save) -> None:
    for name in ("10", "9", "1"):
        save(f"{name}/1.png")
    assert read(tmp_path).names == ("1", "9", "10")


def test_names_that_are_no_plain_text(tmp_path: Path, save: Save) -> None:
    composed, decomposed = "caf\u00e9", "cafe\u0301"
    save(f"train/{composed}/1.png")
    save(f"val/{decomposed}/2.png")
    save(b"train/raw\xff/caf\xe9\xff.png")
    save("train/Cat/1.png")
    save("train/cat/1.png")
    found = read(tmp_path)
    assert found.names == ("Cat", "caf\u00e9", "cat", "raw\\xff")
    "".join(found.names).encode()  # can be stored anywhere
    keys = {os.fsencode(record.key) for record in found}
    assert b"train/raw\xff/caf\xe9\xff.png" in keys
    for record in found:
        assert record.origin.read().shape == (9, 12, 3)
    assert len(found.fingerprint()) == 64
    assert {problem.kind for problem in found.problems} == {"same-name", "case-twins"}


def test_synsets_get_readable_names(tmp_path: Path, save: Save) -> None:
    for name in ("n01440764", "n02012849", "n03126707"):
        save(f"data/train/{name}/1.JPEG")
    assert read(tmp_path / "data").names == ("n01440764", "n02012849", "n03126707")
    (tmp_path / "LOC_synset_mapping.txt").write_text(
        "n01440764 tench, Tinca tinca\nn02012849 crane\nn03126707 crane\n"
    )
    assert read(tmp_path / "data").names == ("crane (n02012849)", "crane (n03126707)", "tench")


def test_what_is_no_class_folder_layout(tmp_path: Path, save: Save) -> None:
    with pytest.raises(LayoutError, match="no files"):
        read(tmp_path)
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.txt").write_text("x")
    save("1.png")
    with pytest.raises(LayoutError, match=r"1 \.png, 1 \.txt.*table"):
        read(tmp_path)


def test_splits_without_classes(tmp_path: Path, save: Save) -> None:
    save("train/1.png")
    save("test/2.png")
    with pytest.raises(LayoutError, match=r"without class folders.*test/ \(1 pictures\), train/"):
        read(tmp_path)


def test_a_root_of_links_tells_why_it_is_empty(tmp_path: Path, save: Save) -> None:
    save("real/cat/1.png")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "cat").symlink_to("../real/cat")
    with pytest.raises(LayoutError, match="cat: links to folders are not followed"):
        read(tmp_path / "in")


@pytest.mark.realdata
def test_sixty_thousand_pictures_are_listed_quickly(real_data: Path) -> None:
    start = time.process_time()
    found = read(real_data / "cifar10_jpg")
    assert time.process_time() - start < 1.5
    assert len(found) == 60_000
    counts = Counter((record.split, record.target[0]) for record in found)
    assert set(counts.values()) == {5000, 1000}
    assert len(counts) == 20
