"""From what was typed to the cases to measure: models x sizes x precisions, each with the backend that draws it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from streamer.errors import BackendUnavailable, ConfigError
from streamer.generator import models
from streamer.generator.backend_choice import backend_names, choose
from streamer.generator.benchmark.arguments import ALL, PRECISIONS, Size
from streamer.generator.benchmark.cards import named
from streamer.generator.benchmark.device import MODEL_BACKENDS, TORCH_BACKENDS
from streamer.generator.benchmark.random_weights import can_build
from streamer.generator.benchmark.results import Case, Skipped
from streamer.generator.checkpoint_check import read_index
from streamer.generator.model_name import hub_id, local_folder

USUAL_SIZE: Size = (1280, 720)
"""The size of a backend that has no model of its own, in pixels: that of a background."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants measured; without models that is what the program would draw with, without sizes its own."""

    models: Sequence[str] = ()
    sizes: Sequence[Size] = ()
    precisions: Sequence[str] = ("auto",)
    random: bool = False
    stock: bool = False
    runs: int = 20
    cards: tuple[str, ...] = ()
    """Other cards, whose floor is to be told."""


def cases_of(wish: Wish) -> list[Case | Skipped]:
    """Return every case in the order of measuring; those that make no sense are skipped already.

    Raises ConfigError for a word that means no model, and for a card that is not in the table.
    """
    for card in wish.cards:
        named(card)
    found: dict[Case, Case | Skipped] = {}
    for word in wish.models or (_usual_model(),):
        for name, backend, native in _meant(word):
            for width, height in wish.sizes or (native,):
                plain = Case(name, backend, width, height, random=wish.random and backend in MODEL_BACKENDS)
                case = replace(plain, runs=wish.runs, cards=wish.cards)
                found |= {one: _checked(one) for one in _cases_at(case, wish)}
    return list(found.values())


def _usual_model() -> str:
    """Return what ``use: auto`` would draw with."""
    return "klein-4b" if choose("auto").name == "klein" else "procedural"


def _meant(word: str) -> Iterator[tuple[str, str, Size]]:
    """Yield the name, the backend and the own size of what a word means."""
    rows = models.shipped().values() if word == ALL else filter(None, [models.find(word)])
    meant: list[tuple[str, str, Size]] = [(row.name, row.backend, row.native) for row in rows]
    if not meant and word in backend_names() and word not in MODEL_BACKENDS:
        meant = [(word, word, USUAL_SIZE)]
    yield from meant or [_elsewhere(word)]


def _elsewhere(word: str) -> tuple[str, str, Size]:
    """Return the same of a folder, or of a model on the hub that the table does not list."""
    try:
        folder = local_folder(word)
        pipeline = hub_id(word) if folder is None else read_index(folder).pipeline
    except BackendUnavailable as error:
        names = ", ".join((*models.shipped(), "procedural", ALL))
        raise ConfigError("MODEL", error.problem, fix=f"{error.fix}; or one of {names}") from error
    is_klein = pipeline.startswith("Flux2Klein") or "flux.2-klein" in pipeline.casefold()
    name = word if folder is None else str(folder.absolute())
    return name, "klein" if is_klein else "diffusers", (1024, 1024)


def _cases_at(case: Case, wish: Wish) -> Iterator[Case]:
    """Yield the cases of one model at one size, the stock pipeline first."""
    if case.backend not in TORCH_BACKENDS:
        yield case  # which has one precision, and no pipeline of diffusers
        return
    if wish.stock:
        yield replace(case, stock=True)
    for precision in wish.precisions:
        yield replace(case, precision=precision)


def _checked(case: Case) -> Case | Skipped:
    """Return a case, or why it makes no sense on any machine."""
    allowed = PRECISIONS.get(case.backend, ("auto",))
    if case.precision not in allowed:
        return Skipped(case, f"this model can be drawn in {', '.join(allowed)}")
    if case.random and not can_build(case.model):
        return Skipped(case, "has no builder for random weights; without --random the real ones are loaded")
    return case
