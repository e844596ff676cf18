"""Write an embedded data set as picture files, for other tools and for curious people."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from striate.data.embedded import EMBEDDED
from striate.data.guess import EMBEDDED_PREFIX, read_labels
from striate.errors import UnknownNameError, UsageError
from striate.pictures import to_bytes
from striate.runs.atomic import disk_errors

__all__ = ["write_embedded"]


def write_embedded(name: str, folder: str | os.PathLike[str]) -> tuple[Path, int]:
    """Write the embedded set `name` as class folders of PNGs; the folder, and how many pictures.

    A set with splits becomes train/CLASS and so on. The folder appears when it is complete; a
    `UsageError` if it is there and not empty.
    """
    if name not in EMBEDDED:
        raise UnknownNameError("embedded set", name, EMBEDDED)
    target = Path(folder)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise UsageError(
            f"{target} is not an empty folder", remedy="choose another; nothing was changed"
        )
    dataset = read_labels(EMBEDDED_PREFIX + name)
    with disk_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
        try:
            for record in dataset:
                place = work / (record.split or "") / record.target[0]
                place.mkdir(parents=True, exist_ok=True)
                (place / f"{Path(record.key).name}.png").write_bytes(to_bytes(record.origin.read()))
            work.chmod(0o755)
            if target.exists():
                target.rmdir()
            work.rename(target)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    return target, len(dataset)
