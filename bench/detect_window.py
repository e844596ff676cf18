"""Sliding windows as one convolution, against cutting out and seeing each on its own.

One by one is timed on a sample of the windows and scaled up; each way counts with the number of threads
that is fastest for it.
"""

from __future__ import annotations

import statistics
from typing import Any

from bench.outcome import Goal, Outcome, Row, spread
from bench.workbench import Workbench

_SAME = 1e-4


def run(bench: Workbench) -> Outcome:
    sampled = bench.times(2000, 60)
    bench.say(f"all windows of a picture at once, and {sampled} of them one by one")
    found = bench.ask("detect_windows", sampled, bench.times(5, 1), bench.fresh("windows"))
    ways = found.pop("ways")
    whole = found["all_of_a_smaller_picture"]
    worst = max([whole["worst"], *(one["worst"] for one in ways.values())])
    rows = [
        _row(found, name, {full: one for full, one in ways.items() if full.startswith(name)})
        for name in ("torch, contiguous", "torch, channels last", "ONNX Runtime")
    ]
    what = f"windows at once and one by one, {whole['windows']} and {found['sampled']}: scores differ by"
    rows.append(Row(what, worst, "", Goal("at most", _SAME, "")))
    details = found | {
        "whole_s_of": {name: spread(one["whole_s"]) for name, one in ways.items()},
        "one_by_one_s_of": {name: spread(one["single_s"]) for name, one in ways.items()},
        "largest_difference_of": {name: one["worst"] for name, one in ways.items()},
        "spread_of_scores": {name: one["spread"] for name, one in ways.items()},
        "fewer_multiply_adds": found["multiply_adds_single"] / found["multiply_adds_whole"],
    }
    return Outcome(rows, details)


def _row(found: dict[str, Any], name: str, ways: dict[str, Any]) -> Row:
    """Ours and theirs, each with the number of threads that is fastest for it."""
    ours = min(statistics.median(one["whole_s"]) for one in ways.values())
    theirs = min(statistics.median(one["single_s"]) for one in ways.values())
    height, width = found["size_hw"]
    billions = (found["multiply_adds_whole"] / 1e9, found["multiply_adds_single"] / 1e9)
    what = (
        f"{found['windows']} windows of {height}×{width}, {name} "
        f"({billions[0]:.3g} against {billions[1]:.3g} billion multiply-adds)"
    )
    peer = f"one by one, scaled up from {found['sampled']}"
    return Row(what, ours, "s", Goal("at least", 50), theirs, peer, theirs / ours)
