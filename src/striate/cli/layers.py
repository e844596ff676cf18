"""`striate layers`: sizes, parameters and receptive fields of layers or a model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from striate.cli.output import Output
from striate.errors import UsageError

if TYPE_CHECKING:
    from striate.verbs.layers.table import LayersReading

__all__ = ["layers"]


def layers(
    *model: str,
    input_size: Annotated[str | None, Parameter(name="--input", metavar="HxWxC")] = None,
    classes: int | None = None,
    floor: bool = False,
    every: Annotated[bool, Parameter(name="--all")] = False,
    unit: Annotated[str | None, Parameter(metavar="LAYER:ROW,COLUMN")] = None,
    picture: Path | None = None,
    solve: str | None = None,
    out: Path | None = None,
    overwrite: bool = False,
    json: bool = False,
) -> int:
    """Count sizes, parameters, multiply-adds, memory and receptive fields, layer by layer.

    Layers can be typed: striate layers "32x32x3 conv10 5x5 p2 | relu | maxpool 2x2 | dense 10". A ?
    is answered with all that fits: "7x7x1 conv1 3x3 s2 p?", or in terms: "F=5, S=2, P=?".

    Args:
        model: Typed layers, a preset (alexnet, zfnet, vgg16, vgg19, googlenet, resnet18 to resnet152,
            deck-cnn, lenet5), the folder of a run, an .onnx file, or any model of timm or
            torchvision:NAME.
        input_size: Size of the input, as 224x224x3; by default what the model was made for.
        classes: Outputs of the last layer of a preset or a model by name.
        floor: Round down where a typed convolution does not fit, as frameworks do.
        every: Show every layer on a line of its own, and repeated blocks as often as they come.
        unit: Also tell which input patch this unit sees; a layer alone stands for its middle unit.
        picture: Show the patch on this picture.
        solve: Answer a question such as "F=5, S=2, P=?", and nothing else.
        out: Draw the network to this file: .png, or .html, where a unit can be clicked.
        overwrite: Let --out replace a file that is there.
        json: Write one JSON object.
    """
    from striate.verbs.layers.table import is_solver, read_layers

    output = Output(json=json)
    text = " ".join(model).strip()
    question = solve or text
    if bool(solve) == bool(text):
        raise UsageError(
            "a question and a model" if solve else "no layers were given",
            expected="one of them" if solve else 'layers such as "32x32x3 conv10 5x5 p2", or a name',
        )
    if is_solver(question):
        return _solve(output, question)
    if picture is not None and out is None:
        raise UsageError("--picture was given without --out", expected="a file to draw to")
    found = read_layers(question, input_size=input_size, classes=classes, floor=floor, unit=unit)
    written = None
    if out is not None:
        from striate.verbs.layers.drawing import write_layers

        written = write_layers(found, out, picture=picture, overwrite=overwrite)
    if json:
        output.line(found.to_dict() | ({} if written is None else {"drawing": str(written)}))
    else:
        _show(output, found, every=every, solved=bool(solve))
        if written is not None:
            output.facts("Next", [("look", str(written))], talk=True)
    return 0


def _solve(output: Output, question: str) -> int:
    from striate.cli.layers_table import show_solution
    from striate.verbs.layers.table import solve_layers

    found = solve_layers(question)
    if output.json:
        output.line(found.to_dict())
    else:
        show_solution(output, found)
    return 0


def _show(output: Output, found: LayersReading, *, every: bool, solved: bool) -> None:
    from striate.cli.layers_table import show_fittings, show_network, show_patch

    if found.fittings:
        show_fittings(output, found, alone=solved)
    if not (solved and found.fittings):
        show_network(output, found, every=every)
    if found.patch is not None:
        show_patch(output, found)
