"""What the findings of all rules and judges about a picture add up to."""

from __future__ import annotations

from collections.abc import Sequence

from streamer.moderation.policy import FAILED, LATE, Objection, worst
from streamer.types import Hold, ImageRequest, Judgement, Refusal


def combine_verdicts(
    request: ImageRequest, admitted: Hold | None, looked: Objection | None, judgements: Sequence[Judgement]
) -> Objection | None:
    """Combine what rules and judges found about a finished picture: a refusal wins over a hold, a hold over nothing.

    A judge that failed or was late holds what chat asked for. It does not hold what the broadcaster asked for: the
    broadcaster is there to look.
    """
    counted = [judgement for judgement in judgements if not (request.own and judgement.code in (LATE, FAILED))]
    judged = worst(request, counted)
    refusal = next((found for found in (looked, judged, admitted) if isinstance(found, Refusal)), None)
    return refusal or admitted or looked or judged
