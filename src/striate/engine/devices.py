"""Where the arithmetic runs, and what the machine offers."""

from __future__ import annotations

import torch

from striate.errors import MachineError, UnknownNameError

__all__ = ["MEMORY_FORMATS", "PRECISIONS", "choose_device", "is_out_of_memory"]

PRECISIONS: dict[str, torch.dtype] = {"float32": torch.float32, "bfloat16": torch.bfloat16}
MEMORY_FORMATS: dict[str, torch.memory_format] = {
    "contiguous": torch.contiguous_format,
    "channels_last": torch.channels_last,
}


def choose_device(name: str, *, local_rank: int = 0) -> torch.device:
    """The device called `name`; "auto" is the process's GPU where there is one."""
    if name == "auto":
        return torch.device("cuda", local_rank) if torch.cuda.is_available() else torch.device("cpu")
    kind = name.partition(":")[0]
    if kind not in ("cpu", "cuda"):
        raise UnknownNameError("device", name, ["auto", "cpu", "cuda", "cuda:0"])
    if kind == "cuda" and not torch.cuda.is_available():
        raise MachineError(
            f"device {name!r} was asked for and torch sees no GPU", remedy="use --device cpu, or auto"
        )
    return torch.device(name)


def is_out_of_memory(error: BaseException) -> bool:
    """True for the three ways in which torch and Python say that memory ran out."""
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    return isinstance(error, RuntimeError) and "not enough memory" in str(error)
