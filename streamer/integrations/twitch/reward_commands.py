"""Which reward of the channel stands for which line; rewards that are not ours stand for none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from streamer.types import Trigger


class RewardCommands:
    """The lines behind reward ids: written by whoever keeps the rewards, read where triggers come in."""

    def __init__(self) -> None:
        self._lines: dict[str, str] = {}

    def put(self, lines: Mapping[str, str]) -> None:
        """Replace what each reward id stands for; ``{text}`` in a line is what the viewer typed."""
        self._lines = dict(lines)

    def __contains__(self, reward_id: object) -> bool:
        """Tell whether a reward is ours."""
        return reward_id in self._lines

    def worded(self, trigger: Trigger) -> Trigger | None:
        """Return the trigger with the line that its reward stands for; None when it is a reward of somebody else."""
        if trigger.redemption is None:
            return trigger
        line = self.line(trigger.redemption.reward_id, trigger.text)
        return None if line is None else replace(trigger, text=line, paid=True)

    def line(self, reward_id: str, typed: str) -> str | None:
        """Return what a reward types with a viewer's words in it; None when it is not ours."""
        line, typed = self._lines.get(reward_id), typed.strip()
        if line is None:
            return None
        word = line.split()[0]
        # People who know the command type it into the reward's field as well.
        if typed.casefold().startswith(f"{word} ".casefold()):
            typed = typed[len(word) :].strip()
        return line.replace("{text}", typed)
