from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from striate.errors import UsageError
from striate.figures import Curve, Gallery, GalleryItem, Lines, Section, Table
from striate.runs.page import render_page, tiles, write_page

HOSTILE = "\"'><script>alert(2)</script>&\x00\x1b\udcff</style>"


class Tags(HTMLParser):
    """What a browser would see."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def ids(self) -> list[str | None]:
        return [found["id"] for _, found in self.tags if "id" in found]


def sections(name: str) -> list[Section]:
    picture = np.zeros((4, 6, 3), np.uint8)
    lines = Lines(name, name, [Curve(name, [1, 2], [0.1, 0.2])], name, name)
    gallery = Gallery(name, name, [GalleryItem(picture, name, name)])
    return [Section(name, name, [lines, gallery]), Section(name, "", [Table(name, "", [name], [])])]


def test_hostile_words_stay_words() -> None:
    text = render_page(
        HOSTILE, HOSTILE, sections(HOSTILE), kind=HOSTILE, facts=HOSTILE, numbers=[(HOSTILE, HOSTILE)]
    )
    text.encode("utf-8")
    assert not [tag for tag, _ in Tags(text).tags if tag in ("script", "iframe", "link")]
    assert text.count("</style>") == 1


def test_nothing_is_loaded_from_elsewhere() -> None:
    found = Tags(render_page("A", "b", sections("c")))
    addresses = [a[key] or "" for _, a in found.tags for key in ("src", "href") if key in a]
    assert addresses
    assert all(one.startswith(("data:", "#")) for one in addresses)


def test_equal_titles_get_ids_of_their_own_and_each_link_leads_to_one() -> None:
    found = Tags(render_page("A", "b", sections("what")))
    links = [(a["href"] or "")[1:] for tag, a in found.tags if tag == "a"]
    assert found.ids() == ["what", "what-2"] == links


def test_one_section_needs_no_contents() -> None:
    assert "<nav" not in render_page("A", "", sections("c")[:1])


def test_an_interval_is_set_small() -> None:
    assert "<dd>0.71<small>0.6 to 0.8</small></dd>" in tiles([("score", "0.71 (0.6 to 0.8)")])
    assert tiles(()) == ""


def test_a_page_is_never_written_over_a_file_unasked(tmp_path: Path) -> None:
    path = write_page(tmp_path / "new" / "page.html", "A", "", sections("c"))
    assert path.read_text().startswith("<!DOCTYPE html>")
    with pytest.raises(UsageError, match="exists already"):
        write_page(path, "B", "", [])
    write_page(path, "B", "", [], overwrite=True)
    assert "<title>B" in path.read_text()
    with pytest.raises(UsageError, match="is a folder"):
        write_page(tmp_path, "A", "", [], overwrite=True)
