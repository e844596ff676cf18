"""The card: words, JSON, page, advice; of curves made by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest

from striate.nn.augment.settings import AugmentSettings
from striate.stress.advice import ANSWERS, INSTEAD, Gain, advise, answer_to, flags_of
from striate.stress.card import (
    Against,
    LeftOut,
    Shown,
    StressCard,
    level_words,
    range_words,
    severity_words,
)
from striate.stress.card_page import beside, render_card
from striate.stress.changes import Axis, Changed
from striate.stress.corrupted import corrupted_from
from striate.stress.corruptions import COMMON, mce_against
from striate.stress.curves import StressCurve, curve_of, estimate, mean_of
from striate.stress.judged import Judged, Measure
from striate.stress.measuring import Measured
from striate.stress.registry import AXES, EXTRA, FAMILIES, axes_for, chosen_axes
from striate.stress.resamples import resamples_for
from striate.stress.runner import Spent
from striate.types import Array, Problem

N = 400
RESAMPLES = resamples_for(N, seed=0)


class Scorer:
    """As the accuracy of ten classes."""

    name, more_is_better, chance, note = "accuracy", True, 0.1, "Share of right ones."


def judged(right: float, seed: int = 0) -> Judged:
    marks = (np.arange(N) < right * N).astype(np.float32)
    measure = Measure(float(marks.mean()), RESAMPLES.means(marks))
    return Judged(measure, marks, np.full(N, 0.8, np.float32), {"ece": Measure(0.1, measure.draws * 0)})


def axis(name: str, family: Any = "light", unit: str = "stops") -> Axis:
    return Axis(name, name.capitalize(), family, unit, (1, 2, 3, 4, 5), lambda p, level, m: Changed(p))


def curve(name: str, *rights: float, family: Any = "light") -> StressCurve:
    passes = [(at + 1, judged(one)) for at, one in enumerate(rights)]
    return curve_of(
        axis(name, family), judged(0.9), passes, 0.1, more_is_better=True, fallen=[3] * len(rights)
    )


def card(*curves: StressCurve, **more: Any) -> StressCard:
    measured = Measured(
        None,  # type: ignore[arg-type]  # a card needs no pictures but those it shows
        Scorer(),  # type: ignore[arg-type]
        judged(0.9),
        [],
        tuple(curves),
        {},
        (),
        Spent(1, 2, 3),
        1000,
    )
    usual: dict[str, Any] = {
        "run": "my <run>", "task": "classify", "source": "photos", "split": "test", "available": 900,
        "pictures": N, "shortened": "", "size_hw": (32, 32), "seed": 0, "severities": (1, 2, 3, 4, 5),
        "measured": measured, "left_out": (LeftOut("clutter", "Clutter", "no masks"),),
        "corrupted": None, "variation": None, "variation_missing": "no onnx", "kinds": {},
        "cases": (), "advice": (), "against": None, "seconds": {"all": 3.0}, "problems": (),
        "next_words": "striate …",
    }  # fmt: skip
    return StressCard(**{**usual, **more})


class Reader(HTMLParser):
    """That tags are closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        if tag not in ("meta", "br", "img", "path", "circle", "col"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in ("path", "circle"):
            assert self.open.pop() == tag, tag

    def handle_data(self, data: str) -> None:
        self.text += data


def read(page: str) -> str:
    reader = Reader()
    reader.feed(page)
    assert not reader.open
    return reader.text


def test_curves_knees_and_verdicts() -> None:
    found = curve("fog", 0.88, 0.8, 0.7, 0.4, 0.2)
    assert found.verdict == "breaks"
    assert found.knee is not None
    assert found.knee.severity == 3  # 0.2 of 0.8 lost; at 2, 0.125, its interval reaches below a tenth
    assert found.steepest is not None
    assert found.steepest.severity == 4
    assert found.mean_loss == pytest.approx(np.mean([0.02, 0.1, 0.2, 0.5, 0.7]) / 0.8)
    assert found.worst_loss == pytest.approx(0.7 / 0.8)
    assert curve("calm", 0.9, 0.9, 0.89, 0.9, 0.9).verdict == "holds"
    level = found.levels[2]
    assert level.loss.low < level.loss.value < level.loss.high
    assert found.at(3) is level
    assert found.at(7) is None
    whole = mean_of([found])
    assert whole.value == pytest.approx(0.596)
    assert whole.low < whole.value < whole.high


def test_the_card_in_words_and_numbers() -> None:
    found = card(curve("fog", 0.88, 0.8, 0.7, 0.4, 0.2), curve("calm", 0.9, 0.9, 0.89, 0.9, 0.9))
    said = " ".join(found.statements)
    assert "Accuracy 0.900 (0.8" in said
    assert "Breaks (1): Fog −38" in said
    assert "Holds (1): Calm −0" in said
    assert "Not measured: clutter" in said
    data = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    first = data["axes"][0]
    assert first["verdict"] == "breaks"
    assert first["knee"] == {"severity": 3, "level": 3}
    assert [one["score"] for one in first["levels"]] == pytest.approx([0.88, 0.8, 0.7, 0.4, 0.2])
    assert first["levels"][0]["interval"][0] < 0.88 < first["levels"][0]["interval"][1]
    assert data["left_out"][0]["reason"] == "no masks"
    assert data["variation"] == {"left_out": "no onnx"}


def test_the_page_is_whole_and_escaped() -> None:
    case = Shown(
        "a<b>.png", "fog", "Fog", 2, "severity 2", np.zeros((8, 8, 3), np.uint8),
        np.full((8, 8, 3), 90, np.uint8), "cat", "cat 98 %", "dog 97 %",
    )  # fmt: skip
    curves = [
        curve(name, 0.88, 0.8, 0.7, 0.4, 0.2, family=family)
        for family, name in zip(FAMILIES, "abcdefghi", strict=True)
    ]
    found = card(
        *curves,
        cases=(case,),
        problems=(Problem("unreadable", "error", "x.jpg", "it is text", "remove it"),),
        shortened="200 of 900 pictures",
        against=Against("other", estimate(judged(0.8).headline), (curves[0],)),
    )
    page = render_card(found)
    text = read(page)
    assert "my <run>" in text
    assert "<run>" not in page
    for words in ("cat 98 % → dog 97 %", "a<b>.png", "200 of 900 pictures", "no masks", "it is text"):
        assert words in text
    assert page.count('class="plot"') == 9
    assert page.count('class="other"') == 2  # in the key, and beside the one curve that it has
    assert page.count('class="knee"') == 10
    assert "<script" not in page


def test_a_card_without_curves() -> None:
    text = read(render_card(card()))
    assert "No picture that was right became wrong" in text
    assert "No axis bends or breaks" in text


def test_few_severities() -> None:
    found = card(curve("fog", 0.8), severities=(1,))
    text = read(render_card(found))
    assert text.count("severity 1") >= 1
    assert "severity 5" not in text


def test_levels_in_words() -> None:
    assert level_words(5, "quality") == "quality 5"
    assert level_words(4, "px (sigma)") == "4 px (sigma)"
    assert range_words(AXES["rotation"]) == "5 to 90°"
    assert range_words(AXES["fog"]) == "severity 1 to 5"
    assert severity_words(AXES["fog"], 2) == "severity 2"
    assert severity_words(AXES["rotation"], 3) == "30° (severity 3)"


def test_pictures_beside_each_other() -> None:
    small = np.zeros((8, 10, 3), np.uint8)
    assert beside([small, small]).shape == (48, 124, 3)
    assert beside([np.zeros((100, 80, 3), np.uint8)] * 3).shape == (100, 248, 3)


# -- corruptions ------------------------------------------------------------------------------


def test_mean_corruption_error() -> None:
    ours = [curve(name, 0.8, 0.7, 0.6, 0.5, 0.4) for name in COMMON]
    theirs = [curve(name, 0.7, 0.6, 0.5, 0.4, 0.3) for name in COMMON]
    alone = corrupted_from("classify", judged(0.9).headline, ours)
    assert alone is not None
    assert alone.overall.value == pytest.approx(0.4)
    assert alone.overall.low < 0.4 < alone.overall.high
    assert alone.baseline is None
    found = corrupted_from(
        "classify", judged(0.9).headline, ours, baseline=("b", judged(0.85).headline, theirs)
    )
    assert found is not None
    errors = {name: [0.2, 0.3, 0.4, 0.5, 0.6] for name in COMMON}
    others = {name: [0.3, 0.4, 0.5, 0.6, 0.7] for name in COMMON}
    expected = mce_against(errors, others, title="b", clean=0.1, other_clean=0.15)
    assert found.overall.value == pytest.approx(expected.mce)
    assert found.relative is not None
    assert found.relative.value == pytest.approx(expected.relative_mce)
    assert found.to_dict()["by_corruption"]["fog"] == pytest.approx(0.8)
    assert corrupted_from("classify", judged(0.9).headline, ours[:14]) is None
    short = [replace(one, levels=one.levels[:3]) for one in ours]
    assert corrupted_from("classify", judged(0.9).headline, short) is None
    detected = corrupted_from("detect", judged(0.9).headline, ours)
    assert detected is not None
    assert detected.name == "mPC"
    assert detected.relative is not None
    assert detected.relative.value == pytest.approx(0.6 / 0.9)


def test_only_classes_have_an_mce() -> None:
    ours = [curve(name, 0.8, 0.7, 0.6, 0.5, 0.4) for name in COMMON]
    found = corrupted_from("regress", judged(0.9).headline, ours)
    assert found is not None
    assert "--against" not in found.meaning
    assert "--against" not in read(render_card(card(*ours, task="regress", corrupted=found)))
    classes = corrupted_from("classify", judged(0.9).headline, ours)
    assert "--against" in read(render_card(card(*ours, corrupted=classes)))


def test_a_mean_over_few_pictures_is_not_a_point() -> None:
    one = resamples_for(4, seed=0)
    measure = Measure(1.0, one.means(np.ones(4)), 4, is_share=True)
    alike = Judged(measure, np.ones(4, np.float32), np.ones(4, np.float32), {})
    passes = [(severity, alike) for severity in (1, 2, 3, 4, 5)]
    curves = [
        curve_of(axis(name), alike, passes, 0.1, more_is_better=True, fallen=[0] * 5) for name in COMMON
    ]
    assert curves[0].verdict == "unclear"
    found = corrupted_from("classify", measure, curves)
    assert found is not None
    assert found.overall.low == 0
    assert found.overall.high > 0.5
    assert mean_of(curves).low < 0.5


def test_an_estimate_of_a_share_is_that_of_wilson() -> None:
    from striate.metrics.intervals import wilson_interval

    found = estimate(Measure(0.0, np.zeros(100), 5, is_share=True))
    assert (found.low, found.high) == tuple(float(one) for one in wilson_interval(0, 5))
    whole = estimate(Measure(2.0, np.full(100, 2.0), 1, (0.0, 10.0)))
    assert whole.low < 0.1
    assert whole.high > 9
    assert estimate(Measure(0.1, np.full(100, 0.1))).interval == (0.1, 0.1)


def test_a_shortened_card_promises_no_equal_card() -> None:
    assert "depends on the machine" in read(render_card(card(shortened="200 of 900 pictures")))
    assert "depends on the machine" not in read(render_card(card()))


def test_a_baseline_that_never_errs_gives_no_ratio() -> None:
    perfect = [curve(name, 1, 1, 1, 1, 1) for name in COMMON]
    found = corrupted_from(
        "classify", judged(0.9).headline, perfect, baseline=("b", judged(1.0).headline, perfect)
    )
    assert found is not None
    assert found.baseline is None


# -- advice -----------------------------------------------------------------------------------


def test_every_axis_has_an_answer() -> None:
    answered = {name for one in ANSWERS for name in one.axes}
    assert {*AXES, *EXTRA} <= answered


def test_every_answer_is_a_setting() -> None:
    names = [name for one in ANSWERS for name in one.axes]
    assert len(names) == len(set(names))
    for one in ANSWERS:
        AugmentSettings.parse(dict(one.settings))
        assert set(one.in_pixels) <= set(one.settings)


def told(**more: Any) -> dict[str, Any]:
    return {
        "task": "classify",
        "augment": {},
        "side": 64.0,
        "start": ["striate", "train", "my photos", "--task", "classify"],
        "names": {"model": "small-cnn"},
        **more,
    }


def test_advice_is_for_what_loses_most() -> None:
    curves = [
        curve("rotation", 0.8, 0.7, 0.5, 0.3, 0.2),
        curve("gaussian_blur", 0.6, 0.5, 0.4, 0.3, 0.2),
        curve("blur", 0.8, 0.7, 0.6, 0.5, 0.4),
        curve("fog", 0.9, 0.9, 0.9, 0.9, 0.9),
        curve("clutter", 0.8, 0.7, 0.6, 0.5, 0.4),
    ]
    found = advise(curves, **told())
    assert [one.name for one in found] == ["blur", "turns", "backgrounds"]
    assert found[0].axes == ("gaussian_blur", "blur")
    assert found[0].settings == {"blur": 3.0}  # 1.5 pixels of 32 are 3 of 64
    assert found[0].command == (
        "striate train 'my photos' --task classify --model small-cnn --blur 3 --out runs/blur"
    )
    assert found[2].command == ""
    page = read(render_card(card(*curves, advice=tuple(found))))
    assert page.count("not measured") == 3
    gain = Gain(0.1, 0.05, 0.15, 3, "accuracy under blur", "It helps: +10 points.")
    tried = read(render_card(card(*curves, advice=(replace(found[0], gain=gain), *found[1:]))))
    assert "It helps: +10 points." in tried
    assert tried.count("not measured") == 2


def test_advice_that_the_run_has_had() -> None:
    curves = [curve("rotation", 0.8, 0.7, 0.5, 0.3, 0.2)]
    (found,) = advise(curves, **told(augment={"rotate_deg": 45.0}))
    assert found.had
    (network,) = advise(curves, **told(hand_made=True, names={}))
    assert "train a network" in network.words
    assert "--model" not in network.command
    (weaker,) = advise(curves, **told(augment={"rotate_deg": 10.0}))
    assert not weaker.had
    assert flags_of({"rotate_deg": 45.0, "policy": "augmix"}) == [
        "--rotate-deg",
        "45",
        "--policy",
        "augmix",
    ]


def test_a_detector_is_advised_what_it_can_be_trained_with() -> None:
    from striate.verbs.ablating.arms import CANDIDATES, NOT_FOR

    barred = [CANDIDATES[name] for name in NOT_FOR["detect"]]
    for one in [*AXES, *EXTRA]:
        settings = answer_to(one, "detect").settings
        AugmentSettings.parse(dict(settings))
        for other in barred:
            assert not [name for name in other if name != "policy" and name in settings]
            assert "policy" not in other or other["policy"] != settings.get("policy")
    curves = [curve("fog", 0.3, 0.3, 0.2, 0.2, 0.2), curve("bars", 0.8, 0.7, 0.6, 0.5, 0.4)]
    weather, hiding = advise(curves, **told(task="detect"))
    assert "--policy trivialaugment" in weather.command
    assert hiding.settings == {}
    assert hiding.command == ""
    assert advise(curves, **told())[1].settings == {"erase": 0.7}


def test_a_regressor_is_advised_nothing_that_moves() -> None:
    weather = answer_to("fog", "regress")
    assert "policy" not in weather.settings
    assert "policy" not in answer_to("no such axis", "regress").settings
    assert answer_to("no such axis", "classify").settings == {"policy": "trivialaugment"}
    known = {one.name: one for one in ANSWERS}
    for answers in INSTEAD.values():
        for one in answers:
            AugmentSettings.parse(dict(one.settings))
            assert one.name == "anything" or known[one.name].axes == one.axes


# -- the registry -----------------------------------------------------------------------------


def test_axes_are_named_once_and_in_order() -> None:
    families = [one.family for one in AXES.values()]
    assert families == sorted(families, key=list(FAMILIES).index)
    assert axes_for(placed=True).keys() == AXES.keys()
    assert all(name == one.name for name, one in AXES.items())
    assert not set(AXES) & set(EXTRA)
    assert len(AXES) >= 40


def test_axes_are_chosen_by_name_and_family() -> None:
    assert len(chosen_axes((), placed=False)) == len(AXES)
    found = [one.name for one in chosen_axes(("fog", "viewpoint", "saturate"), placed=False)]
    assert found[0] in AXES
    assert found[-2:] == ["fog", "saturate"]
    assert all(AXES[name].family == "viewpoint" for name in found[:-2])


def every_one() -> list[Axis]:
    return [*AXES.values(), *EXTRA.values()]


@pytest.mark.parametrize("one", every_one(), ids=lambda one: one.name)
def test_an_axis_keeps_its_promises(one: Axis) -> None:
    """Five levels; pictures of the same form; its input untouched; no picture depends on another."""
    from striate.stress.changes import Material

    rng = np.random.default_rng(0)
    pictures: Array = rng.integers(0, 256, (3, 20, 28, 3), dtype=np.uint8)
    before = pictures.copy()
    masks = np.zeros((3, 20, 28), bool)
    masks[:, 5:15, 8:20] = True
    heat = rng.random((3, 20, 28), dtype=np.float32)
    others = rng.integers(0, 256, (4, 20, 28, 3), dtype=np.uint8)
    seeds = np.array([5, 6, 7])
    assert len(one.levels) == 5
    assert one.source or one.unit
    whole = one.change(pictures, one.levels[3], Material(seeds, others, masks, heat))
    assert whole.pictures.shape == pictures.shape
    assert whole.pictures.dtype == np.uint8
    assert whole.moves is None or len(whole.moves) == 3
    np.testing.assert_array_equal(pictures, before)
    only = one.change(pictures[1:2], one.levels[3], Material(seeds[1:2], others, masks[1:2], heat[1:2]))
    np.testing.assert_array_equal(only.pictures[0], whole.pictures[1])
