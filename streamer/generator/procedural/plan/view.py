"""Chooses the view: from the places that a prompt names or, if it names none, from where its figures are at home."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from enum import StrEnum

from streamer.generator.procedural.plan.cast import Figure
from streamer.generator.procedural.plan.idea import Idea
from streamer.generator.procedural.plan.kinds import Habitat

_OUTDOORS = frozenset(
    ("mountains", "city", "village", "sea", "lake", "forest", "desert", "field", "jungle", "road", "rails")
)
_WATERY = frozenset(("sea", "lake", "ice"))
_NOT_A_VIEW = frozenset(
    ("computer", "books", "plants", "fireplace", "cactus", "castle", "stars", "rings", "cosy", "roof", "planet")
)
_LANDMARKS = frozenset(
    (
        "roof",
        "lighthouse",
        "castle",
        "cabin",
        "windmill",
        "bridge",
        "campfire",
        "beach",
        "volcano",
        "waterfall",
        "balloon",
        "fireworks",
        "pyramid",
    )
)
_IN_A_MEME = frozenset(("sun", "moon", "balloon", "boat", "tree", "birds", "planet", "palm", "flowers"))


class View(StrEnum):
    """What the viewer looks at; compose.py has the plan of each."""

    LAND = "land"
    ROOM = "room"
    TABLE = "table"
    SILL = "sill"
    BRANCH = "branch"
    STAGE = "stage"
    SPACE = "space"
    MOON = "moon"
    UNDERWATER = "underwater"
    ICE = "ice"
    HEIGHTS = "heights"
    POSTER = "poster"
    PATTERN = "pattern"


_PLACES_OF_HOMES: dict[str, tuple[str, ...]] = {
    "forest": ("forest",),
    "jungle": ("jungle", "forest"),
    "field": ("field",),
    "savanna": ("field",),
    "desert": ("desert",),
    "ice": ("ice",),
    "sea": ("sea",),
    "beach": ("sea",),
    "underwater": ("underwater",),
    "lake": ("lake",),
    "sky": ("heights",),
    "space": ("space",),
    "city": ("city",),
    "gloom": ("forest",),
    "hills": ("mountains",),
    "room": ("room",),
    "desk": ("room",),
    "table": ("table",),
    "nowhere": (),
}


def choose(idea: Idea, kind: str) -> tuple[View, Idea]:
    """Return the view, and the idea with the places that its figures bring along."""
    is_portrait = kind != "background"
    if is_portrait and not idea.cast and idea.scenic and not _is_view(idea):
        return View.POSTER, replace(idea, cast=idea.scenic)
    if _says_where(idea, is_portrait):
        idea = _with_water(_on_a_roof(idea))
    elif is_portrait and (idea.cast or not idea.places):
        return View.POSTER, idea
    else:
        idea = _at_home(idea)
    return _view(idea, is_portrait), idea


def _is_view(idea: Idea) -> bool:
    """Tell whether a place is named that fills a picture; a moon or a rainbow alone is a thing in a meme."""
    return bool(idea.places or idea.features - _IN_A_MEME - {"stars"})


def _says_where(idea: Idea, is_portrait: bool) -> bool:
    """Tell whether the prompt itself names a place, or weather, hour or a landmark that need one."""
    if idea.places:
        return True
    if is_portrait:
        named = idea.weather or idea.features - _NOT_A_VIEW - _IN_A_MEME
        return bool(named and not idea.cast) or "computer" in idea.features
    if idea.features & _LANDMARKS:
        return True
    furnished = idea.features & {"computer", "fireplace", "cosy"}
    return bool(furnished or idea.features - _NOT_A_VIEW - {"sun", "moon", "flowers"}) and not idea.cast


def _at_home(idea: Idea) -> Idea:
    """Give a prompt without a place the home of its first living figure, or else of its first figure."""
    figures = sorted(idea.cast, key=lambda figure: not figure.is_alive)
    home = next((figure.kind.home for figure in figures if figure.kind.home), "")
    if home == "underwater" and (idea.time or idea.features & {"stars", "moon", "sun"} or idea.weather):
        home = "sea"
    if home == "sky" and not all(figure.kind.habitat in (Habitat.SKY, Habitat.AIR) for figure in idea.cast):
        home = "field"
    extra: dict[str, frozenset[str]] = {
        "beach": frozenset(("beach", "palm")),
        "jungle": frozenset(("palm",)),
        "desk": frozenset(("computer",)),
        "sea": frozenset(("calm_sea",)),
    }
    moods = idea.moods | ({"gloomy"} if home == "gloom" else set())
    time = idea.time or ("night" if home == "gloom" else "dusk" if home == "savanna" else None)
    return _with_water(
        replace(
            idea, places=(*idea.places, *_PLACES_OF_HOMES.get(home, ())), moods=frozenset(moods), time=time,
            features=idea.features | extra.get(home, frozenset()),
        )
    )  # fmt: skip


def _on_a_roof(idea: Idea) -> Idea:
    return replace(idea, places=(*idea.places, "city")) if "roof" in idea.features and not idea.places else idea


def _with_water(idea: Idea) -> Idea:
    """Add water where something swims or floats and the place has none: a lake inland, the sea elsewhere."""
    swims = any(figure.kind.habitat in (Habitat.AFLOAT, Habitat.SUBMERGED) for figure in idea.cast)
    places = set(idea.places)
    if _dives(idea, places):
        return replace(idea, places=("underwater", *(name for name in idea.places if name not in _WATERY)))
    if not swims or places & (
        _WATERY | {"underwater", "space", "room", "table", "sill", "desert", "moonscape", "heights", "stage"}
    ):
        return idea
    return replace(
        idea, places=(*idea.places, "lake" if places & {"mountains", "forest", "field", "village"} else "sea")
    )


def _dives(idea: Idea, places: set[str]) -> bool:
    """Tell whether all that is shown lives below the surface, as fish do and whales do not, and nothing is above it."""
    above = idea.time or idea.weather or idea.features - {"calm_sea"} or places - {"sea", "lake"}
    return bool(idea.cast) and not above and all(figure.kind.stays_below for figure in idea.cast)


def _view(idea: Idea, is_portrait: bool) -> View:  # noqa: C901, PLR0911 - a list of cases, the strongest first
    places = set(idea.places)
    outside = bool(places & _OUTDOORS or (idea.weather and idea.features & _LANDMARKS))
    if "abstract" in places and not idea.cast:
        return View.PATTERN
    if "moonscape" in places:
        return View.MOON
    if "branch" in places:
        return View.BRANCH
    if "sill" in places and not outside and _are_small(idea.cast):
        return View.SILL
    if "table" in places and not outside:
        return View.TABLE
    if "stage" in places and not outside:
        return View.STAGE
    if "room" in places or (
        idea.features & ({"computer"} if is_portrait else {"computer", "fireplace", "cosy", "books"}) and not outside
    ):
        return _indoors(idea)
    if "underwater" in places:
        return View.UNDERWATER
    if "space" in places and not outside:
        return View.SPACE
    if "heights" in places:
        return View.HEIGHTS
    if "ice" in places:
        return View.ICE
    return _open_air(idea, outside, is_portrait)


def _indoors(idea: Idea) -> View:
    """Choose between a room, a table for things, and the street where a building is to be seen from outside."""
    if any(figure.kind.habitat is Habitat.FAR for figure in idea.cast):
        return View.LAND
    furnished = idea.features & {"computer", "fireplace"}
    return View.TABLE if _are_things(idea.cast) and not furnished else View.ROOM


def _open_air(idea: Idea, outside: bool, is_portrait: bool) -> View:
    if (
        outside
        or idea.weather
        or idea.features & _LANDMARKS
        or idea.features - _NOT_A_VIEW
        or (not is_portrait and (idea.time or idea.season or "neon" in idea.moods))
    ):
        return View.LAND
    return View.POSTER if idea.cast or is_portrait else View.PATTERN


def _are_small(cast: Iterable[Figure]) -> bool:
    return all(figure.kind.size < 0.9 or figure.kind.habitat is Habitat.SKY for figure in cast)


def _are_things(cast: tuple[Figure, ...]) -> bool:
    return bool(cast) and all(figure.kind.habitat is Habitat.THING for figure in cast)
