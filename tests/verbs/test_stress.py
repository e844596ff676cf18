"""From a run and pictures to a card, with runs whose answers are known on sight."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from striate.data.meshes import SolidSettings, solids_dataset
from striate.errors import DataError, LabelError, UnknownNameError, UsageError
from striate.pictures import write
from striate.runs.run import Run
from striate.stress.card_page import render_card
from striate.verbs.model import load
from striate.verbs.stress.card import FILES, save_card, stress_card
from striate.verbs.stress.session import Asked, Session, _check, _known_to, seconds_of

AXES = ("rotation", "fog", "overexposure", "hide-hottest", "background-other")
FEW = {"axes": AXES, "severities": (1, 5), "time_budget": None}


@pytest.fixture
def many(tmp_path: Path, rng: np.random.Generator) -> Path:
    """Class folders of 26 pictures each, of the class's colour more or less."""
    root = tmp_path / "many"
    for place, name in enumerate(("red", "green", "blue")):
        (root / name).mkdir(parents=True)
        for number in range(26):
            picture = rng.integers(60, 130, (12, 16, 3), dtype=np.uint8)
            picture[..., place] = rng.integers(100, 160)
            write(picture, root / name / f"{number}.png")
    return root


def test_a_card(make_run: Callable[..., Run], many: Path, tmp_path: Path) -> None:
    heard: list[tuple[str, int, int]] = []
    report = stress_card(make_run(), many, **FEW, listen=lambda *one: heard.append(one))
    card = report.card
    assert card.pictures == card.available == 78
    assert card.split == "all"
    assert [one.axis.name for one in card.curves] == ["rotation", "hide-hottest", "overexposure", "fog"]
    assert [one.axis for one in card.left_out] == ["background-other"]
    assert "--masks" in card.left_out[0].reason
    rotation = card.measured.curve("rotation")
    assert rotation is not None
    assert rotation.verdict == "holds"  # a mean colour does not turn
    assert card.clean.value > 0.9
    assert card.variation is not None
    assert heard[-1] == ("comparing", 1, 1)
    done = [one for one in heard if one[0] == "changing pictures"]
    assert done[-1][1] == done[-1][2] == 78 * (1 + 1 + 4 * 2)
    found = json.loads(json.dumps(card.to_dict(), allow_nan=False))
    assert set(found["axes"][0]["levels"][0]) >= {"severity", "level", "score", "interval", "ece"}
    assert found["clean"]["interval"][0] <= found["clean"]["score"] <= found["clean"]["interval"][1]
    page = save_card(card, tmp_path / "card")
    text = page.read_text()
    assert "http" not in text.replace("http-equiv", "")
    assert all((tmp_path / "card" / name).exists() for name in FILES)
    with pytest.raises(UsageError, match="exists already"):
        save_card(card, tmp_path / "card")
    save_card(card, tmp_path / "card", overwrite=True)


def test_a_card_that_cannot_be_drawn_replaces_nothing(
    make_run: Callable[..., Run], coloured: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = stress_card(make_run(), coloured, axes=("fog",), severities=(1,)).card

    def fails(card: Any) -> str:
        raise DataError("no page")

    monkeypatch.setattr("striate.verbs.stress.card.render_card", fails)
    with pytest.raises(DataError, match="no page"):
        save_card(card, tmp_path)
    assert not [name for name in FILES if (tmp_path / name).exists()]


def test_both_runs_see_the_same_changes(
    make_run: Callable[..., Run], many: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pictures and the others, after fewer were taken for lack of time."""

    def slow(self: Any, stock: Any, axes: Any, severities: Any) -> float:
        return 2.5

    stocks: list[Any] = []
    plain = Session._measured

    def watched(self: Session, engine: Any, stock: Any, *more: Any) -> Any:
        stocks.append(stock)
        return plain(self, engine, stock, *more)

    monkeypatch.setattr("striate.stress.runner.Engine.probe", slow)
    monkeypatch.setattr("striate.verbs.stress.session._LEAST_PICTURES", 5)
    monkeypatch.setattr(Session, "_measured", watched)
    card = stress_card(
        make_run(), many, axes=("blobs",), severities=(3,), time_budget=12.0, threads=1,
        against=make_run(name="other"),
    ).card  # fmt: skip
    ours, theirs = stocks
    assert len(ours) == len(theirs) == 5
    assert len(ours.others) == 64
    np.testing.assert_array_equal(ours.others, theirs.others)
    np.testing.assert_array_equal(ours.pixels, theirs.pixels)
    assert card.against is not None
    mine, other = card.curves[0].levels[0], card.against.curves[0].levels[0]
    assert mine.score.value == other.score.value


def test_equal_calls_give_equal_cards(make_run: Callable[..., Run], many: Path) -> None:
    run = make_run()
    one, other = (
        stress_card(run, many, axes=("fog", "rotation"), severities=(3,), threads=threads).card.to_dict()
        for threads in (1, 2)
    )
    for name in ("axes", "clean", "variation", "worst", "advice"):
        for part in one["axes"] + other["axes"]:
            part["seconds"] = 0
        assert one[name] == other[name]


def test_numbers(make_run: Callable[..., Run], tmp_path: Path) -> None:
    table = tmp_path / "values.csv"
    rows = ["path,redness,greenness"]
    for number in range(12):
        rgb = (20 * number, 200 - 10 * number, 90)
        write(np.full((12, 16, 3), rgb, np.uint8), tmp_path / f"{number}.png")
        rows.append(f"{number}.png,{rgb[0]},{rgb[1]}")
    table.write_text("\n".join(rows))
    card = stress_card(make_run("regress"), table, **FEW).card
    assert "rotation" in [one.axis for one in card.left_out]
    assert "--truth-stays" in next(one.reason for one in card.left_out if one.axis == "rotation")
    assert card.clean.value < 0.02
    assert card.measured.scorer.chance == 1
    over = card.measured.curve("overexposure")
    assert over is not None
    assert over.levels[-1].score.value > over.levels[0].score.value > 0.05
    assert "relative error" in render_card(card)
    stays = stress_card(make_run("regress", name="two"), table, axes=("rotation",), truth_stays=True)
    assert stays.card.curves[0].verdict == "holds"
    beside = stress_card(
        make_run("regress", name="three"), table, axes=("fog",), against=make_run("regress", name="four")
    ).card
    assert beside.against is not None
    assert [one.gain.value for one in beside._differences(beside.against)] == [0]


def test_runs_with_other_angles_are_not_compared(make_run: Callable[..., Run]) -> None:
    one, two = load(make_run("regress", name="one")), load(make_run("regress", name="two"))
    _check(one, two, ASKED)  # alike: nothing is said
    other = two.task.facts.model_copy(update={"is_angle": (True, *two.task.facts.is_angle[1:])})
    two.task = type(two.task)(two.task.config, other)
    with pytest.raises(UsageError, match="two takes other numbers for angles than one"):
        _check(one, two, ASKED)


def test_pictures_that_cannot_be_drawn_again(make_run: Callable[..., Run], many: Path) -> None:
    run = make_run()
    card = stress_card(run, many, axes=("pose", "nightfall", "fog"), at_most=12).card
    assert [one.axis.name for one in card.curves] == ["fog"]
    assert [one.axis for one in card.left_out] == ["pose", "nightfall"]
    assert all("drawn again: scenes, scenes-3d, scenes-heads" in one.reason for one in card.left_out)
    with pytest.raises(UsageError, match=r"none of the axes.*pose: "):
        stress_card(run, many, axes=("pose",))


def test_pictures_that_are_drawn_again(
    make_run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    solids = solids_dataset("class", n=64, settings=SolidSettings(size_hw=(24, 24)))
    # by colour they are nothing the run knows: a third of its answers is right by chance
    named = tuple(
        replace(one, target=(("red", "green", "blue")[row % 3],)) for row, one in enumerate(solids)
    )
    dataset = replace(solids, records=named, names=("red", "green", "blue"))
    monkeypatch.setattr("striate.verbs.stress.session.labelled", lambda *asked: (dataset, "all"))
    heard: list[tuple[str, int, int]] = []
    card = stress_card(
        make_run(), "scenes-3d", axes=("pose", "articulation", "nightfall"), severities=(1, 5),
        listen=lambda *one: heard.append(one),
    ).card  # fmt: skip
    assert [(one.axis.name, one.pictures) for one in card.curves] == [("pose", 64), ("articulation", 16)]
    assert [one.axis for one in card.left_out] == ["nightfall"]
    assert "with that changed" in card.left_out[0].reason
    done = [one for one in heard if one[0] == "changing pictures"]
    assert done[-1][1] == done[-1][2] == 64 + 2 * (64 + 16)
    found = json.loads((save_card(card, tmp_path / "card").parent / "card.json").read_text())
    assert [one["axis"] for one in found["axes"]] == ["pose", "articulation"]
    assert found["axes"][0]["levels"][1]["level"] == 60
    assert "Turned in space" in render_card(card)


def test_one_picture(make_run: Callable[..., Run], coloured: Path) -> None:
    card = stress_card(make_run(), coloured, axes=("fog",), at_most=1).card
    assert card.pictures == 1
    assert card.variation is None
    assert "too few" in card.variation_missing
    assert "1 picture is few" in render_card(card)


def test_a_run_at_chance(make_run: Callable[..., Run], many: Path) -> None:
    names = ["red", "green", "blue"]
    for name in names:
        (many / name).rename(many / f"{name}-")
    for place, name in enumerate(names):  # every label wrong
        (many / f"{name}-").rename(many / names[place - 1])
    card = stress_card(make_run(), many, axes=("fog",)).card
    assert card.is_at_chance
    assert card.curves[0].verdict == "nothing to lose"
    assert not card.advice
    page = render_card(card)
    assert "no better than chance" in page
    assert "First of all" in page


def test_pictures_that_cannot_be_read(make_run: Callable[..., Run], coloured: Path) -> None:
    trained = [path.read_bytes() for path in sorted(coloured.rglob("0.png"))]
    card = stress_card(make_run(trained_on=trained), coloured, axes=("fog",), severities=(1,)).card
    assert card.pictures == 6
    assert card.seen_in_training == 3
    assert "3 of these pictures were trained on" in render_card(card)
    assert [one.key for one in card.problems] == ["green/broken.jpg"]
    assert "green/broken.jpg" in render_card(card)


def test_against_another_run(make_run: Callable[..., Run], many: Path) -> None:
    from striate.stress.corruptions import COMMON

    card = stress_card(
        make_run(), many, axes=(*COMMON, "rotation"), against=make_run(name="other"), at_most=15
    ).card
    assert card.against is not None
    assert card.against.run == "other"
    assert card.corrupted is not None
    assert card.corrupted.baseline == "other"
    if card.corrupted.by_corruption is None:  # why there is none is told
        assert "divides by the errors of other" in card.corrupted.meaning
    else:
        assert card.corrupted.name == "mCE"
        assert card.corrupted.overall.value == pytest.approx(1)  # the same run
    assert len(card.to_dict()["against"]["axes"]) == 16
    alone = stress_card(make_run(name="third"), many, axes=COMMON, at_most=15).card
    assert alone.corrupted is not None
    assert "unnormalised" in alone.corrupted.name
    assert "It is not mCE" in alone.corrupted.meaning
    with pytest.raises(UsageError, match="regress"):
        stress_card(make_run(name="fourth"), many, against=make_run("regress", name="fifth"))


def test_two_runs_of_one_name_are_told_apart(make_run: Callable[..., Run], many: Path) -> None:
    card = stress_card(
        make_run(name="a/same"), many, axes=("fog",), against=make_run(name="b/same"), at_most=15
    ).card
    assert card.run == "same"
    assert card.against is not None
    assert (card.against.beside, card.against.run) == ("a/same", "b/same")
    told = " ".join(card.statements)
    assert "a/same is surely better than b/same" in told
    assert "b/same has" in told


ASKED = Asked(
    source="", split="auto", axes=(), severities=(1,), at_most=5, budget_s=None, masks=None,
    truth_stays=False, seed=0, threads=1,
)  # fmt: skip


def test_the_second_run_is_another_one_that_knows_the_classes(
    make_run: Callable[..., Run], many: Path, tmp_path: Path
) -> None:
    run = make_run()
    with pytest.raises(UsageError, match="against itself"):
        stress_card(run, many, against=run, axes=("fog",))
    odd = tmp_path / "odd"
    for name in ("cat", "dog"):
        (odd / name).mkdir(parents=True)
        write(np.full((6, 8, 3), 90, np.uint8), odd / name / "1.png")
    with pytest.raises(LabelError, match="not trained on"):
        stress_card(run, odd, axes=("fog",))
    with pytest.raises(LabelError, match="for strange, to be measured against"):
        _known_to(load(run), load(make_run(name="strange")), replace(ASKED, source=odd))


def test_a_budget_takes_fewer_pictures(
    make_run: Callable[..., Run], many: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(self: Any, stock: Any, axes: Any, severities: Any) -> float:
        return 2.5

    monkeypatch.setattr("striate.stress.runner.Engine.probe", slow)
    monkeypatch.setattr("striate.verbs.stress.session._LEAST_PICTURES", 5)
    card = stress_card(make_run(), many, axes=("fog",), time_budget=12.0, threads=1).card
    assert card.pictures == 5
    assert "5 of 78 pictures" in card.shortened
    assert card.shortened in render_card(card)


@pytest.mark.parametrize(
    ("wrong", "what"),
    [
        ({"axes": ("rotatoin",)}, "unknown axis"),
        ({"severities": (0,)}, "severities"),
        ({"severities": ()}, "severities"),
        ({"time_budget": "soon"}, "time budget"),
        ({"time_budget": -1}, "time budget"),
        ({"at_most": 0}, "at most"),
        ({"seed": -1}, "seed is -1"),
        ({"truth_stays": True}, "--truth-stays"),
        ({"masks": "nowhere"}, "no folder"),
    ],
)
def test_wrong_wishes(
    make_run: Callable[..., Run], coloured: Path, wrong: dict[str, Any], what: str
) -> None:
    with pytest.raises(UsageError, match=what):
        stress_card(make_run(), coloured, **wrong)


def test_wrong_pictures(make_run: Callable[..., Run], tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError):
        stress_card(make_run(), tmp_path / "empty")
    with pytest.raises(UnknownNameError, match="did you mean 'rotation'"):
        stress_card(make_run(name="b"), tmp_path, axes=("rotatio",))


def test_a_budget_is_planned_with_heat(make_run: Callable[..., Run], many: Path) -> None:
    card = stress_card(make_run(), many, axes=("hide-hottest",), severities=(1,), at_most=9).card
    assert card.curves[0].axis.name == "hide-hottest"
    assert card.shortened == ""


def test_durations() -> None:
    assert seconds_of("10m") == 600
    assert seconds_of(3) == 3
