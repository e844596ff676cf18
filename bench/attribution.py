"""What each method of `striate explain` is worth: deletion, insertion and randomisation, and its pace.

Needs a run trained on clothing10: `python -m bench attribution --run RUN`.
"""

from __future__ import annotations

from pathlib import Path

from bench import pictures
from bench.outcome import Goal, Outcome, Row
from bench.processes import BenchmarkFailed
from bench.workbench import Workbench

FAST = (
    "gradcam",
    "gradcam++",
    "layercam",
    "saliency",
    "integrated",
    "guided-backprop",
    "occlusion",
    "rise",
)


def run(bench: Workbench) -> Outcome:
    if not bench.wishes.runs:
        raise BenchmarkFailed(
            "attribution needs a trained run: striate train "
            f"{pictures.needed('clothing10')} --out clothing --time-budget 10m, then --run clothing"
        )
    model = bench.wishes.runs[0]
    folder = pictures.needed("clothing10") / "validation"
    bench.say("deletion, insertion and randomisation of each method")
    found = bench.ask("attribution_scores", model, folder, bench.times(100, 4), ",".join(FAST))
    bench.say("a thousand pictures with Grad-CAM")
    pace = {str(count): _paced(bench, model, folder, count) for count in _counts(bench)}
    few, many = (pace[str(count)] for count in _counts(bench))
    rows = []
    for name in FAST:
        one = found["trained"][name]
        rows.append(Row(f"{name}: deletion below random", one["deletion_random"] - one["deletion"], ""))
        rows.append(
            Row(f"{name}: insertion above random", one["insertion"] - one["insertion_random"], "")
        )
    rows += [_apart(name, found["separated"][name]) for name in FAST]
    rows += [
        Row("1 000 pictures explained, with checks", many["pictures_per_s"], "pictures/s"),
        Row(
            "memory of 1 000 pictures over that of 100",
            many["peak_mb"],
            "MB",
            Goal("at most", 1.25),
            few["peak_mb"],
            "100 pictures",
            many["peak_mb"] / few["peak_mb"],
        ),
    ]
    return Outcome(rows, {"model": model.name, **found, "pace": pace})


def _apart(name: str, passes: dict[str, float]) -> Row:
    """By how much more often maps of the trained network pass than those of a random one."""
    return Row(
        f"{name} passes its checks, trained network less random network",
        passes["trained_passes"] - passes["random_passes"],
        "",
        Goal("at least", 0.3, ""),
    )


def _counts(bench: Workbench) -> tuple[int, int]:
    return (4, 12) if bench.quick else (100, 1000)


def _paced(bench: Workbench, model: Path, folder: Path, count: int) -> dict[str, float]:
    """`striate explain` on so many pictures, the same ones again where there are fewer."""
    paths = sorted(folder.rglob("*.jpg"))
    linked = bench.fresh(f"many-{count}")
    linked.mkdir()
    for number in range(count):
        (linked / f"{number:05}.jpg").write_bytes(paths[number % len(paths)].read_bytes())
    timing = bench.run_striate("explain", model, linked, "--out", bench.fresh("explained"))
    return {
        "wall_s": timing.wall_s,
        "pictures_per_s": count / timing.wall_s,
        "peak_mb": timing.peak_mb,
    }
