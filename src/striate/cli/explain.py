"""`striate explain …` and `striate data dimension`: what a trained run is like, measured."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from striate.cli.bars import counting
from striate.cli.output import Output
from striate.cli.reporting import check_free, tell_page, tell_problems, tell_report

if TYPE_CHECKING:
    from striate.explain.inside import Layer

__all__ = ["boundary", "dimension", "invariance", "tuning"]


def tuning(
    run: Path,
    /,
    *,
    unit: Annotated[list[str] | None, Parameter(metavar="LAYER:CHANNEL", negative=())] = None,
    listing: Annotated[bool, Parameter(name="--list", negative=())] = False,
    step: float = 7.5,
    ground: int = 128,
    out: Path | None = None,
    json: bool = False,
    overwrite: bool = False,
) -> int:
    """Play oriented bars and gratings to the units of a run.

    As Hubel and Wiesel did to cells: bars of a few widths, light and dark, at all angles and places.
    Gives the angle that a unit likes best, the width and selectivity of its tuning curve, and how far
    the bar may move. Without --unit, all channels of the layers from first to last are compared.

    Args:
        run: Folder of a trained run.
        unit: A channel of a layer, LAYER:CHANNEL, at the middle of its map or at
            LAYER:CHANNEL@ROW,COLUMN; may be given several times.
        listing: List the layers and their channels, and do nothing else.
        step: Degrees from one angle to the next, 1 to 45.
        ground: Grey level around a bar, 0 to 255.
        out: Also write report.html and tuning.json to this folder.
        json: Write one JSON object with all curves; with --list one a layer.
        overwrite: Replace an earlier report.
    """
    from striate.verbs.explain import tuning as explain_tuning

    output = Output(json=json)
    if listing:
        _layers(output, explain_tuning.unit_layers(run))
        return 0
    check_free(out, explain_tuning.FILES, overwrite=overwrite)
    with counting(output, "playing bars") as listen:
        found = explain_tuning.tuning(run, unit or (), step_deg=step, ground=ground, listen=listen)
    page = None if out is None else found.save(out, overwrite=overwrite)
    tell_report(output, found.run, found.statements, found.to_dict(), page)
    return 0


def invariance(
    run: Path,
    data: str,
    /,
    *,
    out: Path | None = None,
    split: Literal["auto", "train", "validation", "test", "all"] = "auto",
    border: Literal["reflect", "grey"] = "reflect",
    at_most: int = 500,
    seed: int = 0,
    threads: int = 0,
    json: bool = False,
    overwrite: bool = False,
) -> int:
    """Measure what shift, rotation and scale do to a run's answers and layers.

    Pictures are moved as the network sees them. Accuracy (or error) and agreement with the answer to the
    unmoved picture are measured with intervals, and for each layer whether its map moves along
    (equivariance) or stays (invariance).

    Args:
        run: Folder of a trained run.
        data: A folder, a table or the name of an embedded set, as for striate evaluate.
        out: Also write report.html and invariance.json to this folder.
        split: What to measure; auto takes the test split, else the validation split, else everything.
        border: What comes in from beyond the edge: the picture mirrored, or grey.
        at_most: Of more pictures, take so many.
        seed: Seed of which are taken, and of the intervals.
        threads: Processor cores to use; 0 takes all.
        json: Write one JSON object with all curves.
        overwrite: Replace an earlier report.
    """
    from striate.verbs.explain import invariance as explain_invariance

    output = Output(json=json)
    check_free(out, explain_invariance.FILES, overwrite=overwrite)
    with counting(output, "moving pictures") as listen:
        found = explain_invariance.invariance(
            run,
            data,
            split=split,
            border=border,
            at_most=at_most,
            seed=seed,
            threads=threads,
            listen=listen,
        )
    page = None if out is None else found.save(out, overwrite=overwrite)
    tell_problems(output, found.problems)
    tell_report(output, found.run, found.statements, found.to_dict(), page)
    return 0


def boundary(
    run: Path,
    data: str | None = None,
    /,
    *,
    out: Path,
    through: Annotated[tuple[Path, Path, Path] | None, Parameter(metavar="A B C", negative=())] = None,
    plane: Literal["pictures", "features"] = "pictures",
    grid: int = 0,
    split: Literal["auto", "train", "validation", "test", "all"] = "auto",
    at_most: int = 500,
    seed: int = 0,
    threads: int = 0,
    json: bool = False,
    overwrite: bool = False,
) -> int:
    """Draw where a classifier changes its mind.

    The plane of pictures goes through three of them; each of its points is a picture, coloured by the
    run's own answer to it. The plane of features lays pictures out by what the run's last hidden layer
    makes of them, over the vote of their neighbours.

    Args:
        run: Folder of a trained classifier.
        data: A folder, a table or an embedded set; not needed with --through.
        out: The picture file to write.
        through: Three picture files for the plane to go through; by default typical ones of the three
            classes that the run mixes up most.
        plane: What spans the plane.
        grid: Points along a side; 0 takes 96, or 48 for inputs above 64 pixels.
        split: Where to take pictures from; auto takes the test split, else validation, else everything.
        at_most: Of more pictures, take so many.
        seed: Seed of which are taken.
        threads: Processor cores to use; 0 takes all.
        json: Write one JSON object.
        overwrite: Let --out replace a file that is there.
    """
    from striate.verbs.explain.boundary import boundary as draw
    from striate.verbs.outputs import writable

    output = Output(json=json)
    writable(out, overwrite=overwrite)
    with counting(output, "asking the run") as listen:
        found = draw(
            run, data, through=through or (), plane=plane, grid=grid, split=split, at_most=at_most,
            seed=seed, threads=threads, listen=listen,
        )  # fmt: skip
    drawn = found.save(out, overwrite=overwrite)
    if json:
        output.line({**found.to_dict(), "out": str(drawn)})
        return 0
    shares = zip(found.answers.names, found.answers.shares, strict=True)
    output.facts(f"Answers of {found.run}", [(name, f"{100 * share:.1f} %") for name, share in shares])
    output.listing("What is drawn", [(note, "") for note in found.notes], style="bold")
    tell_page(output, drawn)
    return 0


def dimension(
    data: str,
    /,
    *,
    run: Path | None = None,
    layer: Annotated[list[str] | None, Parameter(metavar="LAYER", negative=())] = None,
    size: str | None = None,
    out: Path | None = None,
    at_most: int = 2000,
    seed: int = 0,
    json: bool = False,
    overwrite: bool = False,
) -> int:
    """Estimate along how many directions your pictures vary.

    The intrinsic dimension of the set, by TwoNN (Facco et al. 2017) and by maximum likelihood (Levina &
    Bickel 2004). With a run, also that of its last hidden features and of its outputs.

    Args:
        data: A folder of pictures with or without labels, a table, or the name of an embedded set.
        run: Folder of a trained run: pictures are brought to its input, its layers are measured too.
        layer: A further layer of the run; may be given several times.
        size: Without a run: side in pixels, or HEIGHTxWIDTH, to bring pictures to; by default what
            striate would train on.
        out: Also write report.html and dimension.json to this folder.
        at_most: Of more pictures, take so many.
        seed: Seed of which are taken, and of the intervals.
        json: Write one JSON object.
        overwrite: Replace an earlier report.
    """
    from striate.verbs.explain import dimension as explain_dimension

    output = Output(json=json)
    check_free(out, explain_dimension.FILES, overwrite=overwrite)
    found = explain_dimension.dimension(
        data, run=run, layers=layer or (), size=size, at_most=at_most, seed=seed
    )
    page = None if out is None else found.save(out, overwrite=overwrite)
    tell_problems(output, found.problems)
    tell_report(output, found.source, found.statements, found.to_dict(), page)
    return 0


def _layers(output: Output, layers: Sequence[Layer]) -> None:
    if output.json:
        for one in layers:
            output.line(one.to_dict())
        return
    output.facts(
        "Layers",
        [(one.name, f"{' × '.join(map(str, one.shape))}  {one.kind}") for one in layers],
    )
    output.say(f"a unit is LAYER:CHANNEL, for instance {layers[0].name}:{layers[0].channels - 1}")
