"""What every request passes before it is queued, one function a step, cheapest first.

A step looks at the request and the show at ``now`` (monotonic seconds) and returns

- ``None``: the next step decides;
- an ``ImageRequest``: continue with this one;
- a ``Hold``: continue, but a moderator looks at the picture before it goes on air;
- a ``Refusal``: the request ends here;
- ``Joined``: the request shares the result of an equal one, and nothing is drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from streamer.moderation.admission import approval_hold
from streamer.moderation.approval import HeldPicture
from streamer.pipeline.dedupe import Result
from streamer.pipeline.show import Show
from streamer.types import Hold, ImageRequest, Refusal, RequestKind


@dataclass(frozen=True, slots=True)
class Joined:
    """The request shares a result that exists already: a picture on air, or one that waits for a moderator."""

    request: ImageRequest
    result: Result | HeldPicture


StepResult = ImageRequest | Hold | Refusal | Joined | None
Step = Callable[[ImageRequest, Show, float], StepResult]


def intake(request: ImageRequest, show: Show, now: float) -> StepResult:
    """Refuse while requests are paused or switched off."""
    return show.intake.objection(request)


def bans(request: ImageRequest, show: Show, now: float) -> StepResult:
    """Refuse whoever is banned."""
    return show.bans.objection(request)


def privacy(request: ImageRequest, show: Show, now: float) -> StepResult:
    """Refuse, before anything is stored, whoever asked to be forgotten."""
    return show.privacy.objection(request, now)


def raid(request: ImageRequest, show: Show, now: float) -> StepResult:
    """Slow chat down in raid mode; before the rules, so that who is to come back has not used up their turn."""
    return show.raid_mode.objection(request, now)


def rules(request: ImageRequest, show: Show, now: float) -> StepResult:
    """Ask the policy; whoever passes starts the wait of the others in raid mode."""
    objection = show.policy.check(request, now)
    if not isinstance(objection, Refusal):
        show.raid_mode.note_passed(request, now)
    return objection


def approval(request: ImageRequest, show: Show, now: float) -> StepResult:
    """Hold what a moderator is to look at by the channel's settings or because of a raid."""
    return approval_hold(replace(request, hold=None), show.config.approval, show.raid_mode.alarm(now))


def reference(request: ImageRequest, show: Show, now: float) -> StepResult:
    """Give an edit its picture: the one on air when the viewer typed, not when their turn comes."""
    if request.of_program and show.program_view is None:
        return Refusal(request.id, "program", "the streamer has not connected OBS for that")
    if request.kind is not RequestKind.EDIT or request.of_program:
        return None
    shown = show.stage.current(request.layer)
    if shown is None:
        return Refusal(request.id, "edit", "there is no picture on air to change")
    show.lineage.note_parent(request.id, shown.request_id)
    return replace(request, reference=shown.data)


def same_result(request: ImageRequest, show: Show, now: float) -> StepResult:
    """Join an equal request that was refused a moment ago, is on air, or is held."""
    result = show.results.find(request, now)
    if result is not None and result.refusal is not None:
        return replace(result.refusal, request_id=request.id)
    shown = show.stage.current(request.layer)
    if result is not None and shown is not None and shown.request_id == result.request_id:
        return Joined(request, result)
    held = show.approvals.join(request)
    return None if held is None else Joined(request, held)


def game_mode(request: ImageRequest, show: Show, now: float) -> StepResult:
    """Let a request wait for the GPU in game mode, or refuse it."""
    return show.game_mode.admit(request, now)


STEPS: Sequence[Step] = (intake, bans, privacy, raid, rules, approval, reference, same_result, game_mode)


def run_steps(request: ImageRequest, show: Show, now: float) -> ImageRequest | Refusal | Joined:
    """Run every step; the first refusal or joined result ends it."""
    for step in STEPS:
        result = step(request, show, now)
        match result:
            case None:
                continue
            case Hold():
                request = replace(request, hold=result)
            case ImageRequest():
                request = result
            case _:
                return result
    return request
