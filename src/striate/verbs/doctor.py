"""What this machine has, lacks and can do for striate. Nothing heavy is imported to find out."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, TypeAlias

from striate.cores import usable_cores
from striate.data.cache import cache_home
from striate.runs.machine import package_versions
from striate.verbs.machine import available_bytes

__all__ = ["Diagnosis", "Finding", "doctor"]

Grade: TypeAlias = Literal["good", "note", "bad"]

_EXTRAS: Mapping[str, tuple[tuple[str, ...], str]] = {
    "train": (("torch", "torchvision", "timm", "safetensors", "onnx"), "training"),
    "openvino": (("openvino",), "faster answers on Intel processors"),
    "studio": (("fastapi", "uvicorn"), "the studio"),
}
_NEEDED = (
    "numpy",
    "pillow",
    "onnxruntime",
    "scikit-learn",
    "scikit-image",
    "pydantic",
    "rich",
    "cyclopts",
)
_INSTRUCTIONS = {
    "avx2": "AVX2",
    "avx512f": "AVX-512",
    "avx512_bf16": "AVX-512 bf16",
    "amx_bf16": "AMX bf16",
    "asimd": "NEON",
    "bf16": "bf16",
}
_SMALL_MEMORY = 2 * 2**30
_SMALL_DISK = 2**30
"""Below these, bytes, striate works but a person should know."""

_ASK_TORCH = (
    "import json, torch;"
    "names = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())];"
    "mps = torch.backends.mps.is_available();"
    "print(json.dumps(names + (['Apple GPU'] if mps else [])))"
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: what it is, what was found, and what to do where it is not good."""

    group: str
    name: str
    value: str
    grade: Grade = "good"
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Everything that `striate doctor` found, in the order in which it is shown."""

    findings: tuple[Finding, ...]

    @property
    def healthy(self) -> bool:
        """Whether predicting works: nothing is bad."""
        return all(finding.grade != "bad" for finding in self.findings)

    def to_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return {"healthy": self.healthy, "findings": [asdict(finding) for finding in self.findings]}


def doctor(*, deep: bool = False) -> Diagnosis:
    """Look at Python, packages, processor, memory, accelerators, cache and network permission.

    `deep` starts torch in a process of its own to ask it for accelerators (seconds).
    """
    versions = package_versions((*_NEEDED, *(name for names, _ in _EXTRAS.values() for name in names)))
    return Diagnosis(
        (
            *_software(versions),
            *_extras(versions),
            *_hardware(),
            *(_accelerators() if deep else ()),
            *_storage(),
        )
    )


def _software(versions: Mapping[str, str]) -> list[Finding]:
    from striate import __version__

    found = [
        Finding("software", "striate", __version__),
        Finding("software", "python", f"{versions['python']} ({sys.executable})"),
        Finding("software", "system", f"{platform.system()} {platform.release()} {platform.machine()}"),
    ]
    for name in _NEEDED:
        if name in versions:
            found.append(Finding("software", name, versions[name]))
        else:
            found.append(
                Finding("software", name, "missing", "bad", "pip install --force-reinstall striate")
            )
    return found


def _extras(versions: Mapping[str, str]) -> list[Finding]:
    found = []
    for extra, (names, purpose) in _EXTRAS.items():
        missing = [name for name in names if name not in versions]
        if missing:
            found.append(
                Finding(
                    "extras",
                    extra,
                    f"not installed ({', '.join(missing)}); for {purpose}",
                    "note",
                    f"pip install 'striate[{extra}]'",
                )
            )
        else:
            found.append(
                Finding("extras", extra, ", ".join(f"{name} {versions[name]}" for name in names))
            )
    return found


def _hardware() -> list[Finding]:
    flags = _cpu_flags()
    named = [word for flag, word in _INSTRUCTIONS.items() if flag in flags]
    found = [
        Finding("machine", "cores", f"{usable_cores()} of {os.cpu_count() or 1} usable"),
        Finding("machine", "instructions", ", ".join(named) or "unknown"),
    ]
    memory = available_bytes()
    if memory is not None:
        free, total = memory
        small = free < _SMALL_MEMORY
        found.append(
            Finding(
                "machine",
                "memory",
                f"{_gigabytes(free)} free of {_gigabytes(total)}",
                "note" if small else "good",
                "close other programs before training, or lower --batch-size" if small else "",
            )
        )
    return found


def _cpu_flags() -> set[str]:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines()
    except OSError:
        return set()
    return {
        flag
        for line in lines
        if line.startswith(("flags", "Features"))
        for flag in line.split(":")[1].split()
    }


def _accelerators() -> list[Finding]:
    """What torch sees, asked in a process of its own: importing it costs seconds and memory."""
    if find_spec("torch") is None:
        return [
            Finding(
                "machine",
                "accelerators",
                "unknown without torch",
                "note",
                "pip install 'striate[train]'",
            )
        ]
    try:
        asked = subprocess.run(
            [sys.executable, "-c", _ASK_TORCH], capture_output=True, text=True, timeout=120, check=True
        )
        import json

        names: Sequence[str] = json.loads(asked.stdout.splitlines()[-1])
    except (subprocess.SubprocessError, OSError, ValueError, IndexError) as error:
        return [
            Finding(
                "machine",
                "accelerators",
                f"torch does not start: {error}",
                "bad",
                "pip install --force-reinstall 'striate[train]'",
            )
        ]
    return [
        Finding("machine", "accelerators", ", ".join(names) or "none: training runs on the processor")
    ]


def _storage() -> list[Finding]:
    home = cache_home()
    offline = os.environ.get("STRIATE_OFFLINE", "") not in ("", "0")
    found = [_cache(home)]
    free = _free_disk(home)
    if free is not None:
        small = free < _SMALL_DISK
        found.append(
            Finding(
                "storage",
                "disk",
                f"{_gigabytes(free)} free there",
                "note" if small else "good",
                "free some space, or set STRIATE_HOME to another disk" if small else "",
            )
        )
    found.append(
        Finding(
            "storage",
            "network",
            "never used (STRIATE_OFFLINE=1)"
            if offline
            else "used only to fetch what is announced first",
        )
    )
    return found


def _cache(home: Path) -> Finding:
    size = f"{_gigabytes(_folder_bytes(home))} in {home}" if home.is_dir() else f"empty, {home}"
    if _may_write(home):
        return Finding("storage", "cache", size)
    return Finding(
        "storage",
        "cache",
        f"{home} cannot be written",
        "bad",
        "set STRIATE_HOME to a folder of your own",
    )


def _may_write(folder: Path) -> bool:
    """Whether files can be made there, tried in the nearest folder that exists; nothing is left."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _folder_bytes(folder: Path) -> int:
    total = 0
    for root, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(root, name)).st_size  # noqa: PTH118 - large trees
            except OSError:
                continue
    return total


def _free_disk(folder: Path) -> int | None:
    import shutil

    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return None


def _gigabytes(count: int) -> str:
    return f"{count / 1e9:.1f} GB"
