"""What ONNX operators are as layers; those without an entry are pointwise, or unknown."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from math import prod
from typing import TypeAlias

from striate.arithmetic.axes import Shape
from striate.arithmetic.counting import Cost, conv_cost, dense_cost, norm_cost, thousands
from striate.arithmetic.onnx_nodes import Constant, Node, Weights
from striate.arithmetic.padding import same_padding
from striate.arithmetic.reach import conv_reach
from striate.arithmetic.sizes import Slide
from striate.arithmetic.tracing import Tracer
from striate.arithmetic.values import Value
from striate.types import SizeHW

__all__ = ["HANDLERS", "POINTWISE", "Handler"]


Handler: TypeAlias = Callable[[Tracer, Weights, Node], "Value | list[Value]"]

POINTWISE = frozenset(
    {
        "Abs", "Add", "And", "Ceil", "Celu", "Clip", "Cos", "Div", "Dropout", "Elu", "Equal", "Erf",
        "Exp", "Floor", "Gelu", "Greater", "GreaterOrEqual", "HardSigmoid", "HardSwish", "IsInf",
        "IsNaN", "LRN", "LeakyRelu", "Less", "LessOrEqual", "Log", "Max", "Mean", "Min", "Mish", "Mod",
        "Mul", "Neg", "Not", "Or", "PRelu", "Pow", "Reciprocal", "Relu", "Round", "Selu", "Sigmoid",
        "Sign", "Sin", "Softplus", "Softsign", "Sqrt", "Sub", "Sum", "Swish", "Tanh", "ThresholdedRelu",
        "Where", "Xor",
    }
)  # fmt: skip
_ARITHMETIC = frozenset(
    {"Add", "Sub", "Mul", "Div", "Neg", "Pow", "Sqrt", "Clip", "Min", "Max", "Where"}
)
_KINDS = {"HardSwish": "hardswish", "Clip": "relu6"}


# -- layers with weights ----------------------------------------------------------------------


def _slides(node: Node, size: SizeHW, kernel: Sequence[int]) -> tuple[Slide, Slide]:
    """Of Conv and the pools: kernel, strides, pads and dilations, or what `auto_pad` says."""
    read = node.attributes
    strides, dilations = read.get("strides", (1, 1)), read.get("dilations", (1, 1))
    pads = read.get("pads", (0, 0, 0, 0))
    auto = read.get("auto_pad", "NOTSET")
    found = []
    for axis in (0, 1):
        slide = Slide(kernel[axis], strides[axis], dilation=dilations[axis])
        before, after = pads[axis], pads[axis + 2]
        if auto.startswith("SAME"):
            before, after = same_padding(size[axis], slide)
            before, after = (after, before) if auto == "SAME_LOWER" else (before, after)
        found.append(Slide(kernel[axis], strides[axis], before, after, dilations[axis]))
    return found[0], found[1]


def _learnt(cost: Cost, found: int) -> Cost:
    """`cost` with the parameters that are truly there: shared ones count once."""
    if found == cost.params:
        return cost
    return cost._replace(params=found, each=0, formula=thousands(found) if found else "")


def _conv(tracer: Tracer, weights: Weights, node: Node) -> Value:
    weight, bias = node.inputs[1], (node.inputs[2] if len(node.inputs) > 2 else None)
    groups, transposed = int(node.attributes.get("group", 1)), node.op == "ConvTranspose"
    assert weight is not None
    kernel, channels = weight.shape[2:], node.inputs[0].shape[1] if node.inputs[0] else 0
    filters = weight.shape[1] * groups if transposed else weight.shape[0]
    places = prod(node.inputs[0].shape[2:]) if transposed and node.inputs[0] else prod(node.shape[2:])
    cost = conv_cost(kernel, channels, filters, places=places, groups=groups, bias=bias is not None)
    cost = _learnt(cost, weights.take(weight, bias))
    name = node.name("convt" if transposed else "conv")
    odd = len(kernel) != 2 or isinstance(weight, Value) or not isinstance(node.inputs[0], Value)
    if odd or "output_shape" in node.attributes:
        kind = f"conv{len(kernel)}d"
        return tracer.unknown(kind, node.values, node.shape, name=name, cost=cost)
    value = node.first
    slides = _slides(node, (value.shape[2], value.shape[3]), kernel)
    if transposed:
        extra = node.attributes.get("output_padding", (0, 0))
        return tracer.conv_transposed(
            value,
            slides,
            node.shape,
            output_padding=(extra[0], extra[1]),
            name=name,
            cost=cost,
            groups=groups,
        )
    return tracer.conv(value, slides, node.shape, name=name, cost=cost, groups=groups)


def _matrices(tracer: Tracer, weights: Weights, node: Node) -> Value:
    """MatMul and Gemm."""
    one, two = node.inputs[0], node.inputs[1]
    assert one is not None
    assert two is not None
    first, second = one.shape, two.shape
    if node.attributes.get("transA"):
        first = first[::-1]
    if node.attributes.get("transB"):
        second = second[::-1]
    rows, inner = (first[-2] if len(first) > 1 else 1), first[-1]
    columns = second[-1] if len(second) > 1 else 1
    batch = max(prod(first[:-2]), prod(second[:-2]))
    if isinstance(one, Value) and isinstance(two, Value):
        cost = Cost(0, 0, "", batch * rows * inner * columns)
        return tracer.product(one, two, node.shape, name=node.name("matmul"), cost=cost)
    value, dim, outputs, places = (
        (one, -1, columns, batch * rows) if isinstance(one, Value) else (two, -2, rows, batch * columns)
    )
    assert isinstance(value, Value)
    bias = node.inputs[2] if len(node.inputs) > 2 else None
    shape = _flattened(tracer, value, inner)
    cost = dense_cost(shape, outputs, bias=bias is not None, places=places)
    cost = _learnt(cost, weights.take(*node.constants))
    if node.attributes.get("transA") and isinstance(one, Value):
        value = value.permuted([1, 0])
    return tracer.dense(value, dim, node.shape, name=_scope_or(node, "dense"), cost=cost)


def _scope_or(node: Node, kind: str) -> str:
    return node.scope or kind


def _flattened(tracer: Tracer, value: Value, numbers: int) -> tuple[int, ...]:
    """What the numbers were before they were flattened, for the formula."""
    if value.layer < 0 or value.axes is not None:
        return (numbers,)
    before = tracer.layers[value.layer].output
    maps = len(before) == 3 and prod(before) == numbers and prod(before[:2]) > 1
    return before if maps else (numbers,)


def _norm(tracer: Tracer, weights: Weights, node: Node) -> Value:
    kind = node.op.lower().replace("normalization", "norm")
    scale, shift = node.inputs[1], (node.inputs[2] if len(node.inputs) > 2 else None)
    size = prod(scale.shape) if scale else 0
    cost = _learnt(norm_cost(size), weights.take(scale, shift))
    value, name = node.first, node.name(kind)
    if kind == "batchnorm":
        return tracer.pointwise(kind, [value], node.shape, name=name, cost=cost)
    first = int(node.attributes.get("axis", -1)) if kind == "layernorm" else 2
    first = 1 if kind == "groupnorm" else first % len(value.shape)
    dims = range(first, len(value.shape))
    return tracer.along(kind, value, dims, node.shape, name=name, cost=cost)


# -- windows ----------------------------------------------------------------------------------


def _pool(tracer: Tracer, weights: Weights, node: Node) -> Value | list[Value]:
    value, kind = node.first, "maxpool" if node.op == "MaxPool" else "avgpool"
    if len(value.shape) != 4:
        return [tracer.unknown(kind, [value], node.shape, name=node.name(kind))] * len(node.shapes)
    slides = _slides(node, (value.shape[2], value.shape[3]), node.attributes["kernel_shape"])
    ceil = bool(node.attributes.get("ceil_mode", 0))
    found = tracer.pool(kind, value, slides, node.shape, name=node.name(kind), ceil=ceil)
    return [found] * len(node.shapes)


def _global_pool(tracer: Tracer, weights: Weights, node: Node) -> Value:
    kind = "maxpool" if "Max" in node.op else "avgpool"
    return tracer.adaptive_pool(kind, node.first, node.shape, name=node.name(kind))


_TAPS = {"nearest": 1, "linear": 2, "cubic": 4}
_HALF_PIXEL = ("half_pixel", "pytorch_half_pixel", "half_pixel_symmetric")


def _resize(tracer: Tracer, weights: Weights, node: Node) -> Value:
    value, mode = node.first, node.attributes.get("mode", "nearest")
    corners = node.attributes.get("coordinate_transformation_mode", "half_pixel")
    simple = len(value.shape) == 4 and value.shape[:2] == node.shape[:2]
    known = mode == "nearest" or corners in (*_HALF_PIXEL, "align_corners")
    if not simple or not known:
        return tracer.unknown("resize", [value], node.shape, name=node.name("resize"))
    return tracer.resize(
        value,
        node.shape,
        taps=_TAPS.get(mode, 1),
        corners=corners == "align_corners",
        name=node.name("resize"),
    )


def _blocks(tracer: Tracer, weights: Weights, node: Node) -> Value:
    """DepthToSpace and SpaceToDepth: channels become a block of pixels, and back."""
    size, value = int(node.attributes["blocksize"]), node.first
    if node.op == "SpaceToDepth":
        reach = conv_reach(Slide(size, size))
        return tracer.mapped("reorder", value, (reach, reach), node.shape, name=node.name("reorder"))
    return tracer.resize(value, node.shape, taps=1, corners=False, name=node.name("reorder"))


def _pad(tracer: Tracer, weights: Weights, node: Node) -> Value:
    pads = node.numbers(1) or list(node.attributes.get("pads", ()))
    axes, value = node.numbers(3), node.first
    if not pads:
        return tracer.unknown("pad", [value], node.shape, name=node.name("pad"))
    before = [0] * len(value.shape)
    for index, axis in enumerate(axes or range(len(value.shape))):
        before[axis] = pads[index]
    return tracer.pad(value, before, node.shape, name=node.name("pad"))


# -- what mixes along dimensions --------------------------------------------------------------


def _reduce(tracer: Tracer, weights: Weights, node: Node) -> Value:
    value = node.first
    axes = node.numbers(1) or list(node.attributes.get("axes", ())) or list(range(len(value.shape)))
    kind = {"ReduceMean": "avgpool", "ReduceMax": "maxpool"}.get(
        node.op, node.op.removeprefix("Reduce").lower()
    )
    return tracer.along(kind, value, axes, node.shape, name=node.name(kind))


def _softmax(tracer: Tracer, weights: Weights, node: Node) -> Value:
    axis = (node.numbers(1) or [-1])[0] if node.op == "CumSum" else node.attributes.get("axis", -1)
    kind = node.op.lower()
    return tracer.along(kind, node.first, [int(axis)], node.shape, name=node.name(kind))


def _concat(tracer: Tracer, weights: Weights, node: Node) -> Value:
    found = tracer.joined(
        node.values, int(node.attributes["axis"]), node.shape, name=node.name("concat")
    )
    params = weights.take(*node.constants)
    if params:
        tracer.charge(params, thousands(params))
    return found


def _one_a_feature(shape: Shape, of: Shape) -> bool:
    """Whether a constant has a number for each channel (axis 1 of `of`) or feature (the last axis).

    With numbers along another axis only, such as the sampling points of attention, it is not learnt.
    """
    whole = (1,) * (len(of) - len(shape)) + tuple(shape)
    return max(whole[-1:] + whole[1:2], default=1) > 1


def _pointwise(tracer: Tracer, weights: Weights, node: Node) -> Value:
    """Number by number. Constants are learnt where they stand behind a layer with weights."""
    behind = any(layer.has_weights for layer in tracer.layers)
    wide = [one for one in node.constants if _one_a_feature(one.shape, node.shape)]
    params = weights.take(*wide) if behind else 0
    values, alone = node.values, len(node.values) == 1 and node.values[0].shape == node.shape
    if alone and params and node.op == "Add" and _takes_bias(tracer, values[0], params):
        layer = tracer.layers[-1]
        tracer.charge(layer.params + params, f"{layer.formula}+{params}")
        return values[0]
    gate = _gate(tracer, node)
    if gate is not None:
        return gate
    clip = (node.numbers(1), node.numbers(2)) if node.op == "Clip" else None
    if alone and not params and node.op in _ARITHMETIC and clip != ([0], [6]):
        return values[0]  # a constant is added or multiplied: nothing of its own
    kind = "relu6" if clip else node.op.lower()
    cost = Cost(params, 0, thousands(params) if params else "", 0)
    return tracer.pointwise(kind, values, node.shape, name=node.name(kind), cost=cost)


_GATES = {"erf": "gelu", "sigmoid": "silu"}


def _gate(tracer: Tracer, node: Node) -> Value | None:
    """x · f(x) as the activation that it is: GELU from the error function, SiLU from the sigmoid."""
    if node.op != "Mul" or len(node.values) != 2:
        return None
    plain, gated = sorted(node.values, key=lambda value: value.layer)
    last = len(tracer.layers) - 1
    if gated.layer != last or gated.shape != plain.shape:
        return None
    layer = tracer.layers[last]
    if layer.kind not in _GATES or [source.layer for source in layer.sources] != [plain.layer]:
        return None
    kind = _GATES[layer.kind]
    name = layer.name.removesuffix(f".{layer.kind}")
    tracer.layers[last] = replace(layer, kind=kind, name=name if name != layer.kind else kind)
    return gated


def _takes_bias(tracer: Tracer, value: Value, params: int) -> bool:
    """Whether what is added is the bias of the dense layer just noted, which had none."""
    layer = tracer.layers[value.layer] if value.layer >= 0 else None
    last = value.layer == len(tracer.layers) - 1
    return layer is not None and last and layer.kind == "dense" and layer.output[-1] == params


# -- views ------------------------------------------------------------------------------------


def _same(tracer: Tracer, weights: Weights, node: Node) -> Value | list[Value]:
    return [node.first] * len(node.shapes)


def _reshaped(tracer: Tracer, weights: Weights, node: Node) -> Value:
    return node.first.reshaped(node.shape)


def _permuted(tracer: Tracer, weights: Weights, node: Node) -> Value:
    order = node.attributes.get("perm") or range(len(node.first.shape))[::-1]
    return node.first.permuted(list(order))


def _expanded(tracer: Tracer, weights: Weights, node: Node) -> Value:
    return node.first.expanded(node.shape)


def _slice(tracer: Tracer, weights: Weights, node: Node) -> Value:
    value, starts, ends = node.first, node.numbers(1), node.numbers(2)
    axes = node.numbers(3) or list(range(len(starts or ())))
    steps = node.numbers(4) or [1] * len(axes)
    if starts is None or ends is None or min(steps) < 1:
        return tracer.unknown("slice", [value], node.shape, name=node.name("slice"))
    for axis, start, step in zip(axes, starts, steps, strict=True):
        dim = axis % len(value.shape)
        size = value.shape[dim]
        first = max(0, start + size) if start < 0 else min(start, size)
        shape = (*value.shape[:dim], node.shape[dim], *value.shape[dim + 1 :])
        value = tracer.cut(value, dim, first, step, shape, name=node.name("slice"))
    return value


def _split(tracer: Tracer, weights: Weights, node: Node) -> list[Value]:
    value, start, found = node.first, 0, []
    dim = int(node.attributes.get("axis", 0)) % len(value.shape)
    for shape in node.shapes:
        found.append(tracer.cut(value, dim, start, 1, shape, name=node.name("slice")))
        start += shape[dim]
    return found


def _gather(tracer: Tracer, weights: Weights, node: Node) -> Value:
    """One index of a dimension, or several."""
    indices, value = node.inputs[1], node.inputs[0]
    if not isinstance(value, Value) or not isinstance(indices, Constant):
        return tracer.unknown("gather", node.values, node.shape, name=node.name("gather"))
    dim = int(node.attributes.get("axis", 0)) % len(value.shape)
    if indices.shape == ():
        return value.dropped([dim], node.shape)
    own = value.axes is not None and dim in (value.axes.rows, value.axes.columns)
    if own or len(indices.shape) != 1:
        return tracer.unknown("gather", [value], node.shape, name=node.name("gather"))
    return tracer.cut(value, dim, 0, 1, node.shape, name=node.name("gather"))


def _einsum(tracer: Tracer, weights: Weights, node: Node) -> Value:
    terms = node.attributes["equation"].replace(" ", "").partition("->")[0].split(",")
    sizes: dict[str, int] = {}
    for term, one in zip(terms, node.inputs, strict=True):
        if one is not None and "." not in term:
            sizes |= dict(zip(term, one.shape, strict=True))
    cost = Cost(weights.take(*node.constants), 0, "", prod(sizes.values()) if len(terms) > 1 else 0)
    return tracer.unknown("einsum", node.values, node.shape, name=node.name("einsum"), cost=cost)


HANDLERS: Mapping[str, Handler] = {
    **dict.fromkeys(POINTWISE, _pointwise),
    **dict.fromkeys(("Conv", "ConvTranspose"), _conv),
    **dict.fromkeys(("MatMul", "Gemm"), _matrices),
    **dict.fromkeys(
        ("BatchNormalization", "LayerNormalization", "InstanceNormalization", "GroupNormalization"),
        _norm,
    ),
    **dict.fromkeys(("MaxPool", "AveragePool"), _pool),
    **dict.fromkeys(("GlobalAveragePool", "GlobalMaxPool"), _global_pool),
    **dict.fromkeys(("Resize", "Upsample"), _resize),
    **dict.fromkeys(("DepthToSpace", "SpaceToDepth"), _blocks),
    "Pad": _pad,
    **dict.fromkeys(
        (
            "ReduceMean", "ReduceMax", "ReduceMin", "ReduceSum", "ReduceProd", "ReduceL1", "ReduceL2",
            "ReduceLogSumExp", "ReduceSumSquare",
        ),
        _reduce,
    ),
    **dict.fromkeys(("Softmax", "LogSoftmax", "CumSum"), _softmax),
    "Concat": _concat,
    **dict.fromkeys(("Identity", "Cast", "Dropout", "CastLike"), _same),
    **dict.fromkeys(("Reshape", "Flatten", "Squeeze", "Unsqueeze"), _reshaped),
    "Transpose": _permuted,
    "Expand": _expanded,
    "Slice": _slice,
    "Split": _split,
    "Gather": _gather,
    "Einsum": _einsum,
}  # fmt: skip
"""By ONNX operator."""
