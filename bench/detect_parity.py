"""A detector's exported graph against torch: edges and scores of all detections on 100 pictures."""

from __future__ import annotations

from bench.outcome import Goal, Outcome, Row
from bench.workbench import Workbench

_PICTURES = 100
_LOST = 0.001
"""Part of the detections that may lack a partner: two that overlap by just as much as is allowed."""


def run(bench: Workbench) -> Outcome:
    rows: list[Row] = []
    found = []
    for trained in bench.detectors:
        bench.say(f"{trained.name}: graph and torch on {bench.times(_PICTURES, 6)} pictures")
        one = bench.ask("detect_same", trained, bench.cells, bench.times(_PICTURES, 6))
        found.append(one)
        lost, compared = one["without_partner"], one["compared"]
        few = f"only {compared} detections" if not compared and not bench.quick else ""
        fault = f"{lost} of {compared} have no partner" if lost > _LOST * compared else few
        what = f"{one['method']}, graph against torch, {one['pictures']} pictures"
        rows += [
            Row(f"{what}: edges", one["edge_px"], "px", Goal("at most", 0.5, "px"), fault=fault),
            Row(f"{what}: scores", one["score"], "", Goal("at most", 1e-3, ""), fault=fault),
        ]
    return Outcome(rows, {"runs": found})
