"""ICC profiles: the colours that were meant, or none of it where the profile is broken."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from PIL import Image, ImageCms

from striate.pictures import read
from striate.pictures.profiles import to_srgb

COLOURS = np.array([[[200, 30, 60], [20, 180, 90]], [[128, 128, 128], [250, 240, 10]]], np.uint8)
D50 = (0.9642, 1.0, 0.8249)
P3 = ((0.51512, 0.2412, -0.00105), (0.29198, 0.69225, 0.04189), (0.1571, 0.06657, 0.78407))
"""Display P3's red, green and blue in XYZ, adapted to D50 (as in Apple's profile)."""


SRGB_OF_LCMS = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def number(value: float) -> bytes:
    return struct.pack(">i", round(value * 65536))


def xyz(values: tuple[float, float, float]) -> bytes:
    return b"XYZ \0\0\0\0" + b"".join(map(number, values))


SRGB_CURVE = b"para\0\0\0\0\0\x03\0\0" + b"".join(
    map(number, (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045))
)
LINEAR = b"curv\0\0\0\0\0\0\0\0"


def profile(
    space: bytes, tags: dict[bytes, bytes], device: bytes = b"mntr", connection: bytes = b"XYZ "
) -> bytes:
    """An ICC v2 profile written by hand (ICC.1:2001-04, sections 6.1 and 6.2)."""
    place = 128 + 4 + 12 * len(tags)
    table, body = struct.pack(">I", len(tags)), b""
    for name, data in tags.items():
        table += name + struct.pack(">II", place + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    head = struct.pack(
        ">I4sI4s4s4s12s4s",
        place + len(body),
        b"lcms",
        0x02100000,
        device,
        space,
        connection,
        b"",
        b"acsp",
    )
    head += bytes(28) + b"".join(map(number, D50))
    return head.ljust(128, b"\0") + table + body


def matrix_profile(primaries: tuple[tuple[float, float, float], ...], curve: bytes) -> bytes:
    tags = {name: xyz(value) for name, value in zip((b"rXYZ", b"gXYZ", b"bXYZ"), primaries, strict=True)}
    return profile(
        b"RGB ", {**tags, **dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve), b"wtpt": xyz(D50)}
    )


def saved(image: Image.Image, icc: bytes, kind: str = "PNG", **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, icc_profile=icc, **options)
    return out.getvalue()


def linear(values: np.ndarray) -> np.ndarray:
    v = np.asarray(values, float) / 255
    return np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4)


def coded(values: np.ndarray) -> np.ndarray:
    v = np.clip(values, 0, 1)
    return 255 * np.where(v <= 0.0031308, 12.92 * v, 1.055 * v ** (1 / 2.4) - 0.055)


SRGB_PRIMARIES = np.array(
    [[0.4360, 0.2225, 0.0139], [0.3851, 0.7169, 0.0971], [0.1431, 0.0606, 0.7139]]
).T


def test_display_p3_becomes_srgb_by_the_formula() -> None:
    found = read(saved(Image.fromarray(COLOURS), matrix_profile(P3, SRGB_CURVE)))
    matrix = np.linalg.inv(SRGB_PRIMARIES) @ np.array(P3).T
    expected = coded(linear(COLOURS) @ matrix.T)
    np.testing.assert_allclose(found, expected, atol=2)
    assert np.abs(found.astype(int) - COLOURS).max() > 10


def test_srgb_profile_changes_nothing_exactly() -> None:
    for icc in (SRGB_OF_LCMS, matrix_profile(tuple(SRGB_PRIMARIES.T), SRGB_CURVE)):
        np.testing.assert_array_equal(read(saved(Image.fromarray(COLOURS), icc)), COLOURS)
        assert to_srgb(Image.fromarray(COLOURS), icc) is None


def test_a_linear_profile_of_srgb_primaries_is_not_taken_for_srgb() -> None:
    icc = matrix_profile(tuple(SRGB_PRIMARIES.T), LINEAR)
    found = read(saved(Image.fromarray(COLOURS), icc))
    np.testing.assert_allclose(found, coded(COLOURS / 255), atol=2)


def test_grey_profile_with_another_curve() -> None:
    icc = profile(b"GRAY", {b"kTRC": LINEAR, b"wtpt": xyz(D50)})
    grey = np.array([[0, 64, 128, 255]], np.uint8)
    found = read(saved(Image.fromarray(grey), icc))
    np.testing.assert_allclose(found[..., 0], coded(grey / 255), atol=2)
    assert (found == found[..., :1]).all()


def cmyk_profile() -> bytes:
    """An output profile of two grid points an ink: paper is white, any full ink is black."""
    inks = np.stack(np.meshgrid(*[[0, 1]] * 4, indexing="ij"), -1).reshape(16, 4)
    light = (100 * (1 - inks.max(1)) * 2.55).round().astype(np.uint8)
    lab = np.column_stack([light, np.full(16, 128), np.full(16, 128)]).astype(np.uint8)
    ramp = bytes(range(256))
    identity = b"".join(map(number, (1, 0, 0, 0, 1, 0, 0, 0, 1)))
    lut = b"mft1\0\0\0\0" + bytes([4, 3, 2, 0]) + identity + ramp * 4 + lab.tobytes() + ramp * 3
    return profile(b"CMYK", {b"A2B0": lut, b"wtpt": xyz(D50)}, device=b"prtr", connection=b"Lab ")


@pytest.mark.parametrize("kind", ["TIFF", "JPEG"])
def test_cmyk_goes_through_its_profile_inverted_or_not(kind: str) -> None:
    """JPEG stores CMYK inverted, as Adobe does; the profile must see ink, not its absence."""
    for ink, expected in (((0, 0, 0, 0), 255), ((0, 255, 0, 0), 0)):
        data = saved(Image.new("CMYK", (8, 8), ink), cmyk_profile(), kind)
        np.testing.assert_allclose(read(data), expected, atol=3)
    plain = io.BytesIO()
    Image.new("CMYK", (8, 8), (0, 255, 0, 0)).save(plain, kind)
    np.testing.assert_allclose(read(plain.getvalue())[0, 0], (255, 0, 255), atol=3)


@pytest.mark.parametrize(
    "icc",
    [b"", b"no profile", SRGB_OF_LCMS[:200], matrix_profile(P3, SRGB_CURVE)[:-40], cmyk_profile()],
    ids=["empty", "junk", "cut", "cut tags", "of another space"],
)
def test_a_wrong_profile_is_ignored(icc: bytes) -> None:
    np.testing.assert_array_equal(read(saved(Image.fromarray(COLOURS), icc)), COLOURS)


def test_profile_and_transparency_together() -> None:
    rgba = np.dstack([COLOURS, np.array([[255, 0], [255, 255]], np.uint8)])
    icc = matrix_profile(P3, SRGB_CURVE)
    found = read(saved(Image.fromarray(rgba), icc))
    opaque = read(saved(Image.fromarray(COLOURS), icc))
    np.testing.assert_array_equal(found[0, 1], (255, 255, 255))
    np.testing.assert_array_equal(found[1], opaque[1])
