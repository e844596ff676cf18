from __future__ import annotations

import math
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tomli_w

from striate.errors import RunError, SettingError
from striate.runs.header import FORMAT_VERSION, RunHeader, iso_time
from striate.runs.machine import describe_machine, package_versions

Make = Callable[..., RunHeader]


def test_the_text_comes_back_as_it_was(make_header: Make) -> None:
    header = make_header()
    assert RunHeader.from_toml(header.to_toml()) == header


def test_values_that_toml_cannot_hold(make_header: Make) -> None:
    header = make_header(
        {
            "config": {"size": None, "scale": np.float32(0.5), "deep": {"unset": None}},
            "facts": {"names": [b"caf\xe9".decode("utf-8", "surrogateescape"), 'a"b\n\x00', "猫"]},
            "metrics": {"test": {"recall": [0.5, None, float("nan")], "best": float("inf"), "f1": None}},
        }
    )
    found = RunHeader.from_toml(header.to_toml())
    assert found.config == {"scale": 0.5, "deep": {}}
    assert found.facts["names"] == ["caf\\udce9", 'a"b\n\x00', "猫"]
    recall = found.metrics["test"]["recall"]
    assert recall[:2] == [0.5, None]
    assert math.isnan(recall[2])
    assert found.metrics["test"]["f1"] is None
    assert found.metrics["test"]["best"] == math.inf


@pytest.mark.parametrize("version", [FORMAT_VERSION + 1, 99])
def test_a_newer_format_is_said_so_whatever_else_it_holds(version: int) -> None:
    text = f'format_version = {version}\nfuture = "?"\n'
    with pytest.raises(RunError, match=rf"newer striate \(format {version}\)") as caught:
        RunHeader.from_toml(text, source="pets/run.toml")
    assert "upgrade" in str(caught.value)
    assert "pets/run.toml" in str(caught.value)


@pytest.mark.parametrize(
    "text", ["", "format_version = 'x'", "format_version = true", "format_version=0"]
)
def test_no_format_no_reading(text: str) -> None:
    with pytest.raises(RunError, match="format_version"):
        RunHeader.from_toml(text)


def test_what_is_no_toml() -> None:
    with pytest.raises(RunError, match="not legible"):
        RunHeader.from_toml("format_version = = 1")


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (("task",), None, "'task'"),
        (("task",), 3, "'task'"),
        (("data", "counts", "train"), "many", r"data\.counts\.train"),
        (("data", "fingerprint"), None, r"data\.fingerprint"),
        (("machine", "cores"), [], r"machine\.cores"),
        (("created",), "yesterday", "'created'"),
        (("created",), "2026-11-20T09:30:00", "'created'"),
        (("graphs", "main"), "../../evil.onnx", "'graphs'"),
        (("graphs", "main"), "/etc/passwd.onnx", "'graphs'"),
        (("graphs", "main"), "model.pkl", "'graphs'"),
        (("surprise",), 1, "'surprise'"),
        (("data", "surprise"), 1, r"data\.surprise"),
    ],
)
def test_the_wrong_field_is_named(
    make_header: Make, path: tuple[str, ...], value: Any, words: str
) -> None:
    values = tomllib.loads(make_header().to_toml())
    table = values
    for part in path[:-1]:
        table = table[part]
    if value is None:
        del table[path[-1]]
    else:
        table[path[-1]] = value
    with pytest.raises(RunError, match=words):
        RunHeader.from_toml(tomli_w.dumps(values))


def test_our_own_mistakes_are_settings_errors(make_header: Make) -> None:
    with pytest.raises(SettingError):
        make_header({"graphs": {"main": "../x.onnx"}})


def test_times() -> None:
    assert iso_time(lambda: 1_700_000_000.4) == "2023-11-14T22:13:20+00:00"


def test_versions_without_imports() -> None:
    found = package_versions(["numpy", "no-such-package"])
    assert found["numpy"] == np.__version__
    assert set(found) == {"python", "numpy"}


def test_the_machine(tmp_path: Path) -> None:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/cpuinfo").write_text("processor\t: 0\nmodel name\t: Testor   9000 @ 2GHz\n")
    (tmp_path / "proc/meminfo").write_text("MemTotal:  16000 kB\nMemFree: 1 kB\n")
    found = describe_machine(accelerator="T1", root=tmp_path)
    assert found.cpu == "Testor 9000 @ 2GHz"
    assert (found.memory_bytes, found.accelerator) == (16_384_000, "T1")
    assert found.cores >= 1
    (tmp_path / "sys/fs/cgroup").mkdir(parents=True)
    for limit, memory in (("max", 16_384_000), ("8000000", 8_000_000)):
        (tmp_path / "sys/fs/cgroup/memory.max").write_text(f"{limit}\n")
        assert describe_machine(root=tmp_path).memory_bytes == memory
    unknown = describe_machine(root=tmp_path / "none")
    assert unknown.cpu
    assert unknown.memory_bytes == 0
