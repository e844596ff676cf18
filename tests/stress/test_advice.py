"""What is advised against which axis."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from striate.nn.augment.settings import AugmentSettings
from striate.stress.advice import ANSWERS, INSTEAD, Gain, advise, answer_to, flags_of
from striate.stress.card_page import render_card
from striate.stress.registry import AXES, EXTRA

Make = Callable[..., Any]


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


def test_advice_is_for_what_loses_most(curve: Make, card: Make, read: Make) -> None:
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


def test_advice_that_the_run_has_had(curve: Make) -> None:
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


def test_a_detector_is_advised_what_it_can_be_trained_with(curve: Make) -> None:
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
