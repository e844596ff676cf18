"""What units see, against hand-worked figures and against the support of torch's gradient."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import torch
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from striate.arithmetic.layers import Network
from striate.arithmetic.parsing import parse_layers
from striate.arithmetic.presets import build_preset
from striate.arithmetic.reach import adaptive_reach, conv_reach, resize_reach, transposed_reach
from striate.arithmetic.receptive_field import fields_of, find_unit, patch_of, spans_of
from striate.arithmetic.sizes import Slide
from striate.errors import UnknownNameError, UsageError


def read(text: str) -> Network:
    return parse_layers(text, rounding="floor").network


def support(net: nn.Module, size_hw: tuple[int, int], unit: tuple[int, int]) -> list[int] | None:
    """(x0, y0, x1, y1) around the pixels with a gradient, ends exclusive; None if there are none."""
    x = torch.ones(1, 1, *size_hw, dtype=torch.float64, requires_grad=True)
    net(x)[0, :, unit[0], unit[1]].sum().backward()
    assert x.grad is not None
    ys, xs = torch.nonzero(x.grad[0, 0], as_tuple=True)
    if not len(ys):
        return None
    return [int(xs.min()), int(ys.min()), int(xs.max()) + 1, int(ys.max()) + 1]


def ones(layer: nn.Module) -> nn.Module:
    """Positive weights: nothing cancels."""
    for one in layer.parameters():
        nn.init.constant_(one, 0.5)
    return layer.double()


@dataclass(frozen=True)
class Piece:
    """A layer, as typed and in torch."""

    text: str
    module: nn.Module


@st.composite
def pieces(draw: st.DrawFn) -> Piece:
    kind = draw(
        st.sampled_from(["conv", "conv", "avgpool", "convt", "upsample", "bilinear", "adaptive"])
    )
    kernel, stride = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    if kind == "conv":
        pad, dilation = draw(st.integers(0, 2)), draw(st.integers(1, 2))
        text = f"conv1 {kernel}x{kernel} s{stride} p{pad} d{dilation}"
        return Piece(text, ones(nn.Conv2d(1, 1, kernel, stride, pad, dilation)))
    if kind == "avgpool":
        pad = draw(st.integers(0, kernel // 2))
        text = f"avgpool {kernel}x{kernel} s{stride} p{pad}"
        return Piece(text, nn.AvgPool2d(kernel, stride, pad))
    if kind == "convt":
        pad = draw(st.integers(0, 1))
        text = f"convt1 {kernel}x{kernel} s{stride} p{pad}"
        return Piece(text, ones(nn.ConvTranspose2d(1, 1, kernel, stride, pad)))
    if kind == "adaptive":
        tall, wide = draw(st.integers(1, 5)), draw(st.integers(1, 5))
        return Piece(f"adaptiveavgpool {tall}x{wide}", nn.AdaptiveAvgPool2d((tall, wide)))
    if kind == "upsample":
        return Piece(f"upsample {stride}", nn.Upsample(scale_factor=stride, mode="nearest"))
    return Piece("upsample 2 bilinear", nn.Upsample(scale_factor=2, mode="bilinear"))


@settings(deadline=None, max_examples=120, suppress_health_check=[HealthCheck.filter_too_much])
@given(st.lists(pieces(), min_size=1, max_size=4), st.integers(5, 12), st.integers(5, 12), st.data())
def test_every_chain_sees_what_has_a_gradient(
    chain: list[Piece], height: int, width: int, data: st.DataObject
) -> None:
    try:
        network = read(f"{height}x{width} " + " ".join(one.text for one in chain))
    except UsageError:
        assume(False)
    tall, wide = network.layers[-1].places_hw
    assume(tall * wide < 4000)
    unit = data.draw(st.integers(0, tall - 1)), data.draw(st.integers(0, wide - 1))
    found = patch_of(network, len(network.layers) - 1, unit)
    expected = support(nn.Sequential(*(one.module for one in chain)), (height, width), unit)
    assert (None if found.box_xyxy is None else list(found.box_xyxy)) == expected
    assert found.exact


class Branches(nn.Module):
    """conv; a sum of two paths; a concatenation of three."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.deep1, self.deep2 = (
            ones(nn.Conv2d(1, 1, 3, 2, 1)),
            ones(nn.Conv2d(1, 1, 3, 1, 1)),
            ones(nn.Conv2d(1, 1, 5, 1, 4, 2)),
        )
        self.one, self.far = ones(nn.Conv2d(1, 1, 1)), ones(nn.Conv2d(1, 1, 3, 1, 3, 3))
        self.pool = nn.AvgPool2d(3, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        x = x + self.deep2(self.deep1(x))
        return torch.cat([self.one(x), self.far(x), self.pool(x)], 1)


@pytest.mark.parametrize("unit", [(0, 0), (5, 3), (9, 12), (0, 12)])
def test_branches_see_the_union(unit: tuple[int, int]) -> None:
    network = read(
        "20x26 conv1 3x3 s2 p1 add( ; conv1 same3 conv1 5x5 p4 d2) "
        "cat(conv1 1x1; conv1 3x3 p3 d3; avgpool 3x3 s1 p1)"
    )
    found = patch_of(network, len(network.layers) - 1, unit)
    assert list(found.box_xyxy or ()) == support(Branches(), (20, 26), unit)


@pytest.mark.parametrize(
    ("text", "size", "stride", "start"),
    [
        ("32x32 conv1 3x3 conv1 3x3", 5, 1, 0),
        ("32x32 conv1 3x3 conv1 3x3 conv1 3x3", 7, 1, 0),
        ("32x32 conv1 5x5 p2 pool conv1 5x5 p2", 14, 2, -6),
        ("32x32 conv1 3x3 d2 conv1 3x3 d4", 13, 1, 0),
        ("64x64 conv1 7x7 s2 p3 maxpool 3 2 1", 11, 4, -5),
    ],
)
def test_hand_worked_fields(text: str, size: int, stride: int, start: int) -> None:
    field = fields_of(read(text))[-1]
    assert field.size_hw == (size, size)
    assert field.stride_hw == (stride, stride)
    assert field.start_yx == (start, start)
    assert not field.whole
    assert field.exact


@pytest.mark.parametrize(
    ("name", "layer", "size", "stride"),
    [
        ("alexnet", "pool5", 195, 32),  # Araujo et al. 2019, with this padding
        ("vgg16", "pool5", 212, 32),
        ("resnet18", "layer4.1.add", 435, 32),
        ("resnet152", "layer4.2.add", 1451, 32),
    ],
)
def test_published_fields(name: str, layer: str, size: int, stride: int) -> None:
    network = build_preset(name)
    index, _ = find_unit(network, layer)
    field = fields_of(network)[index]
    assert field.size_hw == (size, size)
    assert field.stride_hw == (stride, stride)


def test_pixels_that_are_left_out_are_not_seen() -> None:
    # the last pixel of 8 is covered by no window of the first layer, so padding lies behind it
    network = read("8x8 conv1 3x3 s2 conv1 3x3 p1")
    patch = patch_of(network, 1, (2, 2))
    assert patch.box_xyxy == (2, 2, 7, 7)
    assert patch.padded_xyxy == (2, 2, 9, 9)


def test_a_unit_in_the_padding_alone_sees_nothing() -> None:
    network = read("4x4 conv1 1x1 p2")
    assert patch_of(network, 0, (0, 3)).box_xyxy is None
    assert patch_of(network, 0, (2, 2)).box_xyxy == (0, 0, 1, 1)
    assert patch_of(network, 0, (0, 3)).padded_xyxy == (1, -2, 2, -1)


def test_what_all_units_of_dense_layers_see() -> None:
    network = read("28x28 conv32-pool-conv64-pool-dense1024-dense10")
    rows, columns = spans_of(network)
    assert rows[-1] == columns[-1] == [(0, 25)]  # 26 and 27 are lost in the second pool
    assert not fields_of(network)[-1].whole
    assert fields_of(read("26x26 conv32-pool-conv64-pool-dense1024"))[-1].whole
    assert fields_of(read("10x10 conv2 pool flatten dense 3"))[-1].whole


def test_units_that_see_unequally_much() -> None:
    network = read("10x10 upsample 2 conv1 3x3 p1")
    field = fields_of(network)[-1]
    assert field.start_yx is None
    assert field.stride_hw == (0.5, 0.5)
    assert field.size_hw == (2, 2)
    assert field.to_dict()["start_yx"] is None


def test_reaches() -> None:
    assert [conv_reach(Slide(3, 2, 1, 1)).of(i, i) for i in (0, 1)] == [(-1, 1), (1, 3)]
    assert [adaptive_reach(7, 3).of(i, i) for i in range(3)] == [(0, 2), (2, 4), (4, 6)]
    assert [transposed_reach(Slide(3, 2)).of(i, i) for i in range(4)] == [
        (-1, 0),
        (0, 0),
        (0, 1),
        (1, 1),
    ]
    assert [resize_reach(4, 8, taps=1).of(i, i) for i in range(4)] == [(0, 0), (0, 0), (1, 1), (1, 1)]
    corners = resize_reach(3, 5, taps=2, corners=True)
    assert [corners.of(i, i) for i in range(5)] == [(0, 0), (0, 1), (1, 1), (1, 2), (2, 2)]


def test_units_by_name() -> None:
    network = read("28x28 conv32-pool-conv64-pool-dense1024-dense10")
    assert find_unit(network, "conv2:3,4") == (2, (3, 4))
    assert find_unit(network, "conv2 : 3 , 4") == (2, (3, 4))
    assert find_unit(network, "conv2") == (2, (5, 5))
    assert find_unit(network, "#2") == (1, (6, 6))
    assert find_unit(network, "dense2") == (5, (0, 0))
    with pytest.raises(UnknownNameError, match="did you mean 'conv2'"):
        find_unit(network, "conv3:0,0")
    for wrong in ("conv2:1", "conv2:a,b", "conv2:1,2,3", "conv2:-1,0"):
        with pytest.raises(UsageError, match="LAYER:ROW,COLUMN"):
            find_unit(network, wrong)
    with pytest.raises(UsageError, match="conv2 has no column 11"):
        patch_of(network, 2, (0, 11))


def test_json_of_a_patch() -> None:
    found = patch_of(read("8x8 conv1 3x3 p1"), 0, (0, 0)).to_dict()
    assert found == {
        "layer": "conv1",
        "unit_yx": [0, 0],
        "box_xyxy": [0, 0, 2, 2],
        "padded_xyxy": [-1, -1, 2, 2],
        "exact": True,
    }
