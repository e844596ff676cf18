"""The networks of the decks, layer by layer: AlexNet to ResNet-152. No framework is needed for them.

They are those that `striate train --model` builds (torchvision's, ZFNet's figure 3, the deck's own
net), with a classifier; tests compare every layer with torch's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from striate.arithmetic.building import NetworkBuilder, shown_shape
from striate.arithmetic.layers import Network
from striate.errors import UsageError

__all__ = ["PRESETS", "Preset", "build_preset", "is_preset"]

_Build = Callable[[NetworkBuilder, int], None]


@dataclass(frozen=True, slots=True)
class Preset:
    """How to build a network, the input and classes that it was made for, and where it is from."""

    build: _Build
    source: str
    input_hwc: tuple[int, int, int] = (224, 224, 3)
    classes: int = 1000
    notes: tuple[str, ...] = ()


def is_preset(name: str) -> bool:
    """Whether `name` is one of `PRESETS`, with dashes or underscores, in any case."""
    return _key(name) in PRESETS


def build_preset(
    name: str, *, input_hwc: tuple[int, int, int] | None = None, classes: int | None = None
) -> Network:
    """The network `name`; a `UsageError` where nothing is left of a small input on the way.

    >>> build_preset("alexnet").params, build_preset("resnet152").depth
    (61100840, 152)
    """
    preset = PRESETS[_key(name)]
    builder = NetworkBuilder(input_hwc or preset.input_hwc)
    try:
        preset.build(builder, preset.classes if classes is None else classes)
    except UsageError as error:
        size = shown_shape(builder.input_hwc)
        before = builder.layers[-1].name if builder.layers else "the input"
        raise UsageError(
            f"{_key(name)} does not take {size}; behind {before}: {error.what}",
            expected=f"an input such as {shown_shape(preset.input_hwc)}",
        ) from error
    return builder.build(_key(name), (preset.source, *preset.notes))


def _key(name: str) -> str:
    return name.lower().replace("_", "-")


# -- small nets -------------------------------------------------------------------------------


def _deck_cnn(net: NetworkBuilder, classes: int) -> None:
    net.conv(32, (3, 3), name="conv1")
    net.pointwise("relu", name="relu1")
    net.pool("maxpool", (2, 2), name="pool1")
    net.conv(64, (3, 3), name="conv2")
    net.pointwise("relu", name="relu2")
    net.pool("maxpool", (2, 2), name="pool2")
    net.flatten(name="flatten")
    net.dense(1024, name="dense")
    net.pointwise("relu", name="relu3")
    net.dense(classes, name="head")


def _lenet5(net: NetworkBuilder, classes: int) -> None:
    for index, filters in ((1, 6), (2, 16)):
        net.conv(filters, (5, 5), name=f"conv{index}")
        net.pointwise("tanh", name=f"tanh{index}")
        net.pool("avgpool", (2, 2), name=f"pool{index}")
    net.flatten(name="flatten")
    for index, nodes in ((1, 120), (2, 84)):
        net.dense(nodes, name=f"dense{index}")
        net.pointwise("tanh", name=f"tanh{index + 2}")
    net.dense(classes, name="dense3")


# -- one after the other ----------------------------------------------------------------------


def _conv_relu(
    net: NetworkBuilder,
    filters: int,
    kernel: int,
    *,
    name: str,
    stride: int = 1,
    padding: int | None = None,
) -> None:
    pad = kernel // 2 if padding is None else padding
    net.conv(filters, (kernel, kernel), stride_hw=(stride, stride), padding=(pad, pad), name=name)
    net.pointwise("relu", name=f"{name}.relu")


def _max_pool(
    net: NetworkBuilder, kernel: int, *, name: str, stride: int = 2, padding: int = 0, ceil: bool = False
) -> None:
    size, step = (kernel, kernel), (stride, stride)
    net.pool("maxpool", size, stride_hw=step, padding=(padding, padding), ceil=ceil, name=name)


def _dense_4096(net: NetworkBuilder, classes: int, *, dropout_first: bool) -> None:
    """The three dense layers of AlexNet, ZFNet and VGG."""
    net.flatten(name="flatten")
    for index in (6, 7):
        if dropout_first:
            net.pointwise("dropout", name=f"fc{index}.dropout")
        net.dense(4096, name=f"fc{index}")
        net.pointwise("relu", name=f"fc{index}.relu")
        if not dropout_first:
            net.pointwise("dropout", name=f"fc{index}.dropout")
    net.dense(classes, name="fc8")


def _alexnet(net: NetworkBuilder, classes: int) -> None:
    _conv_relu(net, 64, 11, stride=4, padding=2, name="conv1")
    _max_pool(net, 3, name="pool1")
    _conv_relu(net, 192, 5, name="conv2")
    _max_pool(net, 3, name="pool2")
    for index, filters in ((3, 384), (4, 256), (5, 256)):
        _conv_relu(net, filters, 3, name=f"conv{index}")
    _max_pool(net, 3, name="pool5")
    net.adaptive_pool("avgpool", (6, 6), name="avgpool")
    _dense_4096(net, classes, dropout_first=True)


def _zfnet(net: NetworkBuilder, classes: int) -> None:
    _conv_relu(net, 96, 7, stride=2, padding=1, name="conv1")
    _max_pool(net, 3, padding=1, name="pool1")
    net.pointwise("lrn", name="norm1")
    _conv_relu(net, 256, 5, stride=2, padding=0, name="conv2")
    _max_pool(net, 3, padding=1, name="pool2")
    net.pointwise("lrn", name="norm2")
    for index, filters in ((3, 384), (4, 384), (5, 256)):
        _conv_relu(net, filters, 3, name=f"conv{index}")
    _max_pool(net, 3, name="pool5")
    if net.shape()[:2] != (6, 6):  # pictures of other sizes than 224
        net.adaptive_pool("avgpool", (6, 6), name="average")
    _dense_4096(net, classes, dropout_first=True)


def _vgg(depths: tuple[int, ...]) -> _Build:
    def build(net: NetworkBuilder, classes: int) -> None:
        for stage, (depth, filters) in enumerate(zip(depths, (64, 128, 256, 512, 512), strict=True), 1):
            for index in range(1, depth + 1):
                _conv_relu(net, filters, 3, name=f"conv{stage}_{index}")
            _max_pool(net, 2, name=f"pool{stage}")
        net.adaptive_pool("avgpool", (7, 7), name="avgpool")
        _dense_4096(net, classes, dropout_first=False)

    return build


# -- inception --------------------------------------------------------------------------------


def _conv_bn_relu(net: NetworkBuilder, filters: int, kernel: int, *, name: str, stride: int = 1) -> int:
    pad = kernel // 2
    net.conv(
        filters, (kernel, kernel), stride_hw=(stride, stride), padding=(pad, pad), bias=False, name=name
    )
    net.norm("batchnorm", name=f"{name}.bn")
    return net.pointwise("relu", name=f"{name}.relu")


def _inception(net: NetworkBuilder, name: str, widths: tuple[int, int, int, int, int, int]) -> None:
    """Four branches: 1×1; 1×1 then 3×3; 1×1 then 3×3 again; a pool then 1×1."""
    start = net.last
    ones, reduce3, threes, reduce5, fives, pooled = widths
    ends = [_conv_bn_relu(net, ones, 1, name=f"{name}.branch1")]
    for branch, reduced, filters in ((2, reduce3, threes), (3, reduce5, fives)):
        net.last = start
        _conv_bn_relu(net, reduced, 1, name=f"{name}.branch{branch}.0")
        ends.append(_conv_bn_relu(net, filters, 3, name=f"{name}.branch{branch}.1"))
    net.last = start
    _max_pool(net, 3, stride=1, padding=1, ceil=True, name=f"{name}.branch4.0")
    ends.append(_conv_bn_relu(net, pooled, 1, name=f"{name}.branch4.1"))
    net.concat(ends, name=f"{name}.concat")


_INCEPTIONS = (
    ("3a", (64, 96, 128, 16, 32, 32)),
    ("3b", (128, 128, 192, 32, 96, 64)),
    ("pool", 3),
    ("4a", (192, 96, 208, 16, 48, 64)),
    ("4b", (160, 112, 224, 24, 64, 64)),
    ("4c", (128, 128, 256, 24, 64, 64)),
    ("4d", (112, 144, 288, 32, 64, 64)),
    ("4e", (256, 160, 320, 32, 128, 128)),
    ("pool", 2),
    ("5a", (256, 160, 320, 32, 128, 128)),
    ("5b", (384, 192, 384, 48, 128, 128)),
)


def _googlenet(net: NetworkBuilder, classes: int) -> None:
    _conv_bn_relu(net, 64, 7, stride=2, name="conv1")
    _max_pool(net, 3, ceil=True, name="maxpool1")
    _conv_bn_relu(net, 64, 1, name="conv2")
    _conv_bn_relu(net, 192, 3, name="conv3")
    _max_pool(net, 3, ceil=True, name="maxpool2")
    pools = 2
    for name, widths in _INCEPTIONS:
        if isinstance(widths, int):
            pools += 1
            _max_pool(net, widths, ceil=True, name=f"maxpool{pools}")
        else:
            _inception(net, f"inception{name}", widths)
    net.global_pool("avgpool", name="avgpool")
    net.pointwise("dropout", name="dropout")
    net.dense(classes, name="fc")


# -- residual ---------------------------------------------------------------------------------


def _resnet(depths: tuple[int, int, int, int], *, bottleneck: bool) -> _Build:
    def build(net: NetworkBuilder, classes: int) -> None:
        _conv_bn_relu(net, 64, 7, stride=2, name="conv1")
        _max_pool(net, 3, padding=1, name="maxpool")
        for stage, depth in enumerate(depths):
            for block in range(depth):
                stride = 2 if stage and not block else 1
                _residual(net, f"layer{stage + 1}.{block}", 64 * 2**stage, stride, wide=bottleneck)
        net.global_pool("avgpool", name="avgpool")
        net.dense(classes, name="fc")

    return build


def _residual(net: NetworkBuilder, name: str, filters: int, stride: int, *, wide: bool) -> None:
    """A block and what it is added to: its input, or a 1×1 convolution of it where shapes differ.

    The stride lies in the 3×3 convolution (ResNet v1.5, as everywhere today).
    """
    start = net.last
    output = 4 * filters if wide else filters
    windows = ((1, 1), (3, stride), (1, 1)) if wide else ((3, stride), (3, 1))
    for index, (kernel, step) in enumerate(windows, 1):
        last = index == len(windows)
        net.conv(
            output if last else filters,
            (kernel, kernel),
            stride_hw=(step, step),
            padding=(kernel // 2, kernel // 2),
            bias=False,
            name=f"{name}.conv{index}",
        )
        net.norm("batchnorm", name=f"{name}.bn{index}")
        if not last:
            net.pointwise("relu", name=f"{name}.relu{index}")
    end = net.last
    if stride != 1 or net.shape(start)[-1] != output:
        net.last = start
        net.conv(output, (1, 1), stride_hw=(stride, stride), bias=False, name=f"{name}.downsample")
        start = net.norm("batchnorm", name=f"{name}.downsample.bn")
    net.add((end, start), name=f"{name}.add")
    net.pointwise("relu", name=f"{name}.relu")


_SIMONYAN = "Simonyan and Zisserman 2015"
_HE = "He et al. 2016, with the stride in the 3×3 convolutions (v1.5), as in torchvision"

PRESETS: Mapping[str, Preset] = {
    "deck-cnn": Preset(
        _deck_cnn, "conv32-pool-conv64-pool-dense1024-dense10, the net of the deck", (28, 28, 1), 10
    ),
    "lenet5": Preset(
        _lenet5, "LeCun et al. 1998, with plain averages and all connections", (32, 32, 1), 10
    ),
    "alexnet": Preset(_alexnet, "Krizhevsky 2014, as in torchvision"),
    "zfnet": Preset(_zfnet, "Zeiler and Fergus 2014, figure 3"),
    "vgg16": Preset(_vgg((2, 2, 3, 3, 3)), _SIMONYAN),
    "vgg19": Preset(_vgg((2, 2, 4, 4, 4)), _SIMONYAN),
    "googlenet": Preset(
        _googlenet,
        "Szegedy et al. 2015, as in torchvision: with batch normalisation, without auxiliary heads",
        notes=("branch3 has 3×3 filters where the paper has 5×5, as in torchvision",),
    ),
    "resnet18": Preset(_resnet((2, 2, 2, 2), bottleneck=False), _HE),
    "resnet34": Preset(_resnet((3, 4, 6, 3), bottleneck=False), _HE),
    "resnet50": Preset(_resnet((3, 4, 6, 3), bottleneck=True), _HE),
    "resnet101": Preset(_resnet((3, 4, 23, 3), bottleneck=True), _HE),
    "resnet152": Preset(_resnet((3, 8, 36, 3), bottleneck=True), _HE),
}
"""By name; sizes and parameters of each follow from its layers, nothing is looked up."""
