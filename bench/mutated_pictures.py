"""Break real JPEG and PNG pictures thousands of times; each must be read or refused, in time.

A child process reads them; the parent waits for each at most `TIMEOUT_S`, so that a hang or a crash
of a decoder is counted and named, and the next picture goes to a new child. Every case can be made
again from its number: `mutation(number, sources)`.
"""

from __future__ import annotations

import json
import random
import select
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from PIL import features

from bench.outcome import Goal, Outcome, Row
from bench.pictures import data_root
from bench.workbench import Workbench

CASES = 3000
TIMEOUT_S = 10.0
SEED = 20261121
FOLDERS = (
    "cifar10_jpg/train/bird",
    "clothing10/train/hat",
    "brain_mri/no",
    "exif_orientation",
    "camvid/val/images",
    "camvid/val/masks",
    "nuclei_dsb2018/images",
    "nuclei_dsb2018/masks",
    "super_resolution/set5",
)
PER_FOLDER = 6


def real_pictures() -> list[Path]:
    """A few JPEG and PNG files of each real set, always the same ones."""
    found: list[Path] = []
    for folder in FOLDERS:
        paths = sorted((data_root() / folder).glob("*"))
        pictures = [path for path in paths if path.suffix.lower() in (".jpg", ".jpeg", ".png")]
        found += pictures[:: max(1, len(pictures) // PER_FOLDER)][:PER_FOLDER]
    if not found:
        raise SystemExit(f"no real pictures under {data_root()}: run ../shared/data/unpack")
    return found


def mutation(number: int, sources: list[Path]) -> bytes:
    """Case `number`: one real file with flipped bits, changed bytes, a hole, a repeat, or its end gone.

    Half of the changes fall into the first kilobyte, where the headers are.
    """
    dice = random.Random(f"{SEED}/{number}")
    data = bytearray(sources[number % len(sources)].read_bytes())
    reach = min(1024, len(data)) if dice.random() < 0.5 else len(data)
    for _ in range(dice.choice([1, 1, 2, 4, 8, 32])):
        place = dice.randrange(reach)
        data[place] = (
            data[place] ^ (1 << dice.randrange(8)) if dice.random() < 0.7 else dice.randrange(256)
        )
    way, start = dice.random(), dice.randrange(len(data))
    if way < 0.10:
        del data[max(start, 1) :]
    elif way < 0.15:
        del data[start : start + dice.randrange(1, 200)]
    elif way < 0.20:
        data[start:start] = data[start : start + dice.randrange(1, 200)]
    return bytes(data)


def child() -> None:
    """Read case numbers from stdin, answer each with one line of JSON."""
    import warnings

    from striate.errors import PictureError
    from striate.pictures import probe, read

    sources = real_pictures()
    for line in sys.stdin:
        data = mutation(int(line), sources)
        start = time.perf_counter()
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            outcome, words = "read", ""
            for job in (read, probe):
                try:
                    job(data, name="case")
                except PictureError as error:
                    outcome, words = "refused", error.reason
                except BaseException as error:  # what this benchmark is there to find
                    outcome, words = "other exception", f"{type(error).__name__}: {error}"
                    break
        if seen:
            outcome, words = "warning", str(seen[0].message)
        answer = {"outcome": outcome, "words": words, "ms": 1000 * (time.perf_counter() - start)}
        print(json.dumps(answer), flush=True)


class Reader:
    """A child that reads pictures, started again when it dies or hangs."""

    def __init__(self) -> None:
        self.process = self._start()

    def _start(self) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "bench.mutated_pictures", "--child"]
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, number: int) -> dict[str, Any]:
        """The outcome of one case: as the child says, or "hang" or "crash"."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{number}\n")
        self.process.stdin.flush()
        ready, _, _ = select.select([self.process.stdout], [], [], TIMEOUT_S)
        line = self.process.stdout.readline() if ready else ""
        if line:
            answer: dict[str, Any] = json.loads(line)
            return answer
        outcome = "crash" if ready else "hang"
        self.close()
        words = f"exit {self.process.returncode}"
        self.process = self._start()
        return {"outcome": outcome, "words": words, "ms": 1000 * TIMEOUT_S}

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()


def measure(cases: int = CASES) -> dict[str, Any]:
    """Break, read and count `cases` pictures."""
    sources, reader, began = real_pictures(), Reader(), time.perf_counter()
    counts: Counter[str] = Counter(
        dict.fromkeys(("read", "refused", "other exception", "warning", "hang", "crash"), 0)
    )
    kinds: Counter[str] = Counter()
    times: list[float] = []
    faults: list[dict[str, Any]] = []
    for number in range(cases):
        answer = reader.ask(number)
        counts[answer["outcome"]] += 1
        kinds[sources[number % len(sources)].suffix.lower().replace("jpeg", "jpg")] += 1
        times.append(answer["ms"])
        if answer["outcome"] not in ("read", "refused"):
            source = sources[number % len(sources)].relative_to(data_root())
            faults.append({"case": number, "source": str(source), **answer})
    reader.close()
    times.sort()
    return {
        "what": "real JPEG and PNG files, broken at random, read and probed by striate.pictures",
        "seed": SEED,
        "cases": cases,
        "decoders": {name: features.version(name) for name in ("libjpeg_turbo", "zlib_ng", "zlib")},
        "sources": {"files": len(sources), "cases_by_suffix": dict(kinds)},
        "timeout_s": TIMEOUT_S,
        "counts": dict(counts),
        "ms_a_case": {"median": round(times[cases // 2], 2), "longest": round(times[-1], 1)},
        "wall_s": round(time.perf_counter() - began, 1),
        "faults": faults,
    }


def run(bench: Workbench) -> Outcome:
    found = measure(bench.times(CASES, 100))
    handled = found["counts"]["read"] + found["counts"]["refused"]
    what = f"{found['cases']} mutated pictures, read or refused in time"
    return Outcome([Row(what, handled, "", Goal("at least", found["cases"], ""))], found)


def main() -> None:
    found = measure()
    print(json.dumps(found["counts"]), found["ms_a_case"])
    if found["faults"]:
        raise SystemExit(
            f"{len(found['faults'])} cases were neither read nor refused: {found['faults'][:20]}"
        )


if __name__ == "__main__":
    child() if "--child" in sys.argv else main()
