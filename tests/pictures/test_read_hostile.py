"""Files that are broken, lying or dangerous: a `PictureError` or the right pixels, nothing else."""

from __future__ import annotations

import faulthandler
import io
import os
import struct
import subprocess
import sys
import threading
import warnings
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFile

from striate.errors import PictureError
from striate.pictures import probe, read

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "AVIF")


def picture(height: int = 24, width: int = 20) -> np.ndarray:
    """Smooth colour with some detail, so that cut-off data cannot go unnoticed."""
    y, x = np.mgrid[:height, :width]
    planes = [np.sin(x / 3) * 60 + y * 5, np.cos(y / 4) * 70 + x * 6, (x * y) % 200]
    return np.clip(np.dstack(planes) + 40, 0, 255).astype(np.uint8)


def encoded(kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "a description"
    if kind in ("JPEG", "PNG", "WEBP", "TIFF", "AVIF"):
        options = {"exif": exif, **options}
    Image.fromarray(picture()).save(out, format=kind, **options)
    return out.getvalue()


def encoded_palette() -> bytes:
    out = io.BytesIO()
    Image.fromarray(picture()).quantize(16).save(out, "PNG", transparency=bytes(range(0, 240, 15)))
    return out.getvalue()


CORPUS = {
    **{kind: encoded(kind) for kind in FORMATS},
    "JPEG progressive": encoded("JPEG", progressive=True),
    "TIFF zip": encoded("TIFF", compression="tiff_deflate"),
    "TIFF jpeg": encoded("TIFF", compression="jpeg"),
    "WEBP lossless": encoded("WEBP", lossless=True),
    "APNG": encoded("PNG", save_all=True, append_images=[Image.new("RGB", (20, 24), (9, 9, 9))]),
    "PNG P": encoded_palette(),
}


@pytest.fixture
def no_hang() -> Iterator[None]:
    faulthandler.dump_traceback_later(120, exit=True)
    yield
    faulthandler.cancel_dump_traceback_later()


def outcome(data: bytes) -> np.ndarray | None:
    """The picture, or None for a `PictureError`; fails on warnings and on every other exception."""
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        found, refusal = None, None
        try:
            found = read(data, name="x.jpg")
        except PictureError as error:
            refusal = error
    assert not seen, [str(one.message) for one in seen]
    assert refusal is None or ("x.jpg" in str(refusal) and refusal.remedy)
    return found


@pytest.mark.parametrize("kind", CORPUS)
def test_cut_off_files_are_refused_or_whole(kind: str) -> None:
    data = CORPUS[kind]
    whole = outcome(data)
    assert whole is not None
    refused = 0
    for percent in range(0, 100, 5):
        found = outcome(data[: len(data) * percent // 100])
        refused += found is None
        if found is not None:  # only what does not belong to the pixels may be missing
            np.testing.assert_array_equal(found, whole)
    assert refused >= 10


def mutated(data: bytes, rng: np.random.Generator) -> bytes:
    """One to eight flipped bits or replaced bytes, sometimes cut off, sometimes with a hole."""
    changed = bytearray(data)
    for place in rng.integers(0, len(changed), rng.integers(1, 9)):
        changed[place] = (
            changed[place] ^ (1 << rng.integers(8)) if rng.random() < 0.7 else rng.integers(256)
        )
    way = rng.random()
    if way < 0.15:
        del changed[int(rng.integers(1, len(changed))) :]
    elif way < 0.25:
        start = int(rng.integers(0, len(changed)))
        del changed[start : start + int(rng.integers(1, 40))]
    return bytes(changed)


@pytest.mark.usefixtures("no_hang")
def test_two_thousand_mutations(rng: np.random.Generator) -> None:
    kinds = list(CORPUS)
    counts = {"read": 0, "refused": 0}
    for number in range(2000):
        found = outcome(mutated(CORPUS[kinds[number % len(kinds)]], rng))
        counts["refused" if found is None else "read"] += 1
        if found is not None:
            assert found.dtype == np.uint8
            assert found.ndim == 3
            assert found.shape[2] == 3
    assert min(counts.values()) > 200, counts


@pytest.mark.usefixtures("no_hang")
def test_probe_survives_the_same_mutations(rng: np.random.Generator) -> None:
    kinds = list(CORPUS)
    for number in range(600):
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            with suppress(PictureError):
                assert min(probe(mutated(CORPUS[kinds[number % len(kinds)]], rng)).size_hw) > 0
        assert not seen


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_bomb(side: int) -> bytes:
    """A valid grey PNG of side × side zeros: one compressed block, repeated (it ends in a flush)."""
    squeeze = zlib.compressobj(9, wbits=-15)
    squeeze.compress(b"")
    total, piece = side * (side + 1), 300_000
    block = squeeze.compress(bytes(piece)) + squeeze.flush(zlib.Z_FULL_FLUSH)
    rest = squeeze.compress(bytes(total % piece)) + squeeze.flush()
    adler = struct.pack(">I", (total % 65521) << 16 | 1)
    data = b"\x78\xda" + block * (total // piece) + rest + adler
    head = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def bombs() -> dict[str, bytes]:
    jpeg = encoded("JPEG", exif=b"")
    at = jpeg.index(b"\xff\xc0") + 5
    webp = b"VP8X" + struct.pack("<I", 10) + bytes(4) + (16382).to_bytes(3, "little") * 2
    tall = bytearray(encoded("TIFF", exif=b""))
    tall = tall.replace(struct.pack("<HHII", 256, 4, 1, 20), struct.pack("<HHII", 256, 4, 1, 60000))
    tall = tall.replace(struct.pack("<HHII", 257, 4, 1, 24), struct.pack("<HHII", 257, 4, 1, 60000))
    bmp, gif = bytearray(encoded("BMP")), bytearray(encoded("GIF"))
    bmp[18:26] = struct.pack("<ii", 40000, 30000)
    gif[6:10] = b"\xff\xff\xff\xff"
    return {
        "png of 30 000": png_bomb(30000),
        "png of 14 000": png_bomb(14000),
        "jpeg of 65 500": jpeg[:at] + struct.pack(">HH", 65500, 65500) + jpeg[at + 4 :],
        "webp of 16 383": b"RIFF" + struct.pack("<I", 4 + len(webp)) + b"WEBP" + webp,
        "tiff of 60 000": bytes(tall),
        "bmp of 40 000": bytes(bmp),
        "gif of 65 535": bytes(gif),
    }


BOMB_CHILD = """
import pathlib, resource, sys, time, warnings
from striate.errors import PictureError
from striate.pictures import read
warnings.simplefilter("error")
read(pathlib.Path(sys.argv[2]))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for path in sorted(pathlib.Path(sys.argv[1]).iterdir()):
    start = time.process_time()
    try:
        read(path)
    except PictureError as error:
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        print(path.name, grown, f"{time.process_time() - start:.3f}", error, sep="|")
"""


def test_bombs_are_refused_before_they_are_decoded(tmp_path: Path) -> None:
    (tmp_path / "bombs").mkdir()
    (tmp_path / "small.png").write_bytes(CORPUS["PNG"])
    made = bombs()
    for name, data in made.items():
        assert len(data) < 2_000_000
        (tmp_path / "bombs" / name).write_bytes(data)
    arguments = [sys.executable, "-c", BOMB_CHILD, str(tmp_path / "bombs"), str(tmp_path / "small.png")]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=100, check=True)
    lines = [line.split("|") for line in done.stdout.splitlines()]
    assert [line[0] for line in lines] == sorted(made)
    for name, grown_kib, seconds, message in lines:
        assert int(grown_kib) < 60_000, name  # the largest would take 900 MB decoded
        assert float(seconds) < 1, name
        assert "limits are" in message or "too large" in message or "damaged" in message, message
    assert sum("limits are" in line[3] for line in lines) >= 6


def test_the_bomb_is_real() -> None:
    """The same construction at a size that may be decoded is a picture."""
    assert read(png_bomb(1000)).shape == (1000, 1000, 3)


def test_limits_are_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    data = CORPUS["PNG"]  # 24 × 20
    assert read(data, max_pixels=480).shape == (20, 24, 3)
    with pytest.raises(PictureError, match="20 × 24 pixels; the limits are 479"):
        read(data, max_pixels=479)
    long = io.BytesIO()
    Image.new("1", (32768, 1)).save(long, "PNG")
    with pytest.raises(PictureError, match="32,767 a side"):
        read(long.getvalue())
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)  # somebody else's setting is not ours
    assert outcome(data) is not None
    assert outcome(CORPUS["JPEG"]) is not None


POSTSCRIPT = (
    b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(%pipe%touch CANARY) (w) file\nshowpage\n"
)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (POSTSCRIPT, "PostScript"),
        (b"\xc5\xd0\xd3\xc6" + bytes(30), "PostScript"),
        (b"%PDF-1.7\n", "PDF"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "SVG"),
        (b"\xef\xbb\xbf\n<?xml version='1.0'?><svg/>", "XML"),
        (b"<!DOCTYPE html><html>", "web page"),
        (b"PK\x03\x04" + bytes(20), "zip"),
        (b"\0\0\0\x18ftypheic" + bytes(20), "HEIC"),
        (b"8BPS" + bytes(30), "Photoshop"),
        (b"just some words", "no picture"),
    ],
)
def test_other_files_named_jpg_are_told_apart(content: bytes, words: str, tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(content)
    with pytest.raises(PictureError, match=words) as caught:
        read(path)
    assert caught.value.name == str(path)


def test_postscript_starts_no_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    canary = tmp_path / "gs-was-started"
    fake = tmp_path / "gs"
    fake.write_text(f"#!/bin/sh\ntouch '{canary}'\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    (tmp_path / "photo.jpg").write_bytes(POSTSCRIPT)
    with pytest.raises(PictureError):
        read(tmp_path / "photo.jpg")
    assert not canary.exists()


def corrupt_exif_jpeg() -> bytes:
    """A JPEG without dpi whose EXIF has a tag that points far outside: Pillow warns on opening it."""
    entry = struct.pack("<HHII", 0x010E, 2, 400, 9999) + struct.pack("<HHII", 0x0128, 3, 1, 2)
    block = b"Exif\0\0II*\0\x08\0\0\0\x02\0" + entry + bytes(4)
    body = io.BytesIO()
    Image.fromarray(picture()).save(body, "JPEG", exif=block)
    data = body.getvalue()
    start = data.index(b"\xff\xe0")
    length = struct.unpack(">H", data[start + 2 : start + 4])[0]
    return data[:start] + data[start + 2 + length :]


def test_corrupt_exif_warns_in_pillow_and_not_here() -> None:
    data = corrupt_exif_jpeg()
    with pytest.warns(UserWarning, match=r"(?i)corrupt|truncated|tag data"):
        Image.open(io.BytesIO(data)).load()
    assert outcome(data) is not None


def test_bad_animation_chunk_warns_in_pillow_and_not_here() -> None:
    data = CORPUS["PNG"]
    at = data.index(b"IDAT") - 4
    data = data[:at] + chunk(b"acTL", bytes(8)) + data[at:]
    with pytest.warns(UserWarning, match="APNG"):
        Image.open(io.BytesIO(data))
    assert outcome(data) is not None
    late = data[:-12] + chunk(b"acTL", bytes(8)) + data[-12:]
    assert outcome(late) is not None


def test_threads_leave_the_warning_filters_as_they_were() -> None:
    before = list(warnings.filters)
    jobs = [CORPUS["TIFF"], CORPUS["APNG"], CORPUS["GIF"], CORPUS["AVIF"]]
    failures: list[BaseException] = []

    def work(data: bytes) -> None:
        try:
            for _ in range(30):
                read(data)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(data,)) for data in jobs * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert list(warnings.filters) == before


def test_a_full_memory_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_memory(self: ImageFile.ImageFile) -> None:
        raise MemoryError

    monkeypatch.setattr(ImageFile.ImageFile, "load", no_memory)
    with pytest.raises(PictureError, match="not enough memory"):
        read(CORPUS["JPEG"])


def test_reading_leaks_no_file_descriptors(tmp_path: Path) -> None:
    for kind, data in CORPUS.items():
        (tmp_path / kind).write_bytes(data)
        (tmp_path / f"{kind} cut").write_bytes(data[: len(data) // 2])
    before = len(list(Path("/proc/self/fd").iterdir()))
    for path in tmp_path.iterdir():
        for job in (read, probe):
            with suppress(PictureError):
                job(path)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


@pytest.mark.parametrize("kind", ["JPEG", "JPEG progressive", "PNG", "PNG P"])
def test_somebody_elses_tolerance_of_cut_files_is_not_ours(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    data = CORPUS[kind]
    assert outcome(data) is not None
    assert outcome(data[: len(data) * 7 // 10]) is None


def test_a_jpeg_of_a_thousand_layers_is_refused() -> None:
    data = CORPUS["JPEG progressive"]
    last = data.rindex(b"\xff\xda")
    many = data[:last] + data[last:-2] * 1000 + b"\xff\xd9"
    with pytest.raises(PictureError, match=r"progressive JPEG in 1\d{3} layers"):
        read(many)
