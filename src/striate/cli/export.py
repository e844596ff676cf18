"""`striate export`: a run's model as a file of its own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from striate.cli.output import Output

if TYPE_CHECKING:
    from striate.verbs.export import Export

__all__ = ["export"]


def export(
    run: Path,
    /,
    *pictures: Path,
    out: Path,
    format: Literal["onnx", "openvino"] = "onnx",  # noqa: A002 - the flag's name
    overwrite: bool = False,
    json: bool = False,
) -> int:
    """Write a run's model as one file that works without striate.

    In go pictures as uint8 RGB (batch, height, width, 3), resized; out come the answers. Normalisation
    and calibration are inside; names, task, input size and licence are in its metadata. The file is
    compared with the run before it appears.

    Args:
        run: Folder of a trained run.
        pictures: Pictures of yours on which to compare, too.
        out: File to write: .onnx, or .xml for openvino (its .bin is written beside).
        format: Kind of file; openvino is an extra.
        overwrite: Replace a file that is there and was not exported by striate.
        json: Write one JSON object.
    """
    from striate.verbs.export import export as write

    output = Output(json=json)
    found = write(run, out, format=format, pictures=pictures, overwrite=overwrite)
    if json:
        output.line(found.to_dict())
    else:
        output.facts(" and ".join(found.files), _rows(found))
    return 0


def _rows(found: Export) -> list[tuple[str, str]]:
    from striate.runs.atomic import shown_bytes

    height, width = found.input_hw
    names, count = ", ".join(found.names[:8]), len(found.names)
    worst = max(found.differences.values())
    apart = f"at most {worst:.1e} apart (allowed {found.tolerance:g})" if worst else "the same answers"
    return [
        ("size", shown_bytes(found.bytes)),
        ("input", f"pictures: uint8 (batch, {height}, {width}, 3), RGB"),
        ("outputs", ", ".join(found.differences)),
        ("names", names + (f" … ({count} in all)" if count > 8 else "")),
        ("licence", str(found.metadata.get("weights_licence", "not stated"))),
        ("parity", f"{apart}, on {found.compared_on} pictures"),
    ]
