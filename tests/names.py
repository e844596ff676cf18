"""Refuse files whose name says nothing. Run by `make check`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import PurePosixPath

FORBIDDEN = {"utils", "util", "misc", "common", "helpers", "helper"}


def main() -> int:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        capture_output=True,
        text=True,
        check=True,
    )
    bad = [
        name
        for name in listed.stdout.splitlines()
        if FORBIDDEN & {part.partition(".")[0].lower() for part in PurePosixPath(name).parts}
    ]
    for name in bad:
        print(f"{name}: a file or folder is named after what it holds, not {sorted(FORBIDDEN)}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
