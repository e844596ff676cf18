"""How long each stage of a training took, told by the events that pass."""

from __future__ import annotations

import time
from collections.abc import Generator

from striate.engine.events import Event, Stage

__all__ = ["StageTimes"]


class StageTimes:
    """Seconds by stage; what comes before the first one, from `started` (monotonic) on, is "start"."""

    def __init__(self, started: float) -> None:
        self._seconds: dict[str, float] = {}
        self._stage, self._since = "start", started

    def watch(self, events: Generator[Event, None, None]) -> Generator[Event, None, None]:
        """The events, passed on; a stage ends where the next one begins."""
        for event in events:
            if isinstance(event, Stage):
                self._enter(event.name)
            yield event

    def ended(self) -> dict[str, float]:
        """Seconds by stage, the last one ending now."""
        self._enter("end")
        return dict(self._seconds)

    def _enter(self, stage: str) -> None:
        now = time.monotonic()
        spent = self._seconds.get(self._stage, 0.0) + now - self._since
        self._seconds[self._stage] = round(spent, 3)
        self._stage, self._since = stage, now
