"""What a run was made on: package versions, processor, memory. Nothing is imported to find out."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from striate.cores import usable_cores
from striate.settings import Settings

__all__ = ["PACKAGES", "MachineRecord", "describe_machine", "package_versions"]

PACKAGES = (
    "numpy",
    "pillow",
    "onnxruntime",
    "openvino",
    "torch",
    "torchvision",
    "timm",
    "safetensors",
    "onnx",
    "scikit-learn",
    "scikit-image",
    "pydantic",
)


class MachineRecord(Settings):
    """The machine of a run."""

    cpu: str
    """Model of the processor."""
    cores: int
    """Logical cores this process may use."""
    memory_bytes: int
    """Memory this process may use; 0 if unknown."""
    os: str
    """Operating system and its version."""
    accelerator: str = "none"
    """Model of the GPU that was used."""


def package_versions(packages: Sequence[str] = PACKAGES) -> dict[str, str]:
    """Python's version and those of the `packages` that are installed."""
    found = {"python": platform.python_version()}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def describe_machine(*, accelerator: str = "none", root: Path = Path("/")) -> MachineRecord:
    """This machine. `accelerator`: as the engine names it; `root`: where `proc` and `sys` lie."""
    return MachineRecord(
        cpu=_cpu_model(root) or platform.processor() or platform.machine() or "unknown",
        cores=usable_cores(root / "sys/fs/cgroup"),
        memory_bytes=_memory_bytes(root),
        os=f"{platform.system()} {platform.release()}".strip(),
        accelerator=accelerator,
    )


def _memory_bytes(root: Path) -> int:
    """What the machine has, or the container's share of it where that is less."""
    limits = []
    for line in _text(root / "proc/meminfo").splitlines():
        if line.startswith("MemTotal:"):
            limits.append(int(line.split()[1]) * 1024)
    for name in ("sys/fs/cgroup/memory.max", "sys/fs/cgroup/memory/memory.limit_in_bytes"):
        if (text := _text(root / name).strip()).isdigit():
            limits.append(int(text))
    return min(limits, default=0)


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""


def _cpu_model(root: Path) -> str:
    for line in _text(root / "proc/cpuinfo").splitlines():
        key, _, value = line.partition(":")
        if key.strip().lower() in ("model name", "hardware", "cpu model"):
            return " ".join(value.split())
    return ""
