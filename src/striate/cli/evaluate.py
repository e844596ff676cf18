"""`striate evaluate`: how good a run is on pictures whose answer is known."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from striate.cli.output import Output

if TYPE_CHECKING:
    from striate.verbs.evaluate import Evaluation

__all__ = ["evaluate"]


def evaluate(
    run: Path,
    data: str,
    /,
    *,
    split: Literal["auto", "train", "validation", "test", "all"] = "auto",
    unseen: bool = False,
    json: bool = False,
    report: Path | None = None,
    overwrite: bool = False,
    backend: Literal["onnxruntime", "openvino"] = "onnxruntime",
    threads: int = 0,
) -> int:
    """Measure a run on pictures whose answer is known.

    Pictures go through the same steps as in striate predict. Those that the model was trained on are
    counted, as they flatter the result.

    Args:
        run: Folder of a trained run.
        data: A folder, a table or the name of an embedded set, as for striate train.
        split: What to measure; auto takes the test split, else the validation split, else everything.
        unseen: Leave out the pictures that the run was trained on.
        json: Write one JSON object with all metrics.
        report: Also write a self-contained HTML page to this file.
        overwrite: Let --report replace a file that is there.
        backend: What runs the model; openvino is an extra.
        threads: Processor cores to use; 0 takes all.
    """
    from striate.verbs.evaluate import evaluate as measure
    from striate.verbs.outputs import writable

    output = Output(json=json)
    page = None if report is None else writable(report, overwrite=overwrite)
    found = measure(run, data, split=split, unseen=unseen, backend=backend, threads=threads)
    if page is not None:
        found.report(page, overwrite=overwrite)
    if json:
        output.line(found.to_dict())
    else:
        _show(output, found, page)
    return 0


def _show(output: Output, found: Evaluation, page: Path | None) -> None:
    rows = [row for row in found.summary() if row[0] != "pictures"]
    rows.append(("pictures", str(found.pictures)))
    output.facts(f"{found.model.run.name}, on {_split(found)}", rows)
    if found.seen_in_training:
        output.say(
            f"{found.seen_in_training} of these pictures were trained on, which flatters the model; "
            "--unseen leaves them out",
            style="yellow",
        )
    for problem in found.problems[:_SHOWN]:
        output.say(f"{problem.severity}: {problem.key}: {problem.reason}", style="yellow")
    if len(found.problems) > _SHOWN:
        output.say(f"… and {len(found.problems) - _SHOWN} more; --json lists all", style="yellow")
    if page is not None:
        output.facts("Next", [("look", str(page))], talk=True)


_SHOWN = 5


def _split(found: Evaluation) -> str:
    return "all pictures" if found.split == "all" else f"{found.split} pictures"
