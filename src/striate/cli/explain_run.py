"""`striate explain RUN PICTURE…`: why a run said that; and what its units look for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Protocol

from cyclopts import Parameter

from striate.cli.bars import Watch, counting, watched
from striate.cli.explain_told import Progress, other_methods, tell_one
from striate.cli.explain_words import Split, Words, way_of
from striate.cli.output import Output
from striate.cli.reporting import check_free, tell_problems, tell_report
from striate.errors import UsageError

if TYPE_CHECKING:
    from striate.explain.explanation import Explanation
    from striate.types import Problem

__all__ = ["explain"]


def explain(
    run: Path,
    /,
    *pictures: str,
    out: Path | None = None,
    method: Annotated[list[str] | None, Parameter(negative=())] = None,
    about: Annotated[
        list[str] | None, Parameter(name=("--about", "--class", "--target", "--detection"), negative=())
    ] = None,
    layer: Annotated[list[str] | None, Parameter(negative=())] = None,
    masks: int = 1000,
    windows: int = 4,
    no_check: Annotated[bool, Parameter(name="--no-check", negative=())] = False,
    maps: Annotated[bool, Parameter(negative=())] = False,
    class_map: Annotated[bool, Parameter(negative=())] = False,
    neurons: str | None = None,
    dissect: str | None = None,
    live: str | None = None,
    tsne: str | None = None,
    data: str | None = None,
    split: Split = "auto",
    channel: Annotated[list[int] | None, Parameter(negative=())] = None,
    count: int = 0,
    top: int = 9,
    steps: int = 160,
    against: Annotated[list[str] | None, Parameter(negative=())] = None,
    active: float = 0.005,
    port: int = 0,
    every: int = 1,
    loop: Annotated[bool, Parameter(negative=())] = False,
    at_most: int = 0,
    seed: int = 0,
    threads: int = 0,
    json: bool = False,
    overwrite: bool = False,
) -> int:
    """Show why a run answered as it did for pictures, and what is inside it.

    With pictures: heat over each, by one or several methods: gradcam, gradcam++, layercam, hirescam,
    saliency, input-x-gradient, integrated, smoothgrad, guided-backprop, guided-gradcam, deconv, and
    occlusion and rise, which only ask the model and so work for hand-made ones too. Each map is tested
    on its own picture (deletion, insertion, a network with random weights) and crossed out where it
    fails.

    With --maps, --class-map, --neurons, --dissect, --tsne or --live: what the layers make of a picture,
    where in a large picture which class is seen, what units look for, which concepts they answer to, how
    a layer lays pictures out, and a live view of them. `striate explain` alone names four more ways:
    tuning, invariance, boundary and stages.

    Args:
        run: Folder of a trained run.
        pictures: Picture files, folders, patterns, or an embedded set or a picture of it, such as
            scenes or scenes/00012.
        out: Folder for explain.html, explain.json and a sheet NAME.png a picture.
        method: How to find out; may be given several times. By default gradcam, for detections layercam,
            for networks without maps integrated, for hand-made models occlusion.
        about: What to explain: a class, a target, or the number of a detection from 1; may be given
            several times, but once with --neurons. By default what the answer is surest of.
        layer: The layer to look at; by default chosen and told. Unknown ones list the choices.
        masks: Random masks of rise.
        windows: With --class-map, so many fit side by side along the shorter side; more for smaller
            things.
        no_check: Leave out the checks: faster, and nothing says whether to believe the maps.
        maps: Show what every layer makes of one picture, and the filters.
        class_map: Show where in one large picture a classifier sees which class; the picture goes
            through the network once.
        neurons: Show what channels of this layer look for; "all" from first to last.
        dissect: A segmented data set to hold the units against.
        live: Number of a camera, a film or a folder to watch the layers by; with --out as a page.
        tsne: Lay the pictures of --data out by what this layer makes of them.
        data: Pictures for --neurons and --tsne.
        split: What of --data or --dissect to take.
        channel: With --neurons, these channels.
        count: With --neurons, so many channels.
        top: With --neurons, patches a channel.
        steps: With --neurons, steps of the synthesis; 0 leaves it out.
        against: With --dissect, further runs, or random for the same network untrained.
        active: With --dissect, the share of all places at which a unit counts as active.
        port: With --live, the port; 0 takes a free one.
        every: With --live, only every so many frames.
        loop: With --live, a film begins again.
        at_most: Of more pictures, take so many; by default all to explain, 2000 for --neurons and
            --tsne, 500 for --dissect, 60 moments for --live, and 64 channels a layer for --maps.
        seed: Seed of everything random.
        threads: Processor cores to use; 0 takes all.
        json: Write one JSON object a picture, or one for the whole.
        overwrite: Replace what was written before.
    """
    words = Words(
        run, pictures, out, tuple(method or ()), tuple(about or ()), tuple(layer or ()), masks,
        windows, not no_check, neurons or "", dissect or "", live or "", tsne or "", data, split,
        tuple(channel or ()), count, top, steps, tuple(against or ()), active, port, every, loop,
        at_most, seed, threads, overwrite,
    )  # fmt: skip
    return _WAYS[way_of(words, maps=maps, class_map=class_map)](Output(json=json), words)


def _why(output: Output, words: Words) -> int:
    from itertools import islice

    from striate.verbs.explain.why import explain_all
    from striate.verbs.model import load

    if words.out is None:
        raise UsageError("where to write is missing", remedy="add --out FOLDER")
    from striate.verbs.explain.why_report import first_names, free_folder, write_explanations
    from striate.verbs.explain.why_sources import check_apart

    free_folder(words.out, overwrite=words.overwrite)
    check_apart(words.pictures, words.out)
    model = load(words.run, threads=words.threads)
    progress = Progress(output)
    found: Iterator[Explanation] = explain_all(
        model,
        words.pictures,
        method=words.methods,
        about=words.about,
        layer=words.layer,
        masks=words.masks,
        check=words.check,
        seed=words.seed,
        threads=words.threads,
        skip=words.out,
        listen=progress,
    )
    told: list[Explanation] = []
    written = write_explanations(
        progress.each(islice(found, words.at_most) if words.at_most else found),
        words.out,
        run=model.run.name,
        given=first_names(words.pictures),
        overwrite=words.overwrite,
        tell=lambda one, file: tell_one(output, told, one, file),
    )
    if not output.json:
        if written.pictures > 1:
            output.listing(
                f"{written.run} on {written.pictures} pictures",
                [(one, "") for one in written.statements],
                style="bold",
            )
        output.facts("Next", [("look", str(written.page)), *other_methods(words, written)], talk=True)
    return 0


class _Found(Protocol):
    """What the other ways of looking give."""

    @property
    def run(self) -> str: ...
    @property
    def statements(self) -> Sequence[str]: ...
    def to_dict(self) -> dict[str, Any]: ...
    def save(self, folder: Path, *, overwrite: bool = False) -> Path: ...


def _whole(
    output: Output,
    words: Words,
    files: Sequence[str],
    doing: str,
    find: Callable[[Watch], _Found],
    problems: Callable[[Any], Sequence[Problem]] = lambda _: (),
) -> int:
    """Look, write, tell."""
    check_free(words.out, files, overwrite=words.overwrite)
    with watched(output) as watch:
        if output.watched:  # until more is known
            watch(doing, 0, None)
        found = find(watch)
        page = None if words.out is None else found.save(words.out, overwrite=words.overwrite)
    tell_problems(output, problems(found))
    tell_report(output, found.run, found.statements, found.to_dict(), page)
    return 0


def _neurons(output: Output, words: Words) -> int:
    # by name: it can reach torch, which the commands may not
    verb: Any = import_module("striate.verbs.explain.neurons")

    def find(watch: Watch) -> _Found:
        found: _Found = verb.neurons(
            words.run,
            words.neurons,
            data=words.data,
            split=words.split,
            channels=words.channels,
            class_name=words.about[0] if words.about else "",
            count=words.count,
            top=words.top,
            steps=words.steps,
            at_most=words.at_most or 2000,
            seed=words.seed,
            threads=words.threads,
            listen=watch,
        )
        return found

    return _whole(output, words, verb.FILES, "looking for what units like", find, _problems_of)


def _dissect(output: Output, words: Words) -> int:
    from striate.verbs.explain import dissect as verb

    def find(watch: Watch) -> _Found:
        return verb.dissect(
            words.run,
            words.dissect,
            layers=words.layers,
            against=words.against,
            top=words.active,
            split=words.split,
            at_most=words.at_most or 500,
            seed=words.seed,
            threads=words.threads,
            listen=watch,
        )

    return _whole(output, words, verb.FILES, "holding units against concepts", find, _problems_of)


def _tsne(output: Output, words: Words) -> int:
    from striate.verbs.explain import tsne as verb

    data = words.data
    if data is None:
        raise UsageError("--tsne needs pictures to lay out", remedy="add --data DIR")

    def find(watch: Watch) -> _Found:
        return verb.layer_map(
            words.run,
            words.tsne,
            data,
            split=words.split,
            at_most=words.at_most or 2000,
            seed=words.seed,
            threads=words.threads,
            listen=lambda done, of: watch("laying pictures out", done, of),
        )

    return _whole(output, words, verb.FILES, "laying pictures out", find, _problems_of)


def _maps(output: Output, words: Words) -> int:
    from striate.verbs.explain import maps as verb

    if len(words.pictures) != 1:
        raise UsageError(f"{len(words.pictures)} pictures were given", expected="one for --maps")

    def find(watch: Watch) -> _Found:
        return verb.feature_maps(
            words.run, words.pictures[0], at_most=words.at_most or 64, threads=words.threads
        )

    return _whole(output, words, verb.FILES, "looking at every layer", find)


def _class_map(output: Output, words: Words) -> int:
    from striate.verbs.explain import class_map as verb

    if len(words.pictures) != 1:
        raise UsageError(f"{len(words.pictures)} pictures were given", expected="one for --class-map")

    def find(watch: Watch) -> _Found:
        return verb.class_map(
            words.run,
            words.pictures[0],
            about=words.about,
            windows=words.windows,
            threads=words.threads,
        )

    return _whole(output, words, verb.FILES, "looking at every window", find)


def _live(output: Output, words: Words) -> int:
    from striate.verbs.explain import live as verb

    if words.out is None:
        summary = verb.live(
            words.run,
            words.live,
            layer=words.layer,
            port=words.port,
            every=words.every,
            loop=words.loop,
            threads=words.threads,
            announce=lambda address: _announce(output, address),
        )
        if output.json:
            output.line(summary.to_dict())
        return 0
    check_free(words.out, verb.FILES, overwrite=words.overwrite)
    with counting(output, "watching the film", unit="moments") as count:
        written = verb.write_live(
            words.run,
            words.live,
            words.out,
            layer=words.layer,
            every=words.every,
            at_most=words.at_most or 60,
            threads=words.threads,
            overwrite=words.overwrite,
            listen=count,
        )
    tell_report(output, written.run, written.statements, written.to_dict(), written.page)
    return 0


def _announce(output: Output, address: str) -> None:
    """Where to look, at once: the call ends only when the view does."""
    if output.json:
        output.line({"address": address})
    else:
        output.say(f"look: {address}  (Ctrl-C ends)")


def _problems_of(found: Any) -> Sequence[Problem]:
    problems: Sequence[Problem] = found.problems
    return problems


_WAYS: Mapping[str, Callable[[Output, Words], int]] = {
    "why": _why,
    "maps": _maps,
    "class-map": _class_map,
    "neurons": _neurons,
    "dissect": _dissect,
    "tsne": _tsne,
    "live": _live,
}
