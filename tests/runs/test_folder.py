from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from striate.errors import DiskError, LockedError, RunError, UsageError
from striate.runs import atomic
from striate.runs.folder import Run, RunWriter
from striate.runs.header import RunHeader

Make = Callable[..., RunHeader]


def fill(run: RunWriter, text: str = "one") -> None:
    run.save("model.safetensors", text.encode())
    run.save_with("graphs/main.onnx", lambda path: path.write_text(text) and None)
    run.append_metrics({"epoch": 1, "loss": float("nan")})


def train(path: Path, header: RunHeader, text: str = "one", *, overwrite: bool = False) -> Run:
    with RunWriter.begin(path, overwrite=overwrite) as run:
        fill(run, text)
        return run.seal(header)


def interrupt(path: Path, *, resume: bool = False, overwrite: bool = False) -> None:
    """A training that got as far as its first checkpoint."""
    with RunWriter.begin(path, resume=resume, overwrite=overwrite) as run:
        run.append_metrics({"epoch": 1})
        run.checkpoints.save("last", lambda to: to.write_text("tensors") and None, {"step": 1})


# -- writing and reading ----------------------------------------------------------------------


def test_a_run_is_written_sealed_and_read(tmp_path: Path, make_header: Make) -> None:
    path = tmp_path / "runs" / "pets"
    with RunWriter.begin(path) as run:
        assert (run.path, run.folder, run.resumes, run.already_sealed) == (path, path, False, False)
        fill(run)
        run.checkpoints.save("last", lambda to: to.write_text("t") and None, {"step": 1})
        sealed = run.seal(make_header())
    assert sorted(one.relative_to(path).as_posix() for one in path.rglob("*")) == [
        "graphs",
        "graphs/main.onnx",
        "manifest.json",
        "metrics.jsonl",
        "model.safetensors",
        "run.toml",
    ]
    opened = Run.open(path)
    for one in (sealed, opened):
        assert one.name == "pets"
        assert one.header == make_header()
        assert one.file("graphs/main.onnx").read_text() == "one"
        assert one.metrics_rows() == [{"epoch": 1, "loss": None}]
        one.verify()
    assert opened.files == ("graphs/main.onnx", "metrics.jsonl", "model.safetensors", "run.toml")
    with pytest.raises(RunError, match=r"has no file report\.html"):
        opened.file("report.html")


def test_every_changed_byte_is_found(tmp_path: Path, make_header: Make) -> None:
    run = train(tmp_path / "pets", make_header())
    checked = 0
    for file in [*run.files, "manifest.json"]:
        path = run.folder / file
        good = path.read_bytes()
        step = 1 if len(good) < 40 else len(good) // 29
        for index in range(0, len(good), step):
            path.write_bytes(good[:index] + bytes([good[index] ^ 4]) + good[index + 1 :])
            with pytest.raises(RunError):
                Run.open(run.folder).verify()
            checked += 1
        path.write_bytes(good + b"\n")
        with pytest.raises(RunError):
            Run.open(run.folder).verify()
        path.write_bytes(good)
        Run.open(run.folder).verify()
    assert checked > 60


def test_a_changed_file_is_named_when_it_is_used(tmp_path: Path, make_header: Make) -> None:
    path = train(tmp_path / "pets", make_header()).folder
    (path / "graphs/main.onnx").write_text("ono")
    run = Run.open(path)
    with pytest.raises(RunError, match=r"main\.onnx of run pets is not the file that was written"):
        run.file("graphs/main.onnx")
    (path / "graphs/main.onnx").unlink()
    with pytest.raises(RunError, match=r"graphs/main\.onnx of run pets is missing"):
        run.file("graphs/main.onnx")


def test_an_older_opened_run_is_verified_once(tmp_path: Path, make_header: Make) -> None:
    run = train(tmp_path / "pets", make_header())
    first = run.file("model.safetensors")
    first.write_text("two")
    assert run.file("model.safetensors") == first
    with pytest.raises(RunError):
        run.verify()


# -- what cannot be opened --------------------------------------------------------------------


def test_opening_what_is_no_run(tmp_path: Path, make_header: Make) -> None:
    train(tmp_path / "pets", make_header())
    with pytest.raises(RunError, match=r"there is no run at .*pest") as caught:
        Run.open(tmp_path / "pest")
    assert "pets" in caught.value.expected
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.jpg").write_bytes(b"")
    for odd in (tmp_path / "photos", tmp_path, tmp_path / "photos" / "a.jpg"):
        with pytest.raises(RunError, match="is not a run"):
            Run.open(odd)


def test_opening_an_unfinished_run(tmp_path: Path) -> None:
    interrupt(tmp_path / "pets")
    with pytest.raises(RunError, match=r"did not finish.* --resume"):
        Run.open(tmp_path / "pets")
    with (
        RunWriter.begin(tmp_path / "pets", resume=True),
        pytest.raises(RunError, match="still being trained by process"),
    ):
        Run.open(tmp_path / "pets")


def test_opening_a_newer_run(tmp_path: Path, make_header: Make) -> None:
    path = train(tmp_path / "pets", make_header()).folder
    (path / "run.toml").write_text('format_version = 7\nstriate_version = "9.0"\n')
    (path / "manifest.json").write_text('{"files": "in another form"}')
    with pytest.raises(RunError, match=r"newer striate \(format 7\)"):
        Run.open(path)


@pytest.mark.parametrize("file", ["manifest.json", "run.toml"])
def test_opening_a_run_that_lacks_its_papers(tmp_path: Path, make_header: Make, file: str) -> None:
    path = train(tmp_path / "pets", make_header()).folder
    (path / file).unlink()
    with pytest.raises(RunError, match=r"missing|is not a run"):
        Run.open(path)
    with pytest.raises(UsageError):
        RunWriter.begin(path)


# -- beginning --------------------------------------------------------------------------------


def test_other_peoples_files_are_left_alone(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    (photos / "a.jpg").write_bytes(b"jpeg")
    file = tmp_path / "file"
    file.write_bytes(b"data")
    for flags in ({}, {"resume": True}, {"overwrite": True}):
        for odd in (photos, file):
            with pytest.raises(UsageError, match="nothing was changed"):
                RunWriter.begin(odd, **flags)
        with pytest.raises(UsageError, match=r"is a file|cannot be a folder"):
            RunWriter.begin(file / "run", **flags)
    assert [one.name for one in photos.iterdir()] == ["a.jpg"]
    assert file.read_bytes() == b"data"


def test_another_tools_run_toml_is_not_ours(tmp_path: Path) -> None:
    for name in ("run.toml", "manifest.json", "unfinished.json"):
        folder = tmp_path / name.replace(".", "-")
        folder.mkdir()
        (folder / name).write_text("{}")
        with pytest.raises(UsageError, match="did not write"):
            RunWriter.begin(folder, overwrite=True)


def test_a_desktops_own_files_do_not_count(tmp_path: Path, make_header: Make) -> None:
    folder = tmp_path / "new"
    folder.mkdir()
    (folder / ".DS_Store").write_bytes(b"finder")
    run = train(folder, make_header())
    (folder / ".DS_Store").write_bytes(b"finder again")
    run.verify()


def test_flags_exclude_each_other(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="exclude each other"):
        RunWriter.begin(tmp_path / "a", resume=True, overwrite=True)
    assert not (tmp_path / "a").exists()


def test_a_sealed_run_asks_for_a_decision(tmp_path: Path, make_header: Make) -> None:
    path = train(tmp_path / "pets", make_header()).folder
    with pytest.raises(UsageError) as caught:
        RunWriter.begin(path)
    assert all(flag in str(caught.value) for flag in ("--resume", "--overwrite", "--out"))
    with RunWriter.begin(path, resume=True) as run:
        assert run.already_sealed
    Run.open(path).verify()
    assert not (path / ".lock").exists()


def test_a_run_killed_right_after_its_manifest_is_finished(tmp_path: Path, make_header: Make) -> None:
    path = train(tmp_path / "pets", make_header()).folder
    (path / "unfinished.json").write_text('{"striate": "a run"}')
    (path / "checkpoints").mkdir()
    Run.open(path).verify()
    with RunWriter.begin(path, resume=True) as run:
        assert run.already_sealed
    assert not (path / "unfinished.json").exists()
    assert not (path / "checkpoints").exists()


def test_resuming_a_damaged_run_says_so(tmp_path: Path, make_header: Make) -> None:
    path = train(tmp_path / "pets", make_header()).folder
    (path / "manifest.json").unlink()
    with pytest.raises(RunError):
        RunWriter.begin(path, resume=True)
    train(path, make_header(), "two", overwrite=True).verify()


def test_an_unfinished_run_asks_for_a_decision(tmp_path: Path, make_header: Make) -> None:
    path = tmp_path / "pets"
    interrupt(path)
    with pytest.raises(UsageError, match=r"unfinished run.*--resume"):
        RunWriter.begin(path)
    with RunWriter.begin(path, resume=True) as run:
        assert run.resumes
        assert run.metrics_rows() == [{"epoch": 1}]
        run.append_metrics({"epoch": 2})
        run.rewind_metrics(1)
        assert run.metrics_rows() == [{"epoch": 1}]
        loaded = run.checkpoints.load("last")
        assert loaded is not None
        assert loaded[1] == {"step": 1}
    with RunWriter.begin(path, overwrite=True) as run:
        assert not run.resumes
        assert run.metrics_rows() == []
        fill(run)
        run.seal(make_header())


def test_a_run_without_a_checkpoint_is_begun_again_unasked(tmp_path: Path) -> None:
    with RunWriter.begin(tmp_path / "pets") as run:
        run.append_metrics({"epoch": 1})
    with RunWriter.begin(tmp_path / "pets") as run:
        assert run.metrics_rows() == []


def test_a_run_that_never_got_anywhere_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), RunWriter.begin(tmp_path / "pets"):
        raise ZeroDivisionError
    assert not (tmp_path / "pets").exists()
    (tmp_path / "mine").mkdir()
    with RunWriter.begin(tmp_path / "mine"):
        pass
    assert list((tmp_path / "mine").iterdir()) == []


def test_temporaries_of_a_killed_writer_are_swept(tmp_path: Path, make_header: Make) -> None:
    path = tmp_path / "pets"
    interrupt(path)
    (path / "graphs").mkdir()
    (path / "graphs" / ".tmp-1234-main.onnx").write_bytes(b"half")
    with RunWriter.begin(path, resume=True) as run:
        assert not list((path / "graphs").iterdir())
        fill(run)
        run.save(".tmp-late", b"")
        assert ".tmp-late" not in run.seal(make_header()).files


def test_an_unwritable_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def mkdir(self: Path, **_: object) -> None:
        raise PermissionError(13, "denied")

    monkeypatch.setattr(Path, "mkdir", mkdir)
    with pytest.raises(DiskError, match="permission denied"):
        RunWriter.begin(tmp_path / "pets")


def test_a_name_that_leaves_the_run(tmp_path: Path) -> None:
    with RunWriter.begin(tmp_path / "pets") as run, pytest.raises(ValueError, match="within a run"):
        run.save("../x", b"")


def test_a_missing_graph_is_our_bug(tmp_path: Path, make_header: Make) -> None:
    with RunWriter.begin(tmp_path / "pets") as run, pytest.raises(AssertionError, match="not saved"):
        run.seal(make_header())


# -- overwriting ------------------------------------------------------------------------------


def test_the_earlier_run_is_whole_until_the_end(tmp_path: Path, make_header: Make) -> None:
    path = train(tmp_path / "pets", make_header()).folder
    with RunWriter.begin(path, overwrite=True) as run:
        assert run.folder == tmp_path / "pets.partial"
        fill(run, "two")
        Run.open(path).verify()
        assert Run.open(path).file("model.safetensors").read_text() == "one"
        with pytest.raises(LockedError):
            RunWriter.begin(path, overwrite=True)
        run.seal(make_header())
        with pytest.raises(LockedError):
            RunWriter.begin(path, overwrite=True)
    assert Run.open(path).file("model.safetensors").read_text() == "two"
    assert [one.name for one in tmp_path.iterdir() if one.name != "striate-home"] == ["pets"]
    assert not (path / ".lock").exists()


def test_an_interrupted_overwriting_is_resumed(tmp_path: Path, make_header: Make) -> None:
    path = train(tmp_path / "pets", make_header()).folder
    interrupt(path, overwrite=True)
    assert Run.open(path).file("model.safetensors").read_text() == "one"
    with RunWriter.begin(path, resume=True) as run:
        assert run.resumes
        assert not run.already_sealed
        fill(run, "two")
        run.seal(make_header())
    assert Run.open(path).file("model.safetensors").read_text() == "two"


def test_a_reader_finds_a_whole_run_at_any_moment(tmp_path: Path, make_header: Make) -> None:
    path, header, found = train(tmp_path / "pets", make_header()).folder, make_header(), set()

    def replace() -> None:
        for number in range(8):
            train(path, header, f"text {number}", overwrite=True)

    writer = threading.Thread(target=replace)
    writer.start()
    while writer.is_alive():
        found.add(Run.open(path).files)
    writer.join()
    assert found == {("graphs/main.onnx", "metrics.jsonl", "model.safetensors", "run.toml")}
    assert Run.open(path).file("model.safetensors").read_text() == "text 7"


def test_a_link_to_a_run_stays_a_link(tmp_path: Path, make_header: Make) -> None:
    train(tmp_path / "pets", make_header())
    (tmp_path / "latest").symlink_to("pets")
    train(tmp_path / "latest", make_header(), "two", overwrite=True)
    assert (tmp_path / "latest").is_symlink()
    assert Run.open(tmp_path / "pets").file("model.safetensors").read_text() == "two"
    assert Run.open(tmp_path / "latest").name == "pets"


def test_a_strangers_partial_is_left_alone(tmp_path: Path, make_header: Make) -> None:
    path = train(tmp_path / "pets", make_header()).folder
    (tmp_path / "pets.partial").mkdir()
    (tmp_path / "pets.partial" / "notes.txt").write_text("mine")
    with pytest.raises(UsageError, match=r"pets\.partial holds files"):
        RunWriter.begin(path, overwrite=True)
    assert (tmp_path / "pets.partial" / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("when", range(1, 9))
def test_killed_while_it_takes_its_place(
    tmp_path: Path, make_header: Make, monkeypatch: pytest.MonkeyPatch, when: int
) -> None:
    """Before each rename and removal of sealing; then opened, resumed, or begun again."""

    class Killed(BaseException):
        pass

    path = train(tmp_path / "pets", make_header()).folder
    count = 0

    def lethal(real: Callable[..., object]) -> Callable[..., object]:
        def call(*given: object, **named: object) -> object:
            nonlocal count
            count += 1
            if count == when:
                raise Killed
            return real(*given, **named)

        return call

    run = RunWriter.begin(path, overwrite=True)
    fill(run, "two")
    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", lethal(Path.rename))
        patch.setattr(Path, "unlink", lethal(Path.unlink))
        patch.setattr(shutil, "rmtree", lethal(shutil.rmtree))
        patch.setattr(atomic.os, "replace", lethal(atomic.os.replace))
        if when == 8:  # one more than there are
            run.seal(make_header())
        else:
            with pytest.raises(Killed):
                run.seal(make_header())
    for lock in run._locks:  # as the kernel does
        if lock._handle is not None:
            os.close(lock._handle)
    text = Run.open(path).file("model.safetensors").read_text()
    assert text in ("one", "two")
    with RunWriter.begin(path, resume=True) as again:
        if not again.already_sealed:
            again.seal(make_header())
    final = Run.open(path)
    final.verify()
    assert final.file("model.safetensors").read_text() == "two"
    assert [one.name for one in tmp_path.iterdir() if one.name != "striate-home"] == ["pets"]


# One interpreter forks the starters: starting one for each would take the time.
RACE = """
import os, sys
from collections import Counter
from pathlib import Path
from striate.errors import StriateError
from striate.runs.folder import RunWriter

def race(path, overwrite):
    go_r, go_w = os.pipe(); told_r, told_w = os.pipe(); end_r, end_w = os.pipe()
    for _ in range(20):
        if os.fork() == 0:
            os.close(go_w); os.close(end_w)
            os.read(go_r, 1)   # returns for all at once when the parent closes its end
            try:
                with RunWriter.begin(path, overwrite=overwrite):
                    os.write(told_w, b"won,")
                    os.read(end_r, 1)
            except StriateError as error:
                named = " named" if f"process " in str(error) else ""
                os.write(told_w, f"{type(error).__name__}{named},".encode())
            os._exit(0)
    for end in (go_r, end_r, told_w, go_w):
        os.close(end)
    told = b""
    while told.count(b",") < 20:
        told += os.read(told_r, 4096)
    os.close(end_w)
    for _ in range(20):
        os.wait()
    print(sorted(Counter(told.decode().split(",")[:20]).items()))

race(Path(sys.argv[1]), False)
race(Path(sys.argv[2]), True)
"""


def test_of_twenty_starters_one_wins(tmp_path: Path, make_header: Make) -> None:
    new, sealed = tmp_path / "deep" / "new", train(tmp_path / "sealed", make_header()).folder
    done = subprocess.run(
        [sys.executable, "-c", RACE, str(new), str(sealed)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "[('LockedError named', 19), ('won', 1)]\n" * 2
    Run.open(sealed).verify()


def test_metrics_are_strict_json(tmp_path: Path) -> None:
    with RunWriter.begin(tmp_path / "pets") as run:
        run.append_metrics({"loss": float("inf"), "key": b"\xff".decode("utf-8", "surrogateescape")})
        text = (run.folder / "metrics.jsonl").read_text()
        assert json.loads(text, parse_constant=pytest.fail) == {"loss": None, "key": "\\udcff"}
