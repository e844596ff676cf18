from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

import striate
from striate.verbs import doctor as module
from striate.verbs.doctor import Finding


def by_name(**options: bool) -> Mapping[str, Finding]:
    return {finding.name: finding for finding in striate.doctor(**options).findings}


def test_a_healthy_machine() -> None:
    found = striate.doctor()
    assert found.healthy
    names = [finding.name for finding in found.findings]
    assert {"striate", "python", "onnxruntime", "train", "cores", "memory", "cache", "network"} <= set(
        names
    )
    assert json.loads(json.dumps(found.to_dict()))["healthy"] is True


def test_what_is_missing_and_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    real = module.package_versions

    def fewer(packages: Sequence[str]) -> dict[str, str]:
        return {name: v for name, v in real(packages).items() if name not in ("torch", "onnxruntime")}

    monkeypatch.setattr(module, "package_versions", fewer)
    found = by_name()
    assert (found["train"].grade, found["train"].remedy) == ("note", "pip install 'striate[train]'")
    assert "torch" in found["train"].value
    assert found["onnxruntime"].grade == "bad"
    assert not striate.doctor().healthy


def test_network_and_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, striate_home: Path) -> None:
    assert "STRIATE_OFFLINE" in by_name()["network"].value
    monkeypatch.setenv("STRIATE_OFFLINE", "0")
    assert "announced" in by_name()["network"].value
    assert not striate_home.exists()  # looking leaves nothing behind
    (striate_home / "deep").mkdir(parents=True)
    (striate_home / "deep/file").write_bytes(bytes(300_000_000 // 1000))
    assert str(striate_home) in by_name()["cache"].value
    (tmp_path / "file").touch()
    monkeypatch.setenv("STRIATE_HOME", str(tmp_path / "file/within"))
    assert by_name()["cache"].grade == "bad"


@pytest.mark.parametrize(
    ("printed", "code", "value", "grade"),
    [
        ('["Tesla T4"]', 0, "Tesla T4", "good"),
        ("[]", 0, "none", "good"),
        ("", 1, "torch does not start", "bad"),
    ],
)
def test_accelerators_are_asked_for_outside(
    monkeypatch: pytest.MonkeyPatch, printed: str, code: int, value: str, grade: str
) -> None:
    monkeypatch.setattr(module, "_ASK_TORCH", f"import sys; print('{printed}'); sys.exit({code})")
    found = by_name(deep=True)["accelerators"]
    assert value in found.value
    assert found.grade == grade


def test_without_torch_there_is_nobody_to_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    assert by_name(deep=True)["accelerators"].remedy == "pip install 'striate[train]'"
