"""What the streamer and the panel do to the running show: panic, pause, clear, undo, show again, take back."""

from __future__ import annotations

from streamer.pipeline.game_mode import NO_CARD
from streamer.pipeline.intake import IntakeState
from streamer.pipeline.show import Show
from streamer.types import ImageRequest, Lane, Retraction


class Controls:
    """Change the show at once; what has to be written down is written before a method returns."""

    def __init__(self, show: Show) -> None:
        self._show = show

    async def panic(self) -> None:
        """Blank every layer, empty the queue, close the intake: all in one step, and it stays so over a restart."""
        show = self._show
        stored = show.intake.set(IntakeState.PANIC)
        show.air(show.stage.panic(show.now()))
        show.active.cancel()
        show.publisher.publish(NO_CARD)
        show.drop(lambda request: True, "panic", "pictures were switched off")
        await stored

    async def pause(self) -> None:
        """Take no new requests of viewers and start none of their pictures; what is on air stays."""
        await self._show.intake.pause()
        self._show.publisher.mark_dirty()

    async def resume(self) -> None:
        """Open the intake again, after a pause or a panic."""
        await self._show.intake.set(IntakeState.OPEN)
        self._show.publisher.mark_dirty()
        self._show.work.set()

    async def release_gpu(self) -> None:
        """Enter game mode: the generator ends after its picture, requests wait, and the overlay shows a card."""
        self._show.publisher.publish(self._show.game_mode.release_gpu())

    async def reclaim_gpu(self) -> None:
        """Leave game mode; the card goes as soon as pictures can be drawn."""
        self._show.game_mode.reclaim_gpu()
        self._show.publisher.mark_dirty()
        self._show.work.set()

    def skip(self) -> None:
        """Let the next picture come at once, however short the one on air has been seen."""
        self._show.pacing.free_all()
        self._show.work.set()

    async def clear(self, layer: str | None) -> None:
        """Take a layer (None: every layer) off the air and cancel what was asked for it before."""
        show = self._show

        def meant(request: ImageRequest) -> bool:
            return request.priority is not Lane.PRIVATE and layer in (None, request.layer)

        show.air(show.stage.clear(layer, show.now()))
        if show.active.request is not None and meant(show.active.request):
            show.active.cancel()
        show.drop(meant, "cleared", "a moderator cleared the screen")

    async def undo(self, layer: str) -> bool:
        """Go back to the layer's picture before; False when there is none."""
        return self._show.air(self._show.stage.undo(layer, self._show.now()))

    async def redo(self, layer: str) -> bool:
        """Take the last undo back; False when there is none."""
        return self._show.air(self._show.stage.redo(layer, self._show.now()))

    async def show_again(self, picture_id: str) -> bool:
        """Show a picture of the history again, unless it is cleared or taken back while it is being read."""
        show, asked_at = self._show, self._show.now()
        row, frame = await show.store.requests.get(picture_id), await show.air_gate.clear_again(picture_id)
        if row is None or frame is None or frame.layer not in show.hub.layers:
            return False
        if show.retractions.since(row.id, row.actor_id, asked_at):
            return False
        show.lineage.note(row.id, row.actor_id)
        seconds = show.config.air_time_s.get(frame.layer)
        show.pacing.keep(frame.layer, frame.request_id, show.now())
        return show.air(show.stage.show(frame, seconds, asked_at, show.now()))

    async def cancel(self, request_id: str) -> bool:
        """Cancel a request that waits or is being drawn."""
        if self._show.active.cancel(request_id):
            return True
        return self._show.drop(lambda request: request.id == request_id, "removed", "a moderator removed it") > 0

    async def retract(self, retraction: Retraction) -> None:
        """Take back what a platform took back: waiting requests, the one being drawn, and what is on air.

        A cleared chat drops what waits and leaves the air alone: moderators clear chats to tidy up.
        """
        show = self._show
        show.retractions.note(retraction)
        show.publisher.notify(retraction)
        if retraction.message_id is None and retraction.actor_id is None:
            show.drop(lambda request: request.priority is Lane.CHAT, "retracted", "the chat was cleared")
            return

        def meant(request_id: str) -> bool:
            return show.lineage.is_retracted(request_id, retraction)

        if show.active.request is not None and meant(show.active.request.id):
            show.active.cancel()
        show.drop(lambda request: meant(request.id), "retracted", "the message was retracted")
        show.air(show.stage.retract(meant, show.now()))
        if retraction.message_id is not None:
            show.store.pictures.delete(retraction.message_id)
