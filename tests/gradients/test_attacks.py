"""Attacks stay within their strength, and equal the closed form or captum's."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from striate.gradients.attacks import Norm, fgsm, pgd, project, random_start
from striate.gradients.patches import lay, learn_patch, places_of

SHAPE = (3, 5, 7)


def pictures(count: int, seed: int = 0) -> Tensor:
    """Numbers far from both ends, so that nothing is clipped by moves below 60."""
    return 60 + 130 * torch.rand((count, *SHAPE), generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def weights() -> Tensor:
    return torch.randn(SHAPE, generator=torch.Generator().manual_seed(5))


@pytest.fixture
def network() -> nn.Module:
    torch.manual_seed(1)
    return nn.Sequential(nn.Conv2d(3, 6, 3), nn.Tanh(), nn.Flatten(), nn.Linear(6 * 3 * 5, 1), nn.Tanh())


def test_on_a_linear_network_the_worst_is_known(weights: Tensor) -> None:
    given, strength = pictures(4), 7.0

    def harm(pixels: Tensor) -> Tensor:
        return (pixels * weights).flatten(1).sum(dim=1)

    corner = given + strength * weights.sign()
    torch.testing.assert_close(fgsm(harm, given, strength), corner)
    torch.testing.assert_close(pgd(harm, given, strength, steps=5), corner)
    along = given + strength * weights / weights.norm()
    torch.testing.assert_close(pgd(harm, given, strength, norm="l2", steps=5), along)
    start = random_start(given, strength, "linf", [1, 2, 3, 4])
    torch.testing.assert_close(pgd(harm, given, strength, steps=8, start=start), corner)


def test_fgsm_is_captums() -> None:
    from captum.robust import FGSM

    torch.manual_seed(2)
    network = nn.Sequential(nn.Conv2d(3, 6, 3), nn.Tanh(), nn.Flatten(), nn.Linear(6 * 3 * 5, 4))
    network[0].weight.data /= 200  # no saturation
    given, labels = pictures(3).requires_grad_(True), torch.tensor([0, 3, 1])  # captum wants it so
    loss = nn.CrossEntropyLoss(reduction="none")
    reference = FGSM(network, loss_func=loss, lower_bound=0, upper_bound=255)
    expected = reference.perturb(given, 9.0, target=labels)
    found = fgsm(lambda one: loss(network(one), labels), given.detach(), 9.0)
    torch.testing.assert_close(found, expected.detach())


@settings(deadline=None, max_examples=30)
@given(
    strength=st.floats(0, 300), norm=st.sampled_from(["linf", "l2"]), seed=st.integers(0, 99),
    steps=st.integers(1, 4),
)  # fmt: skip
def test_no_attack_leaves_its_bounds(strength: float, norm: Norm, seed: int, steps: int) -> None:
    torch.manual_seed(seed)
    layer = nn.Linear(3 * 5 * 7, 1)
    clean = 255 * torch.rand((2, *SHAPE))
    start = random_start(clean, strength, norm, [seed, seed + 1])
    found = pgd(
        lambda one: layer(one.flatten(1))[:, 0], clean, strength, norm=norm, steps=steps, start=start
    )
    for changed in (start, found, project(clean + 500, clean, strength, norm)):
        assert changed.min() >= 0
        assert changed.max() <= 255
        change = (changed - clean).flatten(1)
        far = change.abs().amax() if norm == "linf" else change.norm(dim=1).max()
        assert far <= strength * (1 + 1e-5) + 1e-3


def test_steps_harm_more_than_one_and_the_worst_is_kept(network: nn.Module) -> None:
    given = pictures(6, seed=3)

    def harm(pixels: Tensor) -> Tensor:
        return network((pixels - 125) / 20)[:, 0]

    with torch.no_grad():
        clean, once = harm(given), harm(fgsm(harm, given, 20))
        many = harm(pgd(harm, given, 20, steps=20))
    assert (many >= clean).all()
    assert many.mean() >= once.mean() - 1e-6
    wild = pgd(harm, given, 20, steps=3, step=500.0)  # jumps from end to end
    assert (harm(wild) >= clean - 1e-6).all()
    assert (harm(pgd(harm, given, 20, steps=3, step=500.0, keep_worst=False)) <= harm(wild) + 1e-6).all()


def test_a_sum_over_pictures_serves_where_they_are_not_told_apart(network: nn.Module) -> None:
    given = pictures(3)
    apart = pgd(lambda one: network(one)[:, 0], given, 8.0, steps=4, keep_worst=False)
    together = pgd(lambda one: network(one).sum(), given, 8.0, steps=4)
    torch.testing.assert_close(apart, together)


def test_a_start_is_the_pictures_own() -> None:
    given = pictures(3)
    whole = random_start(given, 8.0, "linf", [4, 5, 6])
    torch.testing.assert_close(random_start(given[1:2], 8.0, "linf", [5])[0], whole[1])
    assert not torch.equal(whole[0] - given[0], whole[1] - given[1])


def test_nothing_changes_without_strength(network: nn.Module) -> None:
    given = pictures(2)
    assert torch.equal(pgd(lambda one: network(one)[:, 0], given, 0.0), given)


# -- patches ------------------------------------------------------------------------------------------


def test_a_patch_covers_its_place_and_nothing_else() -> None:
    clean, patch = pictures(2), torch.full((3, 2, 2), 7.0)
    found = lay(clean, patch, np.array([[0, 0], [3, 5]]))
    assert (found[0, :, :2, :2] == 7).all()
    assert (found[1, :, 3:5, 5:7] == 7).all()
    assert int((found != clean).sum()) == 2 * 3 * 4
    found[0, :, :2, :2] = clean[0, :, :2, :2]
    assert torch.equal(found[0], clean[0])


@given(st.integers(1, 40), st.integers(1, 40), st.data())
def test_places_lie_inside(height: int, width: int, data: st.DataObject) -> None:
    side = data.draw(st.integers(1, min(height, width)))
    places = places_of(np.arange(9), (height, width), side)
    assert (places >= 0).all()
    assert (places + side <= [height, width]).all()


def test_a_patch_learns_what_harms_most() -> None:
    """The harm is how red the picture is and how little blue: the patch turns so, wherever it lies."""
    pixels = np.full((6, 12, 16, 3), 120, np.uint8)

    def harm(given: Tensor, rows: object) -> Tensor:
        return (given[:, 0] - given[:, 2]).mean(dim=(1, 2)) / 20

    patch = learn_patch(harm, pixels, side=4, steps=80, seed=0, device=torch.device("cpu"))
    assert patch.shape == (3, 4, 4)
    assert patch[0].min() > 200
    assert patch[2].max() < 55
    again = learn_patch(harm, pixels, side=4, steps=80, seed=0, device=torch.device("cpu"))
    assert torch.equal(patch, again)
