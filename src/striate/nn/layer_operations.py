"""What torch's operations are as layers; those without an entry are pointwise, or unknown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod

from striate.arithmetic.counting import Cost, conv_cost, dense_cost, thousands
from striate.arithmetic.sizes import Slide
from striate.arithmetic.values import Value
from striate.nn.layer_trace import Call, Handler, LayerTrace

__all__ = ["HANDLERS"]


# -- layers with weights ----------------------------------------------------------------------


def _pair(values: Sequence[int] | int) -> tuple[int, int]:
    if isinstance(values, int):
        return values, values
    return values[0], values[-1]


def _slides(
    kernel: Sequence[int], stride: Sequence[int], padding: Sequence[int], dilation: Sequence[int]
) -> tuple[Slide, Slide]:
    (fy, fx), (sy, sx), (py, px), (dy, dx) = map(_pair, (kernel, stride, padding, dilation))
    return Slide(fy, sy, py, py, dy), Slide(fx, sx, px, px, dx)


def _convolution(trace: LayerTrace, call: Call) -> Value:
    weight, bias, value = call["weight"], call["bias"], trace.value(call["input"])
    transposed, groups = call["transposed"], call["groups"]
    channels = call["input"].shape[1]
    filters = weight.shape[1] * groups if transposed else weight.shape[0]
    places = prod(call["input"].shape[2:]) if transposed else prod(call.shape[2:])
    kernel = tuple(weight.shape[2:])
    cost = conv_cost(kernel, channels, filters, places=places, groups=groups, bias=bias is not None)
    name, cost = trace.name("conv", weight), trace.learnt(cost, weight, bias)
    if value is None or weight.ndim != 4 or trace.value(weight) is not None:
        known = [trace.value(one) for one in (call["input"], weight, bias)]
        values = [one for one in known if one is not None]
        kind = f"conv{weight.ndim - 2}d"
        return trace.tracer.unknown(kind, values, call.shape, name=name, cost=cost)
    slides = _slides(kernel, call["stride"], call["padding"], call["dilation"])
    if transposed:
        extra = _pair(call["output_padding"])
        return trace.tracer.conv_transposed(
            value, slides, call.shape, output_padding=extra, name=name, cost=cost, groups=groups
        )
    return trace.tracer.conv(value, slides, call.shape, name=name, cost=cost, groups=groups)


def _matrices(trace: LayerTrace, call: Call) -> Value:
    """mm, bmm and their kin with something added: weights and a value, or two values."""
    one = call.get("mat1", call.get("batch1", call.first))
    two = call.get("mat2", call.get("batch2"))
    added = call["self"] if call.name in ("addmm", "baddbmm") else None
    first, second = trace.value(one), trace.value(two)
    rows, inner, columns = one.shape[-2], one.shape[-1], two.shape[-1]
    batch = prod(one.shape[:-2])
    if first is not None and second is not None:
        cost = Cost(0, 0, "", batch * rows * inner * columns)
        return trace.tracer.product(first, second, call.shape, name=trace.name("matmul"), cost=cost)
    value, weight, dim = (first, two, -1) if first is not None else (second, one, -2)
    assert value is not None
    outputs, places = (columns, batch * rows) if first is not None else (rows, batch * columns)
    shape = _dense_shape(trace, value, inner)
    cost = dense_cost(shape, outputs, bias=added is not None, places=places)
    name, cost = trace.name("dense", weight), trace.learnt(cost, weight, added)
    return trace.tracer.dense(value, dim, call.shape, name=name, cost=cost)


def _dense_shape(trace: LayerTrace, value: Value, numbers: int) -> tuple[int, ...]:
    """What the numbers were before they were flattened, for the formula."""
    if value.layer < 0 or value.axes is not None:
        return (numbers,)
    before = trace.tracer.layers[value.layer].output
    maps = len(before) == 3 and prod(before) == numbers and prod(before[:2]) > 1
    return before if maps else (numbers,)


def _norm(trace: LayerTrace, call: Call) -> Value:
    """Batch normalisation as it is used: a scale and a shift for each channel."""
    kind = {"native_layer_norm": "layernorm", "native_group_norm": "groupnorm"}.get(
        call.name, "batchnorm"
    )
    weight, bias = call["weight"], call["bias"]
    name = trace.name(kind, weight)
    size = weight.numel() if weight is not None else 0
    cost = trace.learnt(Cost(2 * size, 2, f"2·{size}", 0), weight, bias)
    value = trace.known(call["input"])
    dims: Sequence[int] = ()
    if kind == "layernorm":
        dims = range(len(value.shape) - len(call["normalized_shape"]), len(value.shape))
    elif kind == "groupnorm" or call.get("training"):
        dims = range(1 if kind == "groupnorm" else 2, len(value.shape))
    if not dims:
        return trace.tracer.pointwise(kind, [value], call.shape, name=name, cost=cost)
    return trace.tracer.along(kind, value, dims, call.shape, name=name, cost=cost)


# -- windows ----------------------------------------------------------------------------------


def _pool(trace: LayerTrace, call: Call) -> Value:
    value = trace.known(call["self"])
    kernel = call["kernel_size"]
    stride = call["stride"] or kernel
    slides = _slides(kernel, stride, call["padding"], call.get("dilation", 1))
    kind = "maxpool" if call.name.startswith("max") else "avgpool"
    return trace.tracer.pool(
        kind, value, slides, call.shape, name=trace.name(kind), ceil=call["ceil_mode"]
    )


def _adaptive(trace: LayerTrace, call: Call) -> Value:
    value = trace.known(call["self"])
    kind = "maxpool" if "max" in call.name else "avgpool"
    return trace.tracer.adaptive_pool(kind, value, call.shape, name=trace.name(kind))


def _resize(trace: LayerTrace, call: Call) -> Value:
    value = trace.known(call.first)
    taps = next((t for word, t in _TAPS.items() if word in call.name), 1)
    corners = bool(call.get("align_corners"))
    name = trace.name("resize")
    return trace.tracer.resize(value, call.shape, taps=taps, corners=corners, name=name)


_TAPS = {"nearest": 1, "bilinear": 2, "bicubic": 4}


def _pad(trace: LayerTrace, call: Call) -> Value:
    value = trace.known(call["self"])
    pads = call.get("pad", call.get("padding"))
    before = [0] * len(value.shape)
    for index in range(len(pads) // 2):
        before[-1 - index] = pads[2 * index]
    return trace.tracer.pad(value, before, call.shape, name=trace.name("pad"))


# -- what mixes along dimensions --------------------------------------------------------------


def _reduce(trace: LayerTrace, call: Call) -> Value:
    value = trace.known(call["self"])
    dims = call.get("dim")
    if dims is None or dims == []:
        dims = range(len(value.shape))
    dims = [dims] if isinstance(dims, int) else list(dims)
    kind = {"amax": "maxpool", "max": "maxpool", "mean": "avgpool"}.get(call.name, call.name)
    return trace.tracer.along(kind.strip("_"), value, dims, call.shape, name=trace.name(kind))


def _softmax(trace: LayerTrace, call: Call) -> Value:
    value = trace.known(call["self"])
    return trace.tracer.along("softmax", value, [call["dim"]], call.shape, name=trace.name("softmax"))


def _concat(trace: LayerTrace, call: Call) -> Value:
    tensors, dim = call["tensors"], call["dim"]
    values = [trace.value(one) for one in tensors]
    if call.name == "stack":
        return trace.unknown(call, [one for one in values if one is not None])
    params = trace.params(*(one for one, value in zip(tensors, values, strict=True) if value is None))
    known = [one for one in values if one is not None]
    found = trace.tracer.joined(known, dim, call.shape, name=trace.name("concat"))
    if params:
        trace.tracer.charge(params, thousands(params))
    return found


# -- views ------------------------------------------------------------------------------------


def _reshaped(trace: LayerTrace, call: Call) -> Value:
    value = trace.known(call.first)
    return value.reshaped(call.shape)


def _permuted(trace: LayerTrace, call: Call) -> Value:
    value = trace.known(call["self"])
    order = list(range(len(value.shape)))
    if call.name == "permute":
        order = [dim % len(order) for dim in call["dims"]]
    elif call.name == "transpose":
        one, two = call["dim0"], call["dim1"]
        order[one], order[two] = order[two], order[one]
    else:
        order = order[::-1]
    return value.permuted(order)


def _same(trace: LayerTrace, call: Call) -> Value:
    value = trace.value(call.first)
    if value is None or value.shape != call.shape:
        return trace.unknown(call, [value] if value is not None else [])
    return value


def _expanded(trace: LayerTrace, call: Call) -> Value:
    value = trace.known(call["self"])
    return value.expanded(call.shape)


def _slice(trace: LayerTrace, call: Call) -> Value:
    value = trace.known(call["self"])
    dim, start = call["dim"] % len(value.shape), call["start"] or 0
    start = start + value.shape[dim] if start < 0 else start
    return trace.tracer.cut(value, dim, start, call["step"], call.shape, name=trace.name("slice"))


def _select(trace: LayerTrace, call: Call) -> Value | list[Value]:
    value = trace.known(call["self"])
    dim = call["dim"] % len(value.shape)
    found = value.dropped([dim], call.shape)
    return [found] * len(call.outputs) if call.name == "unbind" else found


def _split(trace: LayerTrace, call: Call) -> list[Value]:
    value = trace.known(call["self"])
    dim, start, found = call["dim"] % len(value.shape), 0, []
    for output in call.outputs:
        shape = tuple(output.shape)
        found.append(trace.tracer.cut(value, dim, start, 1, shape, name=trace.name("slice")))
        start += shape[dim]
    return found


HANDLERS: Mapping[str, Handler] = {
    "convolution": _convolution,
    **dict.fromkeys(("mm", "addmm", "bmm", "baddbmm"), _matrices),
    **dict.fromkeys(
        (
            "native_batch_norm",
            "_native_batch_norm_legit",
            "_native_batch_norm_legit_no_training",
            "native_layer_norm",
            "native_group_norm",
        ),
        _norm,
    ),
    **dict.fromkeys(("max_pool2d_with_indices", "avg_pool2d"), _pool),
    **dict.fromkeys(("_adaptive_avg_pool2d", "adaptive_avg_pool2d", "adaptive_max_pool2d"), _adaptive),
    **dict.fromkeys(("upsample_nearest2d", "upsample_bilinear2d", "upsample_bicubic2d"), _resize),
    **dict.fromkeys(("constant_pad_nd", "reflection_pad2d", "replication_pad2d"), _pad),
    **dict.fromkeys(
        (
            "mean",
            "sum",
            "amax",
            "amin",
            "max",
            "min",
            "var",
            "std",
            "var_mean",
            "std_mean",
            "logsumexp",
            "linalg_vector_norm",
        ),
        _reduce,
    ),
    **dict.fromkeys(("_softmax", "_safe_softmax", "_log_softmax", "cumsum"), _softmax),
    **dict.fromkeys(("cat", "stack"), _concat),
    **dict.fromkeys(("view", "_unsafe_view", "reshape", "squeeze", "unsqueeze"), _reshaped),
    **dict.fromkeys(("permute", "transpose", "t"), _permuted),
    **dict.fromkeys(("alias", "detach", "clone", "_to_copy", "lift_fresh", "as_strided"), _same),
    "expand": _expanded,
    "slice": _slice,
    **dict.fromkeys(("select", "unbind"), _select),
    **dict.fromkeys(("split", "split_with_sizes", "unsafe_split"), _split),
}
"""By the name of torch's operation, without a final _."""
