"""What the HTTP API says about a private picture."""

from __future__ import annotations

from dataclasses import replace

from streamer.api import draft_schemas
from streamer.pipeline.drafts import Draft, DraftState
from streamer.types import Frame, Preview
from tests.support.examples import REQUEST

PICTURE = Frame("r1", "", "image/jpeg", b"picture", 64, 64, drew_s=0.12, judged_s=0.03, left_out_words=True)


def test_times_are_unknown_until_they_were_measured() -> None:
    waiting = draft_schemas.draft(Draft(REQUEST))
    assert (waiting.wait_ms, waiting.draw_ms, waiting.model_ms, waiting.judge_ms) == (None, None, None, None)
    started = Draft(REQUEST, DraftState.DRAWING, started_at=REQUEST.at + 0.5)
    assert draft_schemas.draft(started).wait_ms == 500.0
    drawn = draft_schemas.draft(replace(started, state=DraftState.DRAWN, frame=PICTURE, draw_s=0.2))
    assert (drawn.draw_ms, drawn.model_ms, drawn.judge_ms, drawn.left_out_words) == (200.0, 120.0, 30.0, True)


def test_progress_is_the_previews_or_nothing_yet() -> None:
    steps = REQUEST.params.num_inference_steps
    assert (draft_schemas.draft(Draft(REQUEST)).step, draft_schemas.draft(Draft(REQUEST)).steps) == (0, steps)
    preview = Preview("r1", "", 2, 3, "image/jpeg", b"small", 32, 18)
    drawing = draft_schemas.draft(Draft(REQUEST, DraftState.DRAWING, preview=preview))
    assert (drawing.step, drawing.steps) == (2, 3)
