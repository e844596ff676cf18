"""A network followed as it runs: tensors go from operation to operation, and layers are noted.

What ONNX graphs and torch modules share. Sizes are computed here, by the arithmetic of this package,
and must come out as the framework says. Places are followed through permutations and reshapes; where
they are lost (windows of a Swin transformer), a layer is said to see at most what it might.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import TYPE_CHECKING

from striate.arithmetic.axes import Axes, Shape
from striate.arithmetic.counting import Cost
from striate.arithmetic.layers import PICTURE, Layer, Network, Source
from striate.arithmetic.reach import (
    ITSELF,
    Reach,
    adaptive_reach,
    conv_reach,
    crop_reach,
    resize_reach,
    transposed_reach,
)
from striate.arithmetic.sizes import Slide, ceiled, floored, lost_pixels, transposed
from striate.arithmetic.values import Value, common_axes, shown

if TYPE_CHECKING:
    from striate.types import SizeHW

__all__ = ["FREE", "Tracer"]

FREE = Cost(0, 0, "", 0)


@dataclass(frozen=True, slots=True)
class _Sliding:
    """What slides, and how large the output must be."""

    slides: tuple[Slide, Slide]
    output_hw: SizeHW
    lost_hw: SizeHW = (0, 0)
    groups: int = 1


class Tracer:
    """Notes layers in the order in which they run."""

    def __init__(self, input_hwc: tuple[int, int, int]) -> None:
        self.input_hwc = input_hwc
        self.layers: list[Layer] = []
        self._names: dict[str, int] = {}

    def picture(self, shape: Shape, axes: Axes) -> Value:
        """The tensor that the picture enters as."""
        return Value(PICTURE, shape, axes, axes.places_hw)

    def build(self, title: str, *, params: int | None = None, notes: Sequence[str] = ()) -> Network:
        """The network; `params`: all that the model has, if known."""
        network = Network(title, self.input_hwc, tuple(self.layers), notes=tuple(notes))
        return replace(network, unused_params=0 if params is None else params - network.params)

    def charge(self, params: int, formula: str) -> None:
        """Parameters that belong to the last layer."""
        self.layers[-1] = replace(self.layers[-1], params=params, formula=formula)

    def collapse(self, start: int, kind: str, name: str) -> None:
        """Make one layer of those from `start` on: a recurrence, which runs step by step."""
        inside, last = self.layers[start:], self.layers[-1]
        outer = {source.layer for layer in inside for source in layer.sources if source.layer < start}
        sources = [self._whole(layer) for layer in sorted(outer)]
        params = sum(layer.params for layer in inside)
        self.layers[start:] = [
            Layer(
                name,
                kind,
                tuple(sources),
                last.output,
                (1, 1),
                params=params,
                multiply_adds=sum(layer.multiply_adds for layer in inside),
                exact=False,
            )
        ]

    # -- windows ------------------------------------------------------------------------------

    def conv(
        self,
        value: Value,
        slides: tuple[Slide, Slide],
        shape: Shape,
        *,
        name: str,
        cost: Cost,
        groups: int = 1,
    ) -> Value:
        """A convolution of (B, C, H, W)."""
        sliding = _slide(value.shape, slides, groups=groups)
        reaches = conv_reach(slides[0]), conv_reach(slides[1])
        return self._windows("conv", value, sliding, reaches, shape, name, cost)

    def conv_transposed(
        self,
        value: Value,
        slides: tuple[Slide, Slide],
        shape: Shape,
        *,
        output_padding: SizeHW,
        name: str,
        cost: Cost,
        groups: int = 1,
    ) -> Value:
        """A transposed convolution of (B, C, H, W)."""
        height, width = _places(value.shape)
        output = (
            transposed(height, slides[0], output_padding[0]),
            transposed(width, slides[1], output_padding[1]),
        )
        reaches = transposed_reach(slides[0]), transposed_reach(slides[1])
        sliding = _Sliding(slides, output, groups=groups)
        if max(slides[0].dilation, slides[1].dilation) > 1:
            value = replace(value, exact=False)
        return self._windows("convt", value, sliding, reaches, shape, name, cost)

    def pool(
        self,
        kind: str,
        value: Value,
        slides: tuple[Slide, Slide],
        shape: Shape,
        *,
        name: str,
        ceil: bool,
    ) -> Value:
        """Maximum or average over windows of (B, C, H, W)."""
        sliding = _slide(value.shape, slides, ceil=ceil)
        reaches = conv_reach(slides[0]), conv_reach(slides[1])
        return self._windows(kind, value, sliding, reaches, shape, name, FREE)

    def adaptive_pool(self, kind: str, value: Value, shape: Shape, *, name: str) -> Value:
        """Pooling of (B, C, H, W) to a given size."""
        size, output = _places(value.shape), _places(shape)
        reaches = adaptive_reach(size[0], output[0]), adaptive_reach(size[1], output[1])
        kind = f"global {kind}" if output == (1, 1) else f"adaptive {kind}"
        return self.mapped(kind, value, reaches, shape, name=name)

    def resize(self, value: Value, shape: Shape, *, taps: int, corners: bool, name: str) -> Value:
        """(B, C, H, W) enlarged or reduced."""
        size, output = _places(value.shape), _places(shape)
        rows, columns = (
            resize_reach(size[axis], output[axis], taps=taps, corners=corners) for axis in (0, 1)
        )
        return self.mapped("resize", value, (rows, columns), shape, name=name)

    def pad(self, value: Value, before: Sequence[int], shape: Shape, *, name: str) -> Value:
        """Values around a tensor, `before[dim]` in front of each dimension; negative ones cut."""
        if value.axes is None or value.axes.merged:
            return self._loosely("pad", [value], shape, name, scattered=False)
        rows, columns = value.axes.rows, value.axes.columns
        axes = replace(value.axes, places_hw=(shape[rows], shape[columns]))
        if axes == value.axes and not (before[rows] or before[columns]):
            return replace(value, shape=shape)
        kind = "pad" if prod(shape) > prod(value.shape) else "crop"
        reaches = crop_reach(-before[rows]), crop_reach(-before[columns])
        return self.mapped(kind, value, reaches, shape, name=name, axes=axes)

    def cut(self, value: Value, dim: int, start: int, step: int, shape: Shape, *, name: str) -> Value:
        """Every `step`-th of dimension `dim` from `start` on; no layer unless places are cut."""
        if value.axes is None or dim not in (value.axes.rows, value.axes.columns):
            return replace(value, shape=shape)
        if shape == value.shape and step == 1:
            return value
        if value.axes.merged:
            return self._loosely("slice", [value], shape, name, scattered=False)
        height, width = value.axes.places_hw
        reach, by_row = crop_reach(start, step), dim == value.axes.rows
        places = (shape[dim], width) if by_row else (height, shape[dim])
        axes = replace(value.axes, places_hw=places)
        reaches = (reach, ITSELF) if by_row else (ITSELF, reach)
        return self.mapped("slice", value, reaches, shape, name=name, axes=axes)

    def mapped(
        self,
        kind: str,
        value: Value,
        reaches: tuple[Reach, Reach],
        shape: Shape,
        *,
        name: str,
        axes: Axes | None = None,
    ) -> Value:
        """Any operation that treats rows and columns by themselves."""
        axes = axes or _map_axes(shape)
        source, exact = value.through(reaches)
        return self._note(kind, [source], shape, axes, name, exact=exact, scattered=value.scattered)

    # -- everything else ----------------------------------------------------------------------

    def pointwise(
        self, kind: str, values: Sequence[Value], shape: Shape, *, name: str, cost: Cost = FREE
    ) -> Value:
        """Number by number, with broadcasting: activations, sums, products, normalisation."""
        axes = common_axes(values, shape)
        sources, sure = zip(*(value.aligned(axes, len(shape)) for value in values), strict=True)
        alone = len(values) == 1 and shape == values[0].shape
        scattered = any(value.scattered for value in values)
        return self._note(
            kind,
            sources,
            shape,
            axes,
            name,
            exact=all(sure),
            cost=cost,
            in_place=alone,
            scattered=scattered,
        )

    def along(
        self,
        kind: str,
        value: Value,
        dims: Sequence[int],
        shape: Shape,
        *,
        name: str,
        cost: Cost = FREE,
    ) -> Value:
        """What mixes values along `dims`: means, softmax, normalisation."""
        dims = sorted(dim % len(value.shape) for dim in dims)
        source, axes = value.mixed(dims, shape)
        if axes is None and value.axes is not None and kind in ("avgpool", "maxpool"):
            kind = f"global {kind}"
        # a sum over all places is what it is, in whatever order they came
        summed = axes is None and shape != value.shape
        known = value.axes is not None or value.count == 1
        exact = not value.scattered if summed else value.exact and known
        scattered = value.scattered and axes is None
        same = shape == value.shape
        return self._note(
            kind, [source], shape, axes, name, exact=exact, cost=cost, in_place=same, scattered=scattered
        )

    def dense(self, value: Value, dim: int, shape: Shape, *, name: str, cost: Cost) -> Value:
        """Weights along dimension `dim` of the value; the result has as many dimensions."""
        dim %= len(value.shape)
        axes = value.axes
        exact, scattered, source = value.exact, value.scattered, value.all_of()
        if axes is None:  # all numbers of the picture at once, or places in unknown order
            all_at_once = value.shape[dim] == prod(value.shape)
            exact = all_at_once or (exact and value.count == 1)
            scattered = scattered and not all_at_once
        elif dim not in (axes.rows, axes.columns):
            source = Source(value.layer, ITSELF, ITSELF)
        elif shape != value.shape:
            axes = None
        return self._note(
            "dense", [source], shape, axes, name, exact=exact, cost=cost, scattered=scattered
        )

    def product(self, first: Value, second: Value, shape: Shape, *, name: str, cost: Cost) -> Value:
        """Two maps multiplied as matrices (…, N, K) and (…, K, M): attention.

        A place of the result is one of the first factor's N; it sees all of the second factor.
        """
        scattered = first.scattered or second.scattered
        axes, last = first.axes, len(first.shape) - 2
        sources = [first.all_of(), second.all_of()]
        if axes is not None and axes.merged and axes.rows == last:
            sources[0] = Source(first.layer, ITSELF, ITSELF)
            axes = axes.shifted(len(shape) - len(first.shape))
        else:
            axes = None
        return self._note(
            "matmul", sources, shape, axes, name, exact=not scattered, cost=cost, scattered=scattered
        )

    def joined(self, values: Sequence[Value], dim: int, shape: Shape, *, name: str) -> Value:
        """Tensors behind each other along `dim`."""
        axes = common_axes(values, shape)
        if axes is None or dim % len(shape) in (axes.rows, axes.columns):
            return self._loosely("concat", values, shape, name, scattered=False)
        sources, sure = zip(*(value.aligned(axes, len(shape)) for value in values), strict=True)
        return self._note("concat", sources, shape, axes, name, exact=all(sure))

    def unknown(
        self, kind: str, values: Sequence[Value], shape: Shape, *, name: str, cost: Cost = FREE
    ) -> Value:
        """An operation of which nothing is known: it may mix everything."""
        return self._loosely(kind, values, shape, name, scattered=True, cost=cost)

    # -- parts --------------------------------------------------------------------------------

    def _whole(self, layer: int) -> Source:
        places = self.input_hwc[:2] if layer == PICTURE else self.layers[layer].places_hw
        return Value(layer, (), None, places).all_of()

    def _loosely(
        self,
        kind: str,
        values: Sequence[Value],
        shape: Shape,
        name: str,
        *,
        scattered: bool,
        cost: Cost = FREE,
    ) -> Value:
        sources = [value.all_of() for value in values]
        single = all(value.count == 1 and value.exact for value in values)
        mixed = any(value.scattered for value in values) or (scattered and not single)
        return self._note(kind, sources, shape, None, name, exact=single, cost=cost, scattered=mixed)

    def _windows(
        self,
        kind: str,
        value: Value,
        sliding: _Sliding,
        reaches: tuple[Reach, Reach],
        shape: Shape,
        name: str,
        cost: Cost,
    ) -> Value:
        assert sliding.output_hw == _places(shape), (name, sliding, shape)
        source, exact = value.through(reaches)
        found = self._note(
            kind,
            [source],
            shape,
            _map_axes(shape),
            name,
            exact=exact,
            cost=cost,
            scattered=value.scattered,
        )
        rows, columns = sliding.slides
        self.layers[-1] = replace(
            self.layers[-1], rows=rows, columns=columns, groups=sliding.groups, lost_hw=sliding.lost_hw
        )
        return found

    def _note(
        self,
        kind: str,
        sources: Sequence[Source],
        shape: Shape,
        axes: Axes | None,
        name: str,
        *,
        exact: bool,
        cost: Cost = FREE,
        in_place: bool = False,
        scattered: bool = False,
    ) -> Value:
        places = axes.places_hw if axes else (1, 1)
        layer = Layer(
            self._unique(name),
            kind,
            tuple(dict.fromkeys(sources)),
            shown(shape, axes),
            places,
            params=cost.params,
            filter_params=cost.each,
            formula=cost.formula,
            multiply_adds=cost.multiply_adds,
            in_place=in_place,
            exact=exact,
        )
        self.layers.append(layer)
        return Value(len(self.layers) - 1, shape, axes, places, exact, scattered)

    def _unique(self, name: str) -> str:
        count = self._names[name] = self._names.get(name, 0) + 1
        return name if count == 1 else f"{name}_{count}"


def _places(shape: Shape) -> SizeHW:
    return shape[-2], shape[-1]


def _map_axes(shape: Shape) -> Axes:
    """Of (B, C, H, W)."""
    return Axes(len(shape) - 2, len(shape) - 1, _places(shape))


def _slide(
    shape: Shape, slides: tuple[Slide, Slide], *, groups: int = 1, ceil: bool = False
) -> _Sliding:
    size, count = _places(shape), ceiled if ceil else floored
    height, width = (count(size[axis], slides[axis]) for axis in (0, 1))
    lost = lost_pixels(size[0], slides[0], height), lost_pixels(size[1], slides[1], width)
    return _Sliding(slides, (height, width), lost, groups)
