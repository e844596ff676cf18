"""The golden set: every kind of pixel in every kind that holds it, with the pixels to expect."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from striate.pictures import read
from striate.pictures.modes import CONVERSIONS, to_rgb

WHITE = (255, 255, 255)
GREY = np.array([[0, 1, 127], [128, 254, 255]], np.uint8)  # 2 rows, 3 columns
COLOUR = np.array(
    [[[255, 0, 0], [0, 255, 0], [0, 0, 255]], [[10, 20, 30], [200, 100, 50], [255, 255, 255]]], np.uint8
)
ALPHA = np.array([[0, 255, 128], [255, 0, 51]], np.uint8)


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, format=kind, **options)
    return out.getvalue()


def tiff(values: Any, dtype: Any = None, **options: Any) -> bytes:
    out = io.BytesIO()
    tifffile.imwrite(out, np.asarray(values, dtype), **({"photometric": "minisblack"} | options))
    return out.getvalue()


def flat(mode: str, colour: Any, kind: str, **options: Any) -> bytes:
    """A picture of one colour, 6 rows and 8 columns."""
    return saved(Image.new(mode, (8, 6), colour), kind, **options)


def png(width: int, height: int, depth: int, colour: int, rows: list[bytes], *chunks: bytes) -> bytes:
    """A PNG written by hand: `rows` are packed samples, `chunks` stand before the pixels."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    data = zlib.compress(b"".join(b"\0" + row for row in rows))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(chunks) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def palette_image(transparency: bytes | int | None = None) -> bytes:
    image = Image.new("P", (3, 2))
    image.putpalette([v for colour in COLOUR.reshape(-1, 3).tolist() for v in colour])
    image.putdata([0, 1, 2, 3, 4, 5])
    return saved(image, "PNG", **({} if transparency is None else {"transparency": transparency}))


def over(colour: np.ndarray, alpha: np.ndarray, ground: tuple[int, int, int] = WHITE) -> np.ndarray:
    """Alpha over a ground, in exact fractions, rounded half up."""
    a = alpha[..., None].astype(np.int64)
    return (2 * (colour.astype(np.int64) * a + np.array(ground) * (255 - a)) + 255) // 510


def rgb(grey: np.ndarray) -> np.ndarray:
    return np.repeat(np.asarray(grey)[..., None], 3, axis=-1)


PLACE = np.arange(6).reshape(2, 3, 1)
SKY = (40, 120, 200)
ALL_SKY = np.full((6, 8, 3), SKY)
BITS = np.array([[0, 255, 0], [255, 255, 0]], np.uint8)
WORDS = np.array([[0, 128, 129], [32768, 65534, 65535]], np.uint16)
WORDS_AS_BYTES = rgb([[0, 0, 1], [128, 255, 255]])  # 128/257 < 0.5 < 129/257
RGBA = np.dstack([COLOUR, ALPHA])
LA = np.dstack([GREY, ALPHA])
CMYK = np.array(
    [[[0] * 4, [255, 0, 0, 0], [0, 255, 255, 0]], [[0, 0, 0, 255], [255] * 4, [0, 0, 0, 128]]]
)
CMYK_AS_RGB = np.array([[[255] * 3, [0, 255, 255], [255, 0, 0]], [[0] * 3, [0] * 3, [127] * 3]])
words_be = [row.astype(">u2").tobytes() for row in WORDS]
colour_16 = [(row.astype(">u2") * 257).tobytes() for row in COLOUR.astype(">u2")]
FLOATS = np.array([[0.0, 0.25, 0.5], [0.75, 1.0, np.nan]], np.float32)

GOLDEN: dict[str, tuple[bytes, np.ndarray, int]] = {
    "png 1": (saved(Image.fromarray(BITS > 0), "PNG"), rgb(BITS), 0),
    "png L": (saved(Image.fromarray(GREY), "PNG"), rgb(GREY), 0),
    "png 2-bit": (png(3, 2, 2, 0, [b"\x1b", b"\xe4"][::1]), rgb([[0, 85, 170], [255, 170, 85]]), 0),
    "png 4-bit": (png(3, 1, 4, 0, [b"\x0f\x80"]), rgb([[0, 255, 136]]), 0),
    "png LA": (saved(Image.fromarray(LA, "LA"), "PNG"), over(rgb(GREY), ALPHA), 0),
    "png P": (palette_image(), COLOUR, 0),
    "png P, one index clear": (palette_image(1), np.where(PLACE == 1, 255, COLOUR), 0),
    "png P, alpha bytes": (palette_image(ALPHA.tobytes()), over(COLOUR, ALPHA), 0),
    "png RGB": (saved(Image.fromarray(COLOUR), "PNG"), COLOUR, 0),
    "png RGBA": (saved(Image.fromarray(RGBA), "PNG"), over(COLOUR, ALPHA), 0),
    "png RGB, one colour clear": (
        saved(Image.fromarray(COLOUR), "PNG", transparency=(10, 20, 30)),
        np.where((COLOUR == [10, 20, 30]).all(-1, keepdims=True), 255, COLOUR),
        0,
    ),
    "png L, one grey clear": (
        saved(Image.fromarray(GREY), "PNG", transparency=127),
        rgb([[0, 1, 255], [128, 254, 255]]),
        0,
    ),
    "png 2-bit, one grey clear": (
        png(3, 1, 2, 0, [b"\x1b"], chunk(b"tRNS", struct.pack(">H", 1))),
        rgb([[0, 255, 170]]),
        0,
    ),
    "png 1, black clear": (
        png(3, 1, 1, 0, [b"\x40"], chunk(b"tRNS", struct.pack(">H", 0))),
        rgb([[255, 255, 255]]),
        0,
    ),
    "png 16": (png(3, 2, 16, 0, words_be), WORDS_AS_BYTES, 0),
    "png 16, one grey clear": (
        png(3, 2, 16, 0, words_be, chunk(b"tRNS", struct.pack(">H", 128))),
        rgb([[0, 255, 1], [128, 255, 255]]),
        0,
    ),
    "png RGB 16": (png(3, 2, 16, 2, colour_16), COLOUR, 0),
    "png RGB 16, one colour clear": (
        png(3, 2, 16, 2, colour_16, chunk(b"tRNS", struct.pack(">HHH", 65535, 0, 0))),
        np.where((COLOUR == [255, 0, 0]).all(-1, keepdims=True), 255, COLOUR),
        0,
    ),
    "gif P": (saved(Image.open(io.BytesIO(palette_image())), "GIF"), COLOUR, 0),
    "gif L": (saved(Image.fromarray(GREY), "GIF"), rgb(GREY), 0),
    "gif, one index clear": (
        saved(Image.open(io.BytesIO(palette_image())), "GIF", transparency=0),
        np.where(PLACE == 0, 255, COLOUR),
        0,
    ),
    "bmp 1": (saved(Image.fromarray(BITS > 0), "BMP"), rgb(BITS), 0),
    "bmp L": (saved(Image.fromarray(GREY), "BMP"), rgb(GREY), 0),
    "bmp RGB": (saved(Image.fromarray(COLOUR), "BMP"), COLOUR, 0),
    "webp RGB": (saved(Image.fromarray(COLOUR), "WEBP", lossless=True), COLOUR, 0),
    "webp RGBA": (
        saved(Image.fromarray(RGBA), "WEBP", lossless=True, exact=True),
        over(COLOUR, ALPHA),
        0,
    ),
    "avif RGB": (flat("RGB", SKY, "AVIF"), ALL_SKY, 4),
    "avif RGBA": (flat("RGBA", (0, 0, 0, 0), "AVIF"), np.full((6, 8, 3), 255), 0),
    "jpeg L": (flat("L", 99, "JPEG"), np.full((6, 8, 3), 99), 1),
    "jpeg RGB": (flat("RGB", SKY, "JPEG", quality=95), ALL_SKY, 3),
    "jpeg CMYK": (
        flat("CMYK", (0, 255, 255, 0), "JPEG", quality=95),
        np.full((6, 8, 3), (255, 0, 0)),
        3,
    ),
    "tiff 1": (saved(Image.fromarray(BITS > 0), "TIFF"), rgb(BITS), 0),
    "tiff L, zip": (saved(Image.fromarray(GREY), "TIFF", compression="tiff_deflate"), rgb(GREY), 0),
    "tiff LA": (saved(Image.fromarray(LA, "LA"), "TIFF"), over(rgb(GREY), ALPHA), 0),
    "tiff P": (saved(Image.open(io.BytesIO(palette_image())), "TIFF"), COLOUR, 0),
    "tiff RGB, lzw": (saved(Image.fromarray(COLOUR), "TIFF", compression="tiff_lzw"), COLOUR, 0),
    "tiff RGB, planes": (
        tiff(COLOUR.transpose(2, 0, 1).copy(), photometric="rgb", planarconfig="separate"),
        COLOUR,
        0,
    ),
    "tiff RGBA": (saved(Image.fromarray(RGBA), "TIFF"), over(COLOUR, ALPHA), 0),
    "tiff RGB 16": (tiff(COLOUR.astype(np.uint16) * 257, photometric="rgb"), COLOUR, 0),
    "tiff CMYK": (saved(Image.fromarray(CMYK.astype(np.uint8), "CMYK"), "TIFF"), CMYK_AS_RGB, 0),
    "tiff YCbCr": (saved(Image.new("RGB", (8, 6), SKY).convert("YCbCr"), "TIFF"), ALL_SKY, 2),
    "tiff LAB": (saved(Image.new("RGB", (8, 6), SKY).convert("LAB"), "TIFF"), ALL_SKY, 4),
    "tiff 16 little": (tiff(WORDS, byteorder="<"), WORDS_AS_BYTES, 0),
    "tiff 16 big": (tiff(WORDS, byteorder=">"), WORDS_AS_BYTES, 0),
    "tiff 16 big, zip": (tiff(WORDS, byteorder=">", compression="zlib"), WORDS_AS_BYTES, 0),
    "tiff 16 signed": (tiff([[-100, 0, 100]], np.int16), rgb([[0, 128, 255]]), 0),
    "tiff 32": (tiff([[-50, 0, 50]], np.int32), rgb([[0, 128, 255]]), 0),
    "tiff 32 in 16 bits": (tiff(WORDS.astype(np.int32)), WORDS_AS_BYTES, 0),
    "tiff float 0-1, NaN": (tiff(FLOATS), rgb([[0, 64, 128], [191, 255, 0]]), 0),
    "tiff float wide": (
        tiff([[-10.0, 0.0, 30.0], [np.inf, -np.inf, np.nan]], np.float32),
        rgb([[0, 64, 255], [255, 0, 0]]),
        0,
    ),
    "tiff float constant": (tiff(np.full((2, 3), 7.5, np.float32)), rgb(np.zeros((2, 3))), 0),
    "tiff float unknown": (tiff(np.full((2, 3), np.nan, np.float32)), rgb(np.zeros((2, 3))), 0),
}


@pytest.mark.parametrize("kind", GOLDEN)
def test_golden(kind: str) -> None:
    data, expected, tolerance = GOLDEN[kind]
    found = read(data)
    assert found.dtype == np.uint8
    assert found.flags["C_CONTIGUOUS"]
    assert found.flags["WRITEABLE"]
    np.testing.assert_allclose(found.astype(int), expected, atol=tolerance)


MODES: dict[str, Callable[[], Image.Image]] = {
    "La": lambda: Image.fromarray(LA, "LA").convert("La"),
    "RGBa": lambda: Image.fromarray(RGBA).convert("RGBa"),
    "RGBX": lambda: Image.fromarray(COLOUR).convert("RGBX"),
    "HSV": lambda: Image.fromarray(COLOUR).convert("HSV"),
    "PA": lambda: Image.open(io.BytesIO(palette_image(ALPHA.tobytes()))).convert("PA"),
}
EXPECTED = {
    "La": (over(rgb(GREY), ALPHA), 2),  # premultiplied by 51/255 keeps a fifth of the levels
    "RGBa": (over(COLOUR, ALPHA), 2),
    "RGBX": (COLOUR, 0),
    "HSV": (COLOUR, 4),
    "PA": (over(COLOUR, ALPHA), 0),
}


@pytest.mark.parametrize("mode", MODES)
def test_modes_that_no_file_has_today(mode: str) -> None:
    image = MODES[mode]()
    assert image.mode == mode
    expected, tolerance = EXPECTED[mode]
    np.testing.assert_allclose(np.asarray(to_rgb(image, WHITE), int), expected, atol=tolerance)


def test_an_unknown_mode_is_refused() -> None:
    image = Image.new("RGB", (2, 2))
    image._mode = "BGR;24"
    with pytest.raises(ValueError, match="BGR;24"):
        to_rgb(image, WHITE)
    assert {"1", "L", "P", "RGB", "CMYK", "I;16", "F"} <= CONVERSIONS.keys()


@pytest.mark.parametrize("ground", [(0, 0, 0), (255, 0, 128)])
def test_transparent_pictures_lie_on_the_background(ground: tuple[int, int, int]) -> None:
    found = read(saved(Image.fromarray(RGBA), "PNG"), background_rgb=ground)
    np.testing.assert_array_equal(found, over(COLOUR, ALPHA, ground))


def test_sixteen_bits_use_the_full_range_exactly() -> None:
    values = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    data = png(256, 256, 16, 0, [row.astype(">u2").tobytes() for row in values])
    expected = np.rint(values.astype(np.float64) / 257)
    np.testing.assert_array_equal(read(data)[..., 0], expected)


@given(hnp.arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9), st.just(3))))
def test_lossless_formats_return_the_pixels(pixels: np.ndarray) -> None:
    for kind, options in (("PNG", {}), ("BMP", {}), ("TIFF", {}), ("WEBP", {"lossless": True})):
        np.testing.assert_array_equal(read(saved(Image.fromarray(pixels), kind, **options)), pixels)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF", "AVIF"])
def test_the_first_picture_of_many_is_read(kind: str) -> None:
    first, rest = Image.new("RGB", (8, 6), (200, 30, 30)), [Image.new("RGB", (8, 6), (0, 0, 250))] * 3
    data = saved(first, kind, save_all=True, append_images=rest)
    assert np.abs(read(data).astype(int) - (200, 30, 30)).max() <= 4


@pytest.mark.realdata
def test_mixed_modes_of_a_real_set(real_data: Any) -> None:
    modes = set()
    for path in sorted((real_data / "brain_mri").glob("*/*"))[::4]:
        with Image.open(path) as image:
            modes.add(image.mode)
            if image.mode in ("L", "RGB") and "icc_profile" not in image.info:
                np.testing.assert_array_equal(read(path), np.asarray(image.convert("RGB")))
        assert read(path).shape[2] == 3
    assert {"L", "RGB"} <= modes
