"""R-CNN's features of 2 000 proposals of a picture in batches, against cropping and running each."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any

from bench.outcome import Goal, Outcome, Row, spread
from bench.pictures import data_root
from bench.workbench import Workbench

_SAME = 1e-4
"""Largest difference of a feature in the same arithmetic, as a part of the features' spread."""
_SAME_BFLOAT16 = 0.15
"""The same for bfloat16, which keeps eight bits; 0.03 to 0.06 was seen: this only catches mistakes."""


def run(bench: Workbench) -> Outcome:
    most = bench.times(2000, 64)
    bench.say(f"{most} proposals of one picture, together and one by one")
    single, rounds = bench.times(300, 8), bench.times(5, 1)
    found = bench.ask("detect_crops", _picture(), most, single, rounds, bench.fresh("crops"))
    alone = {name: _median(one) for name, one in found["one_by_one"].items()}
    peer = f"one by one, float32, scaled up from {found['one_by_one_timed']}"
    rows = []
    together = found["together"]
    for kind, allowed in (("float32", _SAME), ("bfloat16", _SAME_BFLOAT16)):
        # nobody computes one by one in bfloat16: it is slower there than in float32
        name = min((one for one in together if one.startswith(kind)), key=lambda n: _median(together[n]))
        rows.append(_row(most, name, together[name], alone["float32"], peer, allowed))
    took, theirs = _median(together["float32"]), alone["Pillow, float32"]
    what = f"features of {most} proposals, as crops, float32"
    rows.append(Row(what, took, "s", None, theirs, "one by one, Pillow's crops", theirs / took))
    took, theirs = _median(found["shared"]), alone["float32"]
    what = f"features of {most} proposals, pooled from one look (Fast R-CNN: other features)"
    rows.append(Row(what, took, "s", Goal("at least", 10), theirs, peer, theirs / took))
    return Outcome(rows, _details(found))


def _row(most: int, name: str, one: dict[str, Any], alone: float, peer: str, allowed: float) -> Row:
    took, worst = _median(one), one["difference"]["worst"]
    what = (
        f"features of {most} proposals, as crops, {name}, {one['batch']} a batch "
        f"(differ by {worst:.2g} of their spread at most)"
    )
    fault = "" if worst <= allowed else f"features differ by more than {allowed:g}"
    return Row(what, took, "s", Goal("at least", 10), alone, peer, alone / took, fault)


def _picture() -> str | Path:
    """A picture of blood cells, where it is unpacked."""
    files = sorted((data_root() / "bccd" / "JPEGImages").glob("*.jpg"))
    return files[0] if files else "-"


def _median(one: dict[str, Any]) -> float:
    return float(statistics.median(one["times_s"]))


def _details(found: dict[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in found.items() if not isinstance(value, dict)}
    for kind in ("together", "one_by_one"):
        kept[kind] = {
            name: {**one, "times_s": spread(one["times_s"])} for name, one in found[kind].items()
        }
    return kept | {"shared": {"times_s": spread(found["shared"]["times_s"])}}
