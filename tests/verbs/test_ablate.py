"""Effects are what they are told to be; what is trained is planned, kept and told in order."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from striate.errors import Interrupted, TrainingError, UsageError
from striate.verbs.ablate import FILES, ablate
from striate.verbs.ablating.arms import Arm, arms_added

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


def test_what_is_stopped_is_told_as_an_ablation_and_goes_on(tmp_path: Path) -> None:
    """Not as a training, whose --resume an ablation does not have."""

    class Stopped(Trainer):
        def __call__(self, source: str, *, out: Path, task: str, **settings: Any) -> Any:
            if out.name == "with-noise-s0":
                raise Interrupted("stopped at step 1 of 66", remedy="the same command and --resume")
            return super().__call__(source, out=out, task=task, **settings)

    with pytest.raises(Interrupted, match="stopped after 2 trainings; everything is saved") as stopped:
        run(tmp_path, Stopped({"blur": 0.1}))
    assert "--resume" not in str(stopped.value)
    assert not (tmp_path / FILES[0]).exists()
    again = Trainer({"blur": 0.1})
    run(tmp_path, again)
    assert again.calls[0]["out"] == "with-noise-s0"
    assert len(again.calls) == 12 - 2


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


@pytest.mark.parametrize("asked", [{"epochs": 4, "time_budget": 16}, {"epochs": None, "time_budget": 4}])
def test_time_for_less_than_a_comparison_is_told_before_the_first_training(
    tmp_path: Path, asked: dict[str, Any]
) -> None:
    """The pilot tells 2 s an epoch and 0.1 s around it."""
    trainer = Trainer()
    with pytest.raises(UsageError, match=r"too short for a single comparison.*two trainings"):
        run(tmp_path, trainer, **asked)
    assert len(trainer.calls) == 1
    found = run(tmp_path, Trainer(), **(asked | {"time_budget": 17}))  # nothing of it stands in the way
    assert found.effects


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
        run(tmp_path, Slow(fails="blur"), time_budget=45)  # the pilot, plain and blur


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
