from __future__ import annotations

import os
from pathlib import Path

import pytest

from striate.verbs.files import find_pictures


def touch(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x")


def names(root: Path, *sources: object, skip: Path | None = None) -> list[str]:
    found = find_pictures([str(source) for source in sources], skip=skip)
    return [os.path.relpath(path, root) for path in found]


def test_a_folder_stands_for_its_pictures_sorted(tmp_path: Path) -> None:
    touch(
        tmp_path,
        "b/2.JPG",
        "b/1.png",
        "a.webp",
        "notes.txt",
        ".hidden.jpg",
        "__MACOSX/x.jpg",
        "b/.c/d.jpg",
    )
    assert names(tmp_path, tmp_path) == ["a.webp", "b/1.png", "b/2.JPG"]


def test_files_keep_their_order_and_their_spelling(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    touch(tmp_path, "z.jpg", "a.unknown")
    monkeypatch.chdir(tmp_path)
    given = ["./z.jpg", "a.unknown", "missing.png", "z.jpg"]
    assert list(find_pictures(given)) == given


def test_patterns(tmp_path: Path) -> None:
    touch(tmp_path, "a/1.jpg", "a/2.png", "a/deep/3.jpg", "b/4.jpg", "a/x.txt", "odd[1].jpg")
    assert names(tmp_path, tmp_path / "a/*.jpg") == ["a/1.jpg"]
    assert names(tmp_path, tmp_path / "a/*") == ["a/1.jpg", "a/2.png", "a/deep/3.jpg"]
    assert names(tmp_path, tmp_path / "**/*.jpg") == ["a/1.jpg", "a/deep/3.jpg", "b/4.jpg", "odd[1].jpg"]
    assert names(tmp_path, tmp_path / "**") == [
        "a/1.jpg",
        "a/2.png",
        "a/deep/3.jpg",
        "b/4.jpg",
        "odd[1].jpg",
    ]
    assert names(tmp_path, tmp_path / "odd[1].jpg") == [
        "odd[1].jpg"
    ]  # a file that is there is no pattern
    assert names(tmp_path, tmp_path / "*.gif") == ["*.gif"]  # reading it tells that nothing matches


def test_links_and_pipes_neither_loop_nor_hang(tmp_path: Path) -> None:
    root = tmp_path / "root"
    touch(root, "a/1.jpg")
    touch(tmp_path, "outside/2.jpg")
    (root / "a/loop").symlink_to(root)
    (root / "out").symlink_to(tmp_path / "outside")
    (root / "gone.jpg").symlink_to(tmp_path / "nowhere.jpg")
    os.mkfifo(root / "pipe.jpg")
    assert names(root, root) == ["a/1.jpg", "gone.jpg"]


def test_the_folder_of_results_is_not_read(tmp_path: Path) -> None:
    touch(tmp_path, "1.jpg", "out/1.jpg", "out2/1.jpg")
    assert names(tmp_path, tmp_path, skip=tmp_path / "out") == ["1.jpg", "out2/1.jpg"]
    assert names(tmp_path, tmp_path, skip=tmp_path.parent) == ["1.jpg", "out/1.jpg", "out2/1.jpg"]


def test_names_that_are_not_utf8(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9\xff.jpg")
    touch(tmp_path, name)
    assert names(tmp_path, tmp_path) == [name]


def test_a_folder_without_permission_is_passed_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    touch(tmp_path, "a/1.jpg", "locked/2.jpg")
    real = os.scandir

    def scandir(path: str) -> object:
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    assert names(tmp_path, tmp_path) == ["a/1.jpg", "locked"]
