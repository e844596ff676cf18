from __future__ import annotations

import hashlib
import json
import socket
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save, save_file

from striate.errors import DataError, OfflineError, RunError, SettingError, UnknownNameError, UsageError
from striate.nn.networks.timm_models import published
from striate.nn.weights.source import WeightsSource, cached_weights, resolve_weights

MODEL = "test_resnet"
CONTENT = save({"conv1.weight": torch.ones(2, 3, 3, 3)})


def _resolve(
    spec: str, model: str = MODEL, *, said: list[str] | None = None, any_licence: bool = False
) -> Any:
    announce = [].append if said is None else said.append
    return resolve_weights(model, spec, allow_noncommercial=any_licence, announce=announce)


def _host(hub: Any, hosted: Any, model: str = MODEL, **changes: Any) -> str:
    repository = published(model).repository
    assert repository
    return str(hub.put(repository, hosted(CONTENT, **changes)))


def test_none_is_none_and_auto_without_a_cache_too() -> None:
    assert _resolve("none") is None
    assert _resolve("auto") is None
    assert cached_weights(MODEL) is None


def test_pretrained_weights_are_announced_fetched_and_remembered(
    hub: Any, hosted: Any, striate_home: Path
) -> None:
    url, said = _host(hub, hosted), []
    sha256 = hashlib.sha256(CONTENT).hexdigest()

    class Listener(list[str]):
        """Notes what had been asked of the hub when each sentence was said."""

        def append(self, text: str) -> None:
            super().append(text)
            said.append((text, [method for method, _ in hub.requests]))

    source = _resolve("pretrained", said=Listener())
    name = published(MODEL).name
    path = striate_home / "weights" / f"{sha256}.safetensors"
    assert source == WeightsSource("pretrained", name, path, sha256, "apache-2.0", url, MODEL)
    assert path.read_bytes() == CONTENT
    assert [methods for _, methods in said] == [[], ["HEAD"]]
    for part in (name, "MB", "apache-2.0", sha256, str(path)):
        assert part in said[1][0]
    asked = len(hub.requests)
    assert cached_weights(MODEL) == path
    assert _resolve("pretrained") == source
    assert _resolve("auto") == source
    assert len(hub.requests) == asked


def test_the_cache_serves_offline(hub: Any, hosted: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    _host(hub, hosted)
    source = _resolve("pretrained")
    monkeypatch.setenv("STRIATE_OFFLINE", "1")
    assert _resolve("pretrained") == source


def test_a_damaged_cache_is_fetched_again(hub: Any, hosted: Any, striate_home: Path) -> None:
    _host(hub, hosted)
    path = _resolve("pretrained").path
    path.write_bytes(CONTENT[:-1])
    assert cached_weights(MODEL) is None
    assert _resolve("pretrained").path.read_bytes() == CONTENT
    (striate_home / "weights" / f"{published(MODEL).name}.json").write_text("{nonsense")
    assert cached_weights(MODEL) is None
    asked = len(hub.requests)
    assert _resolve("pretrained").path.read_bytes() == CONTENT
    assert [method for method, _ in hub.requests[asked:]] == ["HEAD"]  # the bytes were still there


def test_offline_opens_no_socket_and_names_two_ways_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    with pytest.raises(OfflineError) as caught:
        _resolve("pretrained")
    assert "STRIATE_OFFLINE=1" in str(caught.value)
    assert "resolve/main/model.safetensors" in caught.value.remedy
    assert "--weights none" in caught.value.remedy


def test_a_bad_fetch_leaves_no_entry(hub: Any, hosted: Any, striate_home: Path) -> None:
    _host(hub, hosted, sha256="1" * 64)
    with pytest.raises(DataError):
        _resolve("pretrained")
    assert cached_weights(MODEL) is None
    assert list((striate_home / "weights").iterdir()) == []


def test_noncommercial_weights_need_a_word(hub: Any, hosted: Any) -> None:
    model = "convnextv2_atto"
    assert published(model).licence == "cc-by-nc-4.0"
    with pytest.raises(SettingError, match=r"cc-by-nc-4\.0.*--allow-noncommercial"):
        _resolve("pretrained", model)
    assert not hub.requests
    _host(hub, hosted, model)
    said: list[str] = []
    source = _resolve("pretrained", model, said=said, any_licence=True)
    assert source.licence == "cc-by-nc-4.0"
    assert "cc-by-nc-4.0" in said[1]
    assert _resolve("auto", model) is None  # in the cache, but not licensed for everyone


def test_another_licensed_tag_is_suggested() -> None:
    with pytest.raises(
        SettingError, match=r"choose --model resnet18\.a1_in1k, or give --allow-noncommercial"
    ):
        _resolve("pretrained", "resnet18.fb_swsl_ig1b_ft_in1k")


def test_weights_that_are_only_pickled_are_not_fetched(hub: Any) -> None:
    with pytest.raises(SettingError, match=r"legacy_seresnet18\.in1k .* safe format"):
        _resolve("pretrained", "legacy_seresnet18", any_licence=True)
    assert not hub.requests


@pytest.mark.parametrize("model", ["alexnet", "zfnet", "small-cnn", "googlenet"])
def test_networks_without_safe_weights_say_so(model: str) -> None:
    with pytest.raises(SettingError, match=f"no pretrained weights for {model} in a safe format"):
        _resolve("pretrained", model)
    assert cached_weights(model) is None


def test_unknown_models_list_the_nearest(striate_home: Path) -> None:
    with pytest.raises(UnknownNameError):
        _resolve("pretrained", "resnt18")
    (striate_home / "weights").mkdir(parents=True)
    assert cached_weights("resnt18") is None


# -- the user's own ---------------------------------------------------------------------------------


def test_a_file_is_hashed_and_says_what_it_knows(tmp_path: Path) -> None:
    path = tmp_path / "mine.safetensors"
    path.write_bytes(CONTENT)
    digest = hashlib.sha256(CONTENT).hexdigest()
    assert _resolve(str(path)) == WeightsSource("file", "mine.safetensors", path, digest)
    save_file({"a": torch.ones(1)}, path, metadata={"network": "resnet18", "weights_licence": "mit"})
    source = _resolve(str(path))
    assert (source.model, source.licence) == ("resnet18", "mit")
    save_file(
        {"a": torch.ones(1)}, path, metadata={"weights_licence": "none: trained from random weights"}
    )
    assert _resolve(str(path)).licence == ""
    save_file({"a": torch.ones(1)}, path, metadata={"weights_licence": "cc-by-nc-4.0"})
    with pytest.raises(SettingError, match="allow-noncommercial"):
        _resolve(str(path))
    assert _resolve(str(path), any_licence=True).licence == "cc-by-nc-4.0"


@pytest.mark.parametrize("name", ["net.pt", "net.pth", "net.PKL", "pytorch_model.bin", "net.ckpt"])
def test_pickles_are_refused_unopened(name: str, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    import pickle

    class Attack:
        def __reduce__(self) -> Any:
            return (Path.touch, (canary,))

    (tmp_path / name).write_bytes(pickle.dumps(Attack()))
    with pytest.raises(UsageError, match=r"pickled.*safetensors"):
        _resolve(str(tmp_path / name))
    disguised = tmp_path / "net.safetensors"
    disguised.write_bytes(pickle.dumps(Attack()))
    with pytest.raises(DataError, match="not a readable safetensors file"):
        _resolve(str(disguised))
    assert not canary.exists()


def test_paths_that_are_no_weights(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there are no weights at"):
        _resolve(str(tmp_path / "nothing.safetensors"))
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(UsageError, match="not a file of weights"):
        _resolve(str(tmp_path / "notes.txt"))
    with pytest.raises(RunError, match="not a finished run"):
        _resolve(str(tmp_path))


def _run(folder: Path, licence: str = "mit") -> Path:
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(CONTENT)
    (folder / "run.toml").write_text(
        f'[weights]\nsource = "x"\nlicence = "{licence}"\n[facts]\nmodel = "{MODEL}"\n'
    )
    files = {
        name: {"sha256": hashlib.sha256((folder / name).read_bytes()).hexdigest(), "bytes": 1}
        for name in ("model.safetensors", "run.toml")
    }
    (folder / "manifest.json").write_text(json.dumps(files))
    return folder


def test_a_run_is_checked_against_its_manifest(tmp_path: Path) -> None:
    run = _run(tmp_path / "first")
    digest = hashlib.sha256(CONTENT).hexdigest()
    expected = WeightsSource("run", "run first", run / "model.safetensors", digest, "mit", "", MODEL)
    assert _resolve(str(run)) == expected
    assert _resolve(str(run / "model.safetensors")) == expected
    for name in ("model.safetensors", "run.toml"):
        damaged = _run(tmp_path / f"damaged {name}")
        content = bytearray((damaged / name).read_bytes())
        content[-1] ^= 1
        (damaged / name).write_bytes(content)
        with pytest.raises(RunError, match=f"{name} of run damaged"):
            _resolve(str(damaged))


def test_a_run_hands_on_its_licence(tmp_path: Path) -> None:
    run = _run(tmp_path / "research", licence="cc-by-nc-4.0")
    with pytest.raises(SettingError, match=r"run research are under cc-by-nc-4\.0"):
        _resolve(str(run))
    assert _resolve(str(run), any_licence=True).licence == "cc-by-nc-4.0"
    assert _resolve(str(_run(tmp_path / "scratch", licence=""))).licence == ""
