from __future__ import annotations

import itertools
from collections.abc import Callable, Generator
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn

from striate.engine.batches import Batches
from striate.engine.events import Epoch, Note, Step
from striate.engine.job import Fitted, Job
from striate.engine.loop import Trainer, fit
from striate.errors import Interrupted, MemoryLimitError, TrainingError
from striate.nn.augment.settings import AugmentSettings

MakeJob = Callable[..., Job]
MakeNetwork = Callable[..., nn.Module]


def run(job: Job, module: nn.Module, *, resume: bool = False) -> tuple[list[Any], Fitted]:
    events: list[Any] = []

    def collect() -> Generator[Any, None, Fitted]:
        return (yield from fit(job, module, resume=resume))

    loop = collect()
    while True:
        try:
            events.append(next(loop))
        except StopIteration as end:
            return events, end.value


def bits(module: nn.Module) -> dict[str, bytes]:
    return {name: value.numpy().tobytes() for name, value in module.state_dict().items()}


def test_it_learns_and_tells(make_job: MakeJob, make_network: MakeNetwork) -> None:
    module = make_network()
    events, fitted = run(make_job(), module)
    epochs = [event for event in events if isinstance(event, Epoch)]
    assert [event.number for event in epochs] == [1, 2, 3, 4, 5]
    assert sum(isinstance(event, Step) for event in events) == 30 == fitted.steps
    assert epochs[-1].loss < epochs[0].loss
    assert max(event.metrics["accuracy"] for event in epochs) > 0.9
    assert fitted.best_epoch >= 1
    assert not module.training


@pytest.mark.parametrize(
    "changes", [{}, {"optimizer": "adamw", "lr": 0.01, "ema": 0.9}, {"accumulate": 3}]
)
@pytest.mark.parametrize("stop_at", [1, 5, 6, 13, 29])
def test_stopped_and_resumed_is_bit_identical(
    make_job: MakeJob, make_network: MakeNetwork, stop_at: int, changes: dict[str, Any]
) -> None:
    augment = AugmentSettings(flip="both", translate=0.2, noise=0.1, mixup=0.3, rotate_deg=20)
    whole = make_network()
    _, straight = run(make_job(folder="whole", augment=augment, **changes), whole)
    counter = itertools.count(1)
    cut = make_network()
    stopping = make_job(folder="cut", stop=lambda: next(counter) >= stop_at, augment=augment, **changes)
    with pytest.raises(Interrupted) as caught:
        run(stopping, cut)
    assert caught.value.exit_code == 5
    assert "--resume" in str(caught.value)
    fresh = make_network(dropout=0.3)
    events, resumed = run(make_job(folder="cut", augment=augment, **changes), fresh, resume=True)
    assert isinstance(events[0], Note)
    assert bits(fresh) == bits(whole)
    strip = [{k: v for k, v in row.items() if not k.endswith("_s")} for row in straight.history]
    assert [{k: v for k, v in row.items() if not k.endswith("_s")} for row in resumed.history] == strip


def test_another_seed_is_another_run(make_job: MakeJob, make_network: MakeNetwork) -> None:
    one, other = make_network(), make_network()
    run(make_job(folder="a"), one)
    run(make_job(folder="b", seed=4), other)
    assert bits(one) != bits(other)


def test_a_loss_that_is_not_finite_names_the_batch_and_keeps_the_last_good_state(
    make_job: MakeJob, make_network: MakeNetwork, toy_recipe: Any
) -> None:
    toy_recipe.poisoned_after = 10
    job = make_job(recipe=toy_recipe)
    with pytest.raises(TrainingError, match=r"step 10 .*p\d+\.jpg") as caught:
        run(job, make_network())
    assert "lower --lr" in str(caught.value)
    found = job.store.load("last")
    assert found is not None
    assert found[1]["step"] == 10
    healthy = make_network()
    run(make_job(), healthy, resume=True)
    assert all(
        torch.isfinite(value).all()
        for value in healthy.state_dict().values()
        if value.is_floating_point()
    )


def test_out_of_memory_halves_the_batch_and_the_result_is_the_same(
    make_job: MakeJob, make_network: MakeNetwork, toy_recipe: Any
) -> None:
    plenty, little = make_network(dropout=0.0, norm=False), make_network(dropout=0.0, norm=False)
    run(make_job(folder="plenty"), plenty)
    toy_recipe.starving_above = 5
    events, _ = run(make_job(folder="little", recipe=toy_recipe), little)
    notes = [event.text for event in events if isinstance(event, Note)]
    assert notes == ["memory ran out: a step is now done in 4 pieces"]
    for name, value in plenty.state_dict().items():
        torch.testing.assert_close(little.state_dict()[name], value, rtol=1e-4, atol=1e-5)


def test_one_picture_too_many_is_a_clear_error(
    make_job: MakeJob, make_network: MakeNetwork, toy_recipe: Any
) -> None:
    toy_recipe.starving_above = 0
    with pytest.raises(MemoryLimitError, match="single picture"):
        run(make_job(recipe=toy_recipe), make_network())


def test_accumulation_equals_the_whole_batch_without_batch_statistics(
    make_job: MakeJob, make_network: MakeNetwork
) -> None:
    whole, pieces = make_network(dropout=0.0, norm=False), make_network(dropout=0.0, norm=False)
    run(make_job(folder="a"), whole)
    run(make_job(folder="b", accumulate=3), pieces)
    for name, value in whole.state_dict().items():
        torch.testing.assert_close(pieces.state_dict()[name], value, rtol=1e-4, atol=1e-5)


def test_patience_stops_and_keeps_the_best(make_job: MakeJob, make_network: MakeNetwork) -> None:
    still = make_network(dropout=0.0, norm=False)
    events, fitted = run(make_job(lr=1e-30, weight_decay=0.0, patience=2, total_steps=60), still)
    epochs = [event for event in events if isinstance(event, Epoch)]
    # the accuracy never changes: ties count as better, so it runs on; a falling one stops
    assert fitted.steps == 60
    assert fitted.best_epoch == epochs[-1].number
    _, fitted = run(make_job(folder="x", lr=50.0, patience=2, total_steps=600), make_network())
    assert fitted.stopped_early
    assert fitted.steps < 600


def test_a_slow_machine_bends_the_schedule_to_keep_the_deadline(
    make_job: MakeJob, make_network: MakeNetwork
) -> None:
    seconds = itertools.count()
    job = make_job(total_steps=1000, deadline=200.0, clock=lambda: float(next(seconds)))
    events, fitted = run(job, make_network())
    notes = [event.text for event in events if isinstance(event, Note)]
    assert any("slower than planned" in text for text in notes)
    assert 10 < fitted.steps < 200
    assert next(seconds) < 240
    assert fitted.history[-1]["lr"] < 0.02


class Machine:
    """A clock that goes on by `seconds_of(step)` with every step that is made."""

    def __init__(self, seconds_of: Callable[[int], float]) -> None:
        self.seconds_of, self.now = seconds_of, 0.0

    def clock(self) -> float:
        return self.now

    def drive(self, trainer: Trainer) -> list[Note]:
        """Count steps instead of making them, and look at the pace as often as `fit` does."""
        notes, mark_s = [], self.now
        while not trainer.is_done():
            self.now += self.seconds_of(trainer.step)
            trainer.step += 1
            if self.now - mark_s >= 4.0:
                note, mark_s = trainer.keep_pace(), self.now
                notes += [note] if note is not None else []
        return notes


def paced(
    make_job: MakeJob, make_network: MakeNetwork, machine: Machine, **changes: Any
) -> tuple[Trainer, list[Note]]:
    trainer = Trainer(make_job(clock=machine.clock, **changes), make_network())
    return trainer, machine.drive(trainer)


def test_as_fast_as_planned_nothing_is_bent(make_job: MakeJob, make_network: MakeNetwork) -> None:
    machine = Machine(lambda step: 0.1)
    trainer, notes = paced(make_job, make_network, machine, total_steps=600, deadline=60.5)
    assert (trainer.step, notes) == (600, [])


def test_faster_than_planned_no_step_is_added(make_job: MakeJob, make_network: MakeNetwork) -> None:
    machine = Machine(lambda step: 0.02)
    trainer, notes = paced(make_job, make_network, machine, total_steps=600, deadline=60.0)
    assert (trainer.step, notes) == (600, [])
    assert trainer.schedule.factor(600) == pytest.approx(0.0, abs=1e-9)


def test_a_machine_half_as_fast_makes_half_the_steps(
    make_job: MakeJob, make_network: MakeNetwork
) -> None:
    machine = Machine(lambda step: 0.2)
    trainer, notes = paced(make_job, make_network, machine, total_steps=600, deadline=60.0)
    assert 290 <= trainer.step <= 300
    assert machine.now <= 60.0
    assert "slower than planned" in notes[0].text
    assert trainer.schedule.factor(trainer.step) == pytest.approx(0.0, abs=1e-9)


def test_a_slow_moment_does_not_shorten_training_for_good(
    make_job: MakeJob, make_network: MakeNetwork
) -> None:
    """80 s for 600 steps of 0.1 s: 20 s are taken away in the middle, and it still fits."""
    machine = Machine(lambda step: 1.1 if 200 <= step < 220 else 0.1)
    trainer, notes = paced(make_job, make_network, machine, total_steps=600, deadline=82.0)
    told = [note.text for note in notes]
    assert any("slower than planned" in text for text in told)
    assert any("faster again" in text for text in told)
    assert 570 <= trainer.step <= 600
    assert machine.now <= 82.0


def test_steps_given_up_come_back_as_far_as_time_is_left(
    make_job: MakeJob, make_network: MakeNetwork
) -> None:
    """Slow for the first 30 of 60 s: 150 steps at 0.2 s, then as many as fit at 0.1 s."""
    machine = Machine(lambda step: 0.2 if step < 150 else 0.1)
    trainer, _ = paced(make_job, make_network, machine, total_steps=600, deadline=60.0)
    assert 425 <= trainer.step <= 450
    assert machine.now <= 60.0


def test_without_a_deadline_or_with_company_the_plan_stands(
    make_job: MakeJob, make_network: MakeNetwork
) -> None:
    slow = Machine(lambda step: 10.0)
    trainer, notes = paced(make_job, make_network, slow, total_steps=40)
    assert (trainer.step, notes) == (40, [])
    trainer = Trainer(make_job(clock=slow.clock, deadline=slow.now + 5.0), make_network())
    # processes that disagree about the end would wait for one another for ever
    trainer.plan = trainer.plan.model_copy(update={"world_size": 2})
    assert slow.drive(trainer) == []
    assert trainer.step == 30


def test_a_deadline_that_has_passed_ends_training_at_once(
    make_job: MakeJob, make_network: MakeNetwork
) -> None:
    machine = Machine(lambda step: 5.0)
    trainer, _ = paced(make_job, make_network, machine, total_steps=600, deadline=12.0)
    assert trainer.step <= 4
    assert machine.now <= 20.0


@given(
    st.lists(st.tuples(st.integers(1, 200), st.floats(0.01, 2.0)), min_size=1, max_size=8),
    st.floats(20.0, 200.0),
)
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_the_machine_does_the_budget_is_kept(
    make_job: MakeJob,
    make_network: MakeNetwork,
    phases: list[tuple[int, float]],
    deadline: float,
) -> None:
    """Never more steps than planned; too late only by what changed since the last look."""
    speeds = [seconds for count, seconds in phases for _ in range(count)]
    machine = Machine(lambda step: speeds[min(step, len(speeds) - 1)])
    trainer, _ = paced(make_job, make_network, machine, total_steps=600, deadline=deadline)
    assert 1 <= trainer.step <= 600
    assert trainer.schedule.factor(trainer.step) == pytest.approx(0.0, abs=1e-9)
    assert machine.now <= deadline + 15.0 + 2 * max(speeds)


def test_truths_follow_the_plan_that_moves_their_pictures(make_job: MakeJob, toy_recipe: Any) -> None:
    job = make_job(recipe=toy_recipe, augment=AugmentSettings(flip="both", rotate_deg=20.0))
    batches = Batches(
        job.train,
        job.augmenter,
        toy_recipe,
        steps_per_epoch=6,
        seed=3,
        device=torch.device("cpu"),
        memory_format=torch.contiguous_format,
    )
    rows = batches.rows(1, 2)
    batch = batches.load(rows, epoch=1)
    (followed,) = toy_recipe.followed
    expected = job.augmenter.plan(1, rows)
    np.testing.assert_array_equal(followed.matrix, expected.matrix)
    moved = job.augmenter.apply(job.train.pixels[rows], expected).float()
    assert torch.equal(batch.pixels, moved)
    assert batch.targets["labels"].tolist() == [job.train.truths[row] for row in rows]


def test_without_held_pictures_it_still_trains(make_job: MakeJob, make_network: MakeNetwork) -> None:
    from dataclasses import replace

    job = make_job()
    empty = replace(
        job.held,
        pixels=job.held.pixels[:0],
        truths=[],
        encoded={"labels": torch.zeros(0, dtype=torch.long)},
        keys=[],
        geometry=job.held.geometry[:0],
    )
    _, fitted = run(replace(job, held=empty), make_network())
    assert fitted.steps == 30
