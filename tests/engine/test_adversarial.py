"""Adversarial training: what the hardener changes and leaves, and that it buys robustness."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from striate.engine.adversarial import Hardener
from striate.engine.loop import fit
from striate.gradients.attacks import fgsm
from striate.nn.recipe import Batch, mixed

MakeJob = Callable[..., Any]
MakeNetwork = Callable[..., nn.Module]


@pytest.fixture
def harmful(toy_recipe: Any) -> Any:
    """The toy's recipe with the harm that every recipe has."""

    def harm(module: nn.Module, batch: Batch) -> Tensor:
        logits, partner = module(batch.pixels), batch.partner_targets
        own, other = (
            None if one is None else nn.functional.cross_entropy(logits, one["labels"], reduction="none")
            for one in (batch.targets, partner)
        )
        assert own is not None
        return mixed(own, other, batch.share)

    toy_recipe.harm = harm
    return toy_recipe


def batch_of(count: int) -> Batch:
    pixels = torch.rand((count, 3, 8, 10), generator=torch.Generator().manual_seed(0)) * 255
    return Batch(pixels, {"labels": torch.arange(count) % 3})


def hardener(recipe: Any, **changes: Any) -> Hardener:
    return Hardener(
        recipe, **({"strength": 6.0, "steps": 2, "precision": "float32", "seed": 1} | changes)
    )


def test_pictures_stay_near_and_the_network_as_it_was(harmful: Any, make_network: MakeNetwork) -> None:
    module, batch = make_network(), batch_of(7)
    before = {name: value.clone() for name, value in module.state_dict().items()}
    found = hardener(harmful)(module, batch, epoch=0, rows=range(7))
    assert 0 < (found.pixels - batch.pixels).abs().max() <= 6 + 1e-4
    assert found.pixels.min() >= 0
    assert found.pixels.max() <= 255
    assert module.training
    assert all(parameter.grad is None for parameter in module.parameters())
    for name, value in module.state_dict().items():
        assert torch.equal(value, before[name]), name
    module.eval()
    with torch.no_grad():
        clean, hard = (harmful.harm(module, one) for one in (batch, found))
    assert hard.mean() > clean.mean()


def test_chance_belongs_to_the_record(harmful: Any, make_network: MakeNetwork) -> None:
    module, batch = make_network(norm=False), batch_of(6)
    whole = hardener(harmful)(module, batch, epoch=2, rows=range(6)).pixels
    pieces = hardener(harmful)(module, batch, epoch=2, rows=range(6), pieces=4).pixels
    torch.testing.assert_close(whole, pieces)
    other = hardener(harmful)(module, batch, epoch=3, rows=range(6)).pixels
    assert not torch.equal(whole, other)


def mixed_batch(shares: list[float]) -> Batch:
    """Pictures that are partly of the next class."""
    plain, share = batch_of(len(shares)), torch.tensor(shares)
    return replace(plain, partner_targets={"labels": (plain.targets["labels"] + 1) % 3}, share=share)


def test_a_mixed_batch_is_attacked_by_the_loss_that_it_is_trained_on(
    harmful: Any, make_network: MakeNetwork
) -> None:
    module = make_network(norm=False, dropout=0.0)
    batch, seen = mixed_batch([0.1, 0.5, 0.9, 0.3]), []
    plain_harm = harmful.harm
    harmful.harm = lambda network, one: seen.append(one) or plain_harm(network, one)
    found = hardener(harmful, steps=3)(module, batch, epoch=0, rows=range(4), pieces=2)
    for index, one in enumerate(seen):
        part = slice(0, 2) if index < 3 else slice(2, 4)
        assert torch.equal(one.share, batch.share[part])
        assert torch.equal(one.partner_targets["labels"], batch.partner_targets["labels"][part])
        assert torch.equal(one.targets["labels"], batch.targets["labels"][part])
    with torch.no_grad():
        assert (plain_harm(module, found) > plain_harm(module, batch)).all()
    assert found.share is batch.share


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_what_has_no_share_in_a_picture_is_not_attacked(
    harmful: Any, make_network: MakeNetwork, share: float
) -> None:
    module, batch = make_network(norm=False, dropout=0.0), mixed_batch([share] * 4)
    found = hardener(harmful)(module, batch, epoch=0, rows=range(4)).pixels
    alone = Batch(batch.pixels, batch.targets if share else batch.partner_targets)  # type: ignore[arg-type]
    wanted = hardener(harmful)(module, alone, epoch=0, rows=range(4)).pixels
    torch.testing.assert_close(found, wanted)


def test_one_step_is_fast_adversarial_training(harmful: Any, make_network: MakeNetwork) -> None:
    module, batch = make_network(), batch_of(4)
    found = hardener(harmful, steps=1)(module, batch, epoch=0, rows=range(4)).pixels
    change = (found - batch.pixels).abs()
    inside = (found > 0) & (found < 255)
    # from anywhere in the box a step of 1.25 strengths ends at its far side, or a fifth short of it
    assert (change[inside] >= 0.25 * 6 - 1e-3).all()
    assert change.max() <= 6 + 1e-4


def test_training_on_attacks_makes_robust(
    harmful: Any, make_job: MakeJob, make_network: MakeNetwork
) -> None:
    """Pictures differ by colour; under attack the plainly trained network loses more."""

    def robust(adversarial: float) -> float:
        job = make_job(
            recipe=harmful, folder=f"checkpoints-{adversarial}", total_steps=60,
            adversarial=adversarial, adversarial_steps=2,
        )  # fmt: skip
        module = make_network(dropout=0.0)
        for _ in fit(job, module, resume=False):
            pass
        module.eval()
        held = torch.from_numpy(np.array(job.held.pixels)).permute(0, 3, 1, 2).float()
        labels = {"labels": job.held.encoded["labels"]}
        changed = fgsm(lambda one: harmful.harm(module, Batch(one, labels)), held, 30.0)
        with torch.no_grad():
            return float((module(changed).argmax(dim=1) == labels["labels"]).float().mean())

    assert robust(30.0) > robust(0.0)


def test_an_interrupted_run_goes_on_bit_for_bit(
    harmful: Any, make_job: MakeJob, make_network: MakeNetwork
) -> None:
    from striate.errors import Interrupted

    settings = {"recipe": harmful, "adversarial": 8.0, "adversarial_steps": 1}
    whole = make_network()
    for _ in fit(make_job(folder="whole", **settings), whole, resume=False):
        pass
    cut, steps = make_network(), iter(range(100))
    job = make_job(folder="cut", stop=lambda: next(steps) >= 9, **settings)
    with pytest.raises(Interrupted):
        for _ in fit(job, cut, resume=False):
            pass
    again = make_network()
    for _ in fit(make_job(folder="cut", **settings), again, resume=True):
        pass
    for name, value in whole.state_dict().items():
        assert torch.equal(value, again.state_dict()[name]), name
