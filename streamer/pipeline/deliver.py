"""From a request whose turn it is to its picture on air: drawn, judged, then refused, held or shown."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace

from streamer.errors import BackendError, StoreError, Unsupported
from streamer.interfaces import Receipt, ReceiptOutcome
from streamer.lru import LruDict
from streamer.moderation.admission import combine_verdicts
from streamer.moderation.air_gate import ClearedFrame
from streamer.moderation.approval import HeldPicture
from streamer.pipeline.controls import ShowParts
from streamer.pipeline.dedupe import Result
from streamer.pipeline.metrics import PipelineStep
from streamer.pipeline.moderator import ModeratorActions
from streamer.types import Answer, Frame, Hold, ImageRequest, Judgement, Refusal, RequestState, Role

log = logging.getLogger(__name__)

AIRING = 500
# Overhead is measured on requests that were drawn at once: waiting for one's turn is meant, and no overhead.
AT_ONCE_S = 0.05


class Deliver(ModeratorActions):
    """One request at a time, on the state of the show."""

    def __init__(self, parts: ShowParts, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(parts, clock)
        self._airing: LruDict[str, tuple[float, float | None]] = LruDict(AIRING)

    def _same(self, request: ImageRequest, now: float) -> Refusal | Result | HeldPicture | None:
        """Look for the same picture: refused a moment ago, on air since then, or held, which the request joins then."""
        fate = self._repeats.fate(request, now)
        if fate is not None and fate.refusal is not None:
            return replace(fate.refusal, request_id=request.id)
        shown = self._parts.stage.current(request.layer)
        if fate is not None and shown is not None and shown.request_id == fate.request_id:
            return fate
        return self._holds.join(request)

    async def _share(self, request: ImageRequest, same: Result | HeldPicture, now: float) -> Receipt:
        """Let a request end as the same picture before it: on air already, or to be looked at."""
        stored = self._parts.store.requests.accept(request)
        self._actors.put(request.id, request.actor.id)
        self._parts.metrics.took(PipelineStep.ADMIT, (now - request.at) * 1000)
        self._air.touch()
        if isinstance(same, HeldPicture):
            self._parts.store.requests.set_state(request.id, RequestState.HELD)
            if not same.goes:
                self._tell_held(request)
            return await self._written(request, stored, ReceiptOutcome.JOINED)
        receipt = await self._written(request, stored, ReceiptOutcome.JOINED)
        if receipt.outcome is ReceiptOutcome.JOINED:
            self._air.shown(request, (), 0.0, (now - request.at) * 1000)
        return receipt

    async def _written(self, request: ImageRequest, stored: Awaitable[None], outcome: ReceiptOutcome) -> Receipt:
        """Wait until an accepted request is on the disk; what cannot be written down is not accepted.

        Nothing would be left of it after a crash.
        """
        try:
            await stored
        except StoreError:
            self._drop(lambda one: one.id == request.id, "store", "the request could not be written down")
            if self._drawing.request is not None and self._drawing.request.id == request.id:
                self._drawing.call_off()
            return Receipt(request.id, ReceiptOutcome.REFUSED, "store", "the request could not be written down")
        return Receipt(request.id, outcome)

    async def _draw(self, request: ImageRequest) -> None:
        """In: a request whose turn it is. Out: its picture on air or held, or its end."""
        started = self._clock()
        self._parts.store.requests.set_state(request.id, RequestState.DRAWING)
        self._air.touch()
        with self._drawing.of(request):
            try:
                frame, judgements = await self._drawn(await self._sighted(request))
                await self._deliver(request, frame, judgements, self._clock() - started)
            except BackendError as error:
                self._fail(request, error)
            except StoreError as error:
                log.error("not shown, since its verdict cannot be stored: %s", error)
                self._end(request, RequestState.FAILED, "store", "the picture could not be written down")
            except Exception:
                # A bug that one picture brings out must not end the show for all.
                log.exception("not shown: %s", request.id)
                self._end(request, RequestState.FAILED, "program", "the picture failed, please try again")
        self._air.touch()

    async def _sighted(self, request: ImageRequest) -> ImageRequest:
        """Let a request that asks for it see what viewers see; looked at now, as late as can be."""
        if not request.of_program or self._parts.eye is None:
            return request
        return replace(request, reference=await self._parts.eye.picture())

    async def _drawn(self, request: ImageRequest) -> tuple[Frame | None, list[Judgement]]:
        """Draw while those judges think who take their time."""
        thinking = asyncio.create_task(self._parts.policy.judge_text(request))
        try:
            frame = await self._drawing.frame(
                request, seen=self._admission.doubted(request, self._clock()) is None and not self._goes_later(request)
            )
            return (None, []) if frame is None else await self._thought(frame, thinking)
        finally:
            thinking.cancel()

    async def _thought(self, frame: Frame, thinking: asyncio.Task[list[Judgement]]) -> tuple[Frame, list[Judgement]]:
        """Wait for the judges that still think, and note on the frame how long judges in either process kept it."""
        since = self._clock()
        judgements = await thinking
        return replace(frame, judged_s=frame.judged_s + self._clock() - since), judgements

    async def _deliver(
        self, request: ImageRequest, frame: Frame | None, judgements: Sequence[Judgement], draw_s: float
    ) -> None:
        """Refuse, hold or show a finished picture."""
        if frame is None or not self._drawing.wanted(request):
            self._stopped(request)
            return
        now = self._clock()
        self._drawing.took(request, draw_s)
        self._parts.metrics.took(PipelineStep.QUEUE, (now - draw_s - request.at) * 1000)
        self._parts.metrics.took(PipelineStep.DRAW, draw_s * 1000)
        judged = [*judgements, *frame.judgements]
        if judged:
            self._parts.metrics.took(PipelineStep.JUDGE, frame.judged_s * 1000)
        objection = combine_verdicts(
            request, self._admission.doubted(request, now), self._parts.policy.look(request, frame, now), judgements
        )
        if isinstance(objection, Refusal):
            self._door.object(objection, judged)
            self._strike(request.actor, now)
            self._repeats.note(request, now, objection)
            self._end(request, RequestState.REFUSED, objection.rule, objection.reason)
        elif isinstance(objection, Hold) or self._goes_later(request):
            self._hold(request, frame, objection, judged, draw_s)
        else:
            await self._air_now(request, await self._door.admit(frame, "policy", judged), draw_s, now)

    async def _air_now(self, request: ImageRequest, cleared: ClearedFrame, draw_s: float, drawn_at: float) -> None:
        """Show a picture whose verdict is stored, unless it was taken back while that was written."""
        if not self._drawing.wanted(request):
            self._stopped(request)
            return
        if self._parts.hub.overlays:
            at_once = drawn_at - request.at - draw_s < AT_ONCE_S
            own_s = cleared.drew_s + cleared.judged_s
            self._airing.put(request.id, (request.at, own_s if at_once else None))
        self._put_on_air(request, self._finish(request), cleared, draw_s, drawn_at)
        self._parts.metrics.took(PipelineStep.DELIVER, (self._clock() - drawn_at) * 1000)

    def _hold(
        self, request: ImageRequest, frame: Frame, hold: Hold | None, judged: Sequence[Judgement], draw_s: float
    ) -> None:
        """Keep a picture out of sight, for a moderator or (without a hold) for its seconds, and say so."""
        why = hold or Hold(request.id, "delay", "goes on air in a moment", "delay")
        verdict = self._door.object(why, judged)
        now = self._clock()
        crowded = self._holds.put(
            request, self._finish(request), frame, verdict, why.reason, now, goes=hold is None, draw_s=draw_s
        )
        if hold is None:
            until = now + self._parts.approval.delay_s
            self._free_at[frame.layer] = until + self._parts.at_least_s.get(frame.layer, 0.0)
        else:
            self._tell_held(request)
        self._parts.store.requests.set_state(request.id, RequestState.HELD)
        self._parts.hub.publish(Refusal(request.id, why.rule, why.reason))  # its previews, if any, go
        self._expire_held(crowded)

    def _tell_held(self, request: ImageRequest) -> None:
        self._air.tell(Answer(request.id, request.source, request.actor, "your picture waits for a moderator"))

    def _goes_later(self, request: ImageRequest) -> bool:
        return self._parts.approval.delay_s > 0 and request.actor.role < Role.MODERATOR

    def _expire_held(self, over: Iterable[HeldPicture]) -> None:
        for held in over:
            self._air.end(held.requests, RequestState.EXPIRED, "approval", "nobody had time to look at it")

    def _fail(self, request: ImageRequest, error: BackendError) -> None:
        if not self._drawing.wanted(request):
            self._stopped(request)
            return
        log.warning("not drawn: %s: %s", request.id, error)
        reason = str(error) if isinstance(error, Unsupported) else "the picture failed, please try again"
        self._end(request, RequestState.FAILED, "generator", reason)

    def _stopped(self, request: ImageRequest) -> None:
        """End what was taken back; what only made way for the streamer's waits again as if it had never begun."""
        if not self._drawing.waits_again(request):
            self._end(request, RequestState.CANCELLED, "cleared", "taken back before it was shown")
            return
        log.info("put off for the streamer's: %s", request.id)
        self._parts.hub.withdraw(request.id)
        self._parts.scheduler.put_off(request.id)
        self._parts.store.requests.set_state(request.id, RequestState.QUEUED)

    def _finish(self, request: ImageRequest) -> tuple[ImageRequest, ...]:
        return self._parts.scheduler.finish(request.id)

    def _end(self, request: ImageRequest, state: RequestState, rule: str, reason: str) -> None:
        """End what was being drawn, and everybody who joined it."""
        self._air.end([request, *self._finish(request)], state, rule, reason)
