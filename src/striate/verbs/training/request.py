"""What the caller asked for, sorted into the schemas that own each setting, and kept for --resume."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from striate.engine.settings import TrainSettings
from striate.errors import RunError, UnknownNameError, UsageError
from striate.nn.augment.settings import AugmentSettings
from striate.settings import Settings
from striate.task import Task, task_type

__all__ = ["Request"]


@dataclass(frozen=True, slots=True)
class Request:
    """A validated call of `train`."""

    source: str
    task: str
    config: Settings
    train: TrainSettings
    augment: AugmentSettings

    @classmethod
    def of(cls, source: str | Path, task: str, values: Mapping[str, Any]) -> Request:
        """Sort flat `values` by schema; an unknown name lists every setting there is."""
        owners: list[type[Settings]] = [task_type(task).config_type, TrainSettings, AugmentSettings]
        parts: list[dict[str, Any]] = [{}, {}, {}]
        for name, value in values.items():
            found = [index for index, owner in enumerate(owners) if name in owner.model_fields]
            if not found:
                known = [field for owner in owners for field in owner.model_fields]
                raise UnknownNameError("setting", name, known)
            parts[found[0]][name] = value
        return cls(
            str(source),
            task,
            owners[0].parse(parts[0]),
            TrainSettings.parse(parts[1]),
            AugmentSettings.parse(parts[2]),
        )

    @property
    def model(self) -> str:
        """The model that was asked for, as every task's settings name it."""
        return str(self.config.model_dump()["model"])

    @property
    def hand_made(self) -> bool:
        """Whether the method that was asked for has no network: hand-made parts."""
        return self.config.model_dump().get("method") == "parts"

    def new_task(self) -> Task[Any, Any]:
        """The task with its settings, before it has seen data."""
        return task_type(self.task)(self.config)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready; what `check_same` compares."""
        return {
            "task": self.task,
            "config": self.config.to_toml_dict(),
            "train": self.train.to_toml_dict(),
            "augment": self.augment.to_toml_dict(),
        }

    def check_same(self, saved: str) -> None:
        """A `UsageError` naming the first setting that differs from the interrupted run's."""
        try:
            before = json.loads(saved)
        except ValueError as error:
            raise RunError(
                "the interrupted run's request.json is damaged", remedy="start again with --overwrite"
            ) from error
        now = self.to_dict()
        for part in ("task", "config", "train", "augment"):
            old, new = before.get(part), now[part]
            if old == new:
                continue
            names = [part] if part == "task" else [k for k in {**old, **new} if old.get(k) != new.get(k)]
            raise UsageError(
                f"--resume was given settings that differ from before: {', '.join(sorted(names))}",
                expected="the same command as before, with --resume added",
                remedy="or start again with --overwrite",
            )
