"""`striate picture`: a picture as a network sees it, which is as numbers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from striate.cli.output import Output
from striate.errors import UsageError

if TYPE_CHECKING:
    from striate.types import Picture

__all__ = ["dimensions", "flatten", "grid"]


def grid(
    picture: Path,
    /,
    *,
    channels: Literal["grey", "rgb"] = "grey",
    region: tuple[int, int, int, int] | None = None,
    out: Path | None = None,
    json: bool = False,
) -> int:
    """Show pixels as the numbers from 0 to 255 that they are.

    A small picture is shown whole, of a large one the middle.

    Args:
        picture: A picture file.
        channels: One number a pixel, or three.
        region: The part to show: top, left, height and width in pixels.
        out: Also draw the numbers in cells of their own colour, to this picture file.
        json: Write one JSON object with the numbers.
    """
    from striate.pictures import number_grid, read

    output = Output(json=json)
    try:
        found = number_grid(read(picture), region=region, channels=channels)
    except ValueError as error:
        raise UsageError(
            str(error), expected="--region TOP LEFT HEIGHT WIDTH within the picture"
        ) from error
    _write(output, found.plot(), out)
    if json:
        output.line(found.to_dict())
    else:
        output.text(f"{found.statement}\n\n{found.text}\n")
    return 0


def flatten(
    picture: Path,
    /,
    *,
    pixel: tuple[int, int] | None = None,
    out: Path | None = None,
    json: bool = False,
) -> int:
    """Show which neighbours part when a picture becomes one row of numbers.

    Args:
        picture: A picture file.
        pixel: Row and column of the pixel to look at; by default the middle.
        out: Also draw the pixel, its neighbours and where they go, to this picture file.
        json: Write one JSON object.
    """
    from striate.pictures import neighbours_view, read, separated_neighbours

    output = Output(json=json)
    pixels = read(picture)
    found = separated_neighbours((pixels.shape[0], pixels.shape[1]))
    if out is not None:
        try:
            drawn = neighbours_view(pixels, pixel)
        except ValueError as error:
            raise UsageError(str(error), expected="--pixel ROW COLUMN within the picture") from error
        _write(output, drawn, out)
    if json:
        output.line(found.to_dict())
    else:
        output.text(f"{found}\n")
    return 0


def dimensions(
    picture: Path, /, *, channels: Literal[1, 3] = 3, nodes: int = 1024, json: bool = False
) -> int:
    """Count the inputs of a picture, and the weights that a first dense layer needs for it.

    Args:
        picture: A picture file; only its size is looked at.
        channels: 1 for grey, 3 for colour.
        nodes: Nodes of the first dense layer.
        json: Write one JSON object.
    """
    from striate.pictures import dimension_report, probe

    if nodes < 1:
        raise UsageError(f"--nodes was given {nodes}", expected="a number from 1")
    output = Output(json=json)
    found = dimension_report(probe(picture).size_hw, channels, nodes)
    if json:
        output.line(found.to_dict())
    else:
        output.text(f"{found}\n")
    return 0


def _write(output: Output, drawn: Picture, out: Path | None) -> None:
    if out is None:
        return
    from striate.pictures import write

    write(drawn, out)
    output.say(f"drawn to {out}")
