"""The header of a run, `run.toml`: all that is needed, with the graphs, to use and to repeat it."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Annotated, Any, Self

import tomli_w
from pydantic import BeforeValidator, Field, field_validator

from striate.errors import RunError, SettingError, UnknownNameError
from striate.runs.energy import EnergyRecord
from striate.runs.machine import MachineRecord
from striate.runs.manifest import check_name
from striate.runs.plain import from_toml_metrics, toml_metrics, toml_ready
from striate.settings import Settings

__all__ = ["FORMAT_VERSION", "DataRecord", "RunHeader", "WeightsRecord", "iso_time"]

FORMAT_VERSION = 1

Plain = Annotated[dict[str, Any], BeforeValidator(toml_ready)]
"""A table of TOML values; NumPy numbers are converted and unset values left out on construction."""


Measured = Annotated[dict[str, Any], BeforeValidator(from_toml_metrics)]
"""Metrics of one split: plain values; None where undefined, such as the recall of an absent class."""


class DataRecord(Settings):
    """What a run was trained on."""

    name: str
    """Last part of the folder's name, or the name of an embedded set."""
    layout: str
    """How its files were understood, in words."""
    fingerprint: str
    """sha256 over keys, targets, splits and contents."""
    counts: dict[str, int]
    """Pictures of each split."""
    names: tuple[str, ...] = ()
    """Class names, or names of the target columns."""


class WeightsRecord(Settings):
    """The weights that training started from."""

    source: str = "none"
    """"none" (random), the name of pretrained weights, a file name or a run."""
    licence: str = ""
    """Licence under which those weights are published."""
    sha256: str = ""
    """Of the weights' file."""


class RunHeader(Settings):
    """`run.toml`. Tables that belong to other floors are kept as plain values."""

    format_version: int = FORMAT_VERSION
    """Of this file's layout."""
    striate_version: str
    """The version of striate that wrote the run."""
    created: str
    """When, ISO 8601 with its offset; from `iso_time(clock)`."""
    task: str
    """Name of the task."""
    config: Plain
    """The task's settings."""
    facts: Plain
    """What the task learnt from the data: class names, input size, temperature, …"""
    train: Plain
    """The settings of the loop."""
    augment: Plain = Field(default_factory=dict)
    """The settings of augmentation."""
    plan: Plain
    """What the engine chose: threads, precision, memory format, compile, batch, epochs, seed, device."""
    data: DataRecord
    weights: WeightsRecord = WeightsRecord()
    graphs: dict[str, str]
    """File of each graph, relative to the run."""
    metrics: dict[str, Measured]
    """What the task's meter computed, for each split, from the exported graphs."""
    energy: EnergyRecord | None = None
    timings: dict[str, float] = Field(default_factory=dict)
    """Seconds of each stage."""
    versions: dict[str, str]
    """Python and packages; `machine.package_versions()`."""
    machine: MachineRecord
    """`machine.describe_machine()`."""

    @field_validator("created")
    @classmethod
    def _is_a_time(cls, text: str) -> str:
        if datetime.fromisoformat(text).tzinfo is None:
            raise ValueError("a time with its offset, such as 2026-11-20T09:30:00+00:00")
        return text

    @field_validator("graphs")
    @classmethod
    def _lie_within(cls, graphs: dict[str, str]) -> dict[str, str]:
        for name in graphs.values():
            check_name(name)
            if PurePosixPath(name).suffix != ".onnx":
                raise ValueError(f"the name of an .onnx file, not {name!r}")
        return graphs

    def to_toml(self) -> str:
        """The text of `run.toml`."""
        values = toml_ready(self.model_dump(exclude={"metrics"}))
        return tomli_w.dumps(values | {"metrics": toml_metrics(self.metrics)})

    @classmethod
    def refuse_newer(cls, text: str, *, source: str = "run.toml") -> None:
        """A `RunError` if `text` is no TOML, has no format version, or one from after this striate."""
        try:
            found = tomllib.loads(text).get("format_version")
        except tomllib.TOMLDecodeError as error:
            raise RunError(
                f"{source} is not legible: {error}",
                remedy="restore it from a backup, or train the run again",
            ) from error
        if type(found) is not int or found < 1:
            raise RunError(
                f"{source}: field 'format_version' is {found!r}", expected="a whole number from 1"
            )
        if found > FORMAT_VERSION:
            raise RunError(
                f"{source} was written by a newer striate (format {found})",
                expected=f"format {FORMAT_VERSION} or earlier",
                remedy="upgrade with: pip install --upgrade striate",
            )

    @classmethod
    def from_toml(cls, text: str, *, source: str = "run.toml") -> Self:
        """Read what `to_toml` wrote; a `RunError` names the field, or the newer version."""
        cls.refuse_newer(text, source=source)
        try:
            return cls.parse(tomllib.loads(text))
        except UnknownNameError as error:
            raise RunError(
                f"{source} has an unknown field {error.name!r}", expected=error.expected
            ) from error
        except SettingError as error:
            raise RunError(f"{source}: {error.what}", expected=error.expected) from error


def iso_time(clock: Callable[[], float]) -> str:
    """The time that `clock` (seconds since 1970) tells, as ISO 8601 in UTC.

    >>> iso_time(lambda: 0.0)
    '1970-01-01T00:00:00+00:00'
    """
    return datetime.fromtimestamp(clock(), UTC).isoformat(timespec="seconds")
