"""Effects are what they are told to be; what is trained is planned, kept and told in order."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from striate.data.boxes.truth import Box
from striate.errors import TrainingError, UnknownNameError, UsageError
from striate.task import task_names
from striate.tasks.detect.types import Detections
from striate.verbs.ablate import FILES, ablate, candidates_named
from striate.verbs.ablating.arms import CANDIDATES, NOT_FOR, Arm, arms_added, arms_left_out
from striate.verbs.ablating.effects import Scores, Unit, measure_effects
from striate.verbs.ablating.scoring import TASK_SCORES
from striate.verbs.training.request import Request

RESOLVED = {"flip": "horizontal", "crop": 0.25, "rotate_deg": 0.0, "erase": 0.1}


class Trainer:
    """Stands for `striate.train`: a model is what it was asked for; `worth` of settings is its score."""

    def __init__(self, worth: Mapping[str, float] | None = None, *, fails: str = "") -> None:
        self.worth, self.fails = worth or {}, fails
        self.calls: list[dict[str, Any]] = []

    def __call__(self, source: str, *, out: Path, task: str, **settings: Any) -> Any:
        self.calls.append({"out": out.name, **settings})
        if self.fails and self.fails in settings:
            raise TrainingError("the loss is not a number")
        plan = {"batch_size": 16, "precision": "float32", "compile": False, "threads": 2, "lr": 0.1}
        timings = {"train": 2.0, "export": 1.0}
        return SimpleNamespace(
            settings=settings,
            header=SimpleNamespace(plan=plan, timings=timings, augment=RESOLVED),
        )

    def measure(self, model: Any) -> np.ndarray:
        """Right or wrong for 400 pictures: equal luck for equal seeds, and a little of its own."""
        asked = model.settings
        share = 0.6 + sum(self.worth.get(name, 0.0) for name in asked if asked[name] not in (0, "none"))
        seed = asked["seed"]
        pictures = np.random.default_rng(seed).random(400)
        own = np.random.default_rng([seed, len(str(sorted(asked.items())))]).normal(0, 0.01, 400)
        return (pictures + own < share).astype(float)


def run(out: Path, trainer: Trainer, **more: Any) -> Any:
    asked: dict[str, Any] = {
        "candidates": {"blur": {"blur": 1.0}, "noise": {"noise": 0.1}, "jpeg": {"jpeg": 0.5}},
        "leave_out": False,
        "epochs": 4,
        "measure": trainer.measure,
        "measured": "right answers",
    }
    return ablate("digits", out=out, train=trainer, **(asked | more))


def test_a_gain_is_found_a_harm_too_and_nothing_is_nothing(tmp_path: Path) -> None:
    trainer = Trainer({"blur": 0.1, "noise": -0.1})
    found = run(tmp_path, trainer)
    assert [(one.name, one.verdict) for one in found.effects] == [
        ("blur", "helps"),
        ("jpeg", "no measurable effect"),
        ("noise", "harms"),
    ]
    blur = found.effects[0]
    assert blur.low < 0.1 < blur.high
    assert blur.gain == pytest.approx(np.mean(blur.per_seed))
    assert found.best() is blur
    assert blur.settings == {"blur": 1.0}
    assert "blur helps: +" in blur.statement(found.unit)
    assert found.effects[1].statement(found.unit).startswith("jpeg: no measurable effect")
    assert found.statements()[0].startswith("Added to the plain training, blur (+")


def test_everything_is_written_and_equal_for_all(tmp_path: Path) -> None:
    trainer = Trainer()
    found = run(tmp_path, trainer, optimizer="sgd")
    told = json.loads((tmp_path / FILES[0]).read_text())
    assert told == json.loads(json.dumps(found.to_dict()))
    page = (tmp_path / FILES[1]).read_text()
    assert "no measurable effect" in page
    assert trainer.calls[0]["epochs"] == 1  # the pilot
    for call in trainer.calls[1:]:
        assert (call["epochs"], call["batch_size"], call["threads"]) == (4, 16, 2)
        assert (call["compile"], call["precision"], call["optimizer"]) == ("off", "float32", "sgd")
        assert call["augment"] == "none"
    order = [(call["out"], call["seed"]) for call in trainer.calls[1:]]
    arms = ["plain", "with-blur", "with-noise", "with-jpeg"]
    assert order == [(f"{arm}-s{seed}", seed) for seed in range(3) for arm in arms]


def test_parts_are_taken_out_of_what_the_preset_is_here(tmp_path: Path) -> None:
    trainer = Trainer({"crop": 0.0})
    found = run(tmp_path, trainer, leave_out=True, candidates={})
    assert {one.name for one in found.left_out} == {"flip", "crop", "erase"}
    assert not found.added
    crops = [call for call in trainer.calls if call["out"].startswith("without-crop")]
    assert crops[0]["crop"] == 0.0
    assert crops[0]["augment"] == "auto"


def test_a_part_that_costs_is_told_as_a_loss(tmp_path: Path) -> None:
    """Leaving out what harms makes better: what the preset has from it is negative."""

    class Harmful(Trainer):
        def measure(self, model: Any) -> np.ndarray:
            share = 0.8 if model.settings.get("crop") == 0.0 else 0.6
            return (np.random.default_rng(model.settings["seed"]).random(400) < share).astype(float)

    found = run(tmp_path, Harmful(), leave_out=True, candidates={})
    assert {one.name: one.verdict for one in found.effects}["crop"] == "harms"
    assert found.effects[-1].name == "crop"


def test_the_same_call_goes_on_and_trains_nothing_twice(tmp_path: Path) -> None:
    first = run(tmp_path, Trainer({"blur": 0.1}))
    again = Trainer({"blur": 0.1})
    assert run(tmp_path, again).to_dict() == first.to_dict()
    assert not again.calls
    (tmp_path / "ablate-scores" / "right-answers" / "with-blur-s2.json").unlink()
    run(tmp_path, again)
    assert [call["out"] for call in again.calls] == ["with-blur-s2"]


def test_another_question_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    run(tmp_path, Trainer())
    with pytest.raises(UsageError, match=r"other settings \(seeds\)"):
        run(tmp_path, Trainer(), seeds=(0, 1))
    anew = Trainer()
    assert run(tmp_path, anew, seeds=(0, 1), overwrite=True).seeds == (0, 1)
    assert len(anew.calls) == 1 + 8


def test_beginning_anew_removes_what_the_ablation_made_and_nothing_else(tmp_path: Path) -> None:
    """`--out .` in a folder with runs and scores of one's own."""

    class Writes(Trainer):
        def __call__(self, source: str, *, out: Path, task: str, **settings: Any) -> Any:
            out.mkdir(parents=True, exist_ok=True)
            (out / "weights").write_text(str(len(self.calls)))
            return super().__call__(source, out=out, task=task, **settings)

    (tmp_path / "ablate-scores").mkdir()
    (tmp_path / "ablate-scores" / "notes").write_text("of mine")
    theirs = [
        tmp_path / name / "kept.txt"
        for name in ("runs/pilot", "runs/mine", "scores", "ablate-runs/noted", "ablate-scores/noted")
    ]
    for path in theirs:
        path.parent.mkdir(parents=True)
        path.write_text("years of work")
    run(tmp_path, Writes())
    made = {path.name for path in (tmp_path / "ablate-runs").iterdir()} - {"noted"}
    assert {"pilot", "plain-s0", "with-jpeg-s2"} <= made
    run(tmp_path, Writes(), candidates={"blur": {"blur": 1.0}}, seeds=(4,), overwrite=True)
    assert [path.read_text() for path in theirs] == ["years of work"] * 5
    now = {path.name for path in (tmp_path / "ablate-runs").iterdir()} - {"noted"}
    assert now == {"pilot", "plain-s4", "with-blur-s4"}
    scored = {path.name for path in (tmp_path / "ablate-scores" / "right-answers").iterdir()}
    assert scored == {"plain-s4.json", "with-blur-s4.json"}


def test_a_damaged_plan_removes_nothing(tmp_path: Path) -> None:
    run(tmp_path, Trainer())
    (tmp_path / "ablate-plan.json").write_text('{"asked": {}}')
    with pytest.raises(UsageError, match="damaged"):
        run(tmp_path, Trainer(), overwrite=True)
    assert len(list((tmp_path / "ablate-scores" / "right-answers").iterdir())) == 12


def test_a_budget_sets_the_epochs(tmp_path: Path) -> None:
    """2 s an epoch and, beside that, what a training takes: here next to nothing."""
    found = run(tmp_path, Trainer(), epochs=None, time_budget="10m")
    # 600 s · 0.92 over 12 trainings of 2 s an epoch and at least 0.1 s around
    assert found.epochs == 22
    assert found.trainings == 12


def test_a_short_budget_gives_up_parts_then_seeds_and_says_so(tmp_path: Path) -> None:
    found = run(tmp_path / "a", Trainer(), epochs=None, time_budget=110, leave_out=True)
    assert not found.left_out
    assert len(found.seeds) == 3
    assert any("parts out of the preset" in words for words in found.left)
    found = run(tmp_path / "b", Trainer(), epochs=None, time_budget=60)
    assert len(found.seeds) == 2
    assert any("2 seeds" in words for words in found.left)
    found = run(tmp_path / "c", Trainer(), epochs=None, time_budget=21)
    assert any("hardly a training" in words for words in found.left)


def test_what_is_cut_off_leaves_whole_rounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from striate.verbs import ablate as module

    class Slow(Trainer):
        now = 0.0

        def __call__(self, source: str, *, out: Path, task: str, **settings: Any) -> Any:
            Slow.now += 10.0
            return super().__call__(source, out=out, task=task, **settings)

    monkeypatch.setattr(module.time, "monotonic", lambda: Slow.now)
    trainer = Slow({"blur": 0.1})
    found = run(tmp_path, trainer, time_budget=75)  # the pilot and six trainings
    assert len(trainer.calls) == 7
    assert found.seeds == (0,)
    assert found.trainings == 4
    assert any("no time was left" in words for words in found.left)
    Slow.now = 0.0
    whole = run(tmp_path, Slow({"blur": 0.1}), time_budget=75)
    assert whole.seeds == (0, 1, 2)


def test_what_cannot_be_trained_is_left_out_with_the_reason(tmp_path: Path) -> None:
    found = run(tmp_path, Trainer({"blur": 0.1}, fails="noise"))
    assert {one.name for one in found.effects} == {"blur", "jpeg"}
    assert found.left == ("noise, added: the loss is not a number",)
    with pytest.raises(TrainingError):  # of what all are compared with, there is no doing without
        run(tmp_path / "b", Trainer(fails="augment"))


def test_where_nothing_could_be_trained_the_reason_is_told(tmp_path: Path) -> None:
    only = {"candidates": {"noise": {"noise": 0.1}}}
    with pytest.raises(TrainingError, match=r"noise, added: the loss is not a number.*try others"):
        run(tmp_path, Trainer(fails="noise"), **only)
    with pytest.raises(UsageError, match="time budget was too short for a single comparison"):
        run(tmp_path / "b", Trainer(), **only, time_budget=1e-9)


def test_what_failed_is_told_beside_what_had_no_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from striate.verbs import ablate as module

    class Slow(Trainer):
        now = 0.0

        def __call__(self, source: str, *, out: Path, task: str, **settings: Any) -> Any:
            Slow.now += 10.0
            return super().__call__(source, out=out, task=task, **settings)

    monkeypatch.setattr(module.time, "monotonic", lambda: Slow.now)
    with pytest.raises(TrainingError, match=r"failed: blur, added.*for the rest the time budget"):
        run(tmp_path, Slow(fails="blur"), time_budget=40)  # the pilot, plain and blur


def test_names_that_share_a_folder_are_refused(tmp_path: Path) -> None:
    trainer = Trainer()
    for other in ("blur-1", "Blur 1", "blur 1 "):
        asked = {"blur 1": {"blur": 1.0}, other: {"blur": 2.0}}
        with pytest.raises(UsageError, match=f"'blur 1' and '{other}' would share"):
            run(tmp_path, trainer, candidates=asked)
    assert not trainer.calls
    long = {f"{'blurred a little ' * 8}{end}": {"blur": 1.0 + end} for end in range(2)}
    found = run(tmp_path, trainer, candidates=long, seeds=(0,))
    assert {call["out"] for call in trainer.calls if call.get("blur")} == {
        Arm(f"with-{name}", name).file_name(0) for name in long
    }
    assert len(found.effects) == 2
    assert all(len(call["out"]) <= 83 for call in trainer.calls)


def test_a_policy_laid_over_another_has_its_own_strength() -> None:
    resolved = {"augment": "standard", "policy": "randaugment", "policy_ops": 2, "policy_magnitude": 9.0}
    asked = {"augmix": {"policy": "augmix"}, "wild": {"policy_magnitude": 20.0}}
    plain, augmix, wild = arms_added(asked, resolved)
    assert plain.settings == resolved
    assert augmix.settings == {"augment": "standard", "policy": "augmix"}
    assert wild.settings == {**resolved, "policy_magnitude": 20.0}


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"epochs": None}, "when to stop"),
        ({"seeds": ()}, "seeds"),
        ({"seeds": (1, 1)}, "seeds"),
        ({"candidates": {}}, "of nothing"),
        ({"measured": ""}, "name"),
        ({"candidates": {"x": {"blur": -1.0}}}, "blur"),
        ({"candidates": {"x": {"blurr": 1.0}}}, "blurr"),
        ({"seed": 3}, "seed"),
    ],
)
def test_what_is_wrong_is_told_before_anything_is_trained(
    tmp_path: Path, asked: dict[str, Any], words: str
) -> None:
    trainer = Trainer()
    with pytest.raises(UsageError, match=words):
        run(tmp_path, trainer, **asked)
    assert not trainer.calls
    assert not list(tmp_path.iterdir())


def test_a_measure_must_be_a_score_a_picture(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="scores"):
        run(tmp_path, Trainer(), measure=lambda model: np.array([np.nan, 1.0]))
    lengths = iter(range(3, 100))
    with pytest.raises(UsageError, match="another number of scores"):
        run(tmp_path / "b", Trainer(), measure=lambda model: np.ones(next(lengths)))


# -- statistics -------------------------------------------------------------------------------


def luck(rng: np.random.Generator, arms: int, seeds: int, spread: float, *, same: bool) -> Scores:
    """Right or wrong where training is luck: each training has a quality of its own, and each arm's
    pictures are right together more often than not."""
    found, pictures = {}, rng.random(250)
    for seed in range(seeds):
        hard = pictures if same else rng.random(250)
        for arm in range(arms):
            quality = 0.7 + rng.normal(0, spread)
            own = rng.normal(0, 0.1, 250)
            found[f"arm{arm}", seed] = (hard + own < quality).astype(float)
    return found


@pytest.mark.parametrize("same", [True, False])
def test_where_nothing_helps_hardly_anything_is_said_to(same: bool) -> None:
    rng = np.random.default_rng(5)
    wrong, trials = 0, 40
    arms = [(f"arm{one}", "arm0", "added") for one in range(1, 5)]
    for _ in range(trials):
        scores = luck(rng, 5, 3, 0.02, same=same)
        effects = measure_effects(
            scores,
            arms,  # type: ignore[arg-type]
            range(3),
            {arm: {} for arm, _, _ in arms},
            {arm: arm for arm, _, _ in arms},
            same_pictures=same,
        )
        wrong += sum(one.verdict != "no measurable effect" for one in effects)
    assert wrong / (4 * trials) < 0.08


def test_more_seeds_make_the_interval_narrower() -> None:
    rng = np.random.default_rng(0)
    widths = []
    for seeds in (2, 4, 12):
        scores = luck(rng, 6, seeds, 0.02, same=True)
        (one,) = measure_effects(
            scores, [("arm1", "arm0", "added")], range(seeds), {"arm1": {}}, {"arm1": "x"},
            same_pictures=True,
        )  # fmt: skip
        widths.append(one.high - one.low)
        assert one.low <= one.gain <= one.high
    assert widths[0] > widths[1] > widths[2]


def test_the_interval_is_that_of_a_block_design() -> None:
    """Pictures without luck (all the same): the t interval of randomised blocks, by hand."""
    scores = {
        ("a", 0): np.full(9, 0.50), ("a", 1): np.full(9, 0.60),
        ("b", 0): np.full(9, 0.56), ("b", 1): np.full(9, 0.64),
        ("c", 0): np.full(9, 0.50), ("c", 1): np.full(9, 0.62),
    }  # fmt: skip
    effects = measure_effects(
        scores,
        [("b", "a", "added"), ("c", "a", "added")],
        (0, 1),
        {"b": {}, "c": {}},
        {"b": "b", "c": "c"},
        same_pictures=True,
    )
    b = next(one for one in effects if one.name == "b")
    assert b.gain == pytest.approx(0.05)
    # per-seed differences from the first: a 0.10, b 0.08, c 0.12; residual sum of squares 0.0004
    half = 4.302653 * np.sqrt(2 * 0.0004 / 2 / 2)
    assert (b.low, b.high) == pytest.approx((0.05 - half, 0.05 + half), abs=1e-6)


# -- what is tried ----------------------------------------------------------------------------


def test_candidates_are_settings_and_suit_the_task() -> None:
    for settings in CANDIDATES.values():
        Request.of("digits", "classify", settings)
    assert {"mixup", "cutmix", "erase", "noise", "randaugment", "trivialaugment", "augmix"} <= set(
        CANDIDATES
    )
    for task, names in NOT_FOR.items():
        assert names <= set(CANDIDATES)
        assert not names & set(candidates_named((), task))
    assert list(candidates_named(("blur", "mixup"), "classify")) == ["blur", "mixup"]
    with pytest.raises(UnknownNameError, match="blurr"):
        candidates_named(("blurr",), "classify")
    assert set(TASK_SCORES) == set(task_names())


def test_presets_are_taken_apart_into_what_is_on() -> None:
    arms = arms_left_out({"augment": "auto"}, RESOLVED)
    assert [arm.name for arm in arms] == ["preset", "flip", "crop", "erase"]
    assert arms[1].settings == {"augment": "auto", "flip": "none"}


def test_changes_are_told_with_their_sign() -> None:
    assert Unit("accuracy").text(0.0123) == "+1.2 points"
    assert Unit("accuracy").text(-0.2) == "−20.0 points"
    assert Unit("spreads", share=False).text(-0.125) == "−0.125 spreads"


def test_scores_are_a_number_a_picture() -> None:
    right = TASK_SCORES["classify"][0]
    answers = [SimpleNamespace(labels=one) for one in (("a",), ("b",), ("a", "b"), ())]
    found = right(None, answers, [("a",), ("a",), ("a",), ()])  # type: ignore[arg-type]
    assert found.tolist() == [1, 0, 0.5, 1]
    facts = SimpleNamespace(model_dump=lambda: {"is_angle": (False, True), "scale": (2.0, 10.0)})
    model: Any = SimpleNamespace(task=SimpleNamespace(facts=facts))
    values = [SimpleNamespace(values=np.array([3.0, 355.0]))]
    near = TASK_SCORES["regress"][0](model, values, [(1.0, 5.0)])
    assert near == pytest.approx([-(2 / 2 + 10 / 10) / 2])


def test_boxes_are_scored_within_their_picture() -> None:
    box, other = (10.0, 10.0, 30.0, 30.0), (50.0, 50.0, 70.0, 70.0)

    def told(*boxes: tuple[float, ...], scores: tuple[float, ...]) -> Detections:
        count = len(boxes)
        where = np.array(boxes, np.float32).reshape(count, 4)
        return Detections(("a",), where, np.array(scores, np.float32), np.zeros(count, np.int64))

    answers = [
        told(box, other, scores=(0.9, 0.8)),
        told(box, scores=(0.9,)),
        told(other, box, scores=(0.9, 0.8)),
        told(scores=()),
        told(box, scores=(0.9,)),
        told(scores=()),
    ]
    both, one, none = (Box("a", box), Box("a", other)), (Box("a", box),), ()
    truths: list[Any] = [both, both, one, one, none, none]
    model: Any = SimpleNamespace(names=("a",))
    found = TASK_SCORES["detect"][0](model, answers, truths)
    assert found == pytest.approx([1, 51 / 101, 0.5, 0, 0, 1], abs=0.01)


# -- for real ---------------------------------------------------------------------------------


def test_a_tiny_training_is_ablated_and_goes_on(tmp_path: Path) -> None:
    """Real networks on faces-or-not: trained, measured on what each held out, reported."""
    common: dict[str, Any] = {
        "candidates": {"flip": {"flip": "horizontal"}},
        "leave_out": False,
        "seeds": (0, 1),
        "epochs": 1,
        "threads": 1,
    }
    found = ablate("faces-or-not", out=tmp_path / "found", **common)
    (flip,) = found.effects
    assert flip.name == "flip"
    assert -1 <= flip.low <= flip.gain <= flip.high <= 1
    assert found.pictures > 20
    assert found.measured == "right answers on pictures held out"
    assert len(list((tmp_path / "found" / "ablate-runs").iterdir())) == 5
    again = ablate("faces-or-not", out=tmp_path / "found", **common)
    assert again.to_dict() == found.to_dict()
