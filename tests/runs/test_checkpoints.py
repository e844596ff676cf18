from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest

from striate.errors import DiskError, RunError
from striate.runs.checkpoints import Checkpoints


def writes(text: str):  # type: ignore[no-untyped-def]
    return lambda path: path.write_text(text)


def test_the_state_comes_back_bit_for_bit(tmp_path: Path) -> None:
    store = Checkpoints(tmp_path / "checkpoints")
    assert store.load("last") is None
    assert not store.exists("last")
    state = {"step": 3, "loss": 0.1 + 0.2, "best": -math.inf, "key": 2**200, "z": None, "a": [1, "é"]}
    store.save("last", writes("tensors"), state)
    found = store.load("last")
    assert found is not None
    assert found[0].read_text() == "tensors"
    assert found[0].suffix == ".safetensors"
    assert found[1] == state
    assert list(found[1]) == list(state)
    assert store.exists("last")
    assert store.load("best") is None


def test_two_are_kept_of_each_name(tmp_path: Path) -> None:
    store = Checkpoints(tmp_path)
    for step in range(5):
        store.save("last", writes(f"l{step}"), {"step": step})
    store.save("best", writes("b"), {"step": 1})
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "best-00000001.json",
        "best-00000001.safetensors",
        "last-00000004.json",
        "last-00000004.safetensors",
        "last-00000005.json",
        "last-00000005.safetensors",
    ]


def newest(folder: Path, ending: str) -> Path:
    return sorted(folder.glob(f"last-*{ending}"))[-1]


@pytest.mark.parametrize("ending", [".json", ".safetensors"])
def test_any_damaged_byte_brings_the_one_before(tmp_path: Path, ending: str) -> None:
    store = Checkpoints(tmp_path)
    store.save("last", writes("first"), {"step": 1})
    store.save("last", writes("second"), {"step": 2})
    path = newest(tmp_path, ending)
    good = path.read_bytes()
    for index in range(len(good)):
        path.write_bytes(good[:index] + bytes([good[index] ^ 1]) + good[index + 1 :])
        found = store.load("last")
        assert found is not None
        assert found[1] == {"step": 1}, index
        assert store.damaged == ("last-00000002.safetensors",)
    path.write_bytes(good)
    assert store.load("last") is not None
    assert store.damaged == ()


def test_a_damaged_one_is_not_kept_in_place_of_a_sound_one(tmp_path: Path) -> None:
    store = Checkpoints(tmp_path)
    store.save("last", writes("first"), {"step": 1})
    store.save("last", writes("second"), {"step": 2})
    newest(tmp_path, ".safetensors").write_text("damage")
    store.load("last")
    store.save("last", writes("third"), {"step": 3})
    newest(tmp_path, ".safetensors").write_text("damage")
    found = store.load("last")
    assert found is not None
    assert found[1] == {"step": 1}


def test_all_damaged_is_an_error(tmp_path: Path) -> None:
    store = Checkpoints(tmp_path)
    store.save("last", writes("first"), {"step": 1})
    newest(tmp_path, ".safetensors").unlink()
    with pytest.raises(RunError, match=r"last-00000001\.safetensors.* are damaged"):
        store.load("last")


def test_a_full_disk_gives_up_the_oldest_and_tries_again(tmp_path: Path) -> None:
    store = Checkpoints(tmp_path)
    store.save("last", writes("first"), {"step": 1})
    store.save("last", writes("second"), {"step": 2})

    def room_for_two(path: Path) -> None:
        if len(list(tmp_path.glob("last-*.safetensors"))) >= 2:
            Path("/dev/full").write_bytes(b"x" * 100_000)
        path.write_text("third")

    store.save("last", room_for_two, {"step": 3})
    found = store.load("last")
    assert found is not None
    assert found[1] == {"step": 3}


def test_a_disk_that_stays_full_keeps_the_newest(tmp_path: Path) -> None:
    store = Checkpoints(tmp_path)
    store.save("last", writes("first"), {"step": 1})
    store.save("last", writes("second"), {"step": 2})

    def no_room(path: Path) -> None:
        Path("/dev/full").write_bytes(b"x" * 100_000)

    with pytest.raises(DiskError, match="no space left"):
        store.save("last", no_room, {"step": 3})
    found = store.load("last")
    assert found is not None
    assert (found[0].read_text(), found[1]) == ("second", {"step": 2})
    assert len(list(tmp_path.iterdir())) == 2


KILLS = """
import json, os, random, signal, sys, time
from pathlib import Path
from striate.runs.checkpoints import Checkpoints

folder, dice = Path(sys.argv[1]), random.Random(5)
store = Checkpoints(folder)

def tensors(step):
    return lambda path: path.write_bytes(step.to_bytes(8, "little") * 4000)

def check(at_least):
    found = store.load("last")
    assert found is not None and not store.damaged
    path, state = found
    assert path.read_bytes() == state["step"].to_bytes(8, "little") * 4000, "tensors of another step"
    assert state["step"] >= at_least, "a finished checkpoint was lost"
    return state["step"]

store.save("last", tensors(0), {"step": 0})
seen, step = set(), 0
for _ in range(20):
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        while True:
            step += 1
            store.save("last", tensors(step), {"step": step})
            os.write(writer, step.to_bytes(8, "little"))
    os.close(writer)
    time.sleep(dice.uniform(0.001, 0.06))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    told = os.read(reader, 1 << 20)
    os.close(reader)
    step = check(int.from_bytes(told[-8:], "little") if told else step)
    seen.add(step)

def die_at(when):
    count = 0
    def wrap(real):
        def call(*given, **named):
            nonlocal count
            count += 1
            if count == when:
                os._exit(9)
            return real(*given, **named)
        return call
    os.fsync, os.replace = wrap(os.fsync), wrap(os.replace)
    Path.unlink = wrap(Path.unlink)

exact = []
for when in range(1, 12):   # two files of three calls each, two removals, more
    child = os.fork()
    if child == 0:
        die_at(when)
        store.save("last", tensors(step + 1), {"step": step + 1})
        os._exit(0)
    os.waitpid(child, 0)
    exact.append(check(step) - step)
    store.save("last", tensors(step), {"step": step})
print(json.dumps([len(seen), exact]))
"""


def test_a_kill_leaves_the_earlier_or_the_new_checkpoint(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", KILLS, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    different, exact = json.loads(done.stdout)
    assert different > 1, "the kills all came at one moment, so the test shows nothing"
    assert exact == [0] * 5 + [1] * 6
