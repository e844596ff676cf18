from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from striate.runs.card import render_card
from striate.runs.energy import EnergyMeter
from striate.runs.header import RunHeader
from striate.types import Problem

Make = Callable[..., RunHeader]


def test_what_a_card_says(make_header: Make) -> None:
    problems = [Problem("tiny", "note", "a.jpg", "small", "nothing")] * 3
    header = make_header({"energy": EnergyMeter([]).snapshot(50), "metrics": {"test": {"ece": 0.021}}})
    card = render_card(header, problems, name="pets v2", run="runs/pets")
    headings = re.findall(r"^#+ (.*)$", card, flags=re.MULTILINE)
    assert headings == [
        "pets v2",
        "Results",
        "Can its scores be believed?",
        "Intended use and limits",
        "Data",
        "Training",
        "Energy and CO₂e",
        "How to use it",
        "How to make it again",
    ]
    for words in (
        "published under Apache-2.0",
        "error, the mean distance from that, is 2.1 %",
        "A temperature of 1.25",
        "| train pictures | 80 |",
        "2 names: cat, dog.",
        "tiny: 3",
        "striate predict runs/pets PICTURES",
        "striate train pets --task sorting",
        "numpy 2.4.0",
        "as you stated it: 50 g",
    ):
        assert words in card, words


def test_intervals_stand_beside_their_metric(make_header: Make) -> None:
    metrics = {"accuracy": 0.9, "accuracy_interval": [0.85, 0.94], "f1": 0.8, "f1_interval": None}
    card = render_card(make_header({"metrics": {"validation": metrics}}))
    assert "| accuracy | 0.9 (0.85–0.94) |" in card
    assert "| f1 | 0.8 |" in card
    assert "On validation pictures" in card


def test_a_bare_run(make_header: Make) -> None:
    card = render_card(make_header({"metrics": {}, "weights": {}, "facts": {}, "timings": {}}))
    assert "Nothing was measured" in card
    assert "random weights" in card
    assert "Not metered." in card
    assert "was not measured" in card


@pytest.mark.parametrize(
    "name", ["<img src=x onerror=alert(1)>", "a|b\n# c\n```\n", "[x](javascript:y)"]
)
def test_hostile_names_stay_words(make_header: Make, name: str) -> None:
    data = make_header().data.model_copy(update={"name": name, "names": (name,), "layout": name})
    card = render_card(make_header({"data": data, "config": {name: name}, "versions": {name: name}}))
    blocks = re.compile(r"^(`{3,})\w+\n.*?^\1$", flags=re.MULTILINE | re.DOTALL)
    outside = blocks.sub("", card)
    assert "<img" not in outside
    assert not re.search(r"(?<!\\)\]\(", outside)
    assert "```" not in outside
    assert re.findall(r"^# .*$", outside, flags=re.MULTILINE) == [outside.splitlines()[0]]
    for line in outside.splitlines():
        if line.startswith("|"):
            assert len(re.findall(r"(?<!\\)\|", line)) == 3
