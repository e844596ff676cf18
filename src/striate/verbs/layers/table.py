"""`striate layers`: the arithmetic of a typed list, a preset, a model by name, a graph or a run."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from striate.arithmetic.fitting import Fitting
from striate.arithmetic.layers import Network
from striate.arithmetic.network_table import network_dict
from striate.arithmetic.padding import Answer, Question, is_question, read_question, solve
from striate.arithmetic.parsing import parse_layers, read_size
from striate.arithmetic.presets import PRESETS, build_preset, is_preset
from striate.arithmetic.receptive_field import Patch, find_unit, patch_of
from striate.arithmetic.sizes import Slide, fitted, nearest_fits
from striate.arithmetic.words import cut, is_layer_word
from striate.errors import MissingExtraError, UsageError

__all__ = ["LayersReading", "Solution", "is_solver", "read_layers", "solve_layers"]


@dataclass(frozen=True, slots=True)
class LayersReading:
    """A network in numbers.

    `typed`: it was typed layer by layer, so that every layer deserves its line. `fittings`: what was
    found for each `?`. `patch`: what the unit that was asked for sees.
    """

    network: Network
    typed: bool
    fittings: tuple[Fitting, ...] = ()
    patch: Patch | None = None

    def to_dict(self) -> dict[str, Any]:
        """The line of `striate layers --json`."""
        found = network_dict(self.network)
        if self.fittings:
            found["solutions"] = [one.to_dict() for one in self.fittings]
        if self.patch is not None:
            found["unit"] = self.patch.to_dict()
        return found


@dataclass(frozen=True, slots=True)
class Solution:
    """What fits a question such as F=5 S=2 P=?; `hint`: what would, where nothing does."""

    question: Question
    answers: tuple[Answer, ...]
    hint: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The line of `striate layers --solve … --json`."""
        asked = {
            "kernel": self.question.kernel,
            "stride": self.question.stride,
            "padding": self.question.padding,
            "size": self.question.size,
            "output": self.question.output,
            "dilation": self.question.dilation,
        }
        found: dict[str, Any] = {"question": asked, "solutions": [one.to_dict() for one in self.answers]}
        return found | ({"hint": self.hint} if self.hint else {})


def read_layers(
    model: str | os.PathLike[str],
    *,
    input_size: str | None = None,
    classes: int | None = None,
    floor: bool = False,
    unit: str | None = None,
) -> LayersReading:
    """The layers of `model`, each with its size, its cost and what it sees.

    `model`: layers as typed ("32x32x3 conv10 5x5 p2"), a preset ("resnet18"), the folder of a run, an
    .onnx file, or any model of timm or `torchvision:NAME`, which needs striate[train]. `input_size`:
    height x width x channels, "224x224x3"; None takes what the model was made for. `classes`: of the
    last layer of a preset or named model. `floor`: convolutions of a typed list that do not fit are
    rounded down. `unit`: "LAYER:ROW,COLUMN", whose exact input patch is wanted.

    >>> read_layers("32x32x3 conv10 5x5 p2").network.params
    760
    """
    text = os.fspath(model)
    if classes is not None and classes < 1:
        raise UsageError(f"--classes was given {classes}", expected="1 or more")
    found = _read(
        text, input_hwc=read_size(input_size) if input_size else None, classes=classes, floor=floor
    )
    if unit is None:
        return found
    index, place = find_unit(found.network, unit)
    return LayersReading(
        found.network, found.typed, found.fittings, patch_of(found.network, index, place)
    )


def _read(
    text: str, *, input_hwc: tuple[int, int, int] | None, classes: int | None, floor: bool
) -> LayersReading:
    if is_preset(text):
        return LayersReading(build_preset(text, input_hwc=input_hwc, classes=classes), typed=False)
    if Path(text).exists() or text.endswith(".onnx") or "/" in text:
        _refuse_classes(classes)
        return LayersReading(_of_file(Path(text), input_hwc), typed=False)
    if _is_typed(text):
        _refuse_classes(classes)
        typed = parse_layers(text, input_hwc=input_hwc, rounding="floor" if floor else "exact")
        return LayersReading(typed.network, typed=True, fittings=typed.fittings)
    return LayersReading(_of_name(text, input_hwc, classes), typed=False)


def _refuse_classes(classes: int | None) -> None:
    if classes is not None:
        raise UsageError("--classes is for presets and models by name", remedy="leave it out")


def _is_typed(text: str) -> bool:
    """Whether `text` is a list of layers, not the name of a model."""
    if any(mark in text.strip() for mark in " ,|;()→>\n"):
        return True
    tokens = cut(text) if ":" not in text else []
    return bool(tokens) and (tokens[0].kind in ("size", "number") or is_layer_word(tokens[0]))


def _of_file(path: Path, input_hwc: tuple[int, int, int] | None) -> Network:
    """A run's graph, or a graph."""
    from striate.arithmetic.onnx_layers import layers_of_graph

    if path.suffix == ".onnx":
        return layers_of_graph(path, input_hwc=input_hwc)
    from striate.runs.run import Run

    run = Run.open(path)
    graphs = run.header.graphs
    name = "main" if "main" in graphs else next(iter(graphs))
    title = run.name if len(graphs) == 1 else f"{run.name}, graph {name}"
    return layers_of_graph(run.file(graphs[name]), input_hwc=input_hwc, title=title)


def _of_name(name: str, input_hwc: tuple[int, int, int] | None, classes: int | None) -> Network:
    """Any other model: torch builds it without memory. The one door to the half that needs torch."""
    try:
        torch_half = import_module("striate.nn.layers")
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("striate"):
            raise
        raise MissingExtraError(
            error.name, "train", needed_for=f"the model {name!r}, which is none of {', '.join(PRESETS)},"
        ) from error
    network: Network = torch_half.layers_of_name(name, input_hwc=input_hwc, classes=classes)
    return network


# -- the solver -------------------------------------------------------------------------------


def is_solver(text: str) -> bool:
    """Whether `text` asks in terms: F=5 S=2 P=?."""
    return is_question(text)


def solve_layers(text: str) -> Solution:
    """What fits: `F=5, S=2, P=?`, with N=… for one picture side, O=… for one output side."""
    question = read_question(text)
    answers = tuple(solve(question))
    if question.size is None:
        return Solution(question, answers, _other_sizes(question, answers))
    return Solution(question, answers, "" if answers else _hint(question))


def _other_sizes(question: Question, answers: Sequence[Answer]) -> str:
    """What of picture sides that no padding fits."""
    stride, kernel = question.stride, question.kernel
    assert stride is not None
    assert kernel is not None
    span = (kernel - 1) * question.dilation + 1
    fits = {(span - 2 * one.padding) % stride for one in answers}
    if len(fits) == stride:
        return ""
    who = ("an odd N" if 0 in fits else "an even N") if stride == 2 else "other N"
    padding = (span - 1) // 2
    rule = f"; with P={padding} frameworks round down to ⌈N/{stride}⌉" if span % 2 else ""
    return f"No padding fits {who}{rule}."


def _hint(question: Question) -> str:
    """Why nothing fits, and what would."""
    kernel, stride, padding = question.kernel, question.stride, question.padding
    assert question.size is not None
    if kernel is None or stride is None:
        return "no window fits"
    slide = Slide(kernel, stride, padding or 0, padding or 0, question.dilation)
    if padding is None and stride % 2 == 0 and (question.size - slide.span) % 2:
        why = f"{question.size}−{slide.span}+2·P is odd for every P, and the stride {stride} is even"
        return f"{why}; {nearest_fits(question.size, slide)}"
    try:
        output = fitted(question.size, slide)
    except UsageError as error:
        return f"{error.what}; {error.expected}"
    return f"the output is {output}, not {question.output}"
