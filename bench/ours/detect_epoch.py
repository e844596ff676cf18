"""Where the time of a training epoch goes: `detect_epoch.py DATA SCRATCH EPOCHS METHOD`.

The engine's own loop on a data set, at the detector's default size and the engine's choice of precision
and layout. Loading is all from rows of the memory map to an augmented batch with its moved boxes.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np
import torch

from bench.ours.train_step import NoStore, last
from striate.engine.devices import choose_device
from striate.engine.job import Job
from striate.engine.loop import Trainer
from striate.engine.settings import TrainSettings
from striate.nn.augment.augmenter import Augmenter
from striate.nn.augment.settings import AugmentSettings
from striate.nn.recipe import Batch
from striate.tasks.detect.config import DetectConfig
from striate.tasks.detect.recipe import RECIPE
from striate.tasks.detect.task import TASK
from striate.types import Array
from striate.verbs.training.data import gather
from striate.verbs.training.network import arrays_of
from striate.verbs.training.plan import make_plan


def prepare(data: str, scratch: Path, method: str) -> Trainer:
    material = last(gather(TASK(DetectConfig(method=method)), data, seed=0, tell=lambda event: None))
    recipe = RECIPE(material.task)
    arrays = arrays_of(material, recipe, "train")
    torch.manual_seed(0)
    module = recipe.build()
    augmenter = Augmenter(
        recipe.augment(AugmentSettings(), np.asarray(arrays.pixels[:64])),
        material.task.input_hw,
        seed=0,
    )
    plan = last(
        make_plan(
            recipe,
            module,
            arrays,
            augmenter,
            TrainSettings(epochs=1000, weights="none"),
            device=choose_device("cpu"),
            world_size=1,
            transfer=False,
            seconds_left=None,
            home=scratch,
            network_name=f"bench detect {method}",
        )
    )
    torch.set_num_threads(plan.threads)
    job = Job(
        recipe, plan, augmenter, arrays, arrays, NoStore(), stop=lambda: False, clock=time.monotonic
    )
    trainer = Trainer(job, module)
    trainer.module.train()
    return trainer


def main() -> None:
    data, scratch, epochs, method = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    trainer = prepare(data, scratch, method)
    waited: list[float] = []
    load = trainer.batches.load

    def timed(rows: Array, *, epoch: int) -> Batch:
        began = time.perf_counter()
        batch = load(rows, epoch=epoch)
        waited.append(time.perf_counter() - began)
        return batch

    trainer.batches.load = timed  # type: ignore[method-assign]
    for _ in range(2):
        trainer.one_step()
    waited.clear()
    steps, shares = [], []
    for _ in range(epochs):
        first = len(waited)
        began = time.perf_counter()
        for _ in range(trainer.plan.steps_per_epoch):
            trainer.one_step()
        steps.append(time.perf_counter() - began)
        shares.append(sum(waited[first:]) / steps[-1])
    plan = trainer.plan.to_toml_dict()
    kept = ("precision", "memory_format", "threads", "batch_size", "steps_per_epoch", "pictures")
    found = {
        "share": shares,
        "epoch_s": steps,
        "load_s": waited,
        "size_hw": list(trainer.job.recipe.task.input_hw),
        "plan": {name: plan[name] for name in kept},
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
