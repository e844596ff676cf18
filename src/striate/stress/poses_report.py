"""Strange poses in words, figures and maps."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from striate.figures import Bars, Curve, Figure, Gallery, GalleryItem, Lines, Section, Table
from striate.metrics.plain import percent
from striate.runs.markup import escape, number
from striate.runs.page import Tiles, section_body
from striate.stress.poses import Answers, Poses
from striate.stress.poses_answers import MISPLACED, MISSED, UNSEEN
from striate.stress.poses_drawing import draw_map
from striate.stress.poses_findings import Confusion, Findings, Strong, share_of
from striate.stress.poses_search import Search
from striate.types import Picture

__all__ = ["Draw", "page_parts", "pose_words", "statements", "tiles"]

Draw = Callable[[Poses, int], Picture]
"""The object in one pose, in a picture of so many pixels a side."""

_SIDE = 192
_METHODS = {
    "evolution": "Evolution (CMA-ES)",
    "differences": "Slope by differences",
}
_BY = {
    "evolution": "by evolution",
    "differences": "by slope",
    "random": "at random",
    "nearest": "nearest",
}


def statements(found: Findings) -> list[str]:
    """What was found, in sentences."""
    said = [_usual(found), _random(found)]
    if found.trained and len(found.within):
        said.append(_within(found))
    if found.confusions:
        said.append(_most(found.confusions[0]))
    said.append(_nearest(found))
    said += [_searched(found, one) for one in found.searches if one.asked]
    if found.cut:
        said.append("Time ran out before all poses were tried; what is shown is what was measured.")
    return said


def _usual(found: Findings) -> str:
    word = found.words(found.canonical.said[0], float(found.canonical.sure[0]))
    verdict = "misread" if found.canonical.wrong[0] else "read rightly"
    if found.numbers:
        off = f"{found.canonical.sure[0]:.1f}° off"
        return f"Seen as people see it, the {found.truth} is {verdict}: {word}, {off}."
    return f"Seen as people see it, the {found.truth} is {verdict}: {word}."


def _most(one: Confusion) -> str:
    share = f"{percent(one.share, one.interval)} of the poses"
    if one.said == MISSED:
        return f"Most often it is not found: {share}."
    taken = f"found, but {MISPLACED}" if one.said == MISPLACED else f"taken for {one.said}"
    return f"Most often it is {taken}: {share}, with a confidence of up to {one.most_sure:.2f}."


def _random(found: Findings) -> str:
    share, interval = found.misread
    what = f"Of {len(found.answers)} poses at random (every rotation equally likely)"
    if found.numbers:
        return f"{what}, {_far_off(found, found.answers)}."
    unknown = int((found.answers.wrong & ~found.answers.known).sum())
    also = f"; to {unknown} of those it would rather say unknown" if unknown else ""
    return f"{what}, {percent(share, interval)} are misread{also}."


def _within(found: Findings) -> str:
    """What is hard even among the poses that it knows."""
    ends = (f"{name} {_degrees(low)} to {_degrees(high)}" for name, low, high in found.trained)
    what = f"Of the {len(found.within)} among them that are turned as in training ({', '.join(ends)})"
    return f"{what}, of any size, place and light, {_far_off(found, found.within)}."


def _far_off(found: Findings, answers: Answers) -> str:
    share = percent(*share_of(int(answers.wrong.sum()), len(answers)))
    seen = np.array([one != UNSEEN for one in answers.said])
    if not seen.any():
        return f"{share} are more than {number(found.tolerance)}° off; all show nothing"
    middle = number(float(np.median(answers.sure[seen])), 3)
    return f"{share} are more than {number(found.tolerance)}° off; the median error is {middle}°"


def _degrees(value: float) -> str:
    return f"{round(value)}°".replace("-", "−")  # round makes no −0


def _nearest(found: Findings) -> str:
    one = found.nearest
    if one.pose is None or one.answer is None:
        return (
            f"Turning the usual pose about {_axes(one.axes)} by up to {one.upto_deg:.0f}° did not get "
            "it misread."
        )
    if one.turned_deg == 0:
        return "The usual pose itself is misread: no turn is needed."
    answer = found.words(one.answer.said[0], float(one.answer.sure[0]))
    return (
        f"The smallest turn of the usual pose that was misread is {one.turned_deg:.1f}° "
        f"({answer}), of {_axes(one.axes)} tried."
    )


def _axes(count: int) -> str:
    return "1 axis" if count == 1 else f"{count} axes"


def _searched(found: Findings, one: Search) -> str:
    first = one.fooled_after[one.fooled_after >= 0]
    poses = "1 pose" if len(one.starts) == 1 else f"{len(one.starts)} poses"
    what = f"{_METHODS[one.method]} from {poses} read rightly fooled it from {one.fooled}"
    if not len(first):
        return f"{what} ({one.asked} renderings)."
    after = f"after {int(np.median(first))} renderings at the median"
    best = found.surest(one)
    if best is None:
        return f"{what}, {after}."
    return f"{what}, {after}; its surest wrong answer has a confidence of {best:.2f}."


def tiles(found: Findings) -> Tiles:
    """The few numbers that are read first."""
    share, interval = found.misread
    near = found.nearest
    turned = f"{near.turned_deg:.1f}°" if near.pose is not None else f"none to {near.upto_deg:.0f}°"
    strong = found.strongest(1)
    surest = "none" if not strong else _answer(found, strong[0])
    off = f"of random poses more than {number(found.tolerance)}° off"
    name = off if found.numbers else "of random poses misread"
    return [
        (name, percent(share, interval)),
        ("smallest turn that fools", turned),
        ("farthest off" if found.numbers else "surest mistake", surest),
    ]


def _answer(found: Findings, one: Strong) -> str:
    said, sure = one.answer.said[0], float(one.answer.sure[0])
    return f"{sure:.0f}°" if found.numbers else found.words(said, sure)


def pose_words(pose: Poses) -> str:
    """Yaw, pitch and roll for people."""
    words = map(_degrees, pose.angles_deg[0].tolist())
    return ", ".join(
        f"{name} {word}" for name, word in zip(("yaw", "pitch", "roll"), words, strict=True)
    )


def page_parts(found: Findings, draw: Draw, show: Draw, input_words: str) -> list[tuple[str, str]]:
    """(title, HTML) of the page's sections. `draw`: the object alone; `show`: and what is said of it."""
    shown = f"Drawn at {_SIDE} pixels; the run saw {input_words}. {found.rule.drawn}".rstrip()
    strong = Section("The strongest", _strong_intro(found), [_gallery(found, show, shown)])
    parts = [
        ("In short", section_body(_short(found, show))),
        ("The strongest", section_body(strong)),
    ]
    if found.maps:
        maps = "".join(_map_figure(found, draw, at) for at in range(len(found.maps)))
        intro = (
            "All but the two angles is as in the usual pose. Pictures at the edges show the object so "
            f"turned. {'Fainter is nearer.' if found.numbers else 'Fainter is less sure.'}"
        )
        parts.append(("Maps", f'<p class="intro">{intro}</p><div class="figures">{maps}</div>'))
    parts.append(("What it depends on", section_body(_curves(found))))
    parts.append(("How it is measured", section_body(_method(found))))
    return parts


def _short(found: Findings, draw: Draw) -> Section:
    rows = [(one,) for one in statements(found)]
    figures: list[Figure] = [
        Gallery(
            "The usual pose, and the nearest that fools",
            found.rule.drawn,
            _pair(found, draw),
            large=bool(found.rule.drawn),
        )
    ]
    figures.append(Table("What was found", "", ("finding",), rows))
    if found.confusions:
        figures.append(
            Bars(
                "What is said instead",
                "Shares of all random poses, with 95 % intervals.",
                [one.said for one in found.confusions],
                [one.share for one in found.confusions],
                "share of random poses",
                [one.interval[0] for one in found.confusions],
                [one.interval[1] for one in found.confusions],
            )
        )
    return Section("In short", "", figures)


def _pair(found: Findings, draw: Draw) -> list[GalleryItem]:
    usual, near = found.canonical, found.nearest
    items = [_item(found, draw, found.space.canonical, usual, "usual")]
    if near.pose is not None and near.answer is not None and near.turned_deg > 0:
        items.append(_item(found, draw, near.pose, near.answer, f"turned by {near.turned_deg:.1f}°"))
    return items


def _item(found: Findings, draw: Draw, pose: Poses, answer: Answers, note: str) -> GalleryItem:
    """One pose, and what is said of it or how far off that is."""
    said, sure, wrong = answer.said[0], float(answer.sure[0]), bool(answer.wrong[0])
    words = f"{found.truth} → {found.words(said, sure)}" if wrong else found.words(said, sure)
    facts = f"{note}: {pose_words(pose)}"
    if found.numbers:
        words, facts = f"{sure:.1f}° off", f"{facts}; said: {said}"
    return GalleryItem(draw(pose, _SIDE), words, facts, "bad" if wrong else "good")


def _strong_intro(found: Findings) -> str:
    if found.numbers:
        return "The poses whose answer is farthest off, unlike each other."
    return "The misread poses of which the run is surest: three a wrong answer, unlike each other."


def _gallery(found: Findings, draw: Draw, shown: str) -> Gallery:
    items = [_item(found, draw, one.pose, one.answer, _BY[one.how]) for one in found.strongest()]
    empty = "No pose that was tried is misread."
    return Gallery("Strange poses", shown, items, empty=empty, large=bool(found.rule.drawn))


def _map_figure(found: Findings, draw: Draw, at: int) -> str:
    one = found.maps[at]
    body = draw_map(found, one, draw)
    caption = f"{len(one.answers)} renderings."
    return (
        f'<figure class="chart wide"><figcaption><h3>{escape(one.title)}</h3><p>{escape(caption)}</p>'
        f"</figcaption><div>{body}</div></figure>"
    )


def _curves(found: Findings) -> Section:
    charts: list[Figure] = []
    for one in found.marginals:
        kept = [row for row, count in enumerate(one.counts) if count]
        curve = Curve(
            "misread",
            [one.middles[row] for row in kept],
            [one.shares[row] for row in kept],
            [one.lows[row] for row in kept],
            [one.highs[row] for row in kept],
        )
        label = "mean error, degrees" if found.numbers else "share misread"
        range_ = None if found.numbers else (0.0, 1.0)
        charts.append(Lines(one.name.capitalize(), "", [curve], one.unit, label, y_range=range_))
    intro = "Over the random poses, whatever the other numbers are; bands are 95 % intervals."
    return Section("What it depends on", intro, charts)


def _method(found: Findings) -> Section:
    low, high = found.space.low, found.space.high
    rows: Sequence[tuple[str, str]] = [
        ("right answer", f"{found.truth}: {found.truth_from}"),
        ("misread", f"{found.rule.misread}; one that fills half of no pixel never is"),
        ("angles", "yaw right, pitch up and roll clockwise are positive; intrinsic, in this order"),
        ("rotations", "spread evenly over all of them (SO(3), Shoemake 1992)"),
        ("size", f"sphere around the object, {low[0]:g} to {high[0]:g} of the picture"),
        ("place", f"middle of the object up to {high[1]:g} of the picture from the middle, each way"),
        ("light", f"from any side, {low[4]:g} to {high[4]:g}° above the horizon"),
        ("searches raise", found.rule.raised),
        ("evolution", "CMA-ES over eight numbers, from poses read rightly"),
        ("slope", "central differences through the renderer (Alcorn et al. 2019), as a run's own slope "
                  "says nothing about the renderer"),
        ("smallest turn", f"about {_axes(found.nearest.axes)} drawn evenly: the least of those, an "
                          "upper bound of the least there is"),
        ("intervals", "95 %, Wilson for shares"),
        ("beware", "a rendered solid is no photograph: a run of photographs may misread even the usual "
                   "pose, and then no other pose says much"),
    ]  # fmt: skip
    return Section("How it is measured", "", [Table("Terms", "", ("what", "how"), list(rows))])
