"""Who is in a picture: the drawings that a prompt mentions, in which number and colour, and who is on or in what."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from streamer.generator.procedural.plan import lexicon
from streamer.generator.procedural.plan.kinds import Habitat, Kind, face_of, kind_of, whole_animal
from streamer.generator.procedural.subjects.library import drawing
from streamer.generator.procedural.subjects.words import Mention

MOST_FIGURES, MOST_COPIES, MOST_IN_ALL = 6, 9, 11
_WORD = re.compile(r"[^\W_]+")
_NEAR = 28
"""How many characters may lie between two things for a word between them to relate them."""
_SOON = 2
"""How many words may stand between a thing and the preposition that belongs to it."""
_FLIGHT = ("flying", "flown")
"""What the lexicon says of words that lift the thing behind them, or the one before, into the air."""
_COLOUR_ENDING = re.compile("[いのな色]+$")
_LONGEST_COLOUR = 3
"""How many characters a colour's word has in a script without blanks."""


class Relation(StrEnum):
    """How a figure is placed toward the one it is tied to."""

    ON = "on"
    IN = "in"
    OVER = "over"
    UNDER = "under"
    WORN = "worn"


@dataclass(frozen=True, slots=True)
class Dye:
    """A colour that the word at ``start`` gives to one figure: a hue in degrees, or a lightness without one."""

    start: int
    hue: float | None = None
    lightness: float | None = None


@dataclass(frozen=True, slots=True)
class Figure:
    """One drawing of the picture; ``tied_to`` is the index of the figure that ``relation`` is about."""

    key: str
    kind: Kind
    count: int
    start: int
    end: int
    dye: Dye | None = None
    relation: Relation | None = None
    tied_to: int | None = None

    @property
    def is_alive(self) -> bool:
        return self.kind.is_alive


def gather(prompt: str, mentions: Sequence[Mention]) -> tuple[Figure, ...]:
    """List what a prompt mentions, with the relations between what can be set into a scene; the scenic comes last."""
    figures = _merged([_figure(prompt, mention) for mention in _grown(prompt, mentions)])
    scenic = [figure for figure in figures if figure.kind.habitat is Habitat.SCENIC]
    solid = _clear([figure for figure in figures if figure.kind.habitat is not Habitat.SCENIC], prompt)[:MOST_FIGURES]
    return (*_thinned(_dressed(_related(prompt, solid))), *scenic)


def _grown(prompt: str, mentions: Sequence[Mention]) -> Iterator[Mention]:
    """Leave out a baby that only says how old the next creature is: a baby dragon."""
    for number, mention in enumerate(mentions):
        after = mentions[number + 1] if number + 1 < len(mentions) else None
        is_age = mention.drawing.name == "baby" and after is not None and kind_of(after.drawing).is_alive
        if not (is_age and after and prompt[mention.end : after.start].isspace()):
            yield mention


def _clear(figures: Sequence[Figure], prompt: str) -> list[Figure]:
    """Leave out what is only vaguely meant: unless the prompt has its name or its emoji, and nothing else."""
    clear = [figure for figure in figures if not figure.kind.is_vague]
    return clear or [figure for figure in figures if _is_spelled_out(figure, prompt)]


def _is_spelled_out(figure: Figure, prompt: str) -> bool:
    word = prompt[figure.start : figure.end].casefold()
    return not any(char.isalpha() for char in word) or bool(set(_WORD.findall(word)) & set(figure.kind.name.split()))


def _figure(prompt: str, mention: Mention) -> Figure:
    shown = drawing(whole_animal(mention.drawing.key)) or mention.drawing
    return Figure(
        shown.key,
        kind_of(shown),
        max(1, min(MOST_COPIES, mention.count)),
        mention.start,
        mention.end,
        _dye(prompt, mention.start, mention.end),
    )


def _merged(figures: Sequence[Figure]) -> list[Figure]:
    """Show a drawing once, however often it is mentioned."""
    first: dict[str, Figure] = {}
    for figure in figures:
        known = first.get(figure.key)
        first[figure.key] = replace(known, count=max(known.count, figure.count)) if known else figure
    return list(first.values())


def _dye(prompt: str, start: int, end: int) -> Dye | None:
    """Return the colour that the word right before or right after a thing gives to it."""
    before = list(_WORD.finditer(prompt, 0, start))[-1:]
    after = list(_WORD.finditer(prompt, end, end + _NEAR))[:1]
    for match in (*before, *after):
        word = match.group().casefold()
        if lexicon.is_unspaced(word):
            # The colour comes before the thing, and is only the last part of the run.
            word = _COLOUR_ENDING.sub("", word)[-_LONGEST_COLOUR:] if match.end() == start else ""
        if hues := lexicon.shipped().hues.find([word]):
            return Dye(match.start(), hue=hues[0])
        if shades := lexicon.shipped().shades.find([word]):
            return Dye(match.start(), lightness=shades[0])
    return None


def _thinned(figures: list[Figure]) -> list[Figure]:
    """Show fewer copies of what there is most of, until there is room for all."""
    counts = [figure.count for figure in figures]
    while sum(counts) > MOST_IN_ALL:
        counts[counts.index(max(counts))] -= 1
    return [replace(figure, count=count) for figure, count in zip(figures, counts, strict=True)]


def _related(prompt: str, figures: list[Figure]) -> list[Figure]:
    """Tie each figure to its neighbour in the prompt if the words between them say how."""
    related = [_aloft(prompt, figure) for figure in figures]
    for index in range(len(figures) - 1):
        first, second = figures[index], figures[index + 1]
        between = prompt[first.end : second.start].casefold()
        if len(between) > _NEAR:
            continue
        relation, turned = _relation(between)
        rider, base = (index + 1, index) if turned else (index, index + 1)
        if relation is Relation.IN and not figures[base].kind.encloses:
            relation = Relation.ON
        if relation is not None and _is_possible(relation, figures[rider], figures[base]):
            related[rider] = replace(related[rider], relation=relation, tied_to=base)
            if relation is Relation.ON and figures[base].kind.flown_at:
                related[base] = replace(related[base], relation=Relation.OVER)
    return related


def _aloft(prompt: str, figure: Figure) -> Figure:
    """Lift a figure into the sky if a word right beside it says that it flies or is over something."""
    relations = lexicon.shipped().relations
    before = _WORD.findall(prompt[: figure.start].casefold())[-1:]
    following = _WORD.findall(prompt[figure.end : figure.end + _NEAR].casefold())[:1]
    flies = "flying" in relations.find(before) or {"over", "flown"} & set(relations.find(following))
    if flies and figure.kind.habitat is not Habitat.SUBMERGED:
        return replace(figure, relation=Relation.OVER)
    return figure


def _relation(between: str) -> tuple[Relation | None, bool]:
    """Return the relation that the words name, and whether the second thing is the one placed."""
    words = _WORD.findall(between)
    for where, names in lexicon.shipped().relations.hits(words):
        plain, _, turned = names[0].partition("-")
        if plain in _FLIGHT:
            continue
        if turned or where[0] < _SOON:
            return Relation(plain), bool(turned)
    return None, False


def _is_possible(relation: Relation, rider: Figure, base: Figure) -> bool:
    if relation is Relation.ON:
        return base.kind.rideable and base.count == 1 and base.relation is None
    if relation is Relation.IN:
        return base.kind.encloses and base.count == 1
    return True


def _dressed(figures: list[Figure]) -> list[Figure]:
    """Put what can be worn onto the first living figure, or else the first thing, which then looks at the viewer."""
    able = [index for index, figure in enumerate(figures) if figure.kind.habitat is not Habitat.WORN]
    wearer = next((index for index in able if figures[index].is_alive), next(iter(able), None))
    if wearer is None:
        return figures
    holders = {figure.tied_to for figure in figures}
    dressed = [
        replace(figure, relation=Relation.WORN, tied_to=wearer, count=1)
        if figure.kind.habitat is Habitat.WORN and figure.relation is None and index not in holders
        else figure
        for index, figure in enumerate(figures)
    ]
    if any(figure.relation is Relation.WORN for figure in dressed):
        face = drawing(face_of(dressed[wearer].key))
        if face is not None:
            dressed[wearer] = replace(dressed[wearer], key=face.key, kind=kind_of(face))
    return dressed
