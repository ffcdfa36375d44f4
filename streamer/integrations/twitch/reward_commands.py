"""Which command each of our channel-point rewards runs; rewards that are not ours run none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from streamer.text import clean, match_form
from streamer.types import Trigger


class RewardCommands:
    """The commands behind reward ids: one whole table at a time, set by the output that keeps the rewards at Twitch.

    The Twitch trigger reads it where redemptions come in; docs/decisions/0014 says why both share it.
    """

    def __init__(self, commands: Mapping[str, str] | None = None) -> None:
        self._commands = dict(commands or {})

    def replace(self, commands: Mapping[str, str]) -> None:
        """Replace the table; ``{text}`` in a command stands for what the viewer typed."""
        self._commands = dict(commands)

    def __contains__(self, reward_id: object) -> bool:
        """Tell whether a reward is ours."""
        return reward_id in self._commands

    def resolve(self, trigger: Trigger) -> Trigger | None:
        """Replace a redemption's text by its reward's command; None when the reward is not ours.

        A trigger without a redemption is returned as it is.
        """
        if trigger.redemption is None:
            return trigger
        command = self._commands.get(trigger.redemption.reward_id)
        return None if command is None else replace(trigger, text=_filled_in(command, trigger.text), paid=True)


def _filled_in(command: str, typed: str) -> str:
    word, typed = command.split(maxsplit=1)[0], clean(typed)
    # Viewers who know the command type it into the reward's field as well.
    first, _, rest = typed.partition(" ")
    is_command = rest != "" and match_form(first) == match_form(clean(word))
    return command.replace("{text}", rest if is_command else typed)
