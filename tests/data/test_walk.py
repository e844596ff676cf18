from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from striate.data.walk import kinds_seen, walk
from striate.errors import LayoutError

Save = Callable[..., str]


def test_clutter_is_skipped_and_names_are_sorted(tmp_path: Path, save: Save) -> None:
    for name in ("b/2.png", "a.png", "b/.hidden.png", "__MACOSX/b/2.png", ".git/x.png", "b/c/d/e.png"):
        save(name)
    for name in (".complete", "b/Thumbs.db", "b/desktop.ini", ".DS_Store", "notes.txt"):
        (tmp_path / name).write_text("x")
    (tmp_path / "empty").mkdir()
    found = walk(tmp_path)
    assert found.files == ("a.png", "b/2.png", "b/c/d/e.png", "notes.txt")
    assert found.folders == ("b", "b/c", "b/c/d", "empty")
    assert found.problems == ()
    assert Path(found.path("b/2.png")).read_bytes() == (tmp_path / "b/2.png").read_bytes()
    assert kinds_seen(found.files) == "3 .png, 1 .txt"


def test_links_stay_inside_and_folders_are_not_followed(tmp_path: Path, save: Save) -> None:
    save("out/secret.png")
    save("in/a/1.png")
    root = tmp_path / "in"
    links = {
        "a/same.png": "1.png",
        "a/away.png": "../../out/secret.png",
        "a/passwd.png": "/etc/passwd",
        "a/broken.png": "nowhere.png",
        "a/self.png": "self.png",
        "a/loop": "..",
        "b": "a",
        "far": "../out",
    }
    for name, target in links.items():
        (root / name).symlink_to(target)
    found = walk(root)
    assert found.files == ("a/1.png", "a/same.png")
    kinds = {problem.key: problem.kind for problem in found.problems}
    assert kinds == {
        "a/away.png": "link-outside",
        "a/passwd.png": "link-outside",
        "a/broken.png": "broken-link",
        "a/self.png": "broken-link",
        "a/loop": "folder-link",
        "b": "folder-link",
        "far": "folder-link",
    }
    reasons = {problem.key: problem.reason for problem in found.problems}
    assert "outside" in reasons["far"]
    assert "where it lies" in reasons["b"]


def test_a_root_that_is_a_link_is_followed(tmp_path: Path, save: Save) -> None:
    save("real/1.png")
    (tmp_path / "link").symlink_to("real")
    assert walk(tmp_path / "link").files == ("1.png",)


def test_pipes_are_reported_and_never_opened(tmp_path: Path, save: Save) -> None:
    save("a/1.png")
    os.mkfifo(tmp_path / "a" / "pipe.png")
    (tmp_path / "a" / "to-pipe.png").symlink_to("pipe.png")
    found = walk(tmp_path)
    assert found.files == ("a/1.png",)
    assert {(p.kind, p.key) for p in found.problems} == {
        ("not-a-file", "a/pipe.png"),
        ("not-a-file", "a/to-pipe.png"),
    }


@pytest.mark.skipif(os.geteuid() == 0, reason="root may open every folder")
def test_a_closed_folder_is_reported(tmp_path: Path, save: Save) -> None:
    save("a/1.png")
    save("b/1.png")
    (tmp_path / "a").chmod(0)
    try:
        found = walk(tmp_path)
    finally:
        (tmp_path / "a").chmod(0o700)
    assert found.files == ("b/1.png",)
    assert [(p.kind, p.key) for p in found.problems] == [("unreadable-folder", "a")]


def test_what_is_no_folder(tmp_path: Path) -> None:
    for path in (tmp_path / "gone", Path("/dev/null")):
        with pytest.raises(LayoutError, match="is not a folder"):
            walk(path)


def test_depth_is_not_limited_by_recursion(tmp_path: Path) -> None:
    folder = tmp_path
    for _ in range(400):
        folder = folder / "d"
    folder.mkdir(parents=True)
    (folder / "1.png").write_bytes(b"x")
    found = walk(tmp_path)
    assert len(found.folders) == 400
    assert found.files == ("/".join(["d"] * 400) + "/1.png",)
