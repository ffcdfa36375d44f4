"""Runs the stage commands that people type or press: one method of Controls or ModeratorActions for each action."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from streamer.interfaces import Receipt, ReceiptOutcome
from streamer.moderation.bans import parse_ban
from streamer.pipeline.controls import Controls
from streamer.pipeline.forecast import in_words, shown_in
from streamer.pipeline.moderator import ModeratorActions
from streamer.pipeline.reply_throttle import ReplyThrottle
from streamer.pipeline.show import Show
from streamer.types import Role, StageAction, StageCommand

DECISIONS = frozenset({StageAction.APPROVE, StageAction.DENY, StageAction.BAN, StageAction.UNBAN})
# Answers are toasts on the overlay, too.
ANSWERS_S, ANSWERS_BURST = 2.0, 3
HELP_S = 8.0


class StageCommands:
    """Do what a stage command says; whoever typed it is answered by a toast and through the outputs."""

    def __init__(self, show: Show, controls: Controls, moderator: ModeratorActions) -> None:
        self._show, self.controls, self._moderator = show, controls, moderator
        self._answers, self._erasures = ReplyThrottle(ANSWERS_S, ANSWERS_BURST), ReplyThrottle(0.0)
        self._actions: Mapping[StageAction, Callable[[StageCommand], Awaitable[object]]] = {
            StageAction.PANIC: lambda command: controls.panic(),
            StageAction.PAUSE: lambda command: controls.pause(),
            StageAction.RESUME: lambda command: controls.resume(),
            StageAction.CLEAR: lambda command: controls.clear(command.layer),
            StageAction.FREE: lambda command: controls.release_gpu(),
            StageAction.WARM: lambda command: controls.reclaim_gpu(),
            StageAction.NEXT: self._skip,
            StageAction.UNDO: lambda command: controls.undo(command.layer or self._newest_layer()),
            StageAction.REDO: lambda command: controls.redo(command.layer or self._newest_layer()),
            StageAction.STYLE: self._style,
            StageAction.QUEUE: self._queue,
            StageAction.HELP: self._help,
            StageAction.CUT: self._cut,
            StageAction.APPROVE: self._decide,
            StageAction.DENY: self._decide,
            StageAction.BAN: self._ban,
            StageAction.UNBAN: self._unban,
            StageAction.FORGETME: self._forget,
        }

    async def obey(self, command: StageCommand) -> Receipt:
        """Run a command, unless its answers come faster than anybody reads them."""
        if self._is_flood(command):
            return Receipt(command.trigger_id, ReceiptOutcome.REFUSED, "cooldown", "that was answered a moment ago")
        await self._actions[command.action](command)
        return Receipt(command.trigger_id, ReceiptOutcome.DONE)

    def _is_flood(self, command: StageCommand) -> bool:
        """Tell whether a viewer asks for answers too often, or to be forgotten twice at once."""
        actor, now = command.actor, self._show.now()
        if actor.role >= Role.MODERATOR:
            return False
        if command.action is StageAction.FORGETME:
            return not self._erasures.take(actor.id, now)
        answered = command.action in (StageAction.QUEUE, StageAction.HELP)
        return answered and not self._answers.take(actor.id + command.action, now)

    def _newest_layer(self) -> str:
        return max(self._show.stage.snapshot(), key=lambda layer: layer.since or 0.0).layer

    async def _skip(self, command: StageCommand) -> None:
        self.controls.skip()

    async def _cut(self, command: StageCommand) -> None:
        self._moderator.cut()

    async def _style(self, command: StageCommand) -> None:
        self._show.commands = self._show.commands.with_style(command.text)
        self._show.publisher.mark_dirty()

    async def _queue(self, command: StageCommand) -> None:
        show = self._show
        line, place = show.scheduler.pending(), show.scheduler.place_of(command.actor.id)
        answer = f"{len(line)} waiting" if line else "nobody is waiting"
        if place:
            wait = in_words(shown_in(show)[line[place - 1].id])
            answer = f"{answer}, yours is number {place}, in about {wait}"
        show.publisher.answer(command, answer)

    async def _help(self, command: StageCommand) -> None:
        view = self._show.program_view
        text = self._show.commands.help(
            command.actor.role, edits=self._show.generator.abilities.edits, program=view is not None and view.open
        )
        self._show.publisher.answer(command, text, HELP_S)

    async def _decide(self, command: StageCommand) -> None:
        """Approve or deny the picture that the words name; ask back when it is not clear which one is meant."""
        show = self._show
        held = show.approvals.find(command.text, show.now())
        if held is None:
            waiting = show.approvals.all()
            names = ", ".join(f"{held.number} {show.display_name(held.request.actor.name)}" for held in waiting)
            show.publisher.answer(command, f"say which one; held: {names or 'nothing'}")
        elif command.action is StageAction.APPROVE:
            await self._moderator.release(held, f"moderator {command.actor.name}")
        else:
            await self._moderator.deny(held.request.id, command.actor.name)

    async def _ban(self, command: StageCommand) -> None:
        self._show.publisher.answer(command, await self._ban_answer(command))

    async def _ban_answer(self, command: StageCommand) -> str:
        name, minutes = parse_ban(command.text)
        if not name:
            return "usage: !ban NAME [minutes]"
        return (await self._moderator.ban(name, command.actor.name, minutes)).text

    async def _unban(self, command: StageCommand) -> None:
        self._show.publisher.answer(command, (await self._moderator.unban(command.text)).text)

    async def _forget(self, command: StageCommand) -> None:
        await self._moderator.forget_soon(command.actor)
        # Not on the overlay: whoever wants to be forgotten does not want to be shown.
        self._show.publisher.answer_privately(command, "all your data is deleted")
