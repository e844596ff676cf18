"""Kernels: a small table of weights that is slid over a picture, and what comes out, exact per pixel.

A *convolution* turns the kernel by 180° first, a *correlation* does not. The two differ only for kernels
that look different after that turn (Sobel, emboss). Networks and OpenCV's `filter2D` correlate, whatever
they call it; `convolve` convolves unless asked not to, and says which it did.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np

from striate.errors import UnknownNameError, UsageError
from striate.pictures.write import to_bytes
from striate.types import Array, Picture, SizeHW, check_picture

__all__ = ["KERNELS", "Convolved", "Kernel", "Operation", "Padding", "convolve", "kernel_of"]

Padding: TypeAlias = Literal["reflect", "edge", "zeros", "wrap", "valid"]
PADDINGS: Mapping[Padding, str] = {
    "reflect": "reflect",
    "edge": "edge",
    "zeros": "constant",
    "wrap": "wrap",
    "valid": "",
}
"""Ours → NumPy's: mirrored without the outermost pixel; that pixel repeated; black; the other end."""

Operation: TypeAlias = Literal["convolution", "correlation"]
OPERATIONS: tuple[Operation, ...] = ("convolution", "correlation")


@dataclass(frozen=True, slots=True)
class Kernel:
    """`weights`: float64 (h, w), finite. They are summed first and divided by `divisor` once, so that
    a ninth is a ninth. `about`: what it does."""

    name: str
    weights: Array
    divisor: float = 1.0
    about: str = ""

    def __post_init__(self) -> None:
        fine = self.weights.ndim == 2 and self.weights.size > 0 and self.weights.dtype == np.float64
        if not fine or not np.isfinite(self.weights).all():
            raise ValueError(
                f"weights are {self.weights.dtype} {self.weights.shape}; expected finite float64 (h, w)"
            )
        if not self.divisor or not np.isfinite(self.divisor):
            raise ValueError(f"divisor is {self.divisor}; expected a finite number other than 0")

    @property
    def size_hw(self) -> SizeHW:
        """Height and width."""
        return int(self.weights.shape[0]), int(self.weights.shape[1])

    @property
    def values(self) -> Array:
        """The weights over the divisor, float64 (h, w)."""
        found: Array = self.weights / self.divisor
        return found

    def __str__(self) -> str:
        rows = "; ".join(" ".join(f"{weight:g}" for weight in row) for row in self.weights.tolist())
        return rows if self.divisor == 1 else f"{rows} / {self.divisor:g}"


def _kernel(name: str, text: str, about: str) -> tuple[str, Kernel]:
    weights, divisor = _parsed(text)
    return name, Kernel(name, weights, divisor, about)


def _parsed(text: str) -> tuple[Array, float]:
    """Rows apart by ;, numbers by spaces or commas, and / with a divisor at the end."""
    body, _, below = text.partition("/")
    rows = [re.split(r"[\s,]+", row.strip(" ,\t\n")) for row in body.strip().strip(";").split(";")]
    try:
        weights = [[float(word) for word in row] for row in rows]
        divisor = float(below) if below.strip() else 1.0
    except ValueError as error:
        raise _bad_text(text, str(error)) from error
    if len({len(row) for row in weights}) != 1:
        raise _bad_text(text, f"its rows have {', '.join(str(len(row)) for row in weights)} numbers")
    found = np.array(weights, np.float64)
    if not np.isfinite(found).all() or not np.isfinite(divisor) or divisor == 0:
        raise _bad_text(text, "a number is not finite, or it is divided by 0")
    return found, divisor


def _bad_text(text: str, why: str) -> UsageError:
    return UsageError(
        f"{text!r} is no kernel: {why}",
        expected="rows of numbers such as '0 -1 0; -1 5 -1; 0 -1 0' or '1 2 1; 2 4 2; 1 2 1 / 16'",
    )


KERNELS: Mapping[str, Kernel] = dict(
    (
        _kernel("identity", "0 0 0; 0 1 0; 0 0 0", "every pixel stays what it is"),
        _kernel(
            "edge-diagonal",
            "1 0 -1; 0 0 0; -1 0 1",
            "the change of change along both axes at once: strong on diagonal edges and on corners",
        ),
        _kernel(
            "laplacian",
            "0 1 0; 1 -4 1; 0 1 0",
            "how far the four neighbours are, on average, above a pixel; 0 on even ground and slopes. "
            "It is the Laplacian: some lecture slides print it as the identity, which it is not",
        ),
        _kernel(
            "edge-outline",
            "-1 -1 -1; -1 8 -1; -1 -1 -1",
            "how far a pixel is above its eight neighbours: outlines in all directions",
        ),
        _kernel("sharpen", "0 -1 0; -1 5 -1; 0 -1 0", "the picture less its Laplacian"),
        _kernel(
            "gaussian-blur",
            "1 2 1; 2 4 2; 1 2 1 / 16",
            "a weighted mean, near pixels first. Without the 1/16 it would be 16 times too light",
        ),
        _kernel("box-blur", "1 1 1; 1 1 1; 1 1 1 / 9", "the mean of nine pixels"),
        _kernel(
            "gaussian-blur-5",
            "1 4 6 4 1; 4 16 24 16 4; 6 24 36 24 6; 4 16 24 16 4; 1 4 6 4 1 / 256",
            "a wider weighted mean",
        ),
        _kernel(
            "unsharp-5",
            "1 4 6 4 1; 4 16 24 16 4; 6 24 -476 24 6; 4 16 24 16 4; 1 4 6 4 1 / -256",
            "twice the picture less its blur: sharper, with less noise than sharpen",
        ),
        _kernel("sobel-x", "1 0 -1; 2 0 -2; 1 0 -1", "positive where it gets lighter to the right"),
        _kernel("sobel-y", "1 2 1; 0 0 0; -1 -2 -1", "positive where it gets lighter downwards"),
        _kernel("prewitt-x", "1 0 -1; 1 0 -1; 1 0 -1", "sobel-x without weights"),
        _kernel("prewitt-y", "1 1 1; 0 0 0; -1 -1 -1", "sobel-y without weights"),
        _kernel("scharr-x", "3 0 -3; 10 0 -10; 3 0 -3", "sobel-x, truer to the angle of an edge"),
        _kernel("scharr-y", "3 10 3; 0 0 0; -3 -10 -3", "sobel-y, truer to the angle of an edge"),
        _kernel("emboss", "2 1 0; 1 1 -1; 0 -1 -2", "as if lit from the lower right"),
    )
)
"""Name → kernel, written for convolution."""


def kernel_of(text: str) -> Kernel:
    """A kernel by its name in `KERNELS`, or as rows of numbers: "0 -1 0; -1 5 -1; 0 -1 0".

    A divisor may stand at the end, after "/". A `UsageError` for what is neither.
    """
    if text in KERNELS:
        return KERNELS[text]
    if re.search(r"[a-zA-Z]{3}", text) or not text.strip():
        raise UnknownNameError(
            "kernel", text, KERNELS, remedy="or give rows of numbers: '0 -1 0; -1 5 -1; 0 -1 0'"
        )
    weights, divisor = _parsed(text)
    return Kernel("own", weights, divisor, "given as numbers")


@dataclass(frozen=True, slots=True)
class Convolved:
    """What a kernel made of a picture. `values`: float64 (h, w, 3), before rounding; any number.

    `operation`: whether the kernel was turned. `padding`: what stood around the picture; with "valid"
    nothing, and `values` is smaller than the picture.
    """

    values: Array = field(repr=False)
    kernel: Kernel
    operation: Operation
    padding: Padding

    def picture(self, negatives: Literal["clip", "absolute", "grey"] = "clip") -> Picture:
        """The values as uint8 (h, w, 3): rounded (halves to even) and held within 0 to 255.

        `negatives`: "clip" makes them black, "absolute" as light as their positives, "grey" adds 128 to
        all, so that 0 is a middle grey.
        """
        if negatives not in ("clip", "absolute", "grey"):
            raise UnknownNameError("way to show negatives", negatives, ("clip", "absolute", "grey"))
        made = np.abs(self.values) if negatives == "absolute" else self.values
        moved = made + 128 if negatives == "grey" else made
        found: Picture = np.clip(np.rint(moved), 0, 255).astype(np.uint8)
        return found

    def to_dict(self) -> dict[str, object]:
        """For `--json`: what was done, and the range of what came out."""
        rounded = np.rint(self.values)
        return {
            "kernel": self.kernel.name,
            "weights": self.kernel.weights.tolist(),
            "divisor": self.kernel.divisor,
            "operation": self.operation,
            "padding": self.padding,
            "size_hw": list(self.values.shape[:2]),
            "least": float(self.values.min()),
            "most": float(self.values.max()),
            "mean": float(self.values.mean()),
            "below_0": round(float((rounded < 0).mean()), 6),
            "above_255": round(float((rounded > 255).mean()), 6),
        }

    def plot(self) -> Picture:
        """The picture with negatives clipped, uint8 (h, w, 3)."""
        return self.picture()

    def _repr_png_(self) -> bytes:
        return to_bytes(self.picture())


def convolve(
    picture: Picture,
    kernel: Kernel | str | Array,
    *,
    padding: Padding = "reflect",
    operation: Operation = "convolution",
) -> Convolved:
    """`picture`, uint8 (H, W, 3), under `kernel`, each channel for itself, with stride 1.

    `kernel`: one of `KERNELS`, its name, rows of numbers as text, or an array (h, w). Whole weights are
    summed exactly. A `UsageError` for a kernel larger than the picture; and, as the result could not be
    centred, for one with an even side unless `padding` is "valid".
    """
    if padding not in PADDINGS:
        raise UnknownNameError("padding", padding, PADDINGS)
    if operation not in OPERATIONS:
        raise UnknownNameError("operation", operation, OPERATIONS)
    used = _as_kernel(kernel)
    _check_fits(used, (check_picture(picture).shape[0], picture.shape[1]), padding)
    weights = used.weights[::-1, ::-1] if operation == "convolution" else used.weights
    sums = _correlated(_padded(picture, used.size_hw, padding), weights)
    return Convolved(sums / used.divisor, used, operation, padding)


def _as_kernel(kernel: Kernel | str | Array) -> Kernel:
    if isinstance(kernel, Kernel):
        return kernel
    if isinstance(kernel, str):
        return kernel_of(kernel)
    return Kernel("own", np.asarray(kernel, np.float64), 1.0, "given as an array")


def _check_fits(kernel: Kernel, size_hw: SizeHW, padding: Padding) -> None:
    (tall, wide), (height, width) = kernel.size_hw, size_hw
    if tall > height or wide > width:
        raise UsageError(
            f"the kernel is {tall} × {wide} (height × width) and the picture {height} × {width}",
            expected="a kernel no larger than the picture",
            remedy="use a smaller kernel, or a larger picture",
        )
    if padding != "valid" and not (tall % 2 and wide % 2):
        raise UsageError(
            f"the kernel is {tall} × {wide}: a side of even length has no middle to centre on a pixel",
            expected="odd sides, such as 3 × 3",
            remedy="add a row or column of zeros, or ask for padding 'valid'",
        )


def _padded(picture: Picture, size_hw: SizeHW, padding: Padding) -> Array:
    if padding == "valid":
        return picture
    rows, columns = size_hw[0] // 2, size_hw[1] // 2
    mode: str = PADDINGS[padding]
    found: Array = np.pad(picture, ((rows, rows), (columns, columns), (0, 0)), mode)  # type: ignore[call-overload]
    return found


def _correlated(padded: Array, weights: Array) -> Array:
    """The sum of weighted neighbours, float64 (h, w, 3): whole numbers up to 2⁵³ are exact."""
    tall, wide = weights.shape
    height, width = padded.shape[0] - tall + 1, padded.shape[1] - wide + 1
    sums = np.zeros((height, width, 3))
    for row, column in np.argwhere(weights).tolist():  # the zeros need no sum
        sums += weights[row, column] * padded[row : row + height, column : column + width]
    return sums
