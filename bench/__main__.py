"""`python -m bench [NAME…]`: measure striate beside what a user would pick instead."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from bench import (
    attribution,
    augment_policies,
    baselines,
    cifar10,
    cold_predict,
    corruptions,
    demo,
    detect_bccd,
    detect_latency,
    detect_parity,
    detect_regions,
    detect_wait,
    detect_window,
    detection_map,
    dissection,
    faithfulness,
    fashion,
    features,
    gradcam,
    kills,
    latency,
    mutated_pictures,
    poses,
    proposals,
    startup,
    step,
    stress_card,
    stress_fix,
    throughput,
)
from bench.outcome import Outcome, Row
from bench.processes import BenchmarkFailed
from bench.record import ROOT, load, load_average, save
from bench.table import as_markdown, print_table, put_into
from bench.workbench import Wishes, Workbench

PAGE = ROOT / "docs" / "benchmarks.md"


@dataclass(frozen=True, slots=True)
class Benchmark:
    """What it shows, about how long it takes on two cores, and what runs it."""

    about: str
    minutes: float
    run: Callable[[Workbench], Outcome]


BENCHMARKS: Mapping[str, Benchmark] = {
    "startup": Benchmark("striate --help and import striate", 0.5, startup.run),
    "cold_predict": Benchmark("one picture from a cold start, against ultralytics", 3, cold_predict.run),
    "latency": Benchmark("one picture, loaded run, against bare ONNX Runtime", 2, latency.run),
    "throughput": Benchmark("a folder of photos, against fastai and ultralytics", 12, throughput.run),
    "step": Benchmark("a training step, against a hand-written torch loop", 3, step.run),
    "cifar10": Benchmark("CIFAR-10 to 85 %, against fastai", 40, cifar10.run),
    "fashion": Benchmark("Fashion-MNIST in five minutes", 6, fashion.run),
    "demo": Benchmark("the digits demo, to its report", 2, demo.run),
    "detection_map": Benchmark(
        "AP of 150 000 detections, against pycocotools and faster-coco-eval", 4, detection_map.run
    ),
    "proposals": Benchmark("region proposals, beside OpenCV's", 3, proposals.run),
    "detect_window": Benchmark(
        "sliding windows as one convolution, against one by one", 2, detect_window.run
    ),
    "detect_regions": Benchmark("2 000 proposals in batches, against one by one", 3, detect_regions.run),
    "detect_parity": Benchmark("an exported detector, against torch", 3, detect_parity.run),
    "detect_latency": Benchmark(
        "a loaded detector, against ultralytics' ONNX path", 4, detect_latency.run
    ),
    "detect_wait": Benchmark("what of a training epoch is waiting for data", 2, detect_wait.run),
    "detect_bccd": Benchmark("ways to detect, trained for equal time", 30, detect_bccd.run),
    "kills": Benchmark("20 kills at random moments, bit-identical resumes", 8, kills.run),
    "features": Benchmark(
        "HOG, Haar and layer tables, against OpenCV and scikit-image", 1, features.run
    ),
    "corruptions": Benchmark("15 corruptions, against imagecorruptions", 10, corruptions.run),
    "stress_card": Benchmark("a stress card of 10 000 pictures, all axes", 12, stress_card.run),
    "stress_fix": Benchmark("the card's advice, tried on scenes", 12, stress_fix.run),
    "gradcam": Benchmark("Grad-CAM from a cold start, against importing torch", 2, gradcam.run),
    "attribution": Benchmark("how faithful each attribution is, on clothing10", 8, attribution.run),
    "faithfulness": Benchmark(
        "whether the verdict on an explanation can be trusted", 6, faithfulness.run
    ),
    "dissection": Benchmark("what units find, trained and random, on CamVid", 5, dissection.run),
    "poses": Benchmark("strange poses of drawn solids", 3, poses.run),
    "augment_policies": Benchmark(
        "augmentation of batches, against torchvision picture by picture", 3, augment_policies.run
    ),
    "baselines": Benchmark("hand-made features with a learner, beside a CNN", 6, baselines.run),
    "mutated_pictures": Benchmark("broken pictures are read or refused", 2, mutated_pictures.run),
}


def measure(name: str, *, quick: bool, console: Console, wishes: Wishes) -> Outcome:
    """Run one benchmark in a scratch folder of its own, and write its result file."""
    load_before = load_average()
    if load_before > 0.5 and not quick:
        console.print(f"[yellow]the machine is busy (load {load_before:.1f}): figures will be off[/]")
    began = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix=f"striate-bench-{name}-") as folder:
        bench = Workbench(
            Path(folder),
            quick=quick,
            say=lambda words: console.print(f"  {escape(words)} …", style="dim"),
            wishes=wishes,
        )
        outcome = BENCHMARKS[name].run(bench)
        peers = bench.peers.versions() if bench.peers_used else None
    wall = time.perf_counter() - began
    path = save(
        name,
        outcome,
        quick=quick,
        wall_s=wall,
        load_before=load_before,
        peer_versions=peers,
        flags=wishes.as_flags(),
    )
    console.print(f"  {wall:.0f} s, {path.relative_to(ROOT)}", style="dim")
    return outcome


def measure_all(names: Sequence[str], *, quick: bool, console: Console, wishes: Wishes) -> int:
    """Run them one after the other; a failure is told at the end and stops none of the others."""
    rows: list[Row] = []
    failed: list[str] = []
    for name in names:
        console.print(f"[bold]{name}[/]: {BENCHMARKS[name].about}")
        try:
            rows += measure(name, quick=quick, console=console, wishes=wishes).rows
        except BenchmarkFailed as error:
            console.print(f"[bold red]{name} failed[/]: {escape(str(error))}", highlight=False)
            failed.append(name)
    title = "smoke run: it works; the figures mean nothing" if quick else "striate beside its peers"
    results = Console()
    if not results.is_terminal:
        results = Console(width=160)
    print_table(results, rows, title=title)
    missed = [] if quick else [row.what for row in rows if row.reached is False]
    for words in (*failed, *missed):
        console.print(f"[bold red]not reached[/]: {escape(words)}")
    return 1 if failed or missed else 0


def tell_table(console: Console) -> int:
    """All saved results as one table, printed and put into docs/benchmarks.md."""
    results = {name: found for name in BENCHMARKS if (found := load(name)) and "rows" in found}
    if not results:
        console.print("there are no results yet: run python -m bench first")
        return 2
    table = as_markdown(results)
    print(table)
    if not put_into(PAGE, table):
        console.print(f"{PAGE} has no place for it")
        return 1
    return 0


def tell_list() -> None:
    for name, one in BENCHMARKS.items():
        print(f"{name:18} {one.about} (about {one.minutes:g} min)")


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help="which benchmarks; all if none is named"
    )
    parser.add_argument("--list", action="store_true", help="list them and stop")
    parser.add_argument("--quick", action="store_true", help="a smoke version of each: does it work?")
    parser.add_argument(
        "--table", action="store_true", help="put the saved results into docs/benchmarks.md"
    )
    detectors = parser.add_argument_group("for benchmarks of trained runs")
    detectors.add_argument(
        "--run", action="append", type=Path, default=[], metavar="RUN", help="measure this finished run"
    )
    detectors.add_argument("--methods", default="", metavar="A,B", help="train these (fcos)")
    detectors.add_argument("--minutes", type=float, help="time budget of each training")
    asked = parser.parse_args(words)
    console = Console(stderr=True)
    if asked.list:
        tell_list()
        return 0
    if asked.table:
        return tell_table(console)
    unknown = [name for name in asked.names if name not in BENCHMARKS]
    if unknown:
        parser.error(f"no benchmark called {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
    methods = tuple(name.strip() for name in asked.methods.split(",") if name.strip())
    wishes = Wishes(tuple(path.resolve() for path in asked.run), methods, asked.minutes)
    names = asked.names or list(BENCHMARKS)
    return measure_all(names, quick=asked.quick, console=console, wishes=wishes)


if __name__ == "__main__":
    sys.exit(main())
