"""The stress card as one HTML page in the look of the run report: no network, no script."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files

import numpy as np

from striate.figures import Gallery, GalleryItem, Section, Table
from striate.pictures.lettering import spaced
from striate.pictures.resize import resize
from striate.runs.markup import escape
from striate.runs.page import Tiles, contents, document, masthead, section_body, tiles
from striate.stress.card import StressCard, estimate_words, level_words, three
from striate.stress.card_drawing import draw_advice, draw_summary
from striate.stress.card_plots import FEW, draw_curves
from striate.stress.curves import Estimate, StressCurve
from striate.stress.knee import RULE
from striate.stress.variation import Cluster, Variation
from striate.types import Picture

__all__ = ["render_card"]

_INTRO = (
    "The pictures are changed in known ways, step by step, as the network sees them, and the answers "
    "held against truths that move along. There is no one number for how a model bears stress: each "
    "axis has its own row, curve and verdict, and every score its interval."
)
_TRIED = (
    "What is marked measured was tried: the same model, trained with and without it under equal small "
    "budgets, on the worst axis and the same pictures. Small budgets show the direction, not the size."
)
_GUESSED = (
    "These are the settings of training that answer the axes that lose most. They are guesses until "
    "they are tried."
)
_TURNED = (
    "An upright box becomes the upright box around the moved ellipse within it, since no box tells how "
    "its object fills it. Between 0 and 90° that is larger or smaller than the object: part of a fall "
    "under turns is that, not the run."
)
_GAP = 4
_KINDS = 8
_LEAST_SIDE = 64


def render_card(card: StressCard) -> str:
    """The page as text; everything from outside is escaped."""
    style = (files("striate.stress") / "card.css").read_text("utf-8")
    taken = (
        f"{spaced(card.pictures)} of {spaced(card.available)} pictures of {card.source} ({card.split})"
    )
    head = masthead(f"What breaks {card.run}", kind="striate stress", facts=taken)
    opening = f'<p class="intro" style="margin-bottom:18px">{escape(_INTRO)}</p>'
    warnings = "".join(f'<p class="note warned">{escape(one)}</p>' for one in card.warnings)
    body = (
        f"<style>{style}</style>{head}{opening}{tiles(_numbers(card))}{warnings}{contents(_parts(card))}"
    )
    return document(f"What breaks {card.run} · striate", body)


def _numbers(card: StressCard) -> Tiles:
    name = card.measured.scorer.name
    score = estimate_words(card.clean)
    counts = [(verdict, len(card.of_verdict(verdict))) for verdict in ("breaks", "bends", "holds")]
    clean = (f"{name}, clean", score)
    if card.is_at_chance or not card.curves:
        return [clean]
    if len(card.curves) <= FEW:
        return [clean, *(_at_last(one) for one in card.curves)]
    return [
        clean,
        *((f"{verdict} on", f"{count} {'axis' if count == 1 else 'axes'}") for verdict, count in counts),
    ]


def _at_last(curve: StressCurve) -> tuple[str, str]:
    """The score at the harshest severity."""
    last = curve.levels[-1]
    return f"{curve.axis.title}, {level_words(last.level, curve.axis.unit)}", estimate_words(last.score)


def _parts(card: StressCard) -> list[tuple[str, str]]:
    said = "".join(f"<li>{escape(_unbroken(one))}</li>" for one in card.statements)
    parts = [
        ("Summary", f'<ul class="said">{said}</ul><div class="figures">{draw_summary(card)}</div>'),
    ]
    if card.curves:
        parts.append(("Curves", draw_curves(card)))
    if card.corrupted is not None:
        parts.append(("Corruptions", section_body(_corruptions(card))))
    parts.append(("Worst cases", section_body(_cases(card))))
    parts.append(("Kinds within a class", section_body(_kinds(card))))
    parts.append(("What to try", _advice(card)))
    parts.append(("How it is measured", section_body(_method(card))))
    return parts


def _unbroken(text: str) -> str:
    """Numbers stay with their per cent sign."""
    return text.replace(" %", "\N{NO-BREAK SPACE}%")


# -- worst cases ------------------------------------------------------------------------------


def _cases(card: StressCard) -> Section:
    items = [
        GalleryItem(
            beside([one.before, one.after]),
            f"{one.said_before} → {one.said_after}",
            f"{one.title}, {one.level}; truth {one.truth}; {one.key}",
            "bad",
        )
        for one in card.cases
    ]
    caption = (
        "Right as they are (left), wrong after the mildest change (right); of those the surest of their "
        "wrong answers. One for each axis, those that lose most first."
    )
    empty = "No picture that was right became wrong."
    return Section("", "", [Gallery("Clean, and changed", caption, items, empty=empty, large=True)])


def beside(pictures: Sequence[Picture], gap: int = _GAP) -> Picture:
    """Pictures of one size in a row, small ones enlarged with hard edges; white in between."""
    factor = max(1, _LEAST_SIDE // max(pictures[0].shape[:2]))
    parts: list[Picture] = []
    for picture in pictures:
        large = picture.repeat(factor, axis=0).repeat(factor, axis=1)
        if large.shape[0] != parts[0].shape[0] if parts else False:
            large = resize(large, (parts[0].shape[0], large.shape[1]))
        parts += [np.full((large.shape[0], gap, 3), 255, np.uint8)] * bool(parts) + [large]
    return np.concatenate(parts, axis=1)


# -- kinds ------------------------------------------------------------------------------------


def _kinds(card: StressCard) -> Section:
    found = card.variation
    if found is None:
        return Section("", f"Not measured: {card.variation_missing.rstrip('.')}.")
    items = [
        _kind(one, card.kinds.get((one.group, one.number), ()), found) for one in found.clusters[:_KINDS]
    ]
    name = card.measured.scorer.name
    luck = three(found.by_luck)
    intro = (
        "Pictures of one class, grouped by what the last hidden layer makes of them (k-means). A class "
        "can be right on average and wrong for one kind of its pictures. The worst of "
        f"{len(found.clusters)} groups looks bad by luck alone: with shuffled answers it is as bad as "
        f"{luck} one time in twenty. Here it is {three(found.worst.score)}: "
        + ("worse than luck explains." if found.is_real else "no worse than luck explains.")
    )
    shown = [one for one in items if one is not None]
    figures = [
        Gallery(
            "The worst kinds", "Typical pictures of each, those nearest its middle.", shown, large=True
        )
    ]
    rows = [
        (
            one.group,
            one.number,
            one.pictures,
            estimate_words(Estimate(one.score, *one.interval)),
        )
        for one in found.clusters
    ]
    table = Table("All kinds", "", ("class", "kind", "pictures", f"{name} (95 %)"), rows)
    return Section("", intro, [*figures, table])


def _kind(one: Cluster, pictures: Sequence[Picture], found: Variation) -> GalleryItem | None:
    if not len(pictures):
        return None
    below = one.score < found.by_luck if found.more_is_better else one.score > found.by_luck
    title = f"{one.group}, kind {one.number}: {estimate_words(Estimate(one.score, *one.interval))}"
    return GalleryItem(
        _in_rows(pictures), title, f"{one.pictures} pictures", "bad" if below else "plain"
    )


def _in_rows(pictures: Sequence[Picture]) -> Picture:
    """From four on in two rows, so that each is seen; white where the second is shorter."""
    if len(pictures) < 4:
        return beside(pictures, 2)
    half = -(-len(pictures) // 2)
    upper, lower = beside(pictures[:half], 2), beside(pictures[half:], 2)
    wide = max(upper.shape[1], lower.shape[1])
    rows = [
        np.pad(one, ((0, 0), (0, wide - one.shape[1]), (0, 0)), constant_values=255)
        for one in (upper, np.full((2, wide, 3), 255, np.uint8), lower)
    ]
    return np.concatenate(rows, axis=0)


# -- corruptions ------------------------------------------------------------------------------


def _corruptions(card: StressCard) -> Section:
    found = card.corrupted
    assert found is not None
    rows = [(found.name, estimate_words(found.overall))]
    if found.relative is not None:
        rows.append(
            (
                found.relative_name,
                estimate_words(found.relative),
            )
        )
    if card.task == "classify":  # mCE is defined for classes alone
        rows.append(("baseline", found.baseline or "none: add --against RUN for mCE"))
    figures = [Table("The 15 corruptions summed up", found.meaning, ("measure", "value"), rows)]
    if found.by_corruption is not None:
        ratios = [(name, round(one, 3)) for name, one in found.by_corruption.items()]
        caption = f"Errors over five severities, as a share of those of {found.baseline}."
        figures.append(Table("By corruption", caption, ("corruption", "error relative"), ratios))
    source = "Hendrycks & Dietterich 2019, Benchmarking neural network robustness to common corruptions."
    return Section("", source, figures)


# -- advice and method ------------------------------------------------------------------------


def _advice(card: StressCard) -> str:
    if card.is_at_chance:
        return '<p class="intro">First of all the run has to be better than chance.</p>'
    if not card.advice:
        return '<p class="intro">No axis bends or breaks: there is nothing to mend on these axes.</p>'
    if any(one.gain is not None for one in card.advice):
        return f'<p class="intro">{escape(_TRIED)}</p>{draw_advice(card.advice)}'
    intro, more = _GUESSED, ""
    if card.next_words and any(one.settings for one in card.advice):
        intro += " The last line tries the first of them."
        more = f'<pre style="margin-top:12px">{escape(card.next_words)}</pre>'
    return f'<p class="intro">{escape(intro)}</p>{draw_advice(card.advice)}{more}'


def _chance(card: StressCard) -> str:
    """What another call would give."""
    if card.shortened or card.measured.left_out:
        return (
            f"seed {card.seed} decides which pictures and which changes; how many there was time for "
            "depends on the machine; --time-budget none takes the same every time"
        )
    return f"seed {card.seed}: the same pictures, changed in the same way"


def _method(card: StressCard) -> Section:
    height, width = card.size_hw
    scorer = card.measured.scorer
    spent = card.measured.spent
    terms = [
        ("what changes", f"the picture as the network sees it, {height} × {width} pixels"),
        ("score", scorer.note),
        ("verdicts", RULE),
        (
            "intervals",
            "95 %. Of shares of the pictures Wilson's, else bootstrap over pictures, with room for what "
            "so few cannot exclude. All passes are resampled alike, so losses are paired",
        ),
        ("chance", _chance(card)),
        (
            "work",
            f"{spaced(card.measured.passes)} pictures answered; seconds of all workers: changing "
            f"{spent.change:.0f}, network {spent.graph:.0f}, decoding {spent.decode:.0f}",
        ),
    ]
    if card.task == "detect":
        terms.append(("boxes that turn", _TURNED))
    figures = [Table("Terms", "", ("what", "how"), terms)]
    axes = [
        (
            one.axis.title,
            one.axis.unit,
            ", ".join(f"{level:g}" for level in one.axis.levels),
            one.axis.source or "–",
        )
        for one in card.curves
    ]
    if axes:
        figures.append(Table("Axes", "", ("axis", "unit", "levels", "what is done"), axes))
    if card.left_out:
        rows = [
            (", ".join(one.title for one in same), reason)
            for reason, same in card.left_out_by_reason.items()
        ]
        figures.append(Table("Not measured", "", ("axis", "why"), rows))
    if card.problems:
        problems = [(one.key, one.reason) for one in card.problems]
        figures.append(Table("Pictures with problems", "", ("picture", "what"), problems))
    return Section("", "", figures)
