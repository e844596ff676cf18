"""EXIF orientation: every value, every kind, upright pixels."""

from __future__ import annotations

import io
import struct
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from striate.pictures import probe, read
from striate.pictures.orientation import exif_orientation, turn_upright

UPRIGHT = np.random.default_rng(5).integers(0, 256, (5, 7, 3)).astype(np.uint8)
UNDO = {1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 8, 7: 7, 8: 6}
"""The turn that undoes each turn: how a camera held that way stores the picture."""


def stored(orientation: int, block: int = 1) -> Image.Image:
    big = np.kron(UPRIGHT, np.ones((block, block, 1), np.uint8))
    return turn_upright(Image.fromarray(big), UNDO[orientation])


def tagged(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


LOSSLESS = [
    ("PNG", {}),
    ("TIFF", {}),
    ("TIFF", {"compression": "tiff_deflate"}),
    ("WEBP", {"lossless": True}),
]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(("kind", "options"), LOSSLESS)
def test_lossless_formats_come_out_upright(
    kind: str, options: dict[str, object], orientation: int
) -> None:
    out = io.BytesIO()
    stored(orientation).save(out, kind, exif=tagged(orientation), **options)
    np.testing.assert_array_equal(read(out.getvalue()), UPRIGHT)
    found = probe(out.getvalue())
    assert (found.orientation, found.size_hw) == (orientation, (5, 7))
    assert found.stored_size_hw == ((7, 5) if orientation > 4 else (5, 7))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "AVIF"])
def test_lossy_formats_come_out_upright(kind: str, orientation: int) -> None:
    out = io.BytesIO()
    image = stored(orientation, block=16)
    image.save(out, kind, exif=tagged(orientation), quality=95, subsampling="4:4:4")
    found = read(out.getvalue())
    with Image.open(io.BytesIO(out.getvalue())) as opened:
        np.testing.assert_array_equal(found, np.asarray(ImageOps.exif_transpose(opened).convert("RGB")))
    inner = found.reshape(5, 16, 7, 16, 3)[:, 4:12, :, 4:12].mean((1, 3))
    np.testing.assert_allclose(inner, UPRIGHT, atol=8)
    assert probe(out.getvalue()).size_hw == (80, 112)


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGBA", "CMYK", "I;16", "F"])
def test_every_mode_turns(mode: str) -> None:
    image = Image.fromarray(UPRIGHT[..., 0].astype(np.float32) / 255, "F") if mode == "F" else None
    if mode == "I;16":
        image = Image.fromarray(UPRIGHT[..., 0].astype(np.uint16) * 257)
    image = Image.fromarray(UPRIGHT).convert(mode) if image is None else image
    plain, turned = io.BytesIO(), io.BytesIO()
    image.save(plain, "TIFF")
    image.transpose(Image.Transpose.ROTATE_90).save(turned, "TIFF", exif=tagged(6))
    np.testing.assert_array_equal(read(turned.getvalue()), read(plain.getvalue()))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_reduced_decoding_looks_at_the_upright_picture(orientation: int) -> None:
    out = io.BytesIO()
    stored(orientation, block=64).save(out, "JPEG", exif=tagged(orientation))  # upright 320 × 448
    small = read(out.getvalue(), at_least_hw=(40, 100))
    assert small.shape == (80, 112, 3)  # a quarter: an eighth would be 40 × 56
    assert read(out.getvalue(), at_least_hw=(40, 56)).shape == (40, 56, 3)
    assert read(out.getvalue(), at_least_hw=(400, 10)).shape == (320, 448, 3)
    inner = small.reshape(5, 16, 7, 16, 3)[:, 4:12, :, 4:12].mean((1, 3))
    np.testing.assert_allclose(inner, UPRIGHT, atol=12)


@given(st.integers(1, 70), st.integers(1, 70), st.integers(0, 80), st.integers(0, 80))
def test_reduced_decoding_never_goes_below(height: int, width: int, least_h: int, least_w: int) -> None:
    out = io.BytesIO()
    Image.new("RGB", (width, height), (9, 99, 200)).save(out, "JPEG")
    found = read(out.getvalue(), at_least_hw=(least_h, least_w)).shape
    assert found[0] >= min(height, least_h)
    assert found[1] >= min(width, least_w)


def block(value: int, *, order: str = "<", kind: int = 3, tag: int = 0x0112, count: int = 1) -> bytes:
    head = b"II*\0" if order == "<" else b"MM\0*"
    number = struct.pack(order + {1: "B", 3: "H", 4: "I"}[kind], value).ljust(4, b"\0")
    entry = struct.pack(f"{order}HHI", tag, kind, count) + number
    return b"Exif\0\0" + head + struct.pack(f"{order}IH", 8, 1) + entry + bytes(4)


@given(st.integers(1, 8), st.sampled_from("<>"), st.sampled_from([1, 3, 4]))
def test_exif_parser_reads_both_byte_orders_and_integer_types(value: int, order: str, kind: int) -> None:
    assert exif_orientation(block(value, order=order, kind=kind)) == value


@given(st.binary(max_size=80))
def test_exif_parser_survives_anything(junk: bytes) -> None:
    assert exif_orientation(junk) in (None, *range(1, 9))
    assert exif_orientation(b"Exif\0\0II*\0\x08\0\0\0" + junk) in (None, *range(1, 9))


@pytest.mark.parametrize("value", [0, 9, 255, 65535])
def test_values_outside_the_standard_count_as_upright(value: int) -> None:
    assert exif_orientation(block(value)) == 1


def test_no_orientation_is_none() -> None:
    assert exif_orientation(b"") is None
    assert exif_orientation(block(3, tag=0x0110)) is None


def test_orientation_in_xmp_and_in_imagemagick_text_counts_as_in_pillow() -> None:
    out = io.BytesIO()
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'
    Image.fromarray(UPRIGHT).save(out, "JPEG", xmp=xmp)
    assert read(out.getvalue()).shape == (7, 5, 3)
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    raw = block(8).hex()
    info.add_text("Raw profile type exif", f"\nexif\n{len(raw) // 2:8d}\n{raw}\n")
    out = io.BytesIO()
    stored(8).save(out, "PNG", pnginfo=info)
    np.testing.assert_array_equal(read(out.getvalue()), UPRIGHT)


@pytest.mark.realdata
@pytest.mark.parametrize("kind", ["Landscape", "Portrait"])
def test_real_pictures_of_all_orientations_are_the_same_picture(kind: str, real_data: Path) -> None:
    paths = sorted((real_data / "exif_orientation").glob(f"{kind}_*.jpg"))
    assert len(paths) == 9
    least = (75, 75)
    pictures = [read(path, at_least_hw=least) for path in paths]
    first = pictures[0].astype(int)
    assert (first.shape[0] < first.shape[1]) == (kind == "Landscape")
    for path, picture in zip(paths, pictures, strict=True):
        assert probe(path).size_hw[0] > probe(path).size_hw[1] or kind == "Landscape"
        assert picture.shape == first.shape
        assert np.abs(picture - first).mean() < 6, path  # each was compressed on its own


@pytest.mark.realdata
def test_real_pictures_equal_pillow(real_data: Path) -> None:
    path = real_data / "exif_orientation" / "Portrait_6.jpg"
    with warnings.catch_warnings(), Image.open(path) as image:
        warnings.simplefilter("ignore")
        upright = ImageOps.exif_transpose(image).convert("RGB")
    np.testing.assert_array_equal(read(path), np.asarray(upright))
