"""The gradient methods beside captum's on small convolutional networks; properties where it has none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import captum.attr as peer
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from striate.gradients.attribution import GRADIENT_METHODS
from striate.gradients.cam import grad_cam, grad_cam_plus_plus, hires_cam, layer_cam, maps_and_gradients
from striate.gradients.question import Network, Question, gradient
from striate.gradients.saliency import (
    deconvolution,
    guided_backprop,
    guided_gradcam,
    input_x_gradient,
    integrated_gradients,
    saliency,
    smooth_grad,
)
from striate.task import Aim

SIZE_HW = (13, 10)
pytestmark = pytest.mark.filterwarnings("ignore:Setting backward hooks:UserWarning")


def plain() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 6, 3, padding=1), nn.ReLU(inplace=True), nn.MaxPool2d(2),
        nn.Conv2d(6, 8, 3, padding=1), nn.ReLU(inplace=True),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 4),
    )  # fmt: skip


class Residual(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 5, 3, padding=1), nn.Conv2d(5, 5, 3, padding=1)
        self.norm, self.relu, self.relu2 = nn.BatchNorm2d(5), nn.ReLU(), nn.ReLU()
        self.head = nn.Linear(5 * 6 * 5, 4)

    def forward(self, pixels: Tensor) -> Tensor:
        maps = self.relu(self.norm(self.first(pixels / 127 - 1)))
        maps = self.relu2(maps + self.second(maps))
        return cast(Tensor, self.head(F.avg_pool2d(maps, 2).flatten(1)))


class Toy:
    """What of a recipe attribution uses."""

    def build(self) -> nn.Module:
        return plain()

    def outputs(
        self, module: nn.Module, pixels: Tensor, more: Mapping[str, Tensor]
    ) -> dict[str, Tensor]:
        return {"logits": module(pixels)}

    def pull(self, outputs: Mapping[str, Tensor], aims: Sequence[Aim]) -> Tensor:
        return outputs["logits"][torch.arange(len(aims)), [one.index for one in aims]]


NETWORKS = {"plain": (plain, "4"), "residual": (Residual, "relu2")}


@pytest.fixture(params=sorted(NETWORKS))
def case(request: pytest.FixtureRequest) -> tuple[Network, Question, str]:
    make, layer = NETWORKS[request.param]
    with torch.random.fork_rng():
        torch.manual_seed(3)
        network = Network.of(cast(Any, Toy()), make())
        pixels = torch.rand(3, 3, *SIZE_HW) * 255
    return network, Question(pixels, [Aim("a", index, 0.5, "") for index in (2, 0, 3)]), layer


def targets(question: Question) -> list[int]:
    return [one.index for one in question.aims]


def same(ours: Tensor, theirs: Tensor) -> bool:
    theirs = theirs.detach()
    return torch.allclose(ours, theirs, rtol=1e-5, atol=1e-5 * float(theirs.abs().max()))


def test_saliency(case: Any) -> None:
    network, question, _ = case
    theirs = peer.Saliency(network.module).attribute(
        question.pixels.clone().requires_grad_(), targets(question)
    )
    assert same(saliency(network, question), theirs.amax(dim=1))


def test_input_x_gradient(case: Any) -> None:
    network, question, _ = case
    theirs = peer.InputXGradient(network.module).attribute(
        question.pixels.clone().requires_grad_(), targets(question)
    )
    assert same(input_x_gradient(network, question, baseline=0), theirs.sum(dim=1).clamp_min(0))


def test_integrated_gradients(case: Any) -> None:
    network, question, _ = case
    theirs = peer.IntegratedGradients(network.module).attribute(
        question.pixels, 127.0, targets(question), n_steps=20, method="riemann_middle"
    )
    assert same(integrated_gradients(network, question, steps=20), theirs)


def test_integrated_gradients_add_up_to_the_answer(case: Any) -> None:
    network, question, _ = case
    with torch.no_grad():
        grey = network.pull(question.at(torch.full_like(question.pixels, 127.0)))
        fall = network.pull(question) - grey
    found = integrated_gradients(network, question, steps=400).sum(dim=(1, 2, 3))
    assert torch.allclose(found, fall, rtol=0.01, atol=0.01 * float(fall.abs().max()))


def test_grad_cam(case: Any) -> None:
    network, question, layer = case
    theirs = peer.LayerGradCam(network.module, network.module.get_submodule(layer)).attribute(
        question.pixels.clone().requires_grad_(), targets(question), relu_attributions=True
    )
    enlarged = F.interpolate(theirs, size=SIZE_HW, mode="bilinear", align_corners=False)[:, 0]
    assert same(grad_cam(network, question, layer), enlarged)


def test_guided_backprop(case: Any) -> None:
    network, question, _ = case
    theirs = peer.GuidedBackprop(network.module).attribute(
        question.pixels.clone().requires_grad_(), targets(question)
    )
    assert same(guided_backprop(network, question), theirs)


def test_deconvolution(case: Any) -> None:
    network, question, _ = case
    theirs = peer.Deconvolution(network.module).attribute(
        question.pixels.clone().requires_grad_(), targets(question)
    )
    assert same(deconvolution(network, question), theirs)


def test_guided_grad_cam(case: Any) -> None:
    network, question, layer = case
    theirs = peer.GuidedGradCam(network.module, network.module.get_submodule(layer)).attribute(
        question.pixels.clone().requires_grad_(), targets(question), interpolate_mode="bilinear"
    )
    assert same(guided_gradcam(network, question, layer), theirs.abs().amax(dim=1))


def test_layer_cam_and_hires_cam_by_their_definitions(case: Any) -> None:
    network, question, layer = case
    maps, slopes = maps_and_gradients(network, question, layer)
    for method, field in ((layer_cam, slopes.clamp_min(0) * maps), (hires_cam, slopes * maps)):
        heat = field.sum(dim=1, keepdim=True).clamp_min(0)
        enlarged = F.interpolate(heat, size=SIZE_HW, mode="bilinear", align_corners=False)[:, 0]
        assert same(method(network, question, layer), enlarged)


def test_grad_cam_plus_plus_by_its_definition_one_place_at_a_time() -> None:
    maps, slopes = torch.rand(1, 2, 3, 2), torch.randn(1, 2, 3, 2)
    heat = torch.zeros(3, 2)
    for channel in range(2):
        g, a = slopes[0, channel], maps[0, channel]
        alpha = g**2 / (2 * g**2 + a.sum() * g**3)
        heat += (alpha * g.clamp_min(0)).sum() * a

    class Given(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Identity()

        def forward(self, pixels: Tensor) -> Tensor:
            return (self.layer(maps) * slopes).sum(dim=(1, 2, 3))[:, None]

    network = Network.of(cast(Any, Toy()), Given())
    question = Question(torch.zeros(1, 3, 3, 2), [Aim("a", 0, 1.0, "")])
    assert torch.allclose(
        grad_cam_plus_plus(network, question, "layer")[0], heat.clamp_min(0), atol=1e-5
    )


def test_smooth_grad_without_noise_is_saliency(case: Any) -> None:
    network, question, _ = case
    assert same(smooth_grad(network, question, draws=3, spread=0.0), saliency(network, question))


def test_smooth_grad_does_not_depend_on_what_else_is_in_the_batch(case: Any) -> None:
    network, question, _ = case
    alone = Question(question.pixels[1:2], question.aims[1:2])
    assert same(smooth_grad(network, question, draws=4)[1:2], smooth_grad(network, alone, draws=4))


@pytest.mark.parametrize("name", sorted(GRADIENT_METHODS))
def test_every_method_gives_heat_of_each_picture_by_itself(case: Any, name: str) -> None:
    network, question, layer = case
    found = GRADIENT_METHODS[name].heat(network, question, layer, 5)
    assert found.shape == (3, *SIZE_HW)
    assert float(found.min()) >= 0
    alone = Question(question.pixels[2:], question.aims[2:])
    assert same(GRADIENT_METHODS[name].heat(network, alone, layer, 5), found[2:])


def test_an_answer_that_sees_nothing_has_no_gradient() -> None:
    class Deaf(nn.Module):
        def forward(self, pixels: Tensor) -> Tensor:
            return torch.ones(len(pixels), 4)

    network = Network.of(cast(Any, Toy()), Deaf())
    question = Question(torch.rand(2, 3, 5, 4), [Aim("a", 1, 1.0, "")] * 2)
    assert not gradient(network, question).any()


def test_numbers_are_explained_either_way() -> None:
    network = Network.of(cast(Any, Toy()), nn.Sequential(nn.Identity(), nn.Flatten(), nn.Linear(12, 4)))
    pixels = torch.rand(1, 3, 2, 2) * 255
    one_way, either = (
        input_x_gradient(network, Question(pixels, [Aim("a", 1, 1.0, "", either_way=way)]))
        for way in (False, True)
    )
    assert (either >= one_way).all()
    assert (either > 0).sum() > (one_way > 0).sum()
