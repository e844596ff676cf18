"""Seconds of a training step: striate's loop and one written by hand, in turns, in one process.

    train_step PIXELS.npy SCRATCH STEPS

PIXELS: uint8 (N, H, W, 3), read through a memory map by both. The same network, arrays, augmentation,
optimizer, precision, memory layout and threads for both: the engine's own choices for this machine. The
moving average is off: the hand-written loop has none.
"""

from __future__ import annotations

import copy
import json
import sys
import time
from collections.abc import Callable, Generator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch

from bench.ours.plain_loop import PlainLoop
from striate.data.prepared import PreparedSet
from striate.engine.devices import choose_device
from striate.engine.job import Arrays, Job
from striate.engine.loop import Trainer
from striate.engine.plan import Plan
from striate.engine.settings import TrainSettings
from striate.nn.augment.augmenter import Augmenter
from striate.nn.augment.presets import TINY_SIDE
from striate.nn.augment.settings import AugmentSettings
from striate.tasks.classify.config import ClassifyConfig, ClassifyFacts
from striate.tasks.classify.recipe import ClassifyRecipe
from striate.tasks.classify.task import Classify
from striate.verbs.training.plan import make_plan

Result = TypeVar("Result")
MODEL = "small-cnn"
NAMES = tuple(f"class{number}" for number in range(10))


class NoStore:
    """Checkpoints are not part of a step."""

    def save(self, name: str, write: Callable[[Path], None], state: Mapping[str, Any]) -> None:
        raise AssertionError(f"a step saved {name}")

    def load(self, name: str) -> None:
        return None


def last(events: Generator[Any, None, Result]) -> Result:
    """What a generator of events returns."""
    while True:
        try:
            next(events)
        except StopIteration as end:
            result: Result = end.value
            return result


def make_arrays(path: str, recipe: ClassifyRecipe) -> Arrays:
    """The pictures with labels that go round: for time, their truth does not matter."""
    pixels = np.load(path, mmap_mode="r")
    truths = [(NAMES[number % len(NAMES)],) for number in range(len(pixels))]
    keys = [str(number) for number in range(len(pixels))]
    as_they_are = [*pixels.shape[1:3], 1.0, 1.0, 0.0, 0.0]
    geometry = np.tile(np.asarray(as_they_are, np.float64), (len(pixels), 1))
    prepared = PreparedSet(pixels, geometry, np.arange(len(pixels)), ())
    return Arrays(pixels, truths, recipe.encode(truths, prepared), keys, geometry)


def prepare(path: str, scratch: Path) -> tuple[Trainer, PlainLoop]:
    """Both loops, each with its own copy of the same fresh network."""
    side_hw = np.load(path, mmap_mode="r").shape[1:3]
    facts = ClassifyFacts(model=MODEL, names=NAMES, size_hw=side_hw, fit="crop", channels=3)
    recipe = ClassifyRecipe(Classify(ClassifyConfig(model=MODEL), facts))
    arrays = make_arrays(path, recipe)
    torch.manual_seed(0)
    module = recipe.build()
    few = np.asarray(arrays.pixels[:64])
    augmenter = Augmenter(recipe.augment(AugmentSettings(), few), side_hw, seed=0)
    plan = last(
        make_plan(
            recipe,
            module,
            arrays,
            augmenter,
            TrainSettings(epochs=1000, ema=0.0, weights="none"),
            device=choose_device("cpu"),
            world_size=1,
            transfer=False,
            seconds_left=None,
            home=scratch,
            network_name=f"bench {MODEL}",
        )
    )
    torch.set_num_threads(plan.threads)
    labels = arrays.encoded["labels"]
    plain = PlainLoop(copy.deepcopy(module), arrays.pixels, labels, plan, tiny=min(side_hw) <= TINY_SIDE)
    job = Job(
        recipe, plan, augmenter, arrays, arrays, NoStore(), stop=lambda: False, clock=time.monotonic
    )
    trainer = Trainer(job, module)
    trainer.module.train()
    plain.module.train()
    return trainer, plain


def in_turns(jobs: Mapping[str, Callable[[], object]], steps: int) -> dict[str, list[float]]:
    """A B, B A, A B …: what one leaves in the caches, the other finds as often. Three are to warm up."""
    times: dict[str, list[float]] = {name: [] for name in jobs}
    for turn in range(steps + 3):
        for name in sorted(jobs, reverse=bool(turn % 2)):
            began = time.perf_counter()
            jobs[name]()
            if turn >= 3:
                times[name].append(time.perf_counter() - began)
    return times


def chosen(plan: Plan) -> dict[str, Any]:
    """What of the plan decides how long a step takes."""
    names = ("precision", "memory_format", "threads", "optimizer", "batch_size")
    return {name: value for name, value in plan.to_toml_dict().items() if name in names}


def main() -> None:
    path, scratch, steps = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    trainer, plain = prepare(path, scratch)
    times = in_turns({"striate": trainer.one_step, "plain": plain.step}, steps)
    print(json.dumps({"times_s": times, "plan": chosen(trainer.plan), "model": MODEL}))


if __name__ == "__main__":
    main()
