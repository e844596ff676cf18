"""Which weights are meant, under which licence, and where they lie once they are here."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import tomllib
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from safetensors import SafetensorError, safe_open

from striate.data.cache import cache_home
from striate.errors import DataError, OfflineError, RunError, SettingError, UsageError
from striate.nn.networks.registry import check_name, is_own
from striate.nn.networks.timm_models import is_timm_name, published, timm_tags
from striate.nn.weights.hub import HubFile, disk_error, download, file_url, look_up, offline

__all__ = ["PERMISSIVE", "WeightsSource", "cached_weights", "resolve_weights", "sha256_of"]

PERMISSIVE = frozenset({"apache-2.0", "mit", "bsd-3-clause", "bsd-2-clause"})
"""Licences that allow any use; all others need `allow_noncommercial`."""

_PICKLED = frozenset({".pt", ".pth", ".pkl", ".pickle", ".bin", ".ckpt", ".tar"})


@dataclass(frozen=True, slots=True)
class WeightsSource:
    """A file of weights that is on this machine.

    `name`: "resnet18.a1_in1k", a file name, or "run NAME". `licence`: "" where none is known.
    `origin`: the address it was fetched from, or "" for the user's own. `model`: what it was
    published or trained for, "" if unknown.
    """

    kind: Literal["pretrained", "file", "run"]
    name: str
    path: Path
    sha256: str
    licence: str = ""
    origin: str = ""
    model: str = ""


@dataclass(frozen=True, slots=True)
class _Entry:
    """One line of the index: what a file in the cache is. `url` names the repository and revision."""

    name: str
    sha256: str
    bytes: int
    licence: str
    url: str
    commit: str


def resolve_weights(
    model_name: str, spec: str, *, allow_noncommercial: bool, announce: Callable[[str], None]
) -> WeightsSource | None:
    """The weights that `spec` means for the network `model_name`; None for random ones.

    `spec`: "none"; "pretrained" (from the cache, or fetched after `announce` was told what, how
    much, under which licence and whereto); "auto" (pretrained if in the cache and licensed);
    otherwise the path of a .safetensors file or of a run.

    Errors: `SettingError` (licence; a network without published weights), `OfflineError` with two
    ways on, `UsageError` (a path that is no weights), `RunError` (a damaged run).
    """
    if spec == "none":
        return None
    if spec == "auto":
        usable = cached_weights(model_name) is not None and (
            allow_noncommercial or published(check_name(model_name)).licence in PERMISSIVE
        )
        spec = "pretrained" if usable else "none"
        return resolve_weights(
            model_name, spec, allow_noncommercial=allow_noncommercial, announce=announce
        )
    if spec == "pretrained":
        return _pretrained(model_name, allow_noncommercial=allow_noncommercial, announce=announce)
    source = _from_path(Path(spec).expanduser())
    if source.licence:
        _check_licence(source.name, source.licence, allow_noncommercial, otherwise="")
    return source


def cached_weights(model_name: str) -> Path | None:
    """The file of `model_name`'s published weights, if an earlier fetch left it; never the network."""
    if is_own(model_name) or not _folder().is_dir() or not is_timm_name(model_name):
        return None
    entry = _entry(published(model_name).name)
    return None if entry is None else _folder() / f"{entry.sha256}.safetensors"


def sha256_of(path: Path) -> str:
    """The sha256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


# -- pretrained -----------------------------------------------------------------------------------


def _pretrained(
    model_name: str, *, allow_noncommercial: bool, announce: Callable[[str], None]
) -> WeightsSource:
    name = check_name(model_name)
    if is_own(name):
        raise SettingError(
            f"there are no pretrained weights for {name} in a safe format",
            remedy="use --weights none, a .safetensors file or a run, or a timm model such as resnet18",
        )
    known = published(name)
    if known.repository is None:
        raise SettingError(
            f"no weights of {known.name} are published in a safe format (pickled files are not opened)",
            remedy=f"{_other_tags(name, known.name)}use --weights none or another --model",
        )
    _check_licence(
        known.name, known.licence, allow_noncommercial, otherwise=_other_tags(name, known.name)
    )
    entry = _entry(known.name) or _fetched(
        known.name, known.repository, known.file, known.licence, announce
    )
    path = _folder() / f"{entry.sha256}.safetensors"
    return WeightsSource("pretrained", known.name, path, entry.sha256, entry.licence, entry.url, name)


def _check_licence(name: str, licence: str, allow_noncommercial: bool, *, otherwise: str) -> None:
    if licence not in PERMISSIVE and not allow_noncommercial:
        raise SettingError(
            f"the weights {name} are under {licence or 'an unknown licence'}",
            expected="Apache, MIT or BSD",
            remedy=f"{otherwise}give --allow-noncommercial if that licence allows your use, "
            "or --weights none",
        )


def _other_tags(name: str, refused: str) -> str:
    """A hint at weights of the same architecture that may be used, "" if there are none."""
    architecture = name.partition(".")[0]
    usable = [
        tag
        for tag in timm_tags(architecture)
        if tag != refused and published(tag).repository and published(tag).licence in PERMISSIVE
    ]
    return f"choose --model {usable[0]}, or " if usable else ""


def _fetched(
    name: str, repository: str, file: str, licence: str, announce: Callable[[str], None]
) -> _Entry:
    url = file_url(repository, file)
    remedy = (
        f"fetch {url} on a machine with a network and give its path with --weights, "
        "or train with --weights none"
    )
    if offline():
        raise OfflineError(
            f"the weights {name} are not on this machine, and STRIATE_OFFLINE=1 forbids fetching them",
            remedy=remedy,
        )
    announce(f"asking {url} for its size and hash")
    found = look_up(url, remedy=remedy)
    target = _folder() / f"{found.sha256}.safetensors"
    announce(
        f"fetching weights {name}: {found.bytes / 1e6:.1f} MB, licence {licence or 'unknown'}, "
        f"sha256 {found.sha256}, into {target}"
    )
    if not (target.is_file() and sha256_of(target) == found.sha256):
        download(found, target, remedy=remedy)
    return _remember(name, licence, found)


# -- the cache ------------------------------------------------------------------------------------


def _folder() -> Path:
    home: Path = cache_home()
    return home / "weights"


def _entry(name: str) -> _Entry | None:
    """The index entry of `name`; None if it is missing or damaged, or its file is not there whole."""
    try:
        entry = _Entry(**json.loads((_folder() / f"{name}.json").read_text("utf-8")))
        size = (_folder() / f"{entry.sha256}.safetensors").stat().st_size
    except (OSError, ValueError, TypeError):
        return None
    return entry if size == entry.bytes and entry.name == name else None


def _remember(name: str, licence: str, found: HubFile) -> _Entry:
    """One small index file a name: two processes that fetch at once cannot lose each other's entry."""
    entry = _Entry(name, found.sha256, found.bytes, licence, found.url, found.commit)
    partial, target = _folder() / f".tmp-{secrets.token_hex(8)}", _folder() / f"{name}.json"
    try:
        with partial.open("x", encoding="utf-8") as file:
            json.dump(asdict(entry), file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(target)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise disk_error(error, target) from error
    return entry


# -- the user's own ---------------------------------------------------------------------------------


def _from_path(path: Path) -> WeightsSource:
    if path.is_dir():
        return _from_run(path)
    if path.suffix.lower() in _PICKLED:
        raise UsageError(
            f"{path.name} may be a pickled file: opening one runs whatever code is in it",
            expected="a .safetensors file or a run folder",
            remedy="convert it where you trust it: safetensors.torch.save_file("
            "torch.load(file, weights_only=True), 'weights.safetensors')",
        )
    if not path.is_file():
        raise UsageError(
            f"there are no weights at {path}",
            expected="none, pretrained, auto, a .safetensors file or a run folder",
        )
    if path.suffix.lower() != ".safetensors":
        raise UsageError(f"{path.name} is not a file of weights", expected="a .safetensors file")
    if (path.parent / "manifest.json").is_file():
        return _from_run(path.parent, file=path.name)
    said = _metadata(path)
    # what striate wrote names its network and the licence that it inherits
    licence = said.get("weights_licence", "")
    return WeightsSource(
        "file",
        path.name,
        path,
        sha256_of(path),
        licence="" if licence.startswith("none") else licence,
        model=said.get("network", ""),
    )


def _metadata(path: Path) -> dict[str, str]:
    """Texts in the header of a safetensors file."""
    try:
        with safe_open(path, "pt") as file:
            return dict(file.metadata() or {})
    except (SafetensorError, ValueError) as error:
        raise DataError(
            f"{path.name} is not a readable safetensors file: {str(error).splitlines()[0]}"
        ) from error


def _from_run(folder: Path, *, file: str = "model.safetensors") -> WeightsSource:
    """Weights of a finished run: checked against its manifest, under the licence that it inherits."""
    try:
        manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
        digest = str(manifest[file]["sha256"])
        for name in (file, "run.toml"):
            _check_unchanged(folder, name, manifest[name]["sha256"])
        header = tomllib.loads((folder / "run.toml").read_text("utf-8"))
        licence, model = str(header["weights"]["licence"]), str(header["facts"]["model"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunError(
            f"{folder.name} is not a finished run: its manifest or run.toml is missing or incomplete",
            expected=f"a run folder with {file}, or a .safetensors file",
        ) from error
    return WeightsSource("run", f"run {folder.name}", folder / file, digest, licence, "", model)


def _check_unchanged(folder: Path, name: str, sha256: str) -> None:
    path = folder / name
    if not path.is_file() or sha256_of(path) != sha256:
        raise RunError(
            f"{name} of run {folder.name} is not the file that was written: its sha256 differs from "
            "the manifest's",
            remedy="restore it from a backup, or train the run again",
        )
