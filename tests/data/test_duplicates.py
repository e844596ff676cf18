from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.fft import dctn

from striate.data import neighbours
from striate.data.alignment import agreement
from striate.data.dataset import Dataset, Record
from striate.data.duplicates import Duplicates, find_duplicates, near_duplicates
from striate.data.guess import read_labels
from striate.data.neighbours import Candidates, candidates, describe, smoothed
from striate.data.origins import ArrayOrigin, FileOrigin
from striate.data.signatures import Signature, sign, thumb_of
from striate.errors import PictureError
from striate.pictures.read import read
from striate.pictures.resize import resize
from striate.types import Array, Picture

Photo = Callable[..., Picture]
Change = Callable[[Picture], Picture]


def recompressed(quality: int) -> Change:
    def change(picture: Picture) -> Picture:
        stream = io.BytesIO()
        Image.fromarray(picture).save(stream, "JPEG", quality=quality)
        return read(stream.getvalue())

    return change


def resized(share: float) -> Change:
    def change(picture: Picture) -> Picture:
        height, width = picture.shape[:2]
        return resize(picture, (round(height * share), round(width * share)), how="bicubic")

    return change


def cropped(share: float) -> Change:
    """Up to `share` away from each side, unevenly."""

    def change(picture: Picture) -> Picture:
        height, width = picture.shape[:2]
        top, left = round(height * share), round(width * share / 2)
        return np.ascontiguousarray(picture[top : height - top // 2, left : width - left])

    return change


def mirrored(picture: Picture) -> Picture:
    return np.ascontiguousarray(picture[:, ::-1])


def brighter(picture: Picture) -> Picture:
    return np.clip(picture * 1.15 + 5, 0, 255).astype(np.uint8)


CHANGES: dict[str, Change] = {
    "halved": resized(0.5),
    "stretched": lambda picture: resize(picture, (90, 160), how="lanczos"),
    "recompressed": recompressed(40),
    "poorly recompressed": recompressed(10),
    "mirrored": mirrored,
    "mirrored and recompressed": lambda picture: recompressed(60)(mirrored(picture)),
    "brighter": brighter,
    "cropped by 3 %": cropped(0.03),
    "cropped by 6 %": cropped(0.06),
    "mirrored and cropped": lambda picture: cropped(0.05)(mirrored(picture)),
}


def of_pictures(pictures: Iterable[Picture]) -> list[Record[tuple[str, ...]]]:
    return [
        Record(f"{i:04d}", ArrayOrigin(picture[None], 0, f"{i}"), ("a",))
        for i, picture in enumerate(pictures)
    ]


def found_in(pictures: Iterable[Picture]) -> Duplicates:
    records = of_pictures(pictures)
    return find_duplicates(records, sign(records))


@pytest.mark.parametrize("name", CHANGES)
def test_copies_are_found_and_nothing_else(photo: Photo, name: str) -> None:
    originals = [photo(seed) for seed in range(40)]
    copies = [CHANGES[name](picture) for picture in originals[:12]]
    found = found_in([*originals, *copies])
    assert found.exact == ()
    assert found.near == tuple((i, 40 + i) for i in range(12))


def test_exact_copies_in_other_files(tmp_path: Path, photo: Photo) -> None:
    picture, other = photo(1), photo(2)
    for name, which in (("a.png", picture), ("b.bmp", picture), ("c.tiff", picture), ("d.png", other)):
        Image.fromarray(which).save(tmp_path / name)
    (tmp_path / "e.png").write_bytes((tmp_path / "a.png").read_bytes())
    Image.fromarray(picture).save(tmp_path / "f.jpg", quality=50)
    (tmp_path / "g.png").write_bytes(b"nothing")
    records = [Record(p.name, FileOrigin(p), ("a",)) for p in sorted(tmp_path.glob("*.*"))]
    signatures = sign(records)
    assert isinstance(signatures[6], PictureError)
    found = find_duplicates(records, signatures)
    assert found.exact == ((0, 1, 2, 4),)
    assert found.near == ((0, 1, 2, 4, 5),)
    keys = near_duplicates(Dataset(tuple(records), ("a",), "", ""))
    assert keys == [
        ["a.png", "b.bmp", "c.tiff", "e.png"],
        ["a.png", "b.bmp", "c.tiff", "e.png", "f.jpg"],
    ]


def test_many_equal_pictures_are_one_group(photo: Photo) -> None:
    found = found_in([photo(0)] * 30 + [photo(1)])
    assert found.exact == (tuple(range(30)),)
    assert found.near == ()


def test_blank_pictures_are_only_exact_copies() -> None:
    blanks = [np.full((80, 80, 3), level, np.uint8) for level in (0, 0, 255, 128, 129)]
    blanks.append(np.full((70, 90, 3), 0, np.uint8))
    assert found_in(blanks) == Duplicates(((0, 1),), ())


def test_nothing_and_one(photo: Photo) -> None:
    assert found_in([]) == found_in([photo(0)]) == Duplicates((), ())


def test_equal_thumbs_with_other_pixels_are_near(photo: Photo) -> None:
    picture = photo(0)
    touched = picture.copy()
    touched[3, 4] ^= 1
    assert found_in([picture, touched]) == Duplicates((), ((0, 1),))


def test_digits_are_not_flooded() -> None:
    data = read_labels("digits")
    found = find_duplicates(data.records, sign(data.records))
    assert sum(len(group) for group in found.near) <= 20  # of 1797, and they look it
    pictures = [record.origin.read() for record in data.records[:300]]
    planted = find_duplicates(records := of_pictures([*pictures, *pictures[:50]]), sign(records))
    assert len(planted.exact) == 50


def test_a_signature(tmp_path: Path, photo: Photo) -> None:
    picture = photo(3, (300, 200))
    Image.fromarray(picture).convert("L").save(tmp_path / "a.jpg")
    record = Record("a.jpg", FileOrigin(tmp_path / "a.jpg"), ("a",))
    told: list[int] = []
    (found,) = sign([record], on_progress=told.append)
    assert isinstance(found, Signature)
    assert (found.size_hw, found.stored_as, found.frames) == ((300, 200), "JPEG L", 1)
    assert found.content == record.origin.content_hash()
    assert told == [1]
    assert np.abs(found.thumb.astype(int) - thumb_of(picture)).mean() < 3
    whole = picture.reshape(30, 10, 20, 10, 3).mean((1, 3))  # cells of the same shape, coarser
    assert (
        np.corrcoef(
            resize(found.thumb[..., None].repeat(3, 2), (30, 20))[:, :, 0].ravel(),
            (whole @ [0.299, 0.587, 0.114]).ravel(),
        )[0, 1]
        > 0.98
    )


def thumbs(rng: np.random.Generator, count: int) -> Array:
    coarse = rng.integers(0, 256, (count, 8, 8, 1), dtype=np.uint8).repeat(3, 3)
    return np.stack([thumb_of(one) for one in coarse])


def test_descriptors_are_the_cosine_transform(rng: np.random.Generator) -> None:
    some = thumbs(rng, 5)
    wanted = dctn(smoothed(some), axes=(1, 2), norm="ortho")[:, :8, :8]
    wanted[:, 0, 0] = 0
    wanted /= np.linalg.norm(wanted, axis=(1, 2), keepdims=True)
    found = describe(some)
    np.testing.assert_allclose(found.even.reshape(5, 8, 4), wanted[:, :, 0::2], atol=1e-5)
    np.testing.assert_allclose(found.odd.reshape(5, 8, 4), wanted[:, :, 1::2], atol=1e-5)
    turned = describe(np.ascontiguousarray(some[:, :, ::-1]))
    np.testing.assert_allclose(turned.even, found.even, atol=1e-5)
    np.testing.assert_allclose(turned.odd, -found.odd, atol=1e-5)


def brute(some: Array, least: float) -> set[tuple[int, int]]:
    """Pairs by cosine of descriptors, either way round, one at a time."""
    one, other = describe(some), describe(np.ascontiguousarray(some[:, :, ::-1]))
    whole = np.concatenate([one.even, one.odd], axis=1)
    turned = np.concatenate([other.even, other.odd], axis=1)
    similar = np.maximum(whole @ whole.T, whole @ turned.T)
    return {(i, j) for i, j in zip(*np.nonzero(similar > least), strict=True) if i < j}


def test_all_similar_pairs_are_found(rng: np.random.Generator) -> None:
    base = thumbs(rng, 700)
    noisy = np.clip(base[:90] + rng.normal(0, 9, (90, 32, 32)), 0, 255).astype(np.uint8)
    some = np.concatenate([base, noisy[:, :, ::-1]])
    first, second, similar = neighbours._similar_pairs(describe(some), 0.8)
    assert set(zip(first.tolist(), second.tolist(), strict=True)) == brute(some, 0.8)
    assert similar.min() > 0.8
    found = candidates(describe(some))
    pairs = dict(
        zip(zip(found.first.tolist(), found.second.tolist(), strict=True), found.mirrored, strict=True)
    )
    assert all(pairs[i, 700 + i] for i in range(90))
    assert (found.first < found.second).all()


def test_cells_find_what_all_pairs_find(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = thumbs(rng, 1500)
    noisy = np.clip(base[:200] + rng.normal(0, 6, (200, 32, 32)), 0, 255).astype(np.uint8)
    descriptors = describe(np.concatenate([base, noisy]))
    monkeypatch.setattr(neighbours, "CELL", 100)  # 17 landmarks
    found = candidates(descriptors, one_cell=500)
    pairs = set(zip(found.first.tolist(), found.second.tolist(), strict=True))
    assert len(pairs) == len(found)
    assert sum((i, 1500 + i) in pairs for i in range(200)) >= 196


def test_only_the_nearest_are_candidates(rng: np.random.Generator) -> None:
    base = thumbs(rng, 1).repeat(40, 0)
    some = np.clip(base + rng.normal(0, 4, base.shape), 0, 255).astype(np.uint8)
    found = candidates(describe(some))
    assert len(found) <= 40 * neighbours.MOST_NEIGHBOURS
    assert len(set(found.first.tolist()) | set(found.second.tolist())) == 40


def test_alignment_recovers_a_cut_out(photo: Photo) -> None:
    pictures = [photo(seed, (200, 240)) for seed in range(24)]
    cuts = [picture[12:194, 8:236] for picture in pictures]
    some = np.stack([thumb_of(picture) for picture in [*pictures, *cuts]])
    first, second = np.arange(24), np.arange(24, 48)
    pairs = Candidates(first, second, np.zeros(24, bool))
    plain = agreement(some, pairs, np.zeros(24, bool))
    laid = agreement(some, pairs, np.ones(24, bool))
    assert np.median(plain.detail) < 0.65
    assert laid.detail.min() > 0.82
    assert laid.grey.min() > 0.96
    wrong = Candidates(first, np.roll(second, 1), np.zeros(24, bool))
    assert agreement(some, wrong, np.ones(24, bool)).detail.max() < 0.6


def test_plain_agreement_is_correlation(rng: np.random.Generator) -> None:
    some = thumbs(rng, 6)
    pairs = Candidates(np.arange(3), np.arange(3, 6), np.array([False, True, False]))
    found = agreement(some, pairs, np.zeros(3, bool))
    smooth = smoothed(some)
    for p in range(3):
        other = smooth[3 + p][:, ::-1] if p == 1 else smooth[3 + p]
        wanted = np.corrcoef(smooth[p].ravel(), other.ravel())[0, 1]
        assert found.grey[p] == pytest.approx(wanted, abs=1e-4)
    blank = agreement(
        np.zeros((2, 32, 32), np.uint8),
        Candidates(*np.array([[0], [1]]), np.array([False])),
        np.array([True]),
    )
    assert (blank.grey.tolist(), blank.detail.tolist()) == ([0.0], [0.0])


@pytest.mark.realdata
def test_recall_and_precision_on_photos(real_data: Path) -> None:
    """Planted copies of 40 of 400 photos of clothes, which resemble one another far more than most."""
    data = read_labels(real_data / "clothing10")
    originals = [record.origin.read() for record in data.records[::3]]
    chosen = list(range(0, len(originals), len(originals) // 40))
    signed = sign(of_pictures(originals))
    for name, change in CHANGES.items():
        least = 0.85 if "cropped" in name else 0.95
        copies = of_pictures([change(originals[i]) for i in chosen])
        records = [*of_pictures(originals), *copies]
        found = find_duplicates(records, [*signed, *sign(copies)])
        planted = {(i, len(originals) + n) for n, i in enumerate(chosen)}
        assert len(planted & set(found.near)) >= least * len(planted), name
        assert set(found.near) <= planted, name
        assert found.exact == ()


@pytest.mark.realdata
def test_known_faults_of_published_data(real_data: Path) -> None:
    """LFW's list of errors has Andrew Gilligan, whose picture shows Andrew Caldecott."""
    data = read_labels(real_data / "lfw_view1")
    chosen = [r for r in data if r.key.startswith(("Andrew", "Ang", "Ann"))]
    found = find_duplicates(chosen, sign(chosen))
    assert [[chosen[i].target[0] for i in group] for group in found.near] == [
        ["Andrew_Caldecott", "Andrew_Gilligan"]
    ]
