"""What is told of each rung, and of all of them."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from striate.errors import DataError
from striate.pictures.resize import resize
from striate.verbs.comparing.ladder import Rung
from striate.verbs.model import Model

__all__ = ["Comparison", "RungResult", "headline_name", "measure"]

_TIMED = 30


@dataclass(frozen=True, slots=True)
class RungResult:
    """One trained rung. `score` is the task's headline on `split`; None with a `reason` if it was not
    trained. `train_s`: seconds of the whole command; `latency_ms`: one prepared picture, median;
    `size_mb`: its graphs. `parameters`: weights that were learnt, as `striate layers` counts them; None
    where it cannot."""

    name: str
    run: str
    idea: str
    score: float | None = None
    interval: tuple[float, float] | None = None
    split: str = ""
    train_s: float = 0.0
    size_mb: float = 0.0
    latency_ms: float = 0.0
    parameters: int | None = None
    metrics: Mapping[str, Any] | None = None
    settings: Mapping[str, Any] | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Rungs in their order, and by which metric they are compared."""

    task: str
    source: str
    metric: str
    better: str
    """"max" or "min"."""
    rungs: Sequence[RungResult]

    @property
    def best(self) -> RungResult | None:
        """The rung with the best score."""
        trained = [one for one in self.rungs if one.score is not None]
        if not trained:
            return None
        sign = 1 if self.better == "max" else -1
        return max(trained, key=lambda one: sign * float(one.score or 0.0))

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        best = self.best
        return {
            "task": self.task,
            "source": self.source,
            "metric": self.metric,
            "better": self.better,
            "best": best.name if best else None,
            "rungs": [asdict(one) for one in self.rungs],
        }


def measure(rung: Rung, model: Model, out: Path) -> RungResult:
    """What a finished run says, and how fast it answers one picture that is prepared already."""
    header = model.header
    split = next((name for name in ("test", "validation") if name in header.metrics), "")
    metrics = header.metrics.get(split, {})
    score = metrics.get(model.task.headline)
    interval = metrics.get(f"{headline_name(model)}_interval")
    return RungResult(
        name=rung.name,
        run=out.name,
        idea=rung.idea,
        score=None if score is None else float(score),
        interval=(float(interval[0]), float(interval[1])) if interval else None,
        split=split,
        train_s=round(sum(header.timings.values()), 2),
        size_mb=round(sum((out / file).stat().st_size for file in header.graphs.values()) / 1e6, 3),
        latency_ms=round(_latency_ms(model), 3),
        parameters=_parameters(rung, out),
        metrics=metrics,
        settings=dict(rung.settings),
        reason="" if score is not None else "nothing was held out to measure it on",
    )


def _parameters(rung: Rung, out: Path) -> int | None:
    """Learnt weights of the run's graph; None for trees, and where they cannot be told."""
    model = str(rung.settings.get("model", ""))
    if model.endswith(("+forest", "+boosting")):
        return None
    from striate.verbs.layers.table import read_layers

    try:
        return read_layers(out).network.params
    except DataError:  # a graph whose sizes depend on what it finds
        return None


def headline_name(model: Model) -> str:
    """What people call the metric by which the task compares: the one with its value and an interval."""
    for metrics in model.header.metrics.values():
        score = metrics.get(model.task.headline)
        for name in metrics:
            base = name.removesuffix("_interval")
            if base != name and metrics.get(base) == score:
                return base
    return model.task.headline


def _latency_ms(model: Model) -> float:
    """Median of one call with one picture: prepare, graph, decode."""
    # smooth like a photograph: what looks for regions would take noise for thousands of them
    coarse = np.random.default_rng(0).integers(0, 256, (9, 12, 3), dtype=np.uint8)
    picture = resize(coarse, model.task.input_hw, how="bicubic")
    model.predict(picture)
    seconds = []
    for _ in range(_TIMED):
        began = time.perf_counter()
        model.predict(picture)
        seconds.append(time.perf_counter() - began)
    return 1000 * statistics.median(seconds)
