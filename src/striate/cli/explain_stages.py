"""`striate explain stages`: how a detector that judges regions came to its answer."""

from __future__ import annotations

from pathlib import Path

from striate.cli.output import Output

__all__ = ["stages"]


def stages(
    run: Path,
    picture: Path,
    /,
    *,
    out: Path,
    most: int = 40,
    json: bool = False,
    overwrite: bool = False,
) -> int:
    """Show the stages by which a region detector came to its answer.

    For runs of the methods rcnn, fast-rcnn and faster-rcnn: the regions that were proposed, those that
    some class likes, how each was moved to its object, and what is left after suppression; four
    pictures, a page and JSON. In words such as "too far left by 0.25 of its width", it says how each
    region had to change, and at which look it lay well.

    Args:
        run: Folder of a trained run.
        picture: A picture file.
        out: Folder to write 1-proposals.png, 2-judged.png, 3-adjusted.png, 4-kept.png, stages.json and
            stages.html to.
        most: Draw so many of the proposals, the best.
        json: Write one JSON object with every look at every detection.
        overwrite: Replace what was written to the folder before.
    """
    from striate.verbs.explain import stages as explain_stages
    from striate.verbs.explain.stages_trace import delta_words
    from striate.verbs.outputs import writable

    output = Output(json=json)
    for name in explain_stages.FILES:
        writable(out / name, overwrite=overwrite)
    found = explain_stages.stages(run, picture, most=most)
    page = found.save(out, overwrite=overwrite)
    if json:
        output.line({**found.to_dict(), "out": str(out), "report": str(page)})
        return 0
    output.listing(
        f"{found.run} on {found.path}", [(one, "") for one in found.statements()], style="bold"
    )
    for one in found.traced:
        output.facts(
            f"{one.label} {one.score:.2f}",
            [
                *((f"look {step.look}", delta_words(step.delta)) for step in one.steps),
                ("box", " ".join(f"{edge:.0f}" for edge in one.box_xyxy)),
            ],
        )
    output.facts("Next", [("look", str(page))], talk=True)
    return 0
