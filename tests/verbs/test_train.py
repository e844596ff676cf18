"""Whole trainings, kept small: what a user's call promises from the source to the sealed run."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from striate.engine.events import Epoch, Event, Finished, Note, Planned, Stage
from striate.errors import (
    Interrupted,
    LabelError,
    RunError,
    TrainingError,
    UnknownNameError,
    UsageError,
)
from striate.pictures import write
from striate.verbs.model import load
from striate.verbs.train import train

QUICK: dict[str, Any] = {
    "model": "pixels-mlp",
    "precision": "float32",
    "memory_format": "contiguous",
    "threads": 1,
}


def colour_folder(
    root: Path, *, per_class: int = 12, classes: tuple[str, ...] = ("blue", "green", "red")
) -> Path:
    """Class folders of noise in which one colour leads; pictures are not square."""
    rng = np.random.default_rng(5)
    for name in classes:
        (root / name).mkdir(parents=True)
        for index in range(per_class):
            picture = rng.integers(0, 150, (14, 18, 3), dtype=np.uint8)
            picture[:, :, ("red", "green", "blue").index(name)] += 90
            write(picture, root / name / f"{index}.png")
    return root


@pytest.fixture(scope="module")
def colours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return colour_folder(tmp_path_factory.mktemp("data") / "colours")


def test_a_folder_becomes_a_run_that_answers(colours: Path, tmp_path: Path) -> None:
    events: list[Event] = []
    model = train(colours, out=tmp_path / "run", epochs=30, on_event=events.append, **QUICK)
    assert [event.name for event in events if isinstance(event, Stage)] == [
        "read", "compare", "cache", "cache", "tune", "train", "calibrate", "export", "evaluate",
        "report",
    ]  # fmt: skip
    assert sum(isinstance(event, Planned) for event in events) == 1
    assert sum(isinstance(event, Epoch) for event in events) == 30
    finished = events[-1]
    assert isinstance(finished, Finished)
    assert finished.metrics["validation"]["accuracy"] > 0.8
    result = model.predict(colours / "red" / "0.png")
    assert result.to_dict()["label"] == "red"
    assert sum(result.to_dict()["scores"].values()) == pytest.approx(1, abs=1e-4)
    run = tmp_path / "run"
    for name in (
        "run.toml",
        "model.safetensors",
        "graphs/main.onnx",
        "metrics.jsonl",
        "report.html",
        "card.md",
    ):
        assert (run / name).stat().st_size > 0, name
    assert not (run / "checkpoints").exists()
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert [row["number"] for row in rows] == list(range(1, 31))
    listed = json.loads((run / "data.json").read_text())["pictures"]
    assert {row["split"] for row in listed} == {"train", "validation"}
    assert len(listed) == 36


def test_the_same_seed_gives_the_same_bits_and_another_seed_others(
    colours: Path, tmp_path: Path
) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        train(colours, out=tmp_path / name, epochs=2, seed=seed, **QUICK)
    bits = [(tmp_path / name / "model.safetensors").read_bytes() for name in "abc"]
    assert bits[0] == bits[1]
    assert bits[0] != bits[2]


def test_a_finished_run_is_never_written_over_unasked(colours: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    train(colours, out=out, epochs=1, **QUICK)
    before = (out / "model.safetensors").read_bytes()
    with pytest.raises(UsageError, match="--overwrite"):
        train(colours, out=out, epochs=1, seed=9, **QUICK)
    assert (out / "model.safetensors").read_bytes() == before
    events: list[Event] = []
    train(colours, out=out, epochs=1, resume=True, on_event=events.append, **QUICK)
    assert any(isinstance(event, Note) and "finished already" in event.text for event in events)
    with pytest.raises(TrainingError):  # the new one fails: the old one stays
        train(colours, out=out, overwrite=True, epochs=1, **{**QUICK, "lr": 1e30})
    assert (out / "model.safetensors").read_bytes() == before
    assert load(out).names == ("blue", "green", "red")


def test_settings_that_do_not_exist_or_fit_are_refused_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'epochs'"):
        train("digits", out=tmp_path / "run", epoch=3)
    with pytest.raises(UnknownNameError, match="classify"):
        train("digits", out=tmp_path / "run", task="clasify")
    with pytest.raises(UnknownNameError, match="resnet18"):
        train("digits", out=tmp_path / "run", model="resnet81")
    assert not (tmp_path / "run").exists()


def test_a_run_may_be_called_as_the_embedded_set_it_is_trained_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    notes: list[str] = []
    for overwrite in (False, True):
        train(
            "faces-or-not",
            out="faces-or-not",
            overwrite=overwrite,
            epochs=1,
            on_event=lambda e: notes.append(e.text) if isinstance(e, Note) else None,
            **QUICK,
        )
    told = [text for text in notes if text.startswith("the embedded set faces-or-not was read")]
    assert len(told) == 2
    assert not any("problems" in text for text in notes)
    assert len(json.loads(Path("faces-or-not/data.json").read_text())["pictures"]) == 200


def test_one_class_one_picture_and_nothing(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match="two classes"):
        train(colour_folder(tmp_path / "one", classes=("red",)), out=tmp_path / "run", **QUICK)
    for index, per_class in enumerate((0, 1)):
        source = colour_folder(tmp_path / f"few{index}", per_class=per_class, classes=("red", "blue"))
        if per_class == 0:
            with pytest.raises(Exception, match="picture"):
                train(source, out=tmp_path / "run", **QUICK)
        else:
            model = train(source, out=tmp_path / "run1", epochs=1, **QUICK)
            assert model.names == ("blue", "red")


def test_an_unreadable_picture_is_told_and_the_rest_is_trained_on(tmp_path: Path) -> None:
    source = colour_folder(tmp_path / "data", classes=("red", "blue"))
    (source / "red" / "3.png").write_bytes(b"not a picture")
    notes: list[str] = []
    train(
        source,
        out=tmp_path / "run",
        epochs=1,
        on_event=lambda e: notes.append(e.text) if isinstance(e, Note) else None,
        **QUICK,
    )
    assert any("problem" in text for text in notes)
    assert "3.png" in (tmp_path / "run" / "report.html").read_text()


def test_a_time_budget_is_kept(colours: Path, tmp_path: Path) -> None:
    start = time.monotonic()
    train(colours, out=tmp_path / "run", time_budget="9s", **{**QUICK, "model": "small-cnn"})
    assert time.monotonic() - start < 20
    assert len((tmp_path / "run" / "metrics.jsonl").read_text().splitlines()) >= 1


def test_transfer_starts_from_a_run_and_its_head_is_solved(colours: Path, tmp_path: Path) -> None:
    settings = {**QUICK, "model": "small-cnn", "size": "16"}
    train(colours, out=tmp_path / "first", epochs=4, **settings)
    events: list[Event] = []
    train(
        colours, out=tmp_path / "second", weights=str(tmp_path / "first"), depth="head",
        on_event=events.append, **settings,
    )  # fmt: skip
    stages = [event.name for event in events if isinstance(event, Stage)]
    assert stages.count("features") == 2
    assert "train" not in stages
    first, second = (load_file(tmp_path / n / "model.safetensors") for n in ("first", "second"))
    body = [name for name in first if name.startswith("backbone.")]
    kept = [name for name in body if not name.endswith("num_batches_tracked")]
    assert all(torch.equal(first[name], second[name]) for name in kept)
    assert not torch.equal(first["head.weight"], second["head.weight"])


def child(*arguments: str, processes: int = 1, **extra: str) -> subprocess.Popen[bytes]:
    launcher = (
        ["-m", "striate"]
        if processes == 1
        else [
            "-m",
            "torch.distributed.run",
            "--standalone",
            f"--nproc-per-node={processes}",
            "-m",
            "striate",
        ]
    )
    return subprocess.Popen(
        [sys.executable, *launcher, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, **extra},
    )


def command(source: Path, out: Path, *more: str) -> list[str]:
    return [
        "train", str(source), "--out", str(out), "--model", "small-cnn", "--epochs", "6",
        "--threads", "1", "--precision", "float32", "--memory-format", "contiguous",
        "--checkpoint-every", "0.05", *more,
    ]  # fmt: skip


def wait_for(path: Path, process: subprocess.Popen[bytes]) -> None:
    for _ in range(1200):
        if path.exists() or process.poll() is not None:
            return
        time.sleep(0.05)
    raise AssertionError(f"{path} never came")


def finish(process: subprocess.Popen[bytes], code: int = 0) -> str:
    text = process.communicate(timeout=240)[0].decode()
    assert process.returncode == code, text
    return text


@pytest.mark.slow
def test_killed_resumed_is_bit_identical_and_ctrl_c_saves(colours: Path, tmp_path: Path) -> None:
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    finish(child(*command(colours, whole)))
    process = child(*command(colours, cut))
    wait_for(cut / "checkpoints" / "last-00000001.json", process)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    with pytest.raises(RunError, match="--resume"):
        load(cut)
    process = child(*command(colours, cut, "--resume"))
    wait_for(cut / "checkpoints" / "last-00000003.json", process)
    process.send_signal(signal.SIGINT)
    assert "--resume" in finish(process, 5)
    refused = finish(child(*command(colours, cut, "--resume", "--lr", "0.3")), 2)
    assert "lr" in refused
    finish(child(*command(colours, cut, "--resume")))
    assert (cut / "model.safetensors").read_bytes() == (whole / "model.safetensors").read_bytes()


@pytest.mark.slow
def test_two_processes_train_like_one(colours: Path, tmp_path: Path) -> None:
    more = ("--batch-size", "12", "--lr", "0.05", "--optimizer", "sgd", "--ema", "0")
    finish(child(*command(colours, tmp_path / "one", *more)))
    finish(child(*command(colours, tmp_path / "two", *more), processes=2))
    one, two = (load_file(tmp_path / name / "model.safetensors") for name in ("one", "two"))
    assert one.keys() == two.keys()
    for name, value in one.items():
        torch.testing.assert_close(two[name], value, rtol=2e-3, atol=2e-3)


def test_ctrl_c_in_the_first_step_is_resumable(colours: Path, tmp_path: Path) -> None:
    def interrupt(event: Event) -> None:
        if isinstance(event, Epoch) and event.number == 2:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(Interrupted):
        train(colours, out=tmp_path / "run", epochs=5, on_event=interrupt, **QUICK)
    train(colours, out=tmp_path / "run", epochs=5, resume=True, **QUICK)
    train(colours, out=tmp_path / "whole", epochs=5, **QUICK)
    one, two = (tmp_path / name / "model.safetensors" for name in ("run", "whole"))
    assert one.read_bytes() == two.read_bytes()
    rows = (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(row)["number"] for row in rows] == [1, 2, 3, 4, 5]
