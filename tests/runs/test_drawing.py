from __future__ import annotations

import base64
import io
import re
from typing import Any

import numpy as np
import pytest
from PIL import Image

from striate.figures import Bars, Curve, Gallery, GalleryItem, Lines, Matrix, Scatter, Table
from striate.runs.drawing import draw_figure, draw_figures

NAN = float("nan")


def cells(text: str) -> list[str]:
    return re.findall(r"<td[^>]*>(.*?)</td>", text)


def test_bars_start_at_zero_and_end_at_their_value() -> None:
    figure = Bars("t", "c", ["a", "b"], [0.25, 1.0], "recall", [0.1, 0.9], [0.5, 1.0])
    text = draw_figure(figure)
    assert 'class="bar" style="left:0.00%;width:25.00%"' in text
    assert 'class="bar" style="left:0.00%;width:100.00%"' in text
    assert 'class="whisker" style="left:10.00%;width:40.00%"' in text
    assert "0.250 <small>0.100 to 0.500</small>" in text


def test_signed_bars_meet_at_zero() -> None:
    text = draw_figure(Bars("t", "c", ["a", "b"], [-1.0, 3.0], "change"))
    assert 'class="bar below" style="left:0.00%;width:25.00%"' in text
    assert 'class="bar" style="left:25.00%;width:75.00%"' in text
    assert "−1" in text


@pytest.mark.parametrize(
    "figure",
    [
        Bars("t", "c", ["a"], [NAN], "x", [NAN], [NAN]),
        Bars("t", "c", ["a", "b"], [0, 0], "x"),
        Bars("t", "c", ["a"], [float("inf")], "x"),
        Bars("t", "c", ["a"], [0.5], "x", [NAN], [0.7]),
    ],
)
def test_bars_of_nothing(figure: Bars) -> None:
    text = draw_figure(figure)
    assert "nan" not in text.lower()
    assert "inf%" not in text


def test_the_axis_of_bars_ends_at_round_numbers_and_names_do_not_meet_them() -> None:
    text = draw_figure(Bars("t", "c", ["a", "b"], [-3.2, 12.1], "a long name of an axis"))
    ends, name = re.findall(r"<p>(.*?)</p>", text[text.index('class="scale"') :])
    assert re.findall(r">([^<]+)<", ends) == ["−5", "15"]
    assert name == "a long name of an axis"
    assert 'class="zero" style="left:25.00%' in text
    assert draw_figure(Bars("t", "c", ["a"], [0.5], "x")).count('class="zero"') == 0


def test_a_name_that_is_cut_can_be_read_whole() -> None:
    long = "a name that is <longer> than its two lines"
    text = draw_figure(Bars("t", "c", [long, "short"], [1, 2], "x"))
    assert text.count(' title="') == 1
    assert ' title="a name that is &lt;longer&gt; than its two lines"' in text


def test_long_lists_fold() -> None:
    few = draw_figure(Bars("t", "c", [f"n{i}" for i in range(30)], [0.5] * 30, "x"))
    many = draw_figure(Bars("t", "c", [f"n{i}" for i in range(31)], [0.5] * 31, "x"))
    assert "<details>" not in few
    assert "Show all 31" in many
    assert few.count('scope="row"') == 30
    assert many.count('scope="row"') == 31


def matrix(values: Any, names: list[str], columns: list[str] | None = None) -> str:
    return draw_figure(Matrix("t", "c", np.asarray(values), names, columns or names, "is", "taken for"))


def test_a_confusion_shows_every_count_once() -> None:
    text = matrix([[9, 1], [0, 8]], ["cat", "dog"])
    assert cells(text) == ["9", "1", "0", "8"]
    assert 'class="ok9"' in text
    assert 'class="er1"' in text
    assert 'class="er0 zero"' in text
    assert text.count('scope="row"') == 2
    assert text.count('scope="col"') == 2


@pytest.mark.parametrize("count", [1, 2, 12, 13, 30])
def test_readable_sizes_have_numbers(count: int) -> None:
    text = matrix(np.eye(count, dtype=int), [f"n{i}" for i in range(count)])
    assert "<svg" not in text
    assert len(cells(text)) == count * count


def test_larger_sizes_have_shades_and_the_worst_by_name() -> None:
    values = np.eye(31, dtype=int) * 5
    values[3, 7] = 4
    text = matrix(values, [f"n{i}" for i in range(31)])
    assert "<svg" in text
    assert "<bdi>n3</bdi></td><td><bdi>n7</bdi>" in text
    assert "44\u00a0%" in text  # 4 of 9


@pytest.mark.parametrize(
    ("values", "rows", "columns"),
    [
        (np.zeros((0, 0)), [], []),
        (np.zeros((2, 3)), ["a", "b"], ["x", "y", "z"]),
        (np.full((2, 2), NAN), ["a", "b"], ["a", "b"]),
        (np.zeros((40, 40)), [f"{i}" for i in range(40)], [f"{i}" for i in range(40)]),
        (np.full((40, 35), NAN), [f"{i}" for i in range(40)], [f"{i}" for i in range(35)]),
    ],
)
def test_matrices_of_nothing(values: Any, rows: list[str], columns: list[str]) -> None:
    assert matrix(values, rows, columns).endswith("</figure>")


# -- galleries --------------------------------------------------------------------------------


def picture(height: int, width: int) -> Any:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def inlined(text: str) -> tuple[str, bytes, int]:
    found = re.search(r'src="data:image/(\w+);base64,([^"]+)"[^>]*width:(\d+)px', text)
    assert found is not None
    return found[1], base64.b64decode(found[2]), int(found[3])


def gallery(item: GalleryItem) -> str:
    return draw_figure(Gallery("t", "c", [item]))


def test_small_pictures_are_exact_and_enlarged_with_hard_edges() -> None:
    pixels = picture(8, 12)
    text = gallery(GalleryItem(pixels, "seven"))
    kind, data, width = inlined(text)
    assert kind == "png"
    assert width == 144
    assert 'class="crisp"' in text
    with Image.open(io.BytesIO(data)) as image:
        assert np.array_equal(np.asarray(image), pixels)


def test_large_pictures_are_reduced_and_keep_their_shape() -> None:
    text = gallery(GalleryItem(np.full((600, 1200, 3), (200, 40, 40), dtype=np.uint8), "red"))
    kind, data, width = inlined(text)
    assert kind == "jpeg"
    assert width == 144
    assert "crisp" not in text
    with Image.open(io.BytesIO(data)) as image:
        assert image.size == (288, 144)
        assert np.abs(np.asarray(image)[70, 140].astype(int) - (200, 40, 40)).max() < 6


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 3000), (3000, 1), (144, 144), (145, 2)])
def test_pictures_of_any_shape(height: int, width: int) -> None:
    kind, data, shown = inlined(gallery(GalleryItem(picture(height, width), "t")))
    assert 1 <= shown <= 144
    with Image.open(io.BytesIO(data)) as image:
        image.load()
    assert kind in ("png", "jpeg")


def test_a_view_of_a_picture_is_drawn_too() -> None:
    inlined(gallery(GalleryItem(picture(20, 40)[::2, ::-2], "view")))


def test_tones_are_told_by_more_than_colour() -> None:
    assert "✓" in gallery(GalleryItem(picture(4, 4), "t", "n", "good"))
    assert "✗" in gallery(GalleryItem(picture(4, 4), "t", "n", "bad"))
    assert 'alt="t, n"' in gallery(GalleryItem(picture(4, 4), "t", "n"))


def test_a_large_gallery_shows_its_pictures_twice_as_large() -> None:
    items = [GalleryItem(np.zeros((600, 1200, 3), np.uint8), "t")]
    text = draw_figure(Gallery("t", "c", items, large=True))
    assert text.startswith('<figure class="gallery large wide">')
    data = re.search(r"base64,([^\"]+)", text)
    assert data is not None
    assert Image.open(io.BytesIO(base64.b64decode(data[1]))).size == (576, 288)
    assert 'style="width:288px"' in text


def test_an_empty_gallery_says_so() -> None:
    assert "No mistakes." in draw_figure(Gallery("t", "c", [], "No mistakes."))


# -- tables and the rest ----------------------------------------------------------------------


def test_numbers_stand_right_and_words_left() -> None:
    text = draw_figure(
        Table("t", "c", ("name", "count", "share"), [("a", 3, "5 of 9"), ("b", NAN, "6")])
    )
    assert '<td class="right">3</td>' in text
    assert '<td class="right">n/a</td>' in text
    assert "<td><bdi>5\u00a0of\u00a09</bdi></td>" in text


def test_an_empty_table() -> None:
    assert "Nothing to list." in draw_figure(Table("t", "c", ("a",), []))


def test_legends() -> None:
    one = Curve("only", [1, 2], [1, 2])
    assert "legend" not in draw_figure(Lines("t", "c", [one], "x", "y"))
    text = draw_figure(Lines("t", "c", [one, one], "x", "y", diagonal=True))
    assert text.count("<li>") == 3
    assert "No values to draw." in draw_figure(Scatter("t", "c", [], [], "x", "y"))


def test_no_figure_leaves_a_hole_beside_it() -> None:
    narrow, wide = Scatter("t", "", [1], [1], "x", "y"), Gallery("g", "", [])
    text = draw_figures([narrow, narrow, narrow, wide, narrow])
    kinds = re.findall(r'<figure class="([^"]+)"', text)
    assert kinds == ["chart", "chart", "chart wide alone", "gallery wide", "chart wide alone"]


def test_numbers_that_are_written_out_stand_right_as_others_do() -> None:
    rows = [("7", "0.90", "12.2 %", "8 × 8", 3), ("8", "–", "<1 %", "4 × 4", 4)]
    text = draw_figure(Table("t", "", ("class", "by chance", "share", "places", "units"), rows))
    right = re.findall(r'<th scope="col" class="right">([^<]+)', text)
    assert right == ["by chance", "share", "units"]  # the first column holds names


def test_a_table_of_sentences_alone_takes_the_whole_width() -> None:
    terms = Table("Terms", "", ("what", "how"), [("score", "a sentence " * 8)])
    words = Table("Words", "", ("what", "how"), [("score", "one")])
    assert 'class="table wide"' in draw_figures([terms])
    assert 'class="table wide alone"' in draw_figures([words])
    assert "wide" not in draw_figures([terms, words])  # side by side
