"""`striate.compare`: the same pictures, several models or several sizes, one budget, side by side."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from striate.engine.events import Event, Note
from striate.engine.settings import TrainSettings
from striate.errors import (
    Interrupted,
    MachineError,
    MissingExtraError,
    SettingError,
    StriateError,
    TrainingError,
    UnknownNameError,
    UsageError,
)
from striate.figures import Section
from striate.runs.atomic import write_text
from striate.runs.page import write_page
from striate.task import task_type
from striate.verbs.comparing.ladder import CHOICES, Rung, model_rungs, size_rungs
from striate.verbs.comparing.measured import Comparison, RungResult, headline_name, measure
from striate.verbs.comparing.page import enough, model_sections, score_text, size_sections, title_of
from striate.verbs.model import load
from striate.verbs.train import COMPARE, train
from striate.verbs.training.models import check_model
from striate.verbs.training.request import Request

__all__ = ["compare"]

_LEAST_S = 8.0
"""Less than this trains nothing that tells: a rung is left out instead."""


def compare(
    source: str | Path,
    *,
    out: str | Path,
    task: str = "classify",
    models: Sequence[str] = (),
    sizes: bool = False,
    resume: bool = False,
    overwrite: bool = False,
    on_event: Callable[[Event], None] | None = None,
    **settings: Any,
) -> Comparison:
    """Train several models on `source`, each a run of its own in the folder `out`, and compare them.

    `models`: their names (of detectors: methods), by default a ladder from pixels to a network, or the
    history of detection. `sizes`: instead, one model
    (`settings["model"]`, by default hog+svm or hog+ridge) at growing sizes of its input. A
    `time_budget` among `settings` is for all together: what one leaves over, the later ones get. Writes
    compare.json and compare.html. What cannot be trained here is left out, with the reason.

    `resume` keeps the runs that are finished; `overwrite` replaces them.
    """
    folder, began = Path(out), time.monotonic()
    tell = on_event or (lambda event: None)
    wishes = {name: value for name, value in settings.items() if value is not None}
    budget = TrainSettings.parse({"time_budget": wishes.pop("time_budget", None)}).time_budget
    if (folder / "compare.json").exists() and not (resume or overwrite):
        raise UsageError(
            f"{folder} holds a comparison already",
            remedy="give another folder, or --resume to keep its runs, or --overwrite to make them anew",
        )
    rungs, sides = _rungs(source, task, models, wishes, sizes=sizes)
    for rung in rungs:
        _check(source, task, wishes | dict(rung.settings))
    found: list[RungResult] = []
    metric = task_type(task).headline
    for index, rung in enumerate(rungs):
        share = None
        if budget is not None:
            share = (began + budget - time.monotonic()) / (len(rungs) - index)
        result, name = _one(
            source, task, rung, folder, wishes, share, resume=resume, overwrite=overwrite, tell=tell
        )
        metric = name or metric
        found.append(result)
        tell(Note(f"{rung.name}: {_told(result)}"))
    made = Comparison(task, str(source), metric, task_type(task).headline_mode, found)
    _write(folder, made, size_sections(made, sides) if sizes else model_sections(made), sizes=sizes)
    return made


def _check(source: str | Path, task: str, settings: Mapping[str, Any]) -> None:
    """Wrong names and values are told before anything is trained, the rest beside the model it is of."""
    try:
        check_model(Request.of(source, task, settings))
    except (UnknownNameError, SettingError):
        raise
    except (MissingExtraError, UsageError):
        return


def _rungs(
    source: str | Path, task: str, models: Sequence[str], wishes: dict[str, Any], *, sizes: bool
) -> tuple[Sequence[Rung], list[int]]:
    """What is trained; of sizes, their longer sides too."""
    choice = "model" if sizes else CHOICES.get(task, "model")
    model = wishes.pop(choice, None)
    size = wishes.pop("size", None) if sizes else None
    if not sizes:
        return model_rungs(task, models), []
    if size not in (None, COMPARE):
        wishes["size"] = size  # the largest
    name = model or ("hog+ridge" if task == "regress" else "hog+svm")
    request = Request.of(source, task, wishes | {"model": name})
    with suppress(MissingExtraError):
        check_model(request)
    wishes.pop("size", None)
    maker = request.new_task()
    dataset = maker.read(source)
    learnt = maker.learn(dataset.only("train") if "train" in dataset.splits else dataset)
    rungs = size_rungs(name, learnt.input_hw)
    return rungs, [max(int(part) for part in rung.name.split("x")) for rung in rungs]


def _one(
    source: str | Path,
    task: str,
    rung: Rung,
    folder: Path,
    wishes: dict[str, Any],
    share: float | None,
    *,
    resume: bool,
    overwrite: bool,
    tell: Callable[[Event], None],
) -> tuple[RungResult, str]:
    """A rung's result, and what its metric is called; one that cannot be trained says why."""
    out = folder / rung.folder
    if share is not None and share < _LEAST_S:
        return RungResult(rung.name, out.name, rung.idea, reason="no time was left for it"), ""
    more = {} if share is None else {"time_budget": share}
    try:
        if not (resume and (out / "run.toml").exists()):
            train(
                source,
                out=out,
                task=task,
                resume=resume,
                overwrite=overwrite,
                on_event=tell,
                **(wishes | dict(rung.settings) | more),
            )
        model = load(out)
    except Interrupted:
        raise
    except (UsageError, MachineError, TrainingError) as error:
        return RungResult(rung.name, out.name, rung.idea, reason=_reason(error)), ""
    return measure(rung, model, out), headline_name(model)


def _reason(error: StriateError) -> str:
    return f"{error.what}; {error.remedy}" if error.remedy else error.what


def _told(result: RungResult) -> str:
    if result.score is None:
        return f"left out: {result.reason}"
    return f"{result.score:.4g} on {result.split} in {result.train_s:.0f} s"


def _write(folder: Path, made: Comparison, sections: list[Section], *, sizes: bool) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / "compare.json", json.dumps(made.to_dict(), indent=1) + "\n")
    best = made.best
    what = f"sizes of {_model_of(made)}" if sizes else "models"
    numbers = (
        [("best", best.name), (title_of(made.metric), score_text(best, made.metric))] if best else []
    )
    least = enough(made) if sizes else None
    if least is not None:
        numbers.append(("enough, within its interval", least.name))
    write_page(
        folder / "compare.html",
        f"{len(made.rungs)} {what} on {Path(made.source).name}",
        "Each is a run of its own in this folder, to be used, evaluated and exported like any other.",
        sections,
        kind="striate comparison",
        numbers=numbers,
        overwrite=True,
    )


def _model_of(made: Comparison) -> str:
    return str((made.rungs[0].settings or {}).get("model", "the model"))
