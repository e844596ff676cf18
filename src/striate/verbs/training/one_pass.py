"""Training without torch, in one pass: gathered, learnt, sealed; what is interrupted is made again."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator
from pathlib import Path
from typing import final

from striate.engine.events import Event, Finished, Note
from striate.errors import Interrupted
from striate.runs.energy import EnergyMeter
from striate.runs.folder import RunWriter
from striate.runs.power import counters
from striate.verbs.training.data import Material, gather
from striate.verbs.training.request import Request
from striate.verbs.training.seal import Trained, seal
from striate.verbs.training.stages import StageTimes

__all__ = ["OnePass"]

_FINISH_S, _FINISH_SHARE = 4.0, 0.08
"""What evaluation, report and card take of a time budget, at least."""


class OnePass(ABC):
    """One call of `train`. Abstract here, final where something is learnt."""

    def __init__(
        self,
        request: Request,
        *,
        out: str,
        started: float,
        stop: Callable[[], bool],
        tell: Callable[[Event], None],
    ) -> None:
        self.request, self.out, self.started, self.stop, self.tell = request, out, started, stop, tell
        self.times = StageTimes(started)

    @abstractmethod
    def learn(self, writer: RunWriter, material: Material) -> Generator[Event, None, Trained]:
        """What is learnt of `material`, with its graphs written."""

    @final
    @classmethod
    def run(
        cls,
        request: Request,
        *,
        out: Path,
        resume: bool,
        overwrite: bool,
        started: float,
        stop: Callable[[], bool],
        tell: Callable[[Event], None],
    ) -> None:
        """Train what `request` asks for and write the run to `out`; `started`: when, monotonic."""
        with RunWriter.begin(out, resume=resume, overwrite=overwrite) as writer:
            if writer.already_sealed:
                tell(Note(f"{out} is finished already; nothing to resume"))
                return
            call = cls(request, out=str(out), started=started, stop=stop, tell=tell)
            for event in call.times.watch(call._lead(writer)):
                tell(event)
                if not isinstance(event, Finished):
                    call.go_on()

    def _lead(self, writer: RunWriter) -> Generator[Event, None, None]:
        meter = EnergyMeter(counters())
        meter.start()
        material = yield from gather(
            self.request.new_task(), self.request.source, seed=self.request.train.seed, tell=self.tell
        )
        trained = yield from self.learn(writer, material)
        metrics = yield from seal(
            writer, self.request, trained, material, run=self.out, meter=meter, timings=self.times.ended
        )
        yield Finished(str(writer.path), metrics, round(time.monotonic() - self.started, 2))

    @final
    def go_on(self) -> None:
        """Raises `Interrupted` when a stop was asked for."""
        if self.stop():
            raise Interrupted(
                "stopped while training; nothing was lost but this run's time",
                remedy="start it again with the same command, with or without --resume",
            )

    @final
    def seconds_left(self) -> float | None:
        """Of the time budget, to learn with; below 0 if it is spent, None if there is none."""
        budget = self.request.train.time_budget
        if budget is None:
            return None
        return self.started + budget - max(_FINISH_S, _FINISH_SHARE * budget) - time.monotonic()
