"""`striate.train`: a folder of pictures becomes a sealed run."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from striate.baselines.names import is_baseline
from striate.engine.events import Event
from striate.errors import UsageError
from striate.verbs.training.models import check_model, training_extra
from striate.verbs.training.request import Request

if TYPE_CHECKING:
    from striate.verbs.model import Model

__all__ = ["COMPARE", "train"]

COMPARE = "compare"


def train(
    source: str | Path,
    *,
    out: str | Path,
    task: str = "classify",
    resume: bool = False,
    overwrite: bool = False,
    on_event: Callable[[Event], None] | None = None,
    **settings: Any,
) -> Model:
    """Train on `source` and write the run to the folder `out`; returns the run, ready to use.

    `source`: a folder of class folders (with or without train/ and test/), a table, IDX files, or
    the name of an embedded set. `settings`: fields of `TrainSettings`, `AugmentSettings` and of the
    task's own settings, by name. `on_event` hears what happens (`striate.engine.events`). A network
    needs the extra `train`; a hand-made feature with a learner, such as `model="hog+svm"`, does not.

    `resume` continues an interrupted run, bit for bit on the CPU; `overwrite` replaces a finished
    one when the new one is finished. Raises `UsageError`, `DataError` and `MachineError` subclasses
    before anything of an earlier run is touched, and `Interrupted` on Ctrl-C, with everything saved.
    """
    from striate.verbs.model import load

    started = time.monotonic()
    for choice in ("model", "method"):
        if settings.get(choice) == COMPARE:
            raise UsageError(
                f"{choice} 'compare' is no {choice} but several",
                remedy=f"call striate.compare(…), or name one {choice}",
            )
    request = Request.of(source, task, settings)
    tell = on_event or (lambda event: None)
    with _stop_on_signal() as stop:
        check_model(request)
        run = _training_of(request)
        run(
            request,
            out=Path(out),
            resume=resume,
            overwrite=overwrite,
            started=started,
            stop=stop,
            tell=tell,
        )
    return load(out)


def _training_of(request: Request) -> Callable[..., None]:
    """What trains the kind of model that is asked for."""
    if is_baseline(request.model):
        from striate.verbs.training.classical import BaselineTraining

        return BaselineTraining.run
    if request.hand_made:
        from striate.verbs.training.parts import PartsTraining

        return PartsTraining.run
    with training_extra():
        from striate.verbs.training.session import train_network

        return train_network


@contextmanager
def _stop_on_signal() -> Iterator[Callable[[], bool]]:
    """A question that turns true at the first Ctrl-C or TERM; a second Ctrl-C stops at once."""
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked.is_set
        return

    def ask(number: int, frame: object) -> None:
        asked.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked.is_set
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
