"""Strange poses in words, figures and maps."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from striate.figures import Bars, Curve, Figure, Gallery, GalleryItem, Lines, Section, Table
from striate.metrics.plain import percent
from striate.runs.markup import escape, number
from striate.runs.page import Tiles, section_body
from striate.stress.poses import Poses
from striate.stress.poses_drawing import draw_map
from striate.stress.poses_findings import Findings, Strong
from striate.stress.poses_search import Search
from striate.types import Picture

__all__ = ["Draw", "page_parts", "pose_words", "statements", "tiles"]

Draw = Callable[[Poses, int], Picture]
"""The object in one pose, in a picture of so many pixels a side."""

_SIDE = 192
_METHODS = {
    "evolution": "Evolution (CMA-ES)",
    "differences": "Slope by differences",
    "random": "found at random",
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
    if found.confusions:
        most = found.confusions[0]
        said.append(
            f"Most often it is taken for {most.said}: {percent(most.share, most.interval)} of the "
            f"poses, with a confidence of up to {most.most_sure:.2f}."
        )
    said.append(_nearest(found))
    said += [_searched(found, one) for one in found.searches if len(one.starts)]
    if found.cut:
        said.append("Time ran out before all poses were tried; what is shown is what was measured.")
    return said


def _usual(found: Findings) -> str:
    sure, word = float(found.canonical.sure[0]), found.canonical.said[0]
    if found.numbers:
        return f"Seen as people see it, it is {word}."
    verdict = "misread" if found.canonical.wrong[0] else "read rightly"
    return f"Seen as people see it, the {found.truth} is {verdict}: {word}, {sure:.2f}."


def _random(found: Findings) -> str:
    share, interval = found.misread
    what = f"Of {len(found.answers)} poses at random (every rotation equally likely)"
    if found.numbers:
        middle = float(np.median(found.answers.sure))
        return (
            f"{what}, {percent(share, interval)} are more than {number(found.tolerance)}° off; the "
            f"median error is {number(middle, 3)}°."
        )
    unknown = int((found.answers.wrong & ~found.answers.known).sum())
    also = f"; to {unknown} of those it would rather say unknown" if unknown else ""
    return f"{what}, {percent(share, interval)} are misread{also}."


def _nearest(found: Findings) -> str:
    one = found.nearest
    if one.pose is None or one.answer is None:
        return (
            f"Turning the usual pose about {one.axes} axes by up to {one.upto_deg:.0f}° did not get it "
            "misread."
        )
    if one.turned_deg == 0:
        return "The usual pose itself is misread: no turn is needed."
    answer = one.answer.said[0] if found.numbers else f"{one.answer.said[0]} {one.answer.sure[0]:.2f}"
    return (
        f"The smallest turn of the usual pose that was misread is {one.turned_deg:.1f}° "
        f"({answer}), of {one.axes} axes tried."
    )


def _searched(found: Findings, one: Search) -> str:
    first = one.fooled_after[one.fooled_after >= 0]
    what = (
        f"{_METHODS[one.method]} from {len(one.starts)} poses read rightly fooled it from {one.fooled}"
    )
    if not len(first):
        return f"{what} ({one.asked} renderings)."
    after = f"after {int(np.median(first))} renderings at the median"
    if found.numbers:
        return f"{what}, {after}."
    best = float(one.answers.sure[one.answers.wrong].max(initial=0))
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
    return f"{one.sure:.0f}°" if found.numbers else f"{one.said} {one.sure:.2f}"


def pose_words(pose: Poses) -> str:
    """Yaw, pitch and roll for people."""
    rounded = (round(value) for value in pose.angles_deg[0].tolist())  # round makes no −0
    words = (f"{value}°".replace("-", "−") for value in rounded)
    return ", ".join(
        f"{name} {word}" for name, word in zip(("yaw", "pitch", "roll"), words, strict=True)
    )


def page_parts(found: Findings, draw: Draw, input_words: str) -> list[tuple[str, str]]:
    """(title, HTML) of the page's sections."""
    shown = f"Drawn at {_SIDE} pixels; the run saw {input_words}."
    strong = Section("The strongest", _strong_intro(found), [_gallery(found, draw, shown)])
    parts = [("In short", section_body(_short(found, draw))), ("The strongest", section_body(strong))]
    if found.maps:
        maps = "".join(_map_figure(found, draw, at) for at in range(len(found.maps)))
        intro = (
            "All but the two angles is as in the usual pose. Pictures at the edges show the object so "
            "turned. Paler is less sure."
        )
        parts.append(("Maps", f'<p class="intro">{intro}</p><div class="figures">{maps}</div>'))
    parts.append(("What it depends on", section_body(_curves(found))))
    parts.append(("How it is measured", section_body(_method(found))))
    return parts


def _short(found: Findings, draw: Draw) -> Section:
    rows = [(one,) for one in statements(found)]
    figures: list[Figure] = [
        Gallery("The usual pose, and the nearest that fools", "", _pair(found, draw))
    ]
    figures.append(Table("What was found", "", ("finding",), rows))
    if found.confusions:
        figures.append(
            Bars(
                "What it is taken for",
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
    usual = found.canonical
    word = usual.said[0] if found.numbers else f"{usual.said[0]} {usual.sure[0]:.2f}"
    items = [
        GalleryItem(
            draw(found.space.canonical, _SIDE),
            word,
            f"usual: {pose_words(found.space.canonical)}",
            "bad" if usual.wrong[0] else "good",
        )
    ]
    near = found.nearest
    if near.pose is not None and near.answer is not None and near.turned_deg > 0:
        word = (
            near.answer.said[0] if found.numbers else f"{near.answer.said[0]} {near.answer.sure[0]:.2f}"
        )
        note = f"turned by {near.turned_deg:.1f}°: {pose_words(near.pose)}"
        items.append(GalleryItem(draw(near.pose, _SIDE), word, note, "bad"))
    return items


def _strong_intro(found: Findings) -> str:
    if found.numbers:
        return "The poses whose answer is farthest off, unlike each other."
    return "The misread poses of which the run is surest: three a wrong answer, unlike each other."


def _gallery(found: Findings, draw: Draw, shown: str) -> Gallery:
    items = [
        GalleryItem(
            draw(one.pose, _SIDE),
            one.said if found.numbers else f"{found.truth} → {one.said} {one.sure:.2f}",
            f"{pose_words(one.pose)}; {_BY[one.how]}",
            "bad",
        )
        for one in found.strongest()
    ]
    return Gallery("Strange poses", shown, items, empty="No pose that was tried is misread.")


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
        ("angles", "yaw right, pitch up and roll clockwise are positive; intrinsic, in this order"),
        ("rotations", "spread evenly over all of them (SO(3), Shoemake 1992)"),
        ("size", f"sphere around the object, {low[0]:g} to {high[0]:g} of the picture"),
        ("place", f"middle of the object up to {high[1]:g} of the picture from the middle, each way"),
        ("light", f"from any side, {low[4]:g} to {high[4]:g}° above the horizon"),
        ("evolution", "CMA-ES over eight numbers, from poses read rightly"),
        ("slope", "central differences through the renderer (Alcorn et al. 2019), as a run's own slope "
                  "says nothing about the renderer"),
        ("smallest turn", f"about {found.nearest.axes} axes drawn evenly: the least of those, an upper "
                          "bound of the least there is"),
        ("intervals", "95 %, Wilson for shares"),
        ("beware", "a rendered solid is no photograph: a run of photographs may misread even the usual "
                   "pose, and then no other pose says much"),
    ]  # fmt: skip
    return Section("How it is measured", "", [Table("Terms", "", ("what", "how"), list(rows))])
