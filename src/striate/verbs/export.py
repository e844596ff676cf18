"""Write a run's model as a file of its own, and prove that the file answers like the run."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

import numpy as np

from striate.errors import RunError, SettingError, UnknownNameError, UsageError
from striate.graphs import Backend, OnnxGraph, load_graph, openvino_core
from striate.runs.atomic import disk_errors, sync_file, sync_folder, write_with
from striate.runs.run import Run
from striate.task import Task
from striate.types import Array, SizeHW
from striate.verbs.model import FilePath, Model, load
from striate.verbs.outputs import writable

__all__ = ["TOLERANCE", "Export", "ExportFormat", "export"]

ExportFormat: TypeAlias = Literal["onnx", "openvino"]

TOLERANCE = 1e-3
"""Largest difference that is accepted, relative to the largest output where that exceeds 1."""

_SUFFIXES: Mapping[str, str] = {"onnx": ".onnx", "openvino": ".xml"}
_BACKENDS: Mapping[str, Backend] = {"onnx": "onnxruntime", "openvino": "openvino"}
_NOISE = 8
"""Seeded pictures on which answers are compared, beside real ones."""


@dataclass(frozen=True, slots=True)
class Export:
    """A model file: `files` that were written, how it was proved, and what it says of itself.

    `input_hw`: height and width of its input, pixels. `names`: of its classes or numbers, in order.
    `differences`: the largest difference from the run, by output, relative to the largest output where
    that exceeds 1; at most `tolerance`. `compared_on`: pictures that were compared. `metadata`: task,
    names, input size, licence … as the file carries them.
    """

    format: ExportFormat
    files: tuple[str, ...]
    bytes: int
    input_hw: SizeHW
    names: tuple[str, ...]
    differences: Mapping[str, float]
    tolerance: float
    compared_on: int
    metadata: Mapping[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return asdict(self)


def export(
    run: FilePath | Run,
    out: FilePath,
    *,
    format: ExportFormat = "onnx",  # noqa: A002 - the word users know
    pictures: Sequence[FilePath] = (),
    overwrite: bool = False,
) -> Export:
    """Write the run's model to `out`: uint8 RGB (batch, height, width, 3) in, answers out.

    "onnx" is one self-contained file; "openvino" an .xml with its .bin beside (float32). Both hold
    normalisation and calibration, and carry names, task, input size and licence. The file is compared
    with the run on seeded noise, on embedded pictures and on `pictures`, and appears only if it
    answers alike; else a `RunError`. A file that striate exported before is replaced, any other only
    with `overwrite`.
    """
    if format not in get_args(ExportFormat):
        raise UnknownNameError("export format", format, get_args(ExportFormat))
    model = load(run)
    graph = _only_graph(model)
    target = _target(out, format, overwrite=overwrite)
    feeds = _probe(model, pictures)
    if format == "onnx":
        differences = _write_onnx(model.task, graph, target, feeds)
        files = [target]
    else:
        differences = _write_openvino(model.task, graph, target, feeds)
        files = [target, target.with_suffix(".bin")]
    return Export(
        format=format,
        files=tuple(str(file) for file in files),
        bytes=sum(file.stat().st_size for file in files),
        input_hw=model.task.input_hw,
        names=model.names,
        differences=differences,
        tolerance=TOLERANCE,
        compared_on=len(feeds),
        metadata=OnnxGraph(graph, threads=1).metadata,
    )


def _only_graph(model: Model) -> Path:
    files = model.header.graphs
    if set(files) != {"main"}:
        raise UsageError(
            f"run {model.run.name} has the graphs {', '.join(files)}",
            expected="a model of one graph",
            remedy=f"copy them from {model.run.folder / 'graphs'}: each is self-contained",
        )
    return model.run.file(files["main"])


def _target(out: FilePath, format: str, *, overwrite: bool) -> Path:  # noqa: A002
    suffix = _SUFFIXES[format]
    target = Path(out)
    if target.suffix.lower() != suffix:
        raise SettingError(
            f"--out was given {str(out)!r}",
            expected=f"a file name ending in {suffix} for --format {format}",
        )
    return writable(target, overwrite=overwrite or (target.is_file() and _ours(target)))


def _ours(path: Path) -> bool:
    """Whether `path` is a file that striate exported."""
    if path.suffix.lower() == ".xml":
        return b"<striate>" in path.read_bytes()
    try:
        return "striate" in OnnxGraph(path, threads=1).metadata
    except RunError:
        return False


def _probe(model: Model, pictures: Sequence[FilePath]) -> Array:
    """Network inputs on which answers are compared: noise, embedded pictures, the user's own."""
    from striate.data.guess import read_labels
    from striate.pictures.read import read

    height, width = model.task.input_hw
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (_NOISE, height, width, 3), dtype=np.uint8)
    embedded = [record.origin.read() for record in read_labels("embedded:digits").records[:_NOISE]]
    own = [read(path) for path in pictures]
    return np.concatenate([noise, [model.task.prepare(one).pixels for one in (*embedded, *own)]])


def _write_onnx(task: Task[Any, Any], graph: Path, target: Path, feeds: Array) -> dict[str, float]:
    found: dict[str, float] = {}

    def write(temporary: Path) -> None:
        shutil.copyfile(graph, temporary)
        found.update(_compare(task, graph, temporary, feeds, "onnx"))

    write_with(target, write, needed=graph.stat().st_size)
    return found


def _write_openvino(task: Task[Any, Any], graph: Path, target: Path, feeds: Array) -> dict[str, float]:
    core = openvino_core(needed_for="exporting to OpenVINO")
    import openvino

    with disk_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".striate-export-") as folder:
            made = Path(folder) / target.name
            model = core.read_model(str(graph))
            for key, value in OnnxGraph(graph, threads=1).metadata.items():
                model.set_rt_info(
                    value if isinstance(value, str) else json.dumps(value), ["striate", key]
                )
            openvino.save_model(model, str(made), compress_to_fp16=False)
            differences = _compare(task, graph, made, feeds, "openvino")
            # the .xml names nothing without its .bin, so it comes last
            for file in (made.with_suffix(".bin"), made):
                sync_file(file)
                os.replace(file, target.with_suffix(file.suffix))  # noqa: PTH105
        sync_folder(target.parent)
    return differences


def _compare(
    task: Task[Any, Any],
    graph: Path,
    made: Path,
    pixels: Array,
    format: str,  # noqa: A002
) -> dict[str, float]:
    """The largest difference of each output; a `RunError` beyond the tolerance."""
    feeds = task.feeds(pixels)
    expected = load_graph(graph, threads=1)(feeds)
    answers = load_graph(made, backend=_BACKENDS[format], threads=1)(feeds)
    differences = task.differences(expected, answers)
    worst = max(differences, key=lambda name: differences[name])
    if not differences[worst] <= TOLERANCE:  # also where it is not a number
        raise RunError(
            f"the {format} file differs from the run by {differences[worst]:.2g} in {worst!r}",
            expected=f"at most {TOLERANCE:g}",
            remedy="nothing was written; report this as a bug in striate",
        )
    return differences
