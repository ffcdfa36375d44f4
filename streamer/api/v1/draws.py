"""Lets the show's generator draw for a tenant: a private picture, which nobody but the tenant gets to see."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncGenerator
from contextlib import suppress

from streamer.api.v1 import faults
from streamer.api.v1.faults import Fault
from streamer.api.v1.schemas import Ask
from streamer.api.v1.tenants import Tenant
from streamer.commands.options import Sampling
from streamer.pipeline.drafts import TENANT_SOURCE, Draft, DraftState
from streamer.pipeline.pipeline import Channel
from streamer.text import clean
from streamer.types import Actor, Frame, ImageRequest, Lane, Preview, RequestKind, Role, SamplingParams

CLOSED_RULES = frozenset({"panic", "paused", "parked", "policy", "queue", "raid", "removed", "scene", "waited"})
"""Rules that say nothing about a text or a picture: later the same request may be drawn."""


class TenantDraws:
    """Draws in the lane behind all others, by the channel's own scheduler."""

    def __init__(self, channel: Channel, sampling: Sampling, longest_wait_s: float) -> None:
        self._channel, self._sampling, self._longest_wait_s = channel, sampling, longest_wait_s

    async def draw(self, ask: Ask, tenant: Tenant, seed: int | None) -> AsyncGenerator[Preview | Frame, None]:
        """Yield previews, then the judged frame; raise a Fault when there is none. Closing cancels the drawing."""
        show = self._channel.show
        request = self._request(ask, tenant, seed)
        self._channel.private.ask(request)
        preview: Preview | None = None
        try:
            while True:
                changed, draft = show.drafts.changed, show.drafts.get(request.id)
                if draft is None:
                    raise faults.busy("the streamer cancelled the picture")
                if draft.ended:
                    yield picture_of(draft, tenant)
                    return
                if draft.preview is not None and draft.preview is not preview:
                    preview = draft.preview
                    yield preview
                elif not await self._changes(changed, request.at + self._longest_wait_s):
                    raise faults.late(self._longest_wait_s)
        finally:
            self._channel.private.discard(request.id)

    async def _changes(self, changed: asyncio.Event, until: float) -> bool:
        """Wait for a change; False when there is none until a moment."""
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, until - self._channel.show.now())):
                await changed.wait()
            return True
        return False

    def _request(self, ask: Ask, tenant: Tenant, seed: int | None) -> ImageRequest:
        """Return the request of a tenant: the words are the prompt, without a command's template or a style.

        A tenant has a moderator's role, so that nothing it asks for counts as chat: it causes no strikes and no raid
        mode, and has limits of its own.
        """
        text = clean(ask.prompt)
        if not text:
            raise faults.invalid("prompt: has no words in it", "prompt", "invalid_value")
        number = uuid.uuid4()
        now = self._channel.show.now()
        params = SamplingParams(
            ask.width, ask.height, self._sampling.steps, self._sampling.guidance,
            number.int % 2**32 if seed is None else seed,
        )  # fmt: skip
        return ImageRequest(
            id=f"api-{number}", command="api", kind=RequestKind.EDIT if ask.reference else RequestKind.BACKGROUND,
            layer="", text=text, prompt=text, params=params,
            actor=Actor(f"tenant:{tenant.name}", tenant.name, Role.MODERATOR), priority=Lane.PRIVATE, at=now,
            expires_at=now + self._longest_wait_s, reference=ask.reference, source=TENANT_SOURCE, words=text,
            template="{text}", gated=tenant.limits.gated,
        )  # fmt: skip


def picture_of(draft: Draft, tenant: Tenant) -> Frame:
    """Return the picture of a draft that has ended; raise the Fault that says why there is none."""
    if draft.state is DraftState.DRAWN and draft.frame is not None:
        if draft.rule and tenant.limits.gated:
            # Nobody looks at a tenant's picture, so a doubt counts like a refusal.
            raise faults.refused(draft.reason)
        return draft.frame
    raise _fault(draft)


def _fault(draft: Draft) -> Fault:
    match draft.state:
        case DraftState.REFUSED if draft.rule == "unsupported":
            return faults.invalid(draft.reason, code="unsupported")
        case DraftState.REFUSED if draft.rule not in CLOSED_RULES:
            return faults.refused(draft.reason)
        case DraftState.FAILED:
            return faults.not_drawn(draft.reason)
        case _:
            return faults.busy(f"nothing is drawn for this key now: {draft.reason}")
