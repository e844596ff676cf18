from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from torch import nn

from striate.errors import UnknownNameError
from striate.nn.network import Network, build_network
from striate.nn.networks.backbone import IMAGENET, Normalisation

SIZE_HW = (32, 40)


def _network(
    model: str = "test_resnet", channels: int = 3, size_hw: tuple[int, int] = SIZE_HW
) -> Network:
    torch.manual_seed(0)
    return build_network(
        model, in_channels=channels, size_hw=size_hw, head=lambda features: nn.Linear(features, 5)
    )


def _pictures(count: int = 4, size_hw: tuple[int, int] = SIZE_HW) -> torch.Tensor:
    return torch.from_numpy(
        np.random.default_rng(0).integers(0, 256, (count, 3, *size_hw), dtype=np.uint8)
    )


def test_normalisation_by_the_formula() -> None:
    pictures = _pictures()
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in (IMAGENET.mean, IMAGENET.std))
    expected = (pictures.float() / 255 - mean) / std
    network = _network("pixels-linear")
    torch.testing.assert_close(network.normalise(pictures), expected, atol=1e-5, rtol=1e-5)
    given = build_network(
        "pixels-linear",
        in_channels=3,
        size_hw=SIZE_HW,
        head=lambda features: nn.Linear(features, 2),
        norm=Normalisation((0.5,) * 3, (0.25,) * 3),
    )
    torch.testing.assert_close(
        given.normalise(pictures), (pictures / 255 - 0.5) / 0.25, atol=1e-5, rtol=1e-5
    )


def test_one_channel_is_luma() -> None:
    network = _network("pixels-linear", channels=1)
    red = torch.tensor([255, 0, 0], dtype=torch.uint8).view(1, 3, 1, 1).expand(1, 3, *SIZE_HW)
    norm = IMAGENET.for_channels(1)
    found = network.normalise(red)
    assert found.shape == (1, 1, *SIZE_HW)
    torch.testing.assert_close(found, torch.full_like(found, (0.299 - norm.mean[0]) / norm.std[0]))


@pytest.mark.parametrize("channels", [1, 3])
def test_uint8_and_float_give_the_same_in_any_layout(channels: int) -> None:
    network = _network(channels=channels).eval()
    pictures = _pictures()
    with torch.no_grad():
        expected = network(pictures)
        assert expected.shape == (4, 5)
        assert torch.equal(network(pictures.float()), expected)
        last = pictures.float().contiguous(memory_format=torch.channels_last)
        torch.testing.assert_close(network(last), expected, atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(network.head(network.features(pictures)), expected)
    if channels == 3:
        assert network.normalise(last).is_contiguous(memory_format=torch.channels_last)


def _trained(network: Network) -> set[str]:
    """Parameters that one optimiser step moves, buffers that one forward pass moves."""
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    network.train()
    parameters = [p for p in network.parameters() if p.requires_grad]
    optimiser = torch.optim.SGD(parameters, lr=1.0)
    network(_pictures()).square().sum().backward()
    optimiser.step()
    return {
        name for name, tensor in network.state_dict().items() if not torch.equal(tensor, before[name])
    }


def test_the_head_alone_moves_at_depth_head() -> None:
    network = _network()
    network.freeze("head")
    assert _trained(network) == {"head.weight", "head.bias"}
    assert not network.backbone.training
    assert network.training
    assert network.head.training


def test_the_last_stage_moves_too_at_depth_last() -> None:
    network = _network()
    network.freeze("last")
    moved = _trained(network)
    assert {"head.weight", "head.bias"} < moved
    body = {name for name in moved if name.startswith("backbone.")}
    assert body
    assert all(name.startswith("backbone.model.layer4.") for name in body)
    assert any(name.endswith("running_mean") for name in body)


def test_everything_moves_again_at_depth_all() -> None:
    network = _network()
    network.freeze("head")
    network.freeze("all")
    assert all(parameter.requires_grad for parameter in network.parameters())
    moved = _trained(network)
    assert {"head.weight", "backbone.model.bn1.weight", "backbone.model.bn1.running_mean"} <= moved


def test_what_is_fixed_by_design_stays_fixed() -> None:
    network = _network("small-cnn")
    fixed = {name for name, parameter in network.named_parameters() if not parameter.requires_grad}
    assert "backbone.model.stem.weight" in fixed
    for depth in ("last", "all"):
        network.freeze(depth)
        assert not any(network.get_parameter(name).requires_grad for name in fixed)
        assert network.get_parameter("backbone.model.stage3.first.0.weight").requires_grad


def test_frozen_features_do_not_depend_on_the_mode() -> None:
    network = _network("googlenet", size_hw=(40, 40))  # it has dropout before its head
    network.freeze("head")
    pictures = _pictures(size_hw=(40, 40))
    with torch.no_grad():
        assert torch.equal(network.train().features(pictures), network.eval().features(pictures))


def test_a_network_without_stages_freezes_too() -> None:
    for depth in ("head", "last"):
        network = _network("pixels-linear")
        network.freeze(depth)
        assert _trained(network) == {"head.weight", "head.bias"}


def test_a_copy_keeps_its_depth() -> None:
    network = _network()
    network.freeze("last")
    twin = copy.deepcopy(network).train()
    assert not twin.backbone.model.get_submodule("bn1").training
    assert twin.backbone.model.get_submodule("layer4").training


def test_unknown_depths_list_the_choices() -> None:
    with pytest.raises(UnknownNameError, match="one of all, head, last"):
        _network("pixels-linear").freeze("everything")  # type: ignore[arg-type]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("model", ["zfnet", "alexnet", "small-cnn", "deck-cnn", "pixels-mlp"])
def test_networks_answer_alike_through_onnx_at_odd_sizes(model: str, tmp_path: Path) -> None:
    size_hw = (96, 80) if model in ("alexnet", "zfnet") else SIZE_HW
    network = _network(model, channels=1, size_hw=size_hw).eval()
    if model in ("alexnet", "zfnet"):  # without the dense layers, whose export takes seconds
        network.backbone.model.classifier, network.head = nn.Identity(), nn.Identity()
    path = str(tmp_path / f"{model}.onnx")
    torch.onnx.export(
        network,
        (_pictures(2, size_hw).float(),),
        path,
        dynamo=False,
        opset_version=18,
        input_names=["pictures"],
        dynamic_axes={"pictures": {0: "batch"}},
    )
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    pictures = _pictures(3, size_hw)
    found = session.run(None, {"pictures": pictures.float().numpy()})[0]
    with torch.no_grad():
        np.testing.assert_allclose(found, network(pictures), atol=1e-4, rtol=1e-3)
