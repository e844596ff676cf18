"""Training a detector by hand-made parts: no torch, one model a class, the same run at the end."""

from __future__ import annotations

import time
from collections.abc import Generator
from typing import Any, final

import numpy as np

from striate.cores import usable_cores
from striate.engine.events import Event, Note, Planned, Stage, Step
from striate.errors import DataError
from striate.graphs import OnnxGraph, collect_outputs, load_graph
from striate.runs.folder import RunWriter
from striate.tasks.detect.data import arrays_of_boxes
from striate.tasks.detect.parts import ClassObjects, Pace, learn_class, objects_by_class, rehearsed
from striate.tasks.detect.parts_graph import ClassParts, found_by_numpy, write_parts_graph
from striate.tasks.detect.task import Detect
from striate.types import Array
from striate.verbs.training.data import Material
from striate.verbs.training.one_pass import OnePass
from striate.verbs.training.seal import Trained, graph_metadata

__all__ = ["PartsTraining"]

_ANSWERING_SHARE = 0.4
"""Of a time budget, what answering on held-out pictures may take."""
_SEARCHES = ((2.0, 6), (2.0, 4), (2.0, 3), (1.0, 4), (1.0, 3), (1.0, 2))
"""(how far pictures are enlarged, sizes for each halving), from thorough to quick."""
_MEASURED = (1.0, 3)
"""The search that is timed, to know what the others take."""
_TIMED = 3
_COMPARED = 4
"""Pictures on which the graph is compared with NumPy, which is slow."""


@final
class PartsTraining(OnePass):
    """A part model of each class.

    With a time budget, a slower moment of the machine leaves less effort, and another run may differ;
    without one, the same seed gives the same run.
    """

    def learn(self, writer: RunWriter, material: Material) -> Generator[Event, None, Trained]:
        assert isinstance(material.task, Detect), "parts are a method of detection"
        found, plan = yield from self._learn(material.task, material)
        return (yield from self._export(writer, material.task, material, found, plan))

    @property
    def threads(self) -> int:
        return usable_cores()

    # -- learning ------------------------------------------------------------------------------

    def _learn(
        self, task: Detect, material: Material
    ) -> Generator[Event, None, tuple[list[ClassParts], dict[str, Any]]]:
        held = material.prepared["train"]
        boxes, _, labels = arrays_of_boxes(material.parts["train"].targets, held.geometry, task.facts)
        classes = objects_by_class(boxes, labels, task.facts)
        yield Stage("tune", "seeing how thorough a search fits into the time")
        search, answering = self._search(task, material, classes)
        plan: dict[str, Any] = {
            "method": "parts",
            "pictures": len(held),
            "enlarge": search[0],
            "sizes_per_halving": search[1],
            "seed": self.request.train.seed,
            "device": "cpu",
            "threads": self.threads,
        }
        yield Planned(plan)
        yield from self._left_out(task, classes)
        yield Stage("train", f"learning the parts of {len(classes)} classes", total=len(classes))
        found, paces = [], {}
        for number, one in enumerate(classes):
            seconds = self._seconds_for(answering, len(classes) - number)
            learnt, pace = self._learn_class(one, task, held.pixels, search, seconds)
            paces[one.name] = {"objects": pace.objects, "pictures": pace.pictures, "rounds": pace.rounds}
            yield Step(number + 1)
            if isinstance(learnt, DataError):
                yield Note(f"{one.name} cannot be learnt and is left out: {learnt}", "warning")
                continue
            found.append(learnt)
            yield Note(_described(one, learnt, pace))
        if not found:
            raise DataError(
                "no class has enough objects for a part model",
                expected="four or more of a class, some tens are better",
                remedy="mark more objects, or use another --method",
            )
        return found, plan | {"classes": paces}

    def _left_out(self, task: Detect, classes: list[ClassObjects]) -> Generator[Event, None, None]:
        names = [name for name in task.facts.names if name not in {one.name for one in classes}]
        if names:
            yield Note(f"too few or too small objects to learn from: {', '.join(names)}", "warning")

    def _learn_class(
        self,
        one: ClassObjects,
        task: Detect,
        pixels: Array,
        search: tuple[float, int],
        seconds: float | None,
    ) -> tuple[ClassParts | DataError, Pace]:
        enlarge, interval = search
        until = None if seconds is None else time.monotonic() + seconds
        rehearsal = rehearsed(one, task.facts, enlarge=enlarge, interval=interval)
        pace = Pace.of(one, pixels, rehearsal, seconds=seconds, enlarge=enlarge, threads=self.threads)

        def done() -> bool:
            self.go_on()
            return until is not None and time.monotonic() > until

        learnt = learn_class(
            one,
            pixels,
            pace,
            enlarge=enlarge,
            interval=interval,
            seed=self.request.train.seed,
            threads=self.threads,
            done=done,
            listen=lambda text: self.tell(Note(f"{one.name}: {text}")),
        )
        return learnt, pace

    # -- time ----------------------------------------------------------------------------------

    def _search(
        self, task: Detect, material: Material, classes: list[ClassObjects]
    ) -> tuple[tuple[float, int], float]:
        """How pictures are searched, and the seconds that all answers of this run will then take."""
        budget = self.request.train.time_budget
        if budget is None or not classes:
            return _SEARCHES[1], 0.0
        # validation is answered twice: to make scores honest, then to measure
        rounds = {"validation": 2, "test": 1}
        count = _COMPARED + sum(
            rounds.get(str(name), 0) * len(part) for name, part in material.parts.items()
        )
        picture = np.asarray(material.prepared["train"].pixels[:1])
        measured = count * self._answer_seconds(task, classes, _MEASURED, picture)
        # the work grows with pixels and with sizes; to measure each would take longer than it saves
        expected = {search: measured * _work(search) / _work(_MEASURED) for search in _SEARCHES}
        fitting = [one for one in _SEARCHES if expected[one] <= _ANSWERING_SHARE * budget]
        search = fitting[0] if fitting else _SEARCHES[-1]
        return search, expected[search]

    def _answer_seconds(
        self, task: Detect, classes: list[ClassObjects], search: tuple[float, int], picture: Array
    ) -> float:
        self.go_on()
        enlarge, interval = search
        models = [rehearsed(one, task.facts, enlarge=enlarge, interval=interval) for one in classes]
        graph = OnnxGraph(write_parts_graph(models, task.facts))
        graph({"pictures": picture})  # the first call is slower
        taken = []
        for _ in range(_TIMED):
            began = time.monotonic()
            graph({"pictures": picture})
            taken.append(time.monotonic() - began)
        return min(taken)  # what else the machine does makes it only slower

    def _seconds_for(self, answering: float, classes: int) -> float | None:
        """For the next class, of `classes` that are still to be learnt."""
        left = self.seconds_left()
        return None if left is None else max(0.0, left - answering) / classes

    # -- export --------------------------------------------------------------------------------

    def _export(
        self,
        writer: RunWriter,
        task: Detect,
        material: Material,
        found: list[ClassParts],
        plan: dict[str, Any],
    ) -> Generator[Event, None, Trained]:
        """Calibrated, and compared with the search in NumPy that the models were learnt with."""
        file = "graphs/main.onnx"
        metadata = graph_metadata(task, network="parts", licence="")
        writer.save(file, write_parts_graph(found, task.facts, metadata))
        for index, one in enumerate(found):
            writer.save(f"parts/{index}.npz", one.model.to_bytes())
        graph = load_graph(writer.path_of(file))
        calibrated = task
        if "validation" in material.parts and len(material.parts["validation"]):
            yield Stage("calibrate", "making the scores honest on validation pictures")
            held = material.prepared["validation"]
            outputs = collect_outputs(graph, held.pixels)
            targets = material.parts["validation"].targets
            calibrated = task.calibrate(outputs, targets, held.all_prepared())
        yield Stage("export", "proving that the graph answers as what was learnt")
        worst = self._compared(task, material, found, graph)
        yield Note(f"the exported graph equals the part models to {max(worst.values()):.1e}")
        return Trained(calibrated, {"main": file}, plan | {"parity": worst})

    def _compared(
        self, task: Detect, material: Material, found: list[ClassParts], graph: Any
    ) -> dict[str, float]:
        """The largest differences on a few pictures, fewer where time is short."""
        facts = task.facts.model_copy(update={"nms": "per-class"})
        if facts.nms != task.facts.nms:  # NumPy settles overlaps per class
            graph = OnnxGraph(write_parts_graph(found, facts))
        pixels = np.asarray(material.prepared["train"].pixels[:_COMPARED])
        worst = {"boxes": 0.0, "scores": 0.0, "unpaired": 0.0}
        began, budget = time.monotonic(), self.request.train.time_budget
        for picture in pixels:
            self.go_on()
            own = found_by_numpy(found, picture, facts)
            answers = graph({"pictures": picture[None]})
            for name, value in task.differences(own, answers).items():
                worst[name] = max(worst[name], value)
            if budget is not None and time.monotonic() - began > 0.02 * budget:
                break
        return worst


def _work(search: tuple[float, int]) -> float:
    enlarge, interval = search
    return enlarge**2 * interval


def _described(one: ClassObjects, learnt: ClassParts, pace: Pace) -> str:
    roots = ", ".join("×".join(map(str, part.size_cells)) for part in learnt.model.components)
    looked = min(pace.objects, len(one.every))
    return (
        f"{one.name}: {looked} of {len(one.every)} objects, root of {roots} cells, "
        f"{learnt.model.parts} parts, {pace.pictures} pictures searched a pass, "
        f"{len(learnt.scales)} sizes from {learnt.scales[0]:.2f} to {learnt.scales[-1]:.2f}"
    )
