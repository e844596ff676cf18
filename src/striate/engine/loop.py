"""The one loop. It knows tasks only through their recipe, yields events, and prints nothing."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from striate.engine.adversarial import Hardener
from striate.engine.batches import Batches
from striate.engine.checkpoint import State, read_state, write_state
from striate.engine.devices import MEMORY_FORMATS, PRECISIONS
from striate.engine.distributed import all_processes_agree, wrap
from striate.engine.events import Epoch, Event, Note, Step
from striate.engine.job import Fitted, Job
from striate.engine.optimizer import make_optimizer, set_learning_rate
from striate.engine.plan import Schedule
from striate.engine.step import NotFinite, Stepper
from striate.engine.validate import validate
from striate.errors import Interrupted, TrainingError
from striate.nn.ema import ExponentialMovingAverage
from striate.randomness import hash64

__all__ = ["fit"]

_SAVE_AT_EPOCH_END_S = 5.0
"""Epochs of tiny sets last milliseconds; saving each would cost more than training it."""
_REPLAN_EVERY_S = 4.0
_PACE_S, _PACE_SHARE = 30.0, 0.15
"""Speed is that of the last so many seconds, and of at least this part of the time spent."""
_LOOKAHEAD = 5
"""Steps between write-backs of the moving average."""


class Trainer:
    """The state of a fit between steps. `fit` drives it; tests look at it."""

    def __init__(self, job: Job, module: nn.Module) -> None:
        plan = job.plan
        self.job, self.module, self.plan = job, module, plan
        self.device = torch.device(plan.device)
        self.memory_format = MEMORY_FORMATS[plan.memory_format]
        module.to(device=self.device)
        for part in module.modules():  # only 4-D weights have a memory format
            if isinstance(part, nn.Conv2d):
                part.to(memory_format=self.memory_format)
        self.average = ExponentialMovingAverage(module, plan.ema) if plan.ema > 0 else None
        self.optimizer = make_optimizer(module, plan, lambda name: name.startswith("head."))
        self.schedule = Schedule(
            total_steps=plan.total_steps, warmup=plan.warmup, final_lr=plan.final_lr, decay=plan.decay
        )
        self.stepper = Stepper(
            job.recipe,
            wrap(module, plan, compiled=plan.compile),
            self.optimizer,
            precision=plan.precision,
            clip_norm=plan.clip_norm,
            pieces=plan.accumulate,
        )
        self.batches = Batches(
            job.train,
            job.augmenter,
            job.recipe,
            steps_per_epoch=plan.steps_per_epoch,
            seed=plan.seed,
            device=self.device,
            memory_format=self.memory_format,
            rank=job.rank,
            world_size=plan.world_size,
        )
        self.hardener = (
            Hardener(
                job.recipe,
                strength=plan.adversarial,
                steps=plan.adversarial_steps,
                precision=plan.precision,
                seed=plan.seed,
            )
            if plan.adversarial
            else None
        )
        self.step = 0
        self.loss_sum, self.loss_count = 0.0, 0
        self.history: list[dict[str, Any]] = []
        self.best: dict[str, Tensor] | None = None
        self.best_epoch, self.best_value = 0, float("nan")
        self.elapsed_before = 0.0
        self.started = job.clock()
        self.saved_at = self.started
        self.stopped_early = False
        self.pace = deque([(self.started, 0)])

    # -- state --------------------------------------------------------------------------------

    def state(self) -> State:
        return State(
            self.module,
            self.optimizer,
            None if self.average is None else self.average.module,
            self.best,
        )

    def elapsed(self) -> float:
        """Seconds spent training, over all interruptions."""
        return self.elapsed_before + self.job.clock() - self.started

    def save(self) -> None:
        """Make a whole checkpoint of this moment."""
        if self.job.rank == 0:
            state = self.state()
            self.job.store.save("last", lambda path: write_state(state, path), self.position())
        self.saved_at = self.job.clock()

    def position(self) -> dict[str, Any]:
        return {
            "step": self.step,
            "loss_sum": self.loss_sum,
            "loss_count": self.loss_count,
            "history": self.history,
            "best_epoch": self.best_epoch,
            "best_value": None if np.isnan(self.best_value) else self.best_value,
            "elapsed_s": self.elapsed(),
            "pieces": self.stepper.pieces,
            "schedule": self.schedule.to_dict(),
            "stopped_early": self.stopped_early,
        }

    def restore(self) -> bool:
        """Continue from the latest checkpoint; False if there is none."""
        found = self.job.store.load("last")
        if found is None:
            return False
        path, position = found
        self.best = read_state(path, self.state())
        self.step = int(position["step"])
        self.loss_sum, self.loss_count = position["loss_sum"], position["loss_count"]
        self.history = list(position["history"])
        self.best_epoch = position["best_epoch"]
        value = position["best_value"]
        self.best_value = float("nan") if value is None else float(value)
        self.elapsed_before = position["elapsed_s"]
        self.stepper.pieces = position["pieces"]
        self.schedule = Schedule(
            warmup=self.plan.warmup,
            final_lr=self.plan.final_lr,
            decay=self.plan.decay,
            **position["schedule"],
        )
        self.stopped_early = position["stopped_early"]
        return True

    # -- work ---------------------------------------------------------------------------------

    def is_done(self) -> bool:
        """All steps made, or stopped for want of progress."""
        return self.stopped_early or self.step >= self.schedule.total_steps

    def one_step(self) -> float:
        """Load, augment, step. Everything random here depends on (seed, step) alone."""
        plan = self.plan
        epoch, within = divmod(self.step, plan.steps_per_epoch)
        rows = self.batches.rows(epoch, within)
        local = self.batches.local_rows(rows)
        torch.manual_seed(hash64(plan.seed, "dropout", self.step, self.job.rank) >> 1)
        set_learning_rate(self.optimizer, plan.lr * self.schedule.factor(self.step))
        batch = self.batches.load(local, epoch=epoch)
        if self.hardener is not None:
            batch = self.hardener(
                self.module, batch, epoch=epoch, rows=local.tolist(), pieces=self.stepper.pieces
            )
        try:
            loss = self.stepper(batch, global_size=len(rows), world_size=plan.world_size)
        except NotFinite as error:
            raise self.diverged(error, rows) from error
        self._average()
        self.step += 1
        self.loss_sum += loss * len(local)
        self.loss_count += len(local)
        return loss

    def _average(self) -> None:
        if self.average is None:
            return
        if not self.plan.lookahead:
            self.average.update(self.module, step=self.step)
        elif (self.step + 1) % _LOOKAHEAD == 0:
            # early on the average is the weights; towards the end it leads them
            progress = self.schedule.progress(self.step + 1)
            self.average.decay = self.plan.ema**_LOOKAHEAD * progress**3
            self.average.update(self.module)
            with torch.no_grad():  # buffers are the module's own already
                torch._foreach_copy_(
                    list(self.module.parameters()), list(self.average.module.parameters())
                )

    def diverged(self, error: NotFinite, rows: Any) -> TrainingError:
        """Save the state before the bad step, and name the batch."""
        self.save()
        keys = [self.job.train.keys[row] for row in rows]
        shown = ", ".join(keys[:4]) + (f" and {len(keys) - 4} more" if len(keys) > 4 else "")
        return TrainingError(
            f"at step {self.step} {error.what}; the batch was {shown}",
            expected="finite numbers; the weights from before this step are kept",
            remedy=f"check those pictures and targets, lower --lr (now {self.plan.lr:g}), "
            "or use --precision float32 or --clip-norm 1",
        )

    def kept(self) -> nn.Module:
        """The network that is evaluated: the moving average where there is one."""
        return self.module if self.average is None or self.plan.lookahead else self.average.module

    def end_epoch(self) -> Epoch:
        """Validate, remember the best, and tell."""
        number = -(-self.step // self.plan.steps_per_epoch)
        metrics: dict[str, Any] = {}
        better = False
        if self.job.rank == 0:
            metrics = validate(
                self.job.recipe,
                self.kept(),
                self.job.held,
                device=self.device,
                precision=PRECISIONS[self.plan.precision],
                memory_format=self.memory_format,
            )
            better = self._is_better(metrics)
        loss = self.loss_sum / max(1, self.loss_count)
        self.loss_sum, self.loss_count = 0.0, 0
        if better:
            self.best_epoch, self.best_value = number, float(metrics[self.job.recipe.task.headline])
            self.best = {k: v.detach().cpu().clone() for k, v in self.kept().state_dict().items()}
        if self.plan.patience and number - self.best_epoch >= self.plan.patience:
            self.stopped_early = True
        self.stopped_early = all_processes_agree(self.stopped_early)
        of = max(number, -(-self.schedule.total_steps // self.plan.steps_per_epoch))
        elapsed = self.elapsed()
        left = self.schedule.total_steps - self.step
        event = Epoch(number, of, loss, metrics, elapsed, elapsed / self.step * left, better)
        row = asdict(event) | {"step": self.step, "lr": self.plan.lr * self.schedule.factor(self.step)}
        self.history.append(row)
        return event

    def _is_better(self, metrics: Mapping[str, Any]) -> bool:
        task = self.job.recipe.task
        told = metrics.get(task.headline)
        value = float("nan") if told is None else float(told)  # None: nothing to measure it on
        if np.isnan(self.best_value):
            return not np.isnan(value)
        # a tie goes to the later epoch: it was trained at a lower learning rate
        return value >= self.best_value if task.headline_mode == "max" else value <= self.best_value

    def keep_pace(self) -> Note | None:
        """Bend the schedule to the speed of the last while, so that a budget holds and is used.

        Slower than planned, steps are given up; when the machine is free again, they come back.
        """
        if self.job.deadline is None or self.plan.world_size > 1 or self.is_done():
            return None
        now, whole = self.job.clock(), self.schedule.total_steps
        self.pace.append((now, self.step))
        while len(self.pace) > 2 and now - self.pace[1][0] > max(_PACE_S, _PACE_SHARE * self.elapsed()):
            self.pace.popleft()
        since_s, since_step = self.pace[0]
        if now <= since_s:
            return None
        left = (self.step - since_step) / (now - since_s) * (self.job.deadline - now)
        affordable = min(max(self.step + int(left), self.step + 1), self.plan.total_steps)
        if 0.98 * whole <= affordable <= 1.05 * whole:
            return None
        self.schedule = self.schedule.replanned(self.step, affordable)
        if affordable > whole:
            return Note(f"faster again: {whole} steps become {affordable}")
        return Note(
            f"slower than planned: {whole} steps become {affordable} to keep the budget", "warning"
        )


def fit(job: Job, module: nn.Module, *, resume: bool) -> Generator[Event, None, Fitted]:
    """Train `module` as `job.plan` says; on return it holds the weights that are kept.

    Raises `Interrupted` after saving when `job.stop()` turns true, `TrainingError` naming the batch
    when a loss is not finite, `MemoryLimitError` when even one picture does not fit.
    """
    trainer = Trainer(job, module)
    if resume and trainer.restore():
        yield Note(f"continuing at step {trainer.step} of {trainer.schedule.total_steps}")
    trainer.module.train()
    trainer.pace[0] = (job.clock(), trainer.step)
    mark_s = job.clock()
    smooth: float | None = None
    while not trainer.is_done():
        pieces = trainer.stepper.pieces
        loss = trainer.one_step()
        smooth = loss if smooth is None else 0.9 * smooth + 0.1 * loss
        yield Step(trainer.step, smooth)
        if trainer.stepper.pieces != pieces:
            yield Note(
                f"memory ran out: a step is now done in {trainer.stepper.pieces} pieces", "warning"
            )
        now = job.clock()
        if now - mark_s >= _REPLAN_EVERY_S:
            note = trainer.keep_pace()
            if note is not None:
                yield note
            mark_s = job.clock()
        if trainer.step % job.plan.steps_per_epoch == 0 or trainer.is_done():
            yield trainer.end_epoch()
            if trainer.is_done() or job.clock() - trainer.saved_at >= _SAVE_AT_EPOCH_END_S:
                trainer.save()
        elif now - trainer.saved_at >= job.checkpoint_every_s:
            trainer.save()
        if all_processes_agree(job.stop()) and not trainer.is_done():
            trainer.save()
            raise Interrupted(
                f"stopped at step {trainer.step} of {trainer.schedule.total_steps}; everything is saved",
                remedy="continue with the same command and --resume",
            )
    return _finish(trainer)


def _finish(trainer: Trainer) -> Fitted:
    weights = trainer.best if trainer.best is not None else trainer.kept().state_dict()
    trainer.module.load_state_dict(weights)
    trainer.module.eval()
    return Fitted(trainer.history, trainer.step, trainer.best_epoch, trainer.stopped_early)
