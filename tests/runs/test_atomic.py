from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from striate.errors import DiskError, RunError
from striate.runs import atomic

# One interpreter forks the writers and kills them: starting one for each would take the time.
KILLS = """
import os, random, signal, sys, time
from pathlib import Path
from striate.runs.atomic import write_bytes

path, dice = Path(sys.argv[1]), random.Random(3)
SIZE = 100_000

def content(number):
    return bytes([number % 251]) * (SIZE + number % 251)

def check():
    data = path.read_bytes()
    assert len(data) == SIZE + data[0] and set(data) == {data[0]}, "half a file"
    return data[0]

write_bytes(path, content(0))
seen, number = set(), 0
for _ in range(20):
    child = os.fork()
    if child == 0:
        while True:
            number += 1
            write_bytes(path, content(number))
    time.sleep(dice.uniform(0.001, 0.06))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    number = check()
    seen.add(number)

def die_at(step):
    count = 0
    def wrap(real):
        def call(*given):
            nonlocal count
            count += 1
            if count == step:
                os._exit(9)
            return real(*given)
        return call
    os.fsync, os.replace = wrap(os.fsync), wrap(os.replace)

exact = []
for step in (1, 2, 3, 4):   # file fsync, rename, folder fsync, none
    write_bytes(path, content(1))
    child = os.fork()
    if child == 0:
        die_at(step)
        write_bytes(path, content(2))
        os._exit(0)
    os.waitpid(child, 0)
    exact.append(check())
print(len(seen), exact)
"""


def test_a_killed_writer_leaves_a_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "weights.bin"
    done = subprocess.run(
        [sys.executable, "-c", KILLS, str(path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    different, exact = done.stdout.split(maxsplit=1)
    assert int(different) > 1, "the kills all came at one moment, so the test shows nothing"
    assert exact.strip() == "[1, 1, 2, 2]"
    assert any(one.name.startswith(".tmp-") for one in tmp_path.iterdir())
    atomic.sweep(tmp_path)
    assert [one.name for one in tmp_path.iterdir()] == ["weights.bin"]


def limited(body: str, path: Path, limit: int = 4096) -> subprocess.CompletedProcess[str]:
    """Run `body` in a child that may not write files longer than `limit` bytes."""
    head = (
        "import resource, sys\nfrom pathlib import Path\n"
        "from striate.errors import DiskError\nfrom striate.runs import atomic\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))\npath = Path(sys.argv[1])\n"
    )
    return subprocess.run(
        [sys.executable, "-c", head + body, str(path)], capture_output=True, text=True, check=False
    )


def test_a_file_too_large_keeps_the_old_one_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "model.bin"
    path.write_bytes(b"old")
    done = limited(
        "try:\n    atomic.write_bytes(path, b'x' * 10_000)\n"
        "except DiskError as error:\n    print(error)",
        path,
    )
    assert "model.bin: the file is larger than this file system or process may write" in done.stdout
    assert "needs 10.0 kB" in done.stdout
    assert " free)" in done.stdout
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_safetensors_own_words_for_a_full_disk_are_understood(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    done = limited(
        "import numpy as np\nfrom safetensors.numpy import save_file\n"
        "try:\n    atomic.write_with(path, lambda to: save_file({'a': np.zeros(9000)}, to))\n"
        "except DiskError as error:\n    print(error, '|', type(error.__cause__).__name__)",
        path,
    )
    assert "may write" in done.stdout, done.stderr
    assert not list(tmp_path.iterdir())


def test_a_line_that_does_not_fit_is_taken_back(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"a": 1}\n')
    done = limited(
        "try:\n    atomic.append_line(path, 'x' * 5000)\nexcept DiskError as error:\n    print('full')",
        path,
    )
    assert done.stdout == "full\n", done.stderr
    assert path.read_text() == '{"a": 1}\n'


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_dev_full(tmp_path: Path) -> None:
    with pytest.raises(DiskError, match="no space left on the disk"):
        atomic.append_line(Path("/dev/full"), "{}")

    def write(_: Path) -> None:
        Path("/dev/full").write_bytes(b"x" * 100_000)

    target = tmp_path / "graph.onnx"
    target.write_bytes(b"old")
    with pytest.raises(DiskError, match=r"graph\.onnx: no space left .*needs 2\.0 MB"):
        atomic.write_with(target, write, needed=2_000_000)
    assert target.read_bytes() == b"old"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (errno.EDQUOT, "quota"),
        (errno.EROFS, "read-only"),
        (errno.EACCES, "permission denied"),
        (errno.EPERM, "not permitted"),
    ],
)
def test_every_refusal_of_a_disk_has_its_words(tmp_path: Path, code: int, words: str) -> None:
    def write(_: Path) -> None:
        raise OSError(code, os.strerror(code))

    with pytest.raises(DiskError, match=words) as caught:
        atomic.write_with(tmp_path / "a", write)
    assert "--out" in caught.value.remedy


@pytest.mark.parametrize("words", ["[enforce fail] unexpected pos 3 vs 2", "Os { kind: StorageFull }"])
def test_refusals_hidden_in_other_exceptions(tmp_path: Path, words: str) -> None:
    def write(_: Path) -> None:
        raise RuntimeError(words)

    with pytest.raises(DiskError, match="no space left"):
        atomic.write_with(tmp_path / "a", write)


def test_other_errors_pass_and_leave_nothing(tmp_path: Path) -> None:
    def write(path: Path) -> None:
        path.write_bytes(b"half")
        raise ValueError("our bug")

    with pytest.raises(ValueError, match="our bug"):
        atomic.write_with(tmp_path / "a", write)
    assert not list(tmp_path.iterdir())


def test_the_temporary_keeps_the_ending_that_writers_look_at(tmp_path: Path) -> None:
    atomic.write_with(tmp_path / "deep" / "table.npz", lambda to: np.savez(to, a=np.arange(3)))
    with np.load(tmp_path / "deep" / "table.npz") as found:
        assert found["a"].tolist() == [0, 1, 2]


def test_space_is_asked_for_beforehand(tmp_path: Path) -> None:
    atomic.require_space(tmp_path / "not" / "yet", 1, what="the cache")
    with pytest.raises(DiskError, match=r"the cache needs about 1000000000\.0 GB"):
        atomic.require_space(tmp_path, 10**18, what="the cache")


# -- lines ------------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(st.lists(st.dictionaries(st.text(max_size=5), st.integers()), max_size=5), st.integers(0, 200))
def test_a_torn_last_line_is_dropped_and_overwritten(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, int]], cut: int
) -> None:
    path = tmp_path_factory.mktemp("lines") / "metrics.jsonl"
    text = "".join(json.dumps(row) + "\n" for row in rows)
    torn = text[: min(cut, len(text))]
    path.write_text(torn)
    whole = torn.count("\n")
    assert atomic.read_jsonl(path) == rows[:whole]
    atomic.append_line(path, '{"next": 1}', sync=True)
    assert atomic.read_jsonl(path) == [*rows[:whole], {"next": 1}]


def test_a_torn_line_longer_than_a_block_is_cut(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"a": 1}\n' + "x" * 10_000)
    atomic.append_line(path, "{}")
    assert path.read_text() == '{"a": 1}\n{}\n'


@pytest.mark.parametrize("line", ["{", "[1]", "\x00\x01"])
def test_a_damaged_line_in_the_middle_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"a": 1}\n' + line + '\n{"a": 2}\n')
    with pytest.raises(RunError, match="line 2 of"):
        atomic.read_jsonl(path)


def test_missing_lines_are_no_lines(tmp_path: Path) -> None:
    assert atomic.read_jsonl(tmp_path / "none") == []
    atomic.truncate_lines(tmp_path / "none", 3)
    assert not (tmp_path / "none").exists()


def test_truncating_keeps_the_first_lines(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"a": 1}\n{"a": 2}\n{"a":')
    atomic.truncate_lines(path, 5)
    assert path.read_text() == '{"a": 1}\n{"a": 2}\n'
    atomic.truncate_lines(path, 1)
    assert path.read_text() == '{"a": 1}\n'


# -- folders ----------------------------------------------------------------------------------


def folders(root: Path) -> tuple[Path, Path]:
    new, final = root / "run.partial", root / "run"
    for folder, text in ((new, "new"), (final, "old")):
        folder.mkdir()
        (folder / "a").write_text(text)
    return new, final


def test_a_folder_takes_the_place_of_another(tmp_path: Path) -> None:
    new, final = folders(tmp_path)
    atomic.replace_folder(new, final)
    assert (final / "a").read_text() == "new"
    assert [one.name for one in tmp_path.iterdir()] == ["run"]


@pytest.mark.parametrize("renames", [0, 1, 2])
def test_a_kill_between_the_renames_is_mended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, renames: int
) -> None:
    class Killed(BaseException):
        pass

    new, final = folders(tmp_path)
    done: list[Path] = []
    real = Path.rename

    def rename(self: Path, target: Path) -> Path:
        if len(done) == renames:
            raise Killed
        done.append(self)
        return real(self, target)

    def rmtree(path: Path, *, ignore_errors: bool) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", rename)
        patch.setattr("shutil.rmtree", rmtree)
        with pytest.raises(Killed):
            atomic.replace_folder(new, final)
    assert (atomic.interrupted_swap(final) is not None) == (renames == 1)
    atomic.recover_folder(new, final)
    assert (final / "a").read_text() == ("old" if renames == 0 else "new")
    assert {one.name for one in tmp_path.iterdir()} <= {"run", "run.partial"}


def test_a_refused_second_rename_puts_the_old_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    new, final = folders(tmp_path)
    real = Path.rename

    def rename(self: Path, target: Path) -> Path:
        if self == new:
            raise OSError(errno.ENOSPC, "full")
        return real(self, target)

    monkeypatch.setattr(Path, "rename", rename)
    with pytest.raises(DiskError):
        atomic.replace_folder(new, final)
    assert (final / "a").read_text() == "old"
    assert (new / "a").read_text() == "new"
