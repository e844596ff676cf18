from __future__ import annotations

import math
import re
from collections.abc import Callable
from html.parser import HTMLParser
from importlib.resources import files
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from striate.figures import Bars, Curve, Gallery, GalleryItem, Lines, Matrix, Scatter, Section, Table
from striate.runs.energy import EnergyMeter
from striate.runs.header import RunHeader
from striate.runs.report import render_report
from striate.types import Problem

Make = Callable[..., RunHeader]
NAN = math.nan
VOID = {"meta", "img", "br", "col", "link", "input", "hr"}
HOSTILE = "\"'><img src=x onerror=alert(1)><script>alert(2)</script>&\x00\x1b\udcff</style>"


class Page(HTMLParser):
    """Reads a page as a browser would and keeps what the tests ask for; a tag left open is an error."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == [], f"left open: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.tags if name == tag]


def every_figure(name: str) -> list[Section]:
    picture = np.zeros((4, 6, 3), np.uint8)
    curve = Curve(name, [1, 2, 3], [0.1, NAN, 0.3], [0.0, 0.1, 0.2], [0.2, 0.3, 0.4])
    big = np.eye(40, dtype=int)
    names = [f"{name}{index}" for index in range(40)]
    return [
        Section(
            name,
            name,
            [
                Lines(name, name, [curve, curve], name, name, diagonal=True, y_range=(0, 1)),
                Bars(name, name, [name], [0.5], name, [0.4], [0.6]),
                Matrix(name, name, np.array([[1]]), [name], [name], name, name),
                Matrix(name, name, big, names, names, name, name),
                Scatter(name, name, [1, 2], [3, 4], name, name, diagonal=True),
                Gallery(name, name, [GalleryItem(picture, name, name, "bad")]),
                Gallery(name, name, [], name),
                Table(name, name, [name], [[name]]),
            ],
        )
    ]


DEGENERATE = [
    Section("Nothing", "", []),
    Section(
        "Odd",
        "",
        [
            Lines("no curve", "", [], "x", "y"),
            Lines("one point", "", [Curve("a", [1], [2])], "x", "y"),
            Lines("undefined", "", [Curve("a", [1, 2], [NAN, NAN])], "x", "y", y_range=(0, 1)),
            Bars("none", "", [], [], "x"),
            Bars("undefined", "", ["a"], [NAN], "x", [NAN], [NAN]),
            Matrix("empty", "", np.zeros((0, 0)), [], [], "is", "for"),
            Matrix(
                "no counts", "", np.zeros((3, 3), int), ["a", "b", "c"], ["a", "b", "c"], "is", "for"
            ),
            Scatter("one", "", [1], [1], "x", "y", True),
            Scatter("none", "", [], [], "x", "y"),
            Table("none", "", ["a"], []),
        ],
    ),
    Section("Odd", "again", []),
]

HISTORY: list[dict[str, Any]] = [
    {"number": k, "loss": 1 / k, "lr": 0.1, "metrics": {"accuracy": 0.1 * k}} for k in (1, 2, 3)
]
PROBLEMS = [
    *(Problem("exact-duplicate", "warning", f"a/{k}.jpg", "twice", "remove one") for k in range(9)),
    Problem("unreadable", "error", "b.jpg", "torn", "save it again", line=4),
]


def page(header: RunHeader, sections: list[Section], **more: Any) -> Page:
    text = render_report(header, sections, HISTORY, PROBLEMS, **more)
    text.encode("utf-8")
    return Page(text)


def test_what_a_reader_finds(make_header: Make) -> None:
    found = page(make_header(), every_figure("figure"), name="pets v2", run="runs/pets")
    text = found.text
    for words in (
        "pets v2",
        "sorting · 20 November 2026, 09:30 UTC",
        "accuracy 0.9",
        "train pictures 80",
        "resnet18.a1_in1k (Apache-2.0)",
        "striate predict runs/pets PICTURES",
        "striate.load('runs/pets')",
        "Validation accuracy",
        "exact duplicate × 9",
        "and 6 more",
        "b.jpg, line 4",
        "--threads 2",
        "Testor 3000",
        "cd" * 32,
        "The energy of this run was not metered.",
        "10 to look at",
    ):
        assert words in text, words
    assert text.index("unreadable") < text.index("exact duplicate")  # the gravest first


def test_the_page_needs_nothing_and_sends_nothing(make_header: Make) -> None:
    text = render_report(make_header(), every_figure("a"), HISTORY, PROBLEMS)
    found = Page(text)
    (policy,) = [one["content"] for one in found.all("meta") if "http-equiv" in one]
    assert policy is not None
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert not found.all("script")
    assert not found.all("link")
    assert all(str(one["src"]).startswith("data:image/") for one in found.all("img"))
    assert all(str(one["href"]).startswith("#") for one in found.all("a"))
    assert "http:" not in text
    assert "https:" not in text
    assert "url(" not in text
    assert "@import" not in text


def test_hostile_names_stay_words(make_header: Make) -> None:
    changes = {"name": HOSTILE, "names": (HOSTILE,), "layout": HOSTILE}
    header = make_header(
        {
            "data": make_header().data.model_copy(update=changes),
            "config": {HOSTILE: HOSTILE},
            "facts": {"names": [HOSTILE]},
            "plan": {HOSTILE: [HOSTILE]},
            "weights": {"source": HOSTILE, "licence": HOSTILE, "sha256": HOSTILE},
            "versions": {HOSTILE: HOSTILE},
            "timings": {HOSTILE: 1.0},
            "metrics": {"test": {HOSTILE: 0.5}},
            "machine": {
                "cpu": HOSTILE,
                "cores": 1,
                "memory_bytes": 0,
                "os": HOSTILE,
                "accelerator": HOSTILE,
            },
            "striate_version": HOSTILE,
        }
    )
    problems = [Problem(HOSTILE, "error", HOSTILE, HOSTILE, HOSTILE)]
    history = [{"number": 1, "loss": 1.0, "metrics": {HOSTILE: 1.0}}]
    text = render_report(header, every_figure(HOSTILE), history, problems, name=HOSTILE, run=HOSTILE)
    text.encode("utf-8")
    found = Page(text)
    assert not found.all("script")
    assert len(found.all("style")) == 1
    assert all("onerror" not in attrs for _, attrs in found.tags)
    assert all(str(one["src"]).startswith("data:") for one in found.all("img"))
    assert "onerror=alert(1)" in found.text
    assert "\x00" not in text


def test_ids_and_headings(make_header: Make) -> None:
    found = page(make_header(), [*DEGENERATE, *every_figure("figure")])
    ids = [attrs["id"] for _, attrs in found.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    links = [str(one["href"])[1:] for one in found.all("a")]
    assert set(links) <= set(ids)
    levels = [int(tag[1]) for tag, _ in found.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b <= a + 1 for a, b in pairwise(levels))


def test_what_is_seen_can_be_heard(make_header: Make) -> None:
    found = page(make_header(), every_figure("figure"))
    assert all(one.get("alt") for one in found.all("img"))
    for one in found.all("svg"):
        assert one.get("aria-hidden") == "true" or (one.get("role") == "img" and one.get("aria-label"))
    for tag, attrs in found.tags:
        if attrs.get("class") == "scroll":
            assert attrs.get("tabindex") == "0", tag
            assert attrs.get("aria-label"), tag
    assert found.all("html")[0]["lang"] == "en"
    assert all("scope" in one or one.get("class") == "corner" for one in found.all("th"))


def test_degenerate_reports(make_header: Make) -> None:
    found = page(make_header(), DEGENERATE)
    assert found.text.count("No values to draw.") >= 5
    bare = make_header({"metrics": {}, "timings": {}, "weights": {}, "config": {}, "augment": {}})
    text = Page(render_report(bare, [], [], [])).text
    assert "Nothing was measured." in text
    assert "No problems were found" in text
    assert "random weights" in text
    assert "How training went" not in text


def test_a_hundred_classes(make_header: Make) -> None:
    names = tuple(f"class {index}" for index in range(100))
    data = make_header().data.model_copy(update={"names": names})
    found = page(make_header({"data": data}), [])
    assert "100 names" in found.text
    assert "and 70 more" in found.text


def test_one_task_summary(make_header: Make) -> None:
    summary = [("accuracy", "93.2 % (91.0 to 95.1)"), ("told", "3 of 4, (of 10) wrong"), ("n", "231")]
    found = page(make_header(), [], summary=summary, measured_on="other/ pictures")
    assert "On other/ pictures" in found.text
    assert "93.2 % 91.0 to 95.1" in found.text
    assert "3 of 4, (of 10) wrong" in found.text


@pytest.mark.parametrize("count", range(1, 10))
def test_tiles_leave_no_hole(make_header: Make, count: int) -> None:
    found = page(make_header(), [], summary=[("a", "1")] * count)
    style = next(one["style"] for one in found.all("dl") if one.get("class") == "tiles")
    columns, first = (int(number) for number in re.findall(r":(\d+)", str(style)))
    assert (count - 1 + first) % columns == 0
    assert 1 <= first <= columns


def test_energy(make_header: Make) -> None:
    record = EnergyMeter([]).snapshot(50)
    assert "as you stated it: 50 g" in page(make_header({"energy": record}), []).text
    record = EnergyMeter([]).snapshot()
    text = page(make_header({"energy": record}), []).text
    assert "The grid was not stated" in text
    assert "11 250 kg, as much as 2.5 cars emit in a year" in text


def test_the_classifiers_own_summary_heads_its_report(make_header: Make) -> None:
    from striate.tasks.classify.config import ClassifyConfig, ClassifyFacts
    from striate.tasks.classify.task import TASK

    facts = ClassifyFacts(model="x", names=("cat", "dog"), size_hw=(8, 8), fit="pad", channels=3)
    metrics = {"test": TASK(ClassifyConfig(), facts).meter().compute()}
    header = make_header(
        {"task": "classify", "config": {}, "facts": facts.to_toml_dict(), "metrics": metrics}
    )
    again = RunHeader.from_toml(header.to_toml())
    assert again.metrics == header.metrics
    assert "macro F1" in page(again, []).text


# -- the style sheet --------------------------------------------------------------------------


def luminance(colour: str) -> float:
    """WCAG 2.2, relative luminance."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def themes() -> list[dict[str, str]]:
    """The colours of `:root`, light and dark."""
    style = (files("striate.runs") / "report.css").read_text("utf-8")
    blocks = re.findall(r":root \{([^}]*)\}", style)[:2]
    return [dict(re.findall(r"--(\w+): (#\w{6})", block)) for block in blocks]


@pytest.mark.parametrize("theme", themes(), ids=["light", "dark"])
def test_words_can_be_read(theme: dict[str, str]) -> None:
    for ground in ("paper", "ground", "sunk"):
        for ink in ("ink", "soft", "accent"):
            assert contrast(theme[ink], theme[ground]) >= 4.5, (ink, ground)
    for ink in ("good", "bad", "warn"):
        assert contrast(theme[ink], theme["paper"]) >= 4.5, ink
    for number in range(1, 7):
        assert contrast(theme[f"hue{number}"], theme["paper"]) >= 3, number


def test_counts_can_be_read_on_every_shade() -> None:
    style = (files("striate.runs") / "report.css").read_text("utf-8")
    rules = re.findall(r"\.(?:ok|er)\d+ ?\{ ?--heat: ?(#\w{6}); ?--on: ?(#\w{6})", style)
    assert len(rules) == 44
    assert all(contrast(heat, on) >= 4.5 for heat, on in rules)
