from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from striate.data.meshes.rotation import angle_between_deg, angles_to_matrix
from striate.data.meshes.view import View
from striate.stress.poses import Answers, Deadline, Poses, PoseSpace, join_answers, join_poses
from striate.stress.poses_answers import rule_of_classes
from striate.stress.poses_drawing import _marked
from striate.stress.poses_findings import Findings, share_of
from striate.stress.poses_map import marginals, pose_map
from striate.stress.poses_report import page_parts, pose_words, statements, tiles
from striate.stress.poses_search import ask_all, climb, evolve, find_nearest
from striate.types import Array, Picture

SPACE = PoseSpace.around(View.at(40, scale=0.85, elevation_deg=10))


def answers_of(loss: Array, said: Callable[[int], str] = lambda row: "lorry") -> Answers:
    wrong = loss > 0
    words = tuple(said(row) if one else "bus" for row, one in enumerate(wrong))
    sure = 1 / (1 + np.exp(-np.abs(loss)))
    return Answers(words, wrong, np.ones(len(loss), bool), sure, loss, np.zeros((len(loss), 0)))


class FooledBeyond:
    """A run that misreads what is turned by more than `limit` degrees from the usual pose."""

    def __init__(self, limit: float, steep: float = 0.2) -> None:
        self.limit, self.steep, self.asked = limit, steep, 0

    def __call__(self, poses: Poses) -> Answers:
        self.asked += len(poses)
        turned = angle_between_deg(SPACE.canonical.turns, poses.turns)
        return answers_of(self.steep * (turned - self.limit))


def deadline(**options: object) -> Deadline:
    return Deadline(clock=lambda: 0.0, budget=None, about=100, **options)  # type: ignore[arg-type]


def test_random_poses_lie_in_their_space_and_are_those_of_the_seed() -> None:
    one, same = (SPACE.drawn(500, np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(one.turns, same.turns)
    assert (one.free >= SPACE.low).all()
    assert (one.free <= SPACE.high).all()
    # half of all rotations are farther than about 127° from any one
    assert np.median(angle_between_deg(np.eye(3), one.turns)) == pytest.approx(132, abs=6)


def test_steps_turn_and_stay_in_range() -> None:
    steps = np.zeros((3, 8))
    steps[0, 1] = np.pi / 2  # about the vertical
    steps[1, 3:] = 5.0
    moved = SPACE.stepped(SPACE.canonical, steps)
    np.testing.assert_allclose(moved.angles_deg[0], [130, 0, 0], atol=1e-6)
    assert (moved.free <= SPACE.high).all()
    np.testing.assert_allclose(moved.angles_deg[2], [40, 0, 0], atol=1e-9)


def test_the_share_misread_is_that_of_the_space() -> None:
    # on SO(3) the share turned by more than t is 1 − (t − sin t) / π
    ask = FooledBeyond(90)
    poses, answers = ask_all(ask, SPACE.drawn(3000, np.random.default_rng(0)), deadline())
    _, (low, high) = share_of(int(answers.wrong.sum()), len(answers))
    expected = 1 - (np.pi / 2 - 1) / np.pi
    assert low < expected < high
    assert len(poses) == 3000


@pytest.mark.parametrize("limit", [20.0, 63.0, 150.0])
def test_the_nearest_pose_is_found_to_a_quarter_of_a_degree(limit: float) -> None:
    found = find_nearest(
        FooledBeyond(limit), SPACE, axes=4, step_deg=6, rng=np.random.default_rng(0), deadline=deadline()
    )
    assert found.turned_deg == pytest.approx(limit, abs=0.26)
    assert found.pose is not None
    assert angle_between_deg(SPACE.canonical.turns, found.pose.turns)[0] == pytest.approx(
        found.turned_deg, abs=1e-4
    )


def test_nearest_where_nothing_or_everything_is_misread() -> None:
    never = find_nearest(
        FooledBeyond(200), SPACE, axes=4, step_deg=6, rng=np.random.default_rng(0), deadline=deadline()
    )
    assert never.pose is None
    assert never.upto_deg == 180
    always = find_nearest(
        FooledBeyond(-5), SPACE, axes=4, step_deg=6, rng=np.random.default_rng(0), deadline=deadline()
    )
    assert always.turned_deg == 0
    assert always.asked == 1


def right_starts(ask: FooledBeyond, count: int = 4) -> tuple[Poses, Answers]:
    near = SPACE.stepped(SPACE.canonical, np.random.default_rng(1).normal(0, 0.1, (count, 8)))
    answers = ask(near)
    assert not answers.wrong.any()
    return near, answers


@pytest.mark.parametrize("method", ["evolution", "differences"])
def test_searches_find_what_chance_would_not(method: str) -> None:
    ask = FooledBeyond(60)
    starts, answers = right_starts(ask)
    if method == "evolution":
        rng = np.random.default_rng(0)
        found = evolve(ask, SPACE, starts, answers, budget=2000, rng=rng, deadline=deadline())
    else:
        found = climb(ask, SPACE, starts, answers, budget=2000, deadline=deadline())
    assert found.method == method
    assert found.fooled == 4
    assert found.asked <= 2000
    assert (found.answers.sure > 0.95).all()
    assert (found.fooled_after > 0).all()
    again = ask(found.best)
    np.testing.assert_allclose(again.loss, found.answers.loss)


def test_a_search_never_ends_below_its_start_and_keeps_its_budget() -> None:
    ask = FooledBeyond(500)
    starts, answers = right_starts(ask)
    ask.asked = 0
    for found in (
        evolve(
            ask, SPACE, starts, answers, budget=100, rng=np.random.default_rng(0), deadline=deadline()
        ),
        climb(ask, SPACE, starts, answers, budget=100, deadline=deadline()),
    ):
        assert (found.answers.loss >= answers.loss).all()
        assert found.fooled == 0
        assert found.asked <= 100
    assert ask.asked <= 200


def test_evolution_climbs_a_narrow_hill() -> None:
    top = angles_to_matrix(100, 30, -40)

    def ask(poses: Poses) -> Answers:
        rest = 30 * np.abs(poses.free - [0.6, 0.1, -0.1, 90, 20]) @ [1, 1, 1, 1 / 180, 1 / 90]
        return answers_of(8 - angle_between_deg(top, poses.turns) / 3 - rest)

    start = SPACE.canonical
    found = evolve(ask, SPACE, start, ask(start), budget=1500, rng=np.random.default_rng(2),
                   deadline=deadline())  # fmt: skip
    assert found.fooled == 1
    assert angle_between_deg(top, found.best.turns)[0] < 15


def test_time_that_runs_out_cuts_and_says_so() -> None:
    ticks = iter(np.arange(0.0, 1e4))
    late = Deadline(clock=lambda: float(next(ticks)), budget=3.0, about=10)
    _, answers = ask_all(FooledBeyond(90), SPACE.drawn(5000, np.random.default_rng(0)), late)
    assert 8 <= len(answers) < 5000
    assert late.cut


def test_what_is_listened_to_never_exceeds_what_was_announced() -> None:
    heard: list[tuple[int, int]] = []
    found = deadline(listen=lambda done, of: heard.append((done, of)))
    ask_all(FooledBeyond(90), SPACE.drawn(130, np.random.default_rng(0)), found)
    assert heard == [(8, 100), (40, 100), (72, 100), (100, 100), (100, 100)]


def black(pose: Poses, side: int) -> Picture:
    return np.zeros((side, side, 3), np.uint8)


def findings(ask: FooledBeyond, samples: int = 400) -> Findings:
    drawn = SPACE.drawn(samples, np.random.default_rng(0))
    answers = ask(drawn)
    starts = np.flatnonzero(~answers.wrong)[:4]
    begin, said = drawn.take(starts), answers.take(starts)
    rng = np.random.default_rng(1)
    searches = (
        evolve(ask, SPACE, begin, said, budget=200, rng=rng, deadline=deadline()),
        climb(ask, SPACE, begin, said, budget=200, deadline=deadline()),
    ) if len(starts) else ()  # fmt: skip
    return Findings(
        truth="bus",
        truth_from="as it was given",
        rule=rule_of_classes("bus"),
        numbers=(),
        tolerance=0.0,
        trained=(),
        space=SPACE,
        canonical=ask(SPACE.canonical),
        poses=drawn,
        answers=answers,
        maps=tuple(pose_map(ask, SPACE, name, 45.0, deadline()) for name in ("pitch", "roll")),
        marginals=marginals(SPACE, drawn, answers),
        searches=searches,
        nearest=find_nearest(ask, SPACE, axes=4, step_deg=6, rng=rng, deadline=deadline()),
        asked=ask.asked,
        cut=False,
    )


def test_maps_are_laid_out_as_they_say() -> None:
    found = pose_map(FooledBeyond(30), SPACE, "pitch", 45.0, deadline())
    assert (len(found.x_deg), len(found.y_deg)) == (8, 5)
    wrong = found.answers.wrong.reshape(5, 8)
    # right only near the usual pose: yaw 45, pitch 0
    assert np.argwhere(~wrong).tolist() == [[found.y_deg.index(0.0), found.x_deg.index(45.0)]]
    roll = pose_map(FooledBeyond(30), SPACE, "roll", 45.0, deadline())
    assert (len(roll.x_deg), len(roll.y_deg)) == (8, 8)


@pytest.mark.parametrize(
    ("step", "most", "marked"),
    [
        (15, 5, [-180, -90, 0, 90]),
        (15, 9, [-180, -135, -90, -45, 0, 45, 90, 135]),
        (60, 9, [-180, -120, -60, 0, 60, 120]),
        (30, 5, [-180, -90, 0, 90]),
    ],
)
def test_axes_are_marked_at_round_angles(step: int, most: int, marked: list[int]) -> None:
    degrees = np.arange(-180.0, 180.0, step).tolist()
    assert [degrees[at] for at in _marked(degrees, most)] == marked


def test_marginals_count_every_pose_once() -> None:
    found = findings(FooledBeyond(90))
    for one in found.marginals:
        assert sum(one.counts) == 400
        assert len(one.counts) == len(one.edges) - 1
    turned = found.marginals[0]
    assert turned.shares[-1] == 1
    near = [share for share, count in zip(turned.shares[:4], turned.counts[:4], strict=True) if count]
    assert near
    assert max(near) == 0


def test_the_strongest_are_unlike_each_other() -> None:
    found = findings(FooledBeyond(60))
    strong = found.strongest()
    assert len(strong) == 3  # there is one wrong answer only
    assert strong[0].answer.sure[0] == max(one.answer.sure[0] for one in strong)
    apart = angle_between_deg(strong[0].pose.turns, strong[1].pose.turns)
    assert float(apart[0]) > 20


def test_everything_is_told() -> None:
    found = findings(FooledBeyond(60))
    told = found.to_dict()
    assert told["random"]["misread"] == pytest.approx(found.answers.wrong.mean(), abs=1e-4)
    assert told["confusions"][0]["said"] == "lorry"
    assert told["nearest"]["turned_deg"] == pytest.approx(60, abs=0.3)
    assert all(one["fooled"] >= 2 for one in told["searches"])
    text = " ".join(statements(found))
    assert "are misread" in text
    assert "smallest turn of the usual pose that was misread is 60." in text
    assert tiles(found)[1][1].startswith("60.")
    parts = page_parts(found, black, black, "32 × 32")
    page = "".join(body for _, body in parts)
    assert "bus → lorry" in page
    assert page.count("<rect x=") == len(found.maps[0].answers) + len(found.maps[1].answers)


def test_a_run_that_is_never_fooled_has_a_page_too() -> None:
    found = findings(FooledBeyond(500), samples=50)
    assert found.strongest() == []
    assert found.confusions == ()
    page = "".join(body for _, body in page_parts(found, black, black, "8 × 8"))
    assert "No pose that was tried is misread" in page
    assert "did not get it misread" in " ".join(statements(found))
    everything = findings(FooledBeyond(-400), samples=50)
    assert everything.searches == ()
    assert "no turn is needed" in " ".join(statements(everything))


def test_words_of_poses_have_no_minus_zero() -> None:
    pose = SPACE.turned(angles_to_matrix(-0.2, -30, 0.1)[None])
    assert pose_words(pose) == "yaw 0°, pitch −30°, roll 0°"


def test_joining_and_taking() -> None:
    drawn = SPACE.drawn(10, np.random.default_rng(0))
    whole = join_poses([drawn.take(slice(0, 4)), drawn.take(slice(4, 10))])
    np.testing.assert_array_equal(whole.turns, drawn.turns)
    answers = FooledBeyond(90)(drawn)
    rows = np.array([7, 2])
    both = join_answers([answers.take(rows), answers])
    assert both.said[:2] == (answers.said[7], answers.said[2])
    assert len(both) == 12
