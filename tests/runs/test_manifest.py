from __future__ import annotations

import json
from pathlib import Path

import pytest

from striate.errors import RunError
from striate.runs.manifest import Manifest, check_name


@pytest.mark.parametrize(
    "name", ["", ".", "..", "/a", "a/../b", "../a", "a//b", "a/", "./a", "a\\b", "C:a", "a\0"]
)
def test_names_that_leave_the_run(name: str) -> None:
    with pytest.raises(ValueError, match=r"path within a run|written plainly"):
        check_name(name)


def test_names_within_the_run() -> None:
    assert check_name("graphs/main.onnx") == "graphs/main.onnx"


def make_run(folder: Path) -> Manifest:
    for name in ("a.bin", "graphs/b.onnx", "checkpoints/last.json", ".lock", "unfinished.json"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(name.encode())
    (folder / "graphs" / ".DS_Store").write_bytes(b"desktop")
    (folder / "link").symlink_to("/etc/passwd")
    manifest = Manifest.of(folder)
    manifest.write(folder)
    return manifest


def test_what_belongs_to_a_run(tmp_path: Path) -> None:
    manifest = make_run(tmp_path)
    assert manifest.names == ("a.bin", "graphs/b.onnx")
    assert Manifest.read(tmp_path).to_text() == manifest.to_text()
    assert json.loads((tmp_path / "manifest.json").read_text())["a.bin"]["bytes"] == 5
    assert manifest.check(tmp_path, "a.bin") == tmp_path / "a.bin"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"bytes": 5', '"bytes": 5.0'),
        ('"bytes": 5', '"bytes":  5'),
        ('"bytes": 5', '"bytes": true'),
        ('"a.bin"', '"../a.bin"'),
        ('"a.bin"', '"/a.bin"'),
        ('"sha256": "', '"sha256": "g'),
        ("{", "["),
        ("\n}\n", '\n, "z": {"bytes": 0, "sha256": ""}}\n'),
    ],
)
def test_any_other_form_is_damage(tmp_path: Path, old: str, new: str) -> None:
    make_run(tmp_path)
    path = tmp_path / "manifest.json"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(RunError, match=r"manifest\.json of run .* is damaged"):
        Manifest.read(tmp_path)


def test_a_file_that_is_missing_strange_or_a_link_out(tmp_path: Path) -> None:
    run = tmp_path / "run"
    manifest = make_run(run)
    with pytest.raises(RunError, match=r"has no file model\.bin"):
        manifest.check(run, "model.bin")
    outside = tmp_path / "outside"
    outside.write_bytes((run / "a.bin").read_bytes())
    (run / "a.bin").unlink()
    with pytest.raises(RunError, match=r"a\.bin of run run is missing"):
        manifest.check(run, "a.bin")
    (run / "a.bin").symlink_to(outside)
    with pytest.raises(RunError, match=r"a\.bin of run run is missing"):
        manifest.check(run, "a.bin")
