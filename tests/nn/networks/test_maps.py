from __future__ import annotations

from collections import OrderedDict

import pytest
import torch
from torchvision.ops import FeaturePyramidNetwork

from striate.errors import UsageError
from striate.nn.networks.maps import MapShape, MapsOf, Pyramid
from striate.nn.networks.registry import build_backbone

STRIDES = (8, 16, 32)
TIMM = ("test_resnet", "test_efficientnet", "test_convnext", "resnet10t")


def maps_of(name: str, size_hw: tuple[int, int], *, channels: int = 3) -> MapsOf:
    backbone = build_backbone(name, channels=channels, size_hw=size_hw)
    return MapsOf(backbone, name=name, channels=channels, size_hw=size_hw, strides=STRIDES)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", TIMM)
def test_maps_have_the_shapes_that_are_told(name: str, channels: int) -> None:
    maps = maps_of(name, (64, 96), channels=channels)
    assert [one.stride for one in maps.shapes] == [8, 16, 32]
    assert [one.size_hw for one in maps.shapes] == [(8, 12), (4, 6), (2, 3)]
    found = maps(torch.randn(2, channels, 64, 96))
    assert [tuple(one.shape) for one in found] == [(2, s.channels, *s.size_hw) for s in maps.shapes]


def test_the_maps_are_those_of_the_architecture() -> None:
    """The last map of each stride is what the stage itself puts out."""
    backbone = build_backbone("test_resnet", channels=3, size_hw=(64, 96))
    backbone.eval()
    maps = MapsOf(backbone, name="test_resnet", channels=3, size_hw=(64, 96), strides=STRIDES)
    pictures = torch.randn(2, 3, 64, 96)
    model = backbone.model
    below = model.maxpool(model.act1(model.bn1(model.conv1(pictures))))  # type: ignore[operator]
    for number, found in zip((1, 2, 3, 4), [None, *maps(pictures)], strict=True):
        below = model.get_submodule(f"layer{number}")(below)
        if found is not None:
            torch.testing.assert_close(found, below)


def test_reading_maps_leaves_the_network_as_it_was() -> None:
    backbone = build_backbone("test_resnet", channels=3, size_hw=(64, 64))
    before = {name: value.clone() for name, value in backbone.state_dict().items()}
    torch.manual_seed(4)
    expected = torch.rand(1)
    torch.manual_seed(4)
    maps = MapsOf(backbone, name="test_resnet", channels=3, size_hw=(64, 64), strides=(32,))
    assert torch.equal(torch.rand(1), expected)
    assert backbone.training
    assert all(module.training for module in backbone.modules())
    assert all(torch.equal(value, before[name]) for name, value in backbone.state_dict().items())
    maps(torch.randn(2, 3, 64, 64))[0].mean().backward()
    assert next(iter(backbone.model.parameters())).grad is not None


@pytest.mark.parametrize("name", ["small-cnn", "pixels-linear", "pixels-mlp"])
def test_a_network_without_maps_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match=f"{name} has no maps .*resnet18"):
        maps_of(name, (64, 64))


def test_a_transformer_of_one_resolution_is_refused() -> None:
    with pytest.raises(UsageError, match=r"test_vit has maps at strides \[16\], not at 8.*resnet18"):
        maps_of("test_vit", (64, 64))


@pytest.mark.parametrize("extra", [0, 1, 2])
@pytest.mark.parametrize("size_hw", [(64, 96), (32, 160)])
def test_a_pyramid_is_torchvisions_and_what_is_added(size_hw: tuple[int, int], extra: int) -> None:
    maps = maps_of("test_resnet", size_hw)
    torch.manual_seed(0)
    pyramid = Pyramid(maps.shapes, 12, extra=extra)
    theirs = FeaturePyramidNetwork([one.channels for one in maps.shapes], 12)
    theirs.load_state_dict(pyramid.merge.state_dict())
    given = maps(torch.randn(2, 3, *size_hw))
    found = pyramid(given)
    expected = theirs(OrderedDict((str(i), one) for i, one in enumerate(given)))
    for ours, other in zip(found, expected.values(), strict=False):
        torch.testing.assert_close(ours, other)
    assert [tuple(one.shape) for one in found] == [(2, 12, *s.size_hw) for s in pyramid.shapes]
    assert [one.stride for one in pyramid.shapes] == [8, 16, 32, 64, 128][: 3 + extra]
    sum(one.square().mean() for one in found).backward()
    assert all(parameter.grad is not None for parameter in pyramid.parameters())


def test_added_maps_of_odd_sides_are_rounded_up() -> None:
    pyramid = Pyramid([MapShape(4, (5, 7), 32)], 6, extra=3)
    assert [one.size_hw for one in pyramid.shapes] == [(5, 7), (3, 4), (2, 2), (1, 1)]
    found = pyramid([torch.randn(1, 4, 5, 7)])
    assert [tuple(one.shape[2:]) for one in found] == [one.size_hw for one in pyramid.shapes]
