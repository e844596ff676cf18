"""One call of `train`, from the source to the sealed run; the same in every process of it."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Generator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from striate.data.cache import cache_home
from striate.engine.devices import choose_device
from striate.engine.distributed import Place, process_group, share_json, wait
from striate.engine.events import Epoch, Event, Finished, Note, Planned, Stage, Step
from striate.engine.job import Arrays, CheckpointStore, Fitted, Job
from striate.engine.loop import fit
from striate.engine.memory import freed_memory_is_kept
from striate.engine.plan import Plan
from striate.errors import Interrupted, RunError, UsageError
from striate.nn.augment.augmenter import Augmenter
from striate.nn.augment.settings import AugmentSettings
from striate.nn.recipe import Recipe
from striate.runs.checkpoints import Checkpoints
from striate.runs.energy import EnergyMeter
from striate.runs.folder import RunWriter
from striate.runs.power import counters
from striate.types import Split
from striate.verbs.training.data import Material, gather
from striate.verbs.training.exporting import export_network
from striate.verbs.training.network import Start, arrays_of, build_start, solve_start_head
from striate.verbs.training.plan import make_plan
from striate.verbs.training.recipes import recipe_for
from striate.verbs.training.request import Request
from striate.verbs.training.seal import seal
from striate.verbs.training.stages import StageTimes

__all__ = ["Session", "train_network"]

_FINISH_S, _FINISH_SHARE = 5.0, 0.06
"""What evaluation, export and report take of a time budget, at least."""
_FEW, _MANY = 64, 2000
_ENERGY_EVERY_S = 5.0


def train_network(
    request: Request,
    *,
    out: Path,
    resume: bool,
    overwrite: bool,
    started: float,
    stop: Callable[[], bool],
    tell: Callable[[Event], None],
) -> None:
    """Train the network that `request` asks for and write the run to `out`; under torchrun, together."""
    with freed_memory_is_kept(), process_group() as place:
        session = Session(
            request,
            place=place,
            stop=stop,
            started=started,
            resume=resume,
            out=str(out),
            tell=tell if place.rank == 0 else lambda event: None,
        )
        if place.rank != 0:
            if not share_json(None):
                session.follow()
                wait()  # until rank 0 has sealed the run
            return
        with RunWriter.begin(out, resume=resume, overwrite=overwrite) as writer:
            if share_json(writer.already_sealed):
                tell(Note(f"{out} is finished already; nothing to resume"))
            else:
                for event in session.lead(writer):
                    tell(event)
                wait()


@dataclass(frozen=True, slots=True)
class _Setup:
    """What is trained, on what, and how pictures are varied."""

    material: Material
    recipe: Recipe[Any]
    start: Start
    augment: AugmentSettings

    def augmenter(self, seed: int) -> Augmenter:
        return Augmenter(self.augment, self.material.task.input_hw, seed=seed)

    def arrays(self, name: Split) -> Arrays:
        return arrays_of(self.material, self.recipe, name)


class Session:
    """Holds what one call needs. `lead` is rank 0 and writes; `follow` is every other process."""

    def __init__(
        self,
        request: Request,
        *,
        place: Place,
        stop: Callable[[], bool],
        started: float,
        resume: bool,
        out: str,
        tell: Callable[[Event], None],
    ) -> None:
        self.tell = tell
        self.request, self.place, self.stop, self.out = request, place, stop, out
        self.started, self.resume = started, resume
        self.times = StageTimes(started)

    def lead(self, writer: RunWriter) -> Generator[Event, None, None]:
        """Train and seal. Events are timed and passed on."""
        return self.times.watch(self._lead(writer))

    def _lead(self, writer: RunWriter) -> Generator[Event, None, None]:
        meter = self._energy(writer)
        meter.start()
        if self.resume and _kept(writer, "request.json").exists():
            self.request.check_same(_kept(writer, "request.json").read_text())
        writer.save("checkpoints/request.json", json.dumps(self.request.to_dict(), indent=1).encode())
        setup = yield from self._set_up()
        self._check_data(writer, setup.material)
        plan = yield from self._plan(writer, setup)
        yield Planned(plan.model_dump())
        fitted = yield from self._fit(setup, plan, writer, meter)
        yield from self._finish(setup, plan)
        rows = "".join(json.dumps(row) + "\n" for row in fitted.history)
        writer.save("metrics.jsonl", rows.encode())
        trained = yield from export_network(
            writer, setup.recipe, setup.start, setup.material, plan, setup.augment, fitted
        )
        metrics = yield from seal(
            writer,
            self.request,
            trained,
            setup.material,
            run=self.out,
            meter=meter,
            timings=self.times.ended,
        )
        yield Finished(str(writer.path), metrics, round(time.monotonic() - self.started, 2))

    def _finish(self, setup: _Setup, plan: Plan) -> Generator[Event, None, None]:
        """What the recipe fits when the loop has ended."""
        train, module = setup.arrays("train"), setup.start.module
        budget = self.request.train.time_budget
        left = None if budget is None else self.started + budget - _reserve(budget) - time.monotonic()
        work = setup.recipe.finish(
            module,
            train.pixels,
            train.encoded,
            device=torch.device(plan.device),
            seconds=None if left is None else max(_FINISH_S, left),
        )
        begun = False
        while True:
            try:
                share = next(work)
            except StopIteration as end:
                for remark in end.value:
                    yield Note(remark)
                return
            if not begun:
                yield Stage("solve", "solving what follows the network", total=100)
                begun = True
            yield Step(round(100 * share))
            self._check_stopped("solving what follows the network")

    def _check_stopped(self, during: str) -> None:
        if self.stop():
            raise Interrupted(
                f"stopped while {during}; what was done before is saved",
                remedy="continue with the same command and --resume",
            )

    def follow(self) -> None:
        """Take part in the training that rank 0 leads."""
        for event in self._follow():
            del event  # rank 0 tells

    def _follow(self) -> Generator[Event, None, None]:
        setup = yield from self._set_up()
        plan = Plan.parse(share_json(None))
        folder = Path(share_json(None))
        yield from self._train(setup, plan, Checkpoints(folder))

    # -- steps --------------------------------------------------------------------------------

    def _set_up(self) -> Generator[Event, None, _Setup]:
        settings = self.request.train
        material = yield from gather(
            self.request.new_task(),
            self.request.source,
            seed=settings.seed,
            tell=self.tell,
            leads=self.place.rank == 0,
            wait=wait,
        )
        recipe = recipe_for(material.task)
        yield from self._look_ahead(recipe, material)
        start = yield from build_start(
            recipe,
            settings,
            model=str(material.task.facts.model_dump()["model"]),
            sample=_sample(material, _MANY),
            announce=lambda text: self.tell(Note(text)),
        )
        for remark in recipe.remarks(start.module):
            yield Note(remark)
        augment = recipe.augment(self.request.augment, _sample(material, _FEW))
        for remark in recipe.augment_remarks(augment):
            yield Note(remark)
        return _Setup(material, recipe, start, augment)

    def _look_ahead(self, recipe: Recipe[Any], material: Material) -> Generator[Event, None, None]:
        """What is slow and is kept; the leader does it, the others then find it."""
        if self.place.rank != 0:
            wait()
        for name, prepared in material.prepared.items():
            words, begun = f"{recipe.ahead_words} {len(prepared)} {name} pictures", False
            for done in recipe.look_ahead(prepared.pixels, cache_home()):
                if not begun:
                    yield Stage("look-ahead", words, total=len(prepared))
                    begun = True
                yield Step(done)
                self._check_stopped(words)
        if self.place.rank == 0:
            wait()

    def _plan(self, writer: RunWriter, setup: _Setup) -> Generator[Event, None, Plan]:
        settings = self.request.train
        device = choose_device(settings.device, local_rank=self.place.local_rank)
        if self.resume and _kept(writer, "plan.json").exists():
            plan = _read_plan(_kept(writer, "plan.json"), self.place.world_size)
        else:
            setup.start.module.to(device)
            plan = yield from make_plan(
                setup.recipe,
                setup.start.module,
                setup.arrays("train"),
                setup.augmenter(settings.seed),
                settings,
                device=device,
                world_size=self.place.world_size,
                transfer=setup.start.source is not None,
                seconds_left=self._seconds_left(setup.recipe),
                home=cache_home(),
                network_name=f"{setup.recipe.task_name} {setup.start.module.name} {settings.depth}",
            )
            writer.save("checkpoints/plan.json", plan.model_dump_json(indent=1).encode())
        share_json(plan.model_dump(mode="json"))
        share_json(str(writer.checkpoints.folder))
        return plan

    def _fit(
        self, setup: _Setup, plan: Plan, writer: RunWriter, meter: EnergyMeter
    ) -> Generator[Event, None, Fitted]:
        """Train, writing each epoch's row and the energy so far as they come."""
        training = self._train(setup, plan, writer.checkpoints)
        saved = time.monotonic()
        while True:
            try:
                event = next(training)
            except StopIteration as end:
                fitted: Fitted = end.value
                return fitted
            yield event
            if isinstance(event, Epoch):
                writer.append_metrics(asdict(event))
            if time.monotonic() - saved > _ENERGY_EVERY_S:
                writer.save("checkpoints/energy.json", json.dumps(meter.to_dict()).encode())
                saved = time.monotonic()

    def _train(
        self, setup: _Setup, plan: Plan, store: CheckpointStore
    ) -> Generator[Event, None, Fitted]:
        torch.set_num_threads(plan.threads)
        start = setup.start
        train, held = setup.arrays("train"), setup.arrays("validation")
        resuming = self.resume and store.load("last") is not None
        if start.source is not None and setup.recipe.solves_head and not resuming:
            yield from solve_start_head(
                setup.recipe,
                start,
                train,
                held,
                plan,
                data_key=setup.material.fingerprint,
                home=cache_home(),
            )
            if plan.depth == "head":
                return Fitted([], 0, 0, stopped_early=False)
        yield Stage("train", f"training {start.module.name}", total=plan.total_steps)
        job = Job(
            recipe=setup.recipe,
            plan=plan,
            augmenter=setup.augmenter(plan.seed),
            train=train,
            held=held,
            store=store,
            stop=self.stop,
            clock=time.monotonic,
            deadline=None if resuming else self._deadline(setup.recipe),
            checkpoint_every_s=self.request.train.checkpoint_every,
            rank=self.place.rank,
        )
        return (yield from fit(job, start.module, resume=resuming))

    # -- time, energy, checks ------------------------------------------------------------------

    def _deadline(self, recipe: Recipe[Any]) -> float | None:
        """When the loop must have ended."""
        budget = self.request.train.time_budget
        if budget is None:
            return None
        return self.started + budget * (1 - recipe.finish_share) - _reserve(budget)

    def _seconds_left(self, recipe: Recipe[Any]) -> float | None:
        deadline = self._deadline(recipe)
        return None if deadline is None else max(0.0, deadline - time.monotonic())

    def _energy(self, writer: RunWriter) -> EnergyMeter:
        if self.resume and _kept(writer, "energy.json").exists():
            saved = json.loads(_kept(writer, "energy.json").read_text())
            return EnergyMeter.from_dict(saved, counters(gpus=_gpus(self.request.train.device)))
        return EnergyMeter(counters(gpus=_gpus(self.request.train.device)))

    def _check_data(self, writer: RunWriter, material: Material) -> None:
        """A resumed run must see the data that it was interrupted on."""
        kept = _kept(writer, "fingerprint.txt")
        if self.resume and kept.exists() and kept.read_text() != material.fingerprint:
            raise UsageError(
                "the data has changed since the run was interrupted",
                expected="the same pictures, labels and splits",
                remedy="restore them, or start again with --overwrite",
            )
        writer.save("checkpoints/fingerprint.txt", material.fingerprint.encode())


def _reserve(budget: float) -> float:
    return max(_FINISH_S, _FINISH_SHARE * budget)


def _gpus(device: str) -> list[int]:
    """NVML's numbers of the boards that this machine's processes train on.

    NVML ignores CUDA_VISIBLE_DEVICES, torch obeys it.
    """
    if choose_device(device).type != "cuda":
        return []
    visible = os.environ.get("CUDA_VISIBLE_DEVICES", "")
    numbers = [int(part) for part in visible.split(",") if part.isdigit()]
    processes = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    return (numbers or list(range(torch.cuda.device_count())))[:processes]


def _kept(writer: RunWriter, name: str) -> Path:
    """A file that serves only to resume; it goes with the checkpoints when the run is sealed."""
    return writer.path_of(f"checkpoints/{name}")


def _sample(material: Material, most: int) -> Any:
    """Up to `most` training pictures, uint8 (N, H, W, 3), spread evenly."""
    pixels = material.prepared["train"].pixels
    rows = np.unique(np.linspace(0, len(pixels) - 1, min(most, len(pixels))).round().astype(int))
    return np.asarray(pixels[rows])


def _read_plan(path: Path, world_size: int) -> Plan:
    try:
        plan = Plan.parse(json.loads(path.read_text()))
    except ValueError as error:
        raise RunError(
            "the interrupted run's plan.json is damaged", remedy="start again with --overwrite"
        ) from error
    if plan.world_size != world_size:
        raise UsageError(
            f"the run was started with {plan.world_size} processes and is resumed with {world_size}",
            expected="the same number",
            remedy=f"use torchrun --nproc-per-node {plan.world_size}, or start again with --overwrite",
        )
    return plan
