"""Prints deletion, insertion and likeness of each method for a run, and for the same network untrained.

python -m bench.ours.attribution_scores RUN FOLDER COUNT METHODS
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from bench.ours.untrained import untrained
from striate.verbs.explain.why import explain_all
from striate.verbs.explain.why_report import Tally
from striate.verbs.model import Model, load


def main() -> None:
    run, folder, count, methods = (
        sys.argv[1],
        Path(sys.argv[2]),
        int(sys.argv[3]),
        sys.argv[4].split(","),
    )
    every = sorted(folder.rglob("*.jpg"))
    paths = [every[at] for at in np.unique(np.linspace(0, len(every) - 1, count).round().astype(int))]
    model = load(run)
    trained = _tallies(explain_all(model, paths, method=methods, masks=500))
    print("random network", file=sys.stderr)
    random = _tallies(_untrained(model, paths, methods))
    answer = {
        "pictures": len(paths),
        "trained": {name: one.to_dict() for name, one in trained.items()},
        "random": {name: one.to_dict() for name, one in random.items()},
        "separated": {
            name: {"trained_passes": _passes(trained[name]), "random_passes": _passes(random[name])}
            for name in random
        },
    }
    print(json.dumps(answer))


def _untrained(model: Model, paths: list[Path], methods: list[str]) -> Any:
    """Explanations of a network with random weights, checked as if it were a trained one."""
    why = untrained(model, methods, masks=500)
    for path in paths:
        yield from why.batch([_given(model, path)])


def _given(model: Model, path: Path) -> Any:
    from striate.verbs.explain.why_sources import source_of

    source = source_of(str(path), str(path))
    picture, areas = source.read(model.task.read_at_least_hw)
    return source, picture, areas


def _tallies(found: Any) -> dict[str, Tally]:
    tallies: dict[str, Tally] = {}
    for one in found:
        for attribution in one.attributions:
            name = attribution.method.name
            tallies.setdefault(name, Tally(name)).add(attribution)
    return tallies


def _passes(one: Tally) -> float:
    return one.verdicts.get("passes", 0) / max(1, one.count)


if __name__ == "__main__":
    main()
