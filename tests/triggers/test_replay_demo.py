"""The evening that ships: lively from the first seconds, many languages, a raid, and every command understood."""

from itertools import pairwise

import pytest

from streamer.commands.options import CommandOptions
from streamer.commands.parser import Commands
from streamer.commands.styles import StyleOptions
from streamer.text import clean
from streamer.triggers.replay import RecordedLine, read
from streamer.types import Actor, ImageRequest, Refusal, Role, StageCommand, Trigger

PICTURE = {"layer": "background", "width": 1280, "height": 720}
TABLE = {
    "bg": {"kind": "background", "aliases": ["background", "фон"], **PICTURE},
    "meme": {"kind": "meme", "aliases": ["мем"], "layer": "meme", "layout": "top_bottom"},
    "sticker": {"kind": "sticker", "layer": "sticker"},
} | {kind: {"kind": kind} for kind in ("undo", "redo", "clear", "pause", "resume", "panic", "style", "queue", "help")}
STYLES = dict.fromkeys(("plain", "watercolour", "noir", "storybook"), StyleOptions(prompt="{prompt}"))

Outcome = ImageRequest | StageCommand | Refusal | None


@pytest.fixture(scope="module")
def evening() -> list[tuple[RecordedLine, Outcome]]:
    options = {name: CommandOptions.model_validate(entry) for name, entry in TABLE.items()}
    commands = Commands(options, styles=STYLES, expires_after_s=30)

    def outcome(number: int, line: RecordedLine) -> Outcome:
        actor = Actor(line.actor.id, line.actor.name, line.actor.role)
        return commands.interpret(Trigger(f"line-{number}", "replay", line.text, actor, line.at, line.paid))

    return [(line, outcome(number, line)) for number, line in enumerate(read("demo"), start=1)]


def requests(evening: list[tuple[RecordedLine, Outcome]]) -> list[ImageRequest]:
    return [outcome for _, outcome in evening if isinstance(outcome, ImageRequest)]


def test_it_lasts_about_as_long_as_a_coffee(evening: list[tuple[RecordedLine, Outcome]]) -> None:
    assert 300 <= len(evening) <= 400
    assert 11 * 60 <= evening[-1][0].at <= 14 * 60


def test_pictures_begin_at_once_and_keep_coming_in_the_first_minutes(
    evening: list[tuple[RecordedLine, Outcome]],
) -> None:
    times = [0.0, *(request.at for request in requests(evening) if request.at < 180)]
    assert times[1] <= 3
    assert max(later - earlier for earlier, later in pairwise(times)) <= 20


def test_a_raid_of_first_timers_asks_all_at_once(evening: list[tuple[RecordedLine, Outcome]]) -> None:
    seen: set[str] = set()
    firsts = []
    for line, outcome in evening:
        if isinstance(outcome, ImageRequest) and line.actor.id not in seen:
            firsts.append(line.at)
        seen.add(line.actor.id)
    assert max(sum(start <= at < start + 10 for at in firsts) for start in firsts) >= 20


def test_every_kind_of_command_and_every_kind_of_mistake_occurs(evening: list[tuple[RecordedLine, Outcome]]) -> None:
    assert {request.kind for request in requests(evening)} == {"background", "meme", "sticker"}
    orders = {outcome.action for _, outcome in evening if isinstance(outcome, StageCommand)}
    assert orders == {"undo", "redo", "clear", "pause", "resume", "style", "queue", "help"}
    assert {outcome.rule for _, outcome in evening if isinstance(outcome, Refusal)} == {"syntax", "role"}
    unknown = [line.text for line, outcome in evening if outcome is None and line.text.startswith("!")]
    assert unknown == ["!bgg ein schloss"]
    assert any("https://" in request.text and "https://" not in request.prompt for request in requests(evening))
    assert max(len(request.text) for request in requests(evening)) > 300


def test_everybody_is_one_person_with_one_role(evening: list[tuple[RecordedLine, Outcome]]) -> None:
    people = {line.actor.id: line.actor for line, _ in evening}
    assert all(line.actor == people[line.actor.id] for line, _ in evening)
    assert len({actor.name for actor in people.values()}) == len(people) > 40
    assert {actor.role for actor in people.values()} == set(Role)


def test_it_is_spoken_in_many_scripts_and_some_pictures_are_paid_for(
    evening: list[tuple[RecordedLine, Outcome]],
) -> None:
    text = " ".join(request.prompt for request in requests(evening))
    assert all(letter in text for letter in "жáüéã海")
    assert 1 <= sum(line.paid for line, _ in evening) <= 10
    assert all(clean(line.actor.name) == line.actor.name for line, _ in evening)
