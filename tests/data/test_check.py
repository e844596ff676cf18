from __future__ import annotations

import io
import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from striate.data.check import CheckReport, check
from striate.data.guess import read_labels, read_values
from striate.data.manifest import write_manifest
from striate.errors import DiskError, SettingError, UsageError
from striate.types import Picture, Problem

Save = Callable[..., str]
Photo = Callable[..., Picture]


def jpeg(picture: Picture, quality: int = 60) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "JPEG", quality=quality)
    return stream.getvalue()


def of_kind(report: CheckReport, kind: str) -> list[Problem]:
    return [problem for problem in report.problems if problem.kind == kind]


@pytest.fixture
def messy(tmp_path: Path, save: Save, photo: Photo) -> Path:
    """A data set with one of everything that can be wrong with it."""
    root = tmp_path / "messy"
    for i in range(12):
        save(f"messy/train/cat/{i:02d}.png", photo(i))
        save(f"messy/train/dog/{i:02d}.png", photo(100 + i))
    save("messy/train/rare/1.png", photo(200))
    save("messy/test/cat/1.png", photo(300))
    save("messy/test/dog/1.png", photo(301))
    save("messy/test/unseen/1.png", photo(302))
    save("messy/train/cat/copy.png", photo(0))  # exact, same class
    save("messy/train/dog/wrong.png", photo(1))  # exact, another class
    save("messy/train/cat/leak.png", photo(300))  # exact, in test
    files = {
        "train/dog/near.jpg": jpeg(photo(102)),  # near, same class and split
        "train/dog/near-leak.jpg": jpeg(photo(301)),  # near, in test
        "train/cat/near-wrong.jpg": jpeg(photo(103)),  # near, another class
        "train/cat/broken.jpg": jpeg(photo(400))[:200],
        "train/cat/empty.jpg": b"",
    }
    for name, data in files.items():
        (root / name).write_bytes(data)
    save("messy/train/cat/tiny.png", photo(500, (10, 12)))
    save("messy/train/cat/long.png", photo(501, (80, 900)))
    save("messy/train/cat/blank.png", np.full((120, 160, 3), 250, np.uint8))
    Image.fromarray(photo(502)).convert("L").save(root / "train/dog/grey.png")
    frames = [Image.fromarray(photo(seed)) for seed in (503, 504)]
    frames[0].save(root / "train/dog/moving.gif", save_all=True, append_images=frames[1:])
    return root


def test_everything_that_is_wrong_is_found(messy: Path) -> None:
    told: list[int] = []
    report = check(messy, on_progress=told.append)
    assert told[-1] == len(report.dataset)
    found = {
        (problem.kind, problem.severity, frozenset((problem.key, *problem.others)))
        for problem in report.problems
    }
    train, test = "train/", "test/"
    expected = {
        ("unreadable", "error", frozenset({"train/cat/broken.jpg"})),
        ("unreadable", "error", frozenset({"train/cat/empty.jpg"})),
        ("not-in-train", "error", frozenset({"unseen"})),
        ("few-pictures", "warning", frozenset({"rare"})),
        ("imbalance", "warning", frozenset({"rare"})),
        ("exact-duplicate", "warning", frozenset({"train/cat/00.png", "train/cat/copy.png"})),
        ("label-conflict", "error", frozenset({"train/cat/01.png", "train/dog/wrong.png"})),
        ("leakage", "error", frozenset({train + "cat/leak.png", test + "cat/1.png"})),
        ("near-duplicate", "note", frozenset({"train/dog/02.png", "train/dog/near.jpg"})),
        ("leakage", "warning", frozenset({train + "dog/near-leak.jpg", test + "dog/1.png"})),
        ("label-conflict", "warning", frozenset({"train/dog/03.png", "train/cat/near-wrong.jpg"})),
        ("tiny", "warning", frozenset({"train/cat/tiny.png"})),
        ("odd-shape", "warning", frozenset({"train/cat/long.png"})),
        ("blank", "warning", frozenset({"train/cat/blank.png"})),
        ("mixed-modes", "note", frozenset({"train/dog/grey.png", "train/dog/moving.gif"})),
        ("animated", "note", frozenset({"train/dog/moving.gif"})),
    }
    modes = next(one for one in found if one[0] == "mixed-modes")
    assert modes[2] >= {"train/dog/grey.png"}
    assert {one for one in found if one[0] != "mixed-modes"} == {
        one for one in expected if one[0] != "mixed-modes"
    }
    assert all(problem.reason and problem.repair for problem in report.problems)
    assert not report.ok
    assert report.counts["test"] == {"cat": 1, "dog": 1, "rare": 0, "unseen": 1}
    assert report.sizes_hw == ((10, 12), (120, 160), (80, 900))


def test_a_clean_data_set_is_clean(tmp_path: Path, save: Save, photo: Photo) -> None:
    for i in range(20):
        save(f"{'ab'[i % 2]}/{i}.png", photo(i))
    report = check(tmp_path)
    assert report.ok
    assert report.problems == ()
    assert report.counts == {"all": {"a": 10, "b": 10}}


def test_the_files_are_not_changed(messy: Path) -> None:
    def state() -> dict[str, tuple[bytes, int]]:
        files = sorted(path for path in messy.rglob("*") if path.is_file())
        return {str(path): (path.read_bytes(), path.stat().st_mtime_ns) for path in files}

    before = state()
    report = check(messy)
    write_manifest(report, messy.parent / "clean.csv")
    assert state() == before


def test_for_machines(messy: Path, save: Save) -> None:
    save(b"messy/train/cat/caf\xe9\xff.png", np.zeros((50, 50, 3), np.uint8))
    found = json.loads(json.dumps(check(messy).to_dict()))
    assert found["ok"] is False
    assert found["unreadable"] == 2
    assert found["kinds"]["leakage"] == 2
    assert found["stored_as"]["PNG RGB"] > 20
    blank = [p["file"] for p in found["problems"] if p["kind"] == "blank"]
    assert "train/cat/caf\\xe9\\xff.png" in blank
    json.dumps(found, ensure_ascii=False).encode()


@pytest.mark.parametrize("name", ["clean.csv", "clean.jsonl"])
@pytest.mark.parametrize("inside", [False, True])
def test_a_cleaned_manifest_reads_back(messy: Path, name: str, inside: bool) -> None:
    report = check(messy)
    path = (messy if inside else messy.parent / "lists") / name
    path.parent.mkdir(exist_ok=True)
    done = write_manifest(report, path)
    assert done.left_out == {"unreadable": 2, "label-conflict": 2, "leakage": 2, "exact-duplicate": 1}
    again = read_labels(path)
    assert len(again) == done.kept == len(report.dataset) - 7
    if inside:  # keys are relative to the table
        assert {r.key: (r.target, r.split) for r in again} == {
            r.key: (r.target, r.split) for r in report.dataset if r.key in {a.key for a in again}
        }
    second = check(again)
    assert {p.kind for p in second.problems if p.severity == "error"} == {"not-in-train"}
    assert not of_kind(second, "leakage")
    groups = {r.group for r in again if r.key.endswith(("dog/02.png", "dog/near.jpg"))}
    assert len(groups) == 1
    assert None not in groups
    assert read_labels(path).problems == ()


def test_the_measured_copy_stays(messy: Path) -> None:
    write_manifest(check(messy), messy / "clean.csv")
    keys = {record.key for record in read_labels(messy / "clean.csv")}
    assert {"test/cat/1.png", "test/dog/1.png", "train/cat/00.png"} <= keys
    assert not keys & {"train/cat/leak.png", "train/dog/near-leak.jpg", "train/cat/copy.png"}


def test_hostile_names_survive(tmp_path: Path, save: Save, photo: Photo) -> None:
    names = [
        b"caf\xe9\xff.png",
        b"new\nline.png",
        b'tab\tquote".png',
        b" lead.png",
        "e\u0301.png".encode(),
        "\u00e9.png".encode(),
        "\u202egnp.png".encode(),
        "🐈.png".encode(),
        b"Case.png",
        b"case.png",
        b"comma,semi;bar|.png",
        b"file:x.png",
        b"%41.png",
        b"n" * 251 + b".png",
    ]
    for number, name in enumerate(names):
        save(b"in/" + (b"a/" if number % 2 else b"b/") + name, photo(number))
    report = check(tmp_path / "in")
    assert not [problem for problem in report.problems if problem.severity == "error"]
    keys = {os.fsencode(record.key) for record in report.dataset}
    assert len(keys) == len(names)
    for table in ("in/list.csv", "in/list.jsonl"):
        write_manifest(report, tmp_path / table)
        (tmp_path / table).read_text("utf-8")
        again = read_labels(tmp_path / table)
        assert again.problems == ()
        assert {os.fsencode(record.key) for record in again} == keys
        assert all(record.origin.read().shape == (120, 160, 3) for record in again)


def test_several_labels_and_numbers_read_back(tmp_path: Path, save: Save, photo: Photo) -> None:
    for i in range(4):
        save(f"{i}.png", photo(i))
    (tmp_path / "l.csv").write_text(
        "path,tags,group\n0.png,red;round,g\n1.png,,\n2.png,red,\n3.png,blue,g\n"
    )
    report = check(read_labels(tmp_path / "l.csv", multi_label=True))
    write_manifest(report, tmp_path / "out.csv")
    again = read_labels(tmp_path / "out.csv", multi_label=True)
    assert again.targets == report.dataset.targets
    assert [record.group for record in again] == ["g", None, None, "g"]
    (tmp_path / "v.csv").write_text("path,yaw,pitch\n0.png,0.1,1e-9\n1.png,-3,2\n")
    values = check(read_values(tmp_path / "v.csv"))
    write_manifest(values, tmp_path / "out-v.csv")
    assert read_values(tmp_path / "out-v.csv").targets == [(0.1, 1e-9), (-3.0, 2.0)]
    (tmp_path / "l.jsonl").write_text('{"path": "0.png", "tags": ["a;b", "c"]}\n')
    odd = check(read_labels(tmp_path / "l.jsonl", multi_label=True))
    with pytest.raises(SettingError, match="jsonl"):
        write_manifest(odd, tmp_path / "odd.csv")
    write_manifest(odd, tmp_path / "odd.jsonl")
    assert read_labels(tmp_path / "odd.jsonl", multi_label=True).targets == [("a;b", "c")]


def test_numbers_that_contradict(tmp_path: Path, save: Save, photo: Photo) -> None:
    for name in ("a.png", "b.png"):
        save(name, photo(0))
    save("c.png", np.ascontiguousarray(photo(0)[:, ::-1]))  # a mirrored face looks the other way
    (tmp_path / "v.csv").write_text("path,yaw\na.png,1\nb.png,2\nc.png,-1\n")
    report = check(read_values(tmp_path / "v.csv"))
    assert report.kinds() == {"label-conflict": 1, "near-duplicate": 1}
    assert report.counts == {}


def test_what_no_manifest_can_be_written_for(tmp_path: Path, save: Save) -> None:
    save("in/a/1.png")
    save("in/b/1.png")
    report = check(tmp_path / "in")
    (tmp_path / "there.csv").write_text("mine")
    with pytest.raises(UsageError, match="exists"):
        write_manifest(report, tmp_path / "there.csv")
    assert (tmp_path / "there.csv").read_text() == "mine"
    write_manifest(report, tmp_path / "there.csv", overwrite=True)
    with pytest.raises(UsageError, match=r"\.csv or \.jsonl"):
        write_manifest(report, tmp_path / "x.txt")
    with pytest.raises(DiskError, match="cannot be written"):
        write_manifest(report, tmp_path / "gone" / "x.csv")
    with pytest.raises(UsageError, match="not files of their own"):
        write_manifest(check("faces-or-not"), tmp_path / "x.csv")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "there.csv"]


def test_grey_that_gives_the_class_away(tmp_path: Path, save: Save, photo: Photo) -> None:
    for i in range(12):
        save(f"colour/{i}.png", photo(i))
        (tmp_path / "scan").mkdir(exist_ok=True)
        Image.fromarray(photo(50 + i)).convert("L").save(tmp_path / "scan" / f"{i}.png")
    (problem,) = of_kind(check(tmp_path), "mode-tells-class")
    assert (problem.key, problem.others) == ("scan", ("colour",))


def test_one_class_and_nothing(tmp_path: Path, save: Save) -> None:
    save("only/1.png")
    report = check(tmp_path)
    assert {problem.kind for problem in report.problems} == {"one-class", "few-pictures"}
    empty = check(report.dataset.take([]))
    assert empty.to_dict()["pictures"] == 0
    assert empty.sizes_hw == ()
