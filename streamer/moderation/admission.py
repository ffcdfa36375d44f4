"""Whether somebody may ask: intake and bans, then the rules, then whether a human has to look."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from streamer.moderation.approval import ApprovalOptions, approval_reason
from streamer.moderation.policy import Objection, Policy, worst
from streamer.moderation.raid_mode import RaidMode
from streamer.types import Hold, ImageRequest, Judgement, Lane, Refusal

Guard = Callable[[ImageRequest, float], Refusal | None]


class Admission:
    """Ask everybody who may object, cheapest first; belongs to the event loop."""

    def __init__(self, guards: Sequence[Guard], policy: Policy, raid: RaidMode, approval: ApprovalOptions) -> None:
        self._guards, self._policy, self._raid, self._approval = guards, policy, raid, approval

    def objection(self, request: ImageRequest, now: float) -> Objection | None:
        """Refuse a request, let it be drawn but held, or (None) let it through."""
        # The raid before the rules: who is to come back in two seconds must not have used up their turn.
        for guard in (*self._guards, self._raid.objection):
            if (refusal := guard(request, now)) is not None:
                return refusal
        found = self._policy.check(request, now)
        if isinstance(found, Refusal):
            return found
        self._raid.passed(request, now)
        return self.doubted(request, now) or found

    def doubted(self, request: ImageRequest, now: float) -> Hold | None:
        """Say why a human is to look: the risk may have grown since a request was let in."""
        if request.doubt is not None:
            return request.doubt
        reason = approval_reason(request, self._approval, self._raid.alarm(now))
        return None if reason is None else Hold(request.id, "approval", reason, "approval")


def combine_verdicts(
    request: ImageRequest, admitted: Hold | None, looked: Objection | None, judgements: Sequence[Judgement]
) -> Objection | None:
    """Sum up what everybody said about a finished picture: a block wins over a hold, a hold over silence.

    A judge that failed or was late holds what chat asked for.
    """
    # The streamer is there to look: silence does not hold what they asked for.
    mine = request.priority is Lane.BROADCASTER
    heard = [one for one in judgements if not (mine and one.code in ("failed", "late"))]
    said = (looked, worst(request, heard), admitted)
    refused = next((one for one in said if isinstance(one, Refusal)), None)
    return refused or admitted or looked or said[1]
