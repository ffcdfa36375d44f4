"""Every stage command does something, and viewers cannot flood the overlay with answers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from streamer.interfaces import ReceiptOutcome
from streamer.pipeline.moderator import ModeratorActions
from streamer.pipeline.stage_commands import DECISIONS, StageCommands
from streamer.types import Actor, Answer, Event, Role, StageAction, StageCommand, Toast
from tests.support.show import Room


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    """A show without its loops."""
    room = Room(tmp_path)
    await room.store.open()
    yield room
    await room.store.close()


@pytest.fixture
def commands(room: Room) -> StageCommands:
    moderator: ModeratorActions = room.moderator
    return StageCommands(room.show, room.controls, moderator)


def command(action: StageAction, text: str = "", role: Role = Role.MODERATOR) -> StageCommand:
    return StageCommand(f"c-{action}", action, None, text, Actor("7", "ann", role), 100.0, "test")


@pytest.mark.parametrize("action", list(StageAction))
async def test_every_action_is_done(room: Room, commands: StageCommands, action: StageAction) -> None:
    text = "noir" if action is StageAction.STYLE else "ben"
    receipt = await commands.obey(command(action, text))
    assert receipt.outcome is ReceiptOutcome.DONE


async def test_a_viewer_is_answered_once_and_a_moderator_always(commands: StageCommands) -> None:
    viewers = [await commands.obey(command(StageAction.QUEUE, role=Role.VIEWER)) for _ in range(2)]
    moderators = [await commands.obey(command(StageAction.QUEUE)) for _ in range(2)]
    assert [receipt.outcome for receipt in (*viewers, *moderators)] == ["done", "refused", "done", "done"]


def test_what_decides_about_people_and_held_pictures_takes_trust() -> None:
    assert set(DECISIONS) == {"approve", "deny", "ban", "unban"}


async def test_a_name_from_right_to_left_is_isolated_on_the_overlay_and_plain_in_chat(
    room: Room, commands: StageCommands
) -> None:
    events: list[Event] = []
    room.show.publisher.subscribe(events.append)
    await commands.obey(command(StageAction.UNBAN, "דנה"))
    assert [event.text for event in events if isinstance(event, Toast)] == ["\u2068דנה\u2069 is not banned"]
    assert [event.text for event in events if isinstance(event, Answer)] == ["דנה is not banned"]
