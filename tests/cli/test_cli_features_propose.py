"""`striate features propose` as it is typed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from striate.pictures import read, write

Striate = Callable[..., Any]


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    picture = np.full((60, 100, 3), 60, np.uint8)
    picture[10:40, 20:60] = (220, 60, 40)
    return write(picture, tmp_path / "photo.png")


@pytest.fixture
def voc(tmp_path: Path, photo: Path) -> Path:
    for name in ("JPEGImages", "Annotations"):
        (tmp_path / "voc" / name).mkdir(parents=True)
    write(read(photo), tmp_path / "voc" / "JPEGImages" / "one.png")
    box = "<xmin>21</xmin><ymin>11</ymin><xmax>60</xmax><ymax>40</ymax>"
    (tmp_path / "voc" / "Annotations" / "one.xml").write_text(
        "<annotation><filename>one.png</filename>"
        "<size><width>100</width><height>60</height><depth>3</depth></size>"
        f"<object><name>card</name><bndbox>{box}</bndbox></object></annotation>"
    )
    return tmp_path / "voc"


def test_a_picture_as_json(striate: Striate, photo: Path) -> None:
    done = striate("features", "propose", photo, "--json", "--most", 30)
    assert done.code == 0
    (found,) = done.lines
    assert found["path"] == str(photo)
    assert found["method"] == "selective-search"
    assert found["size_hw"] == [60, 100]
    assert [20, 10, 60, 40] in found["boxes_xyxy"]
    assert found["scores"] == sorted(found["scores"], reverse=True)
    assert (
        striate("features", "propose", photo, "--json", "--most", 30).lines[0]["boxes_xyxy"]
        == (found["boxes_xyxy"])
    )


def test_a_picture_for_people(striate: Striate, photo: Path, tmp_path: Path) -> None:
    drawn, stages = tmp_path / "drawn.png", tmp_path / "stages.png"
    words = ("features", "propose", photo, "--method", "grid", "--out", drawn, "--stages", stages)
    done = striate(*words)
    assert done.code == 0
    assert "grid in" in done.out
    assert "100 × 60 pixels" in done.out
    assert min(read(drawn).shape[0], read(stages).shape[0]) > 100
    assert striate(*words).code == 2  # they exist
    assert striate(*words, "--overwrite").code == 0


def test_a_data_set(striate: Striate, voc: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    done = striate("features", "propose", voc, "--method", "all", "--out", page)
    assert done.code == 0
    rows = [line.split() for line in done.out.splitlines()]
    assert [row[0] for row in rows[-3:]] == ["selective-search", "edge-boxes", "grid"]
    assert rows[-3][5] == "1.000"
    assert "Proposals for voc" in page.read_text()
    (told,) = striate("features", "propose", voc, "--json", "--most", 50).lines
    assert told["objects"] == 1
    assert told["methods"]["selective-search"]["counts"] == [10, 50]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("{photo}", "--method", "boxes"), "unknown proposal method 'boxes'"),
        (("{photo}", "--method", "grid,edge-boxes"), "several methods"),
        (("{photo}", "--out", "page.html"), "one picture was given"),
        (("{voc}", "--out", "drawn.png"), "a data set was given"),
        (("{voc}", "--stages", "drawn.png"), "--stages was given with a data set"),
        (("{photo}", "--most", "0"), "at most 0 proposals"),
        (("{voc}", "--at-most", "0"), "at most 0 pictures"),
    ],
)
def test_wrong_words(
    striate: Striate, photo: Path, voc: Path, words: tuple[str, ...], said: str
) -> None:
    done = striate("features", "propose", *(one.format(photo=photo, voc=voc) for one in words))
    assert done.code == 2
    assert said in done.err


def test_a_split_that_is_not_there(striate: Striate, voc: Path) -> None:
    done = striate("features", "propose", voc, "--split", "test", "--json")
    assert done.code == 3
    assert "test" in done.lines[0]["error"]["what"]


def test_a_picture_that_is_not_there(striate: Striate, tmp_path: Path) -> None:
    done = striate("features", "propose", tmp_path / "none.png")
    assert done.code == 3
    assert "none.png" in done.err


def test_the_help_page_names_the_methods(striate: Striate) -> None:
    done = striate("features", "propose", "--help")
    assert done.code == 0
    for word in ("selective-search-quality", "edge-boxes", "--stages", "--at-most"):
        assert word in done.out
