"""`striate.train`: a folder of pictures becomes a sealed run."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from striate.engine.distributed import process_group, share_json, wait
from striate.engine.events import Event, Note
from striate.engine.memory import freed_memory_is_kept
from striate.runs.folder import RunWriter
from striate.verbs.training.request import Request
from striate.verbs.training.session import Session

if TYPE_CHECKING:
    from striate.verbs.model import Model

__all__ = ["train"]


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
    task's own settings, by name. `on_event` hears what happens (`striate.engine.events`).

    `resume` continues an interrupted run, bit for bit on the CPU; `overwrite` replaces a finished
    one when the new one is finished. Raises `UsageError`, `DataError` and `MachineError` subclasses
    before anything of an earlier run is touched, and `Interrupted` on Ctrl-C, with everything saved.
    """
    from striate.verbs.model import load

    started = time.monotonic()
    request = Request.of(source, task, settings)
    tell = on_event or (lambda event: None)
    with _stop_on_signal() as stop, freed_memory_is_kept(), process_group() as place:
        session = Session(
            request,
            place=place,
            stop=stop,
            started=started,
            resume=resume,
            out=str(out),
            tell=tell if place.rank == 0 else lambda event: None,
        )
        if place.rank != 0:
            if not share_json(None):
                session.follow()
                wait()  # until rank 0 has sealed the run
            return load(out)
        with RunWriter.begin(Path(out), resume=resume, overwrite=overwrite) as writer:
            if share_json(writer.already_sealed):
                tell(Note(f"{out} is finished already; nothing to resume"))
            else:
                for event in session.lead(writer):
                    tell(event)
                wait()
    return load(out)


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
