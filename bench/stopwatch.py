"""Run one command; print its wall-clock and processor seconds and its largest resident set as JSON.

    python -I -S stopwatch.py FILE COMMAND…        # the command's output goes to FILE

Standard library only, and a process of its own: Linux counts the memory of the process that starts a
command into the command's peak, so the starter must be smaller than anything that is measured.
"""

import json
import os
import subprocess
import sys
import time


def main() -> None:
    output, command = sys.argv[1], sys.argv[2:]
    with open(output, "wb") as file:  # noqa: PTH123  # pathlib is memory that would be counted
        began = time.perf_counter()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=file, stderr=file)
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
    peak = used.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    found = {
        "exit": os.waitstatus_to_exitcode(status),
        "wall_s": wall,
        "processor_s": used.ru_utime + used.ru_stime,
        "peak_mb": peak / 1e6,
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
