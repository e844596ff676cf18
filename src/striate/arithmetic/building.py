"""Networks put together layer by layer: sizes, costs and what sees what follow from the settings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Literal, TypeAlias

from striate.arithmetic.counting import Cost, conv_cost, dense_cost, norm_cost
from striate.arithmetic.layers import PICTURE, Layer, Network, Source
from striate.arithmetic.padding import same_padding
from striate.arithmetic.reach import (
    ITSELF,
    ONLY,
    Reach,
    adaptive_reach,
    conv_reach,
    everything,
    resize_reach,
    transposed_reach,
)
from striate.arithmetic.sizes import Slide, ceiled, fitted, floored, lost_pixels, transposed
from striate.errors import UsageError

if TYPE_CHECKING:
    from striate.types import SizeHW

__all__ = ["NetworkBuilder", "Padding", "Pool", "shown_shape"]

Pool: TypeAlias = Literal["maxpool", "avgpool"]
Padding: TypeAlias = tuple[int, int] | Literal["same"]
"""Vertical and horizontal, the same before and after; or what keeps ⌈N/S⌉."""

_Size: TypeAlias = Callable[[int, Slide, str], int]


class NetworkBuilder:
    """Adds layers and returns their indices; `last` is the one that further layers read.

    `rounding`: "exact" refuses convolutions that do not fit; "floor" leaves out what remains, as
    frameworks do. Pooling always does, and says so in the table.
    """

    def __init__(
        self, input_hwc: tuple[int, int, int], *, rounding: Literal["exact", "floor"] = "floor"
    ) -> None:
        self.input_hwc = input_hwc
        self.rounding = rounding
        self.layers: list[Layer] = []
        self.last = PICTURE
        self._numbers: dict[str, int] = {}

    def build(self, title: str, notes: Sequence[str] = ()) -> Network:
        """What was put together."""
        return Network(title, self.input_hwc, tuple(self.layers), notes=tuple(notes))

    def shape(self, index: int | None = None) -> tuple[int, ...]:
        """The output of layer `index`, by default of the last."""
        index = self.last if index is None else index
        return self.input_hwc if index == PICTURE else self.layers[index].output

    # -- windows ------------------------------------------------------------------------------

    def conv(
        self,
        filters: int,
        kernel_hw: SizeHW,
        *,
        stride_hw: SizeHW = (1, 1),
        padding: Padding = (0, 0),
        dilation_hw: SizeHW = (1, 1),
        groups: int = 1,
        bias: bool = True,
        name: str = "",
    ) -> int:
        """A convolution of `filters` filters; a `UsageError` where it does not fit."""
        height, width, channels = self._maps("a convolution")
        _check_groups(groups, channels, filters)
        slides = self._slides((height, width), kernel_hw, stride_hw, padding, dilation_hw)
        size = _fitted if self.rounding == "exact" else _floored
        output = _both(size, (height, width), slides)
        cost = conv_cost(
            kernel_hw, channels, filters, places=output[0] * output[1], groups=groups, bias=bias
        )
        layer = self._windowed("conv", slides, output, filters, name)
        return self._add(_with(layer, cost), groups=groups)

    def conv_transposed(
        self,
        filters: int,
        kernel_hw: SizeHW,
        *,
        stride_hw: SizeHW = (1, 1),
        padding_hw: SizeHW = (0, 0),
        dilation_hw: SizeHW = (1, 1),
        output_padding: int = 0,
        groups: int = 1,
        bias: bool = True,
        name: str = "",
    ) -> int:
        """A transposed convolution, which undoes the size of a convolution."""
        height, width, channels = self._maps("a transposed convolution")
        _check_groups(groups, channels, filters)
        slides = self._slides((height, width), kernel_hw, stride_hw, padding_hw, dilation_hw)
        tall = transposed(height, slides[0], output_padding)
        wide = transposed(width, slides[1], output_padding)
        cost = conv_cost(kernel_hw, channels, filters, places=height * width, groups=groups, bias=bias)
        reaches = transposed_reach(slides[0]), transposed_reach(slides[1])
        layer = self._layer("convt", (tall, wide, filters), reaches, name)
        layer = replace(layer, rows=slides[0], columns=slides[1], exact=max(dilation_hw) == 1)
        return self._add(_with(layer, cost), groups=groups)

    def pool(
        self,
        kind: Pool,
        kernel_hw: SizeHW,
        *,
        stride_hw: SizeHW | None = None,
        padding: Padding = (0, 0),
        dilation_hw: SizeHW = (1, 1),
        ceil: bool = False,
        name: str = "",
    ) -> int:
        """Maximum or average over windows. `ceil`: the size is rounded up, not down."""
        height, width, channels = self._maps("pooling")
        if padding != "same" and (2 * padding[0] > kernel_hw[0] or 2 * padding[1] > kernel_hw[1]):
            raise UsageError(
                f"padding {max(padding)} is more than half of the pool's {kernel_hw[0]}×{kernel_hw[1]}",
                expected=f"at most {min(kernel_hw) // 2}: a window must touch the picture",
            )
        slides = self._slides((height, width), kernel_hw, stride_hw or kernel_hw, padding, dilation_hw)
        output = _both(_ceiled if ceil else _floored, (height, width), slides)
        return self._add(self._windowed(kind, slides, output, channels, name))

    def global_pool(self, kind: Pool, *, name: str = "") -> int:
        """Maximum or average over all places: maps become a vector, one number a channel."""
        height, width, channels = self._maps("pooling")
        reaches = everything(height), everything(width)
        layer = self._layer("global " + kind, (channels,), reaches, name or self._name("pool"))
        return self._add(layer)

    def adaptive_pool(self, kind: Pool, output_hw: SizeHW, *, name: str = "") -> int:
        """Pooling to a given size, whatever comes in."""
        height, width, channels = self._maps("pooling")
        if min(output_hw) < 1:
            raise UsageError(f"pooling to {output_hw[0]}×{output_hw[1]}", expected="1×1 or more")
        reaches = adaptive_reach(height, output_hw[0]), adaptive_reach(width, output_hw[1])
        shape = (*output_hw, channels)
        return self._add(self._layer("adaptive " + kind, shape, reaches, name or self._name("pool")))

    # -- everything else ----------------------------------------------------------------------

    def dense(self, nodes: int, *, bias: bool = True, name: str = "") -> int:
        """A dense layer on all numbers of the one before; maps are flattened."""
        shape = self.shape()
        shape = shape[2:] if shape[:2] == (1, 1) else shape
        layer = self._layer("dense", (nodes,), _whole(self._places()), name)
        return self._add(_with(layer, dense_cost(shape, nodes, bias=bias)))

    def flatten(self, *, name: str = "") -> int:
        """Maps as one vector."""
        numbers = 1
        for side in self.shape():
            numbers *= side
        layer = self._layer("flatten", (numbers,), _whole(self._places()), name)
        return self._add(replace(layer, in_place=True))

    def pointwise(self, kind: str, *, name: str = "") -> int:
        """What treats each number by itself: activations, dropout."""
        layer = self._layer(kind, self.shape(), (ITSELF, ITSELF), name)
        return self._add(replace(layer, in_place=True))

    def norm(self, kind: str, *, name: str = "") -> int:
        """Normalisation with a learnt scale and shift for each channel."""
        layer = self._layer(kind, self.shape(), (ITSELF, ITSELF), name)
        return self._add(replace(_with(layer, norm_cost(self.shape()[-1])), in_place=True))

    def resize(self, output_hw: SizeHW, *, taps: int = 1, name: str = "") -> int:
        """Maps enlarged or reduced: nearest (1 tap), bilinear (2) or bicubic (4)."""
        height, width, channels = self._maps("resizing")
        reaches = (
            resize_reach(height, output_hw[0], taps=taps),
            resize_reach(width, output_hw[1], taps=taps),
        )
        return self._add(self._layer("resize", (*output_hw, channels), reaches, name))

    def add(self, sources: Sequence[int], *, name: str = "") -> int:
        """The sum of maps of one size."""
        shapes = {self.shape(source) for source in sources}
        if len(shapes) > 1:
            listed = " and ".join(shown_shape(self.shape(source)) for source in sources)
            raise UsageError(
                f"{listed} cannot be added", expected="branches of the same height, width and channels"
            )
        return self._join("add", sources, self.shape(sources[0]), name)

    def concat(self, sources: Sequence[int], *, name: str = "") -> int:
        """Maps of one size behind each other, as channels."""
        shapes = [self.shape(source) for source in sources]
        if len({shape[:-1] for shape in shapes}) > 1:
            listed = " and ".join(map(shown_shape, shapes))
            raise UsageError(
                f"{listed} cannot be joined", expected="branches of the same height and width"
            )
        channels = sum(shape[-1] for shape in shapes)
        return self._join("concat", sources, (*shapes[0][:-1], channels), name)

    # -- parts --------------------------------------------------------------------------------

    def _maps(self, what: str) -> tuple[int, int, int]:
        shape = self.shape()
        if len(shape) != 3:
            raise UsageError(
                f"{what} needs maps, and gets a vector of {shape[0]} numbers",
                expected="it before flatten, dense layers and global pooling",
            )
        return shape[0], shape[1], shape[2]

    def _places(self) -> SizeHW:
        return self.input_hwc[:2] if self.last == PICTURE else self.layers[self.last].places_hw

    @staticmethod
    def _slides(
        size_hw: SizeHW, kernel: SizeHW, stride: SizeHW, padding: Padding, dilation: SizeHW
    ) -> tuple[Slide, Slide]:
        found = []
        for axis in (0, 1):
            slide = Slide(kernel[axis], stride[axis], dilation=dilation[axis])
            if padding == "same":
                before, after = same_padding(size_hw[axis], slide) if stride[axis] > 0 else (0, 0)
            else:
                before = after = padding[axis]
            found.append(replace(slide, before=before, after=after))
        return found[0], found[1]

    def _windowed(
        self, kind: str, slides: tuple[Slide, Slide], output_hw: SizeHW, channels: int, name: str
    ) -> Layer:
        height, width = self._places()
        layer = self._layer(
            kind, (*output_hw, channels), (conv_reach(slides[0]), conv_reach(slides[1])), name
        )
        lost = (
            lost_pixels(height, slides[0], output_hw[0]),
            lost_pixels(width, slides[1], output_hw[1]),
        )
        return replace(layer, rows=slides[0], columns=slides[1], lost_hw=lost)

    def _layer(
        self, kind: str, output: tuple[int, ...], reaches: tuple[Reach, Reach], name: str
    ) -> Layer:
        if min(output) < 1:
            raise UsageError(f"{kind} of {min(output)} channels", expected="1 or more")
        places = (output[0], output[1]) if len(output) == 3 else (1, 1)
        source = Source(self.last, *reaches)
        return Layer(name or self._name(kind), kind, (source,), output, places)

    def _join(self, kind: str, sources: Sequence[int], output: tuple[int, ...], name: str) -> int:
        reaches = tuple(Source(source, ITSELF, ITSELF) for source in sources)
        places = (output[0], output[1]) if len(output) == 3 else (1, 1)
        return self._add(Layer(name or self._name(kind), kind, reaches, output, places))

    def _name(self, kind: str) -> str:
        """conv1, conv2, pool1, … as in the decks."""
        stem = _STEMS.get(kind, kind)
        self._numbers[stem] = self._numbers.get(stem, 0) + 1
        return f"{stem}{self._numbers[stem]}"

    def _add(self, layer: Layer, *, groups: int = 1) -> int:
        self.layers.append(replace(layer, groups=groups) if groups > 1 else layer)
        self.last = len(self.layers) - 1
        return self.last


_STEMS = {"maxpool": "pool", "avgpool": "pool"}


def _with(layer: Layer, cost: Cost) -> Layer:
    return replace(
        layer,
        params=cost.params,
        filter_params=cost.each,
        formula=cost.formula,
        multiply_adds=cost.multiply_adds,
    )


def _whole(places_hw: SizeHW) -> tuple[Reach, Reach]:
    height, width = places_hw
    return (
        everything(height) if height > 1 else ONLY,
        everything(width) if width > 1 else ONLY,
    )


def _both(size: _Size, size_hw: SizeHW, slides: tuple[Slide, Slide]) -> SizeHW:
    """Output height and width; an error names the axis where the two are not alike."""
    alike = size_hw[0] == size_hw[1] and slides[0] == slides[1]
    names = ("", "") if alike else ("height", "width")
    return size(size_hw[0], slides[0], names[0]), size(size_hw[1], slides[1], names[1])


def _fitted(size: int, slide: Slide, axis: str) -> int:
    return fitted(size, slide, axis=axis)


def _floored(size: int, slide: Slide, axis: str) -> int:
    return floored(size, slide, axis=axis)


def _ceiled(size: int, slide: Slide, axis: str) -> int:
    floored(size, slide, axis=axis)  # the same is refused
    return ceiled(size, slide)


def _check_groups(groups: int, channels: int, filters: int) -> None:
    if filters < 1:
        raise UsageError(f"{filters} filters", expected="1 or more")
    if groups < 1 or channels % groups or filters % groups:
        both = [g for g in range(1, min(channels, filters) + 1) if channels % g == filters % g == 0]
        raise UsageError(
            f"{groups} groups do not divide {channels} channels into {filters} filters",
            expected="groups of " + ", ".join(map(str, both[-8:])),
        )


def shown_shape(shape: Sequence[int]) -> str:
    """A shape for people.

    >>> shown_shape((32, 32, 10))
    '32×32×10'
    """
    return "×".join(map(str, shape))
