"""Giving the GPU away: what waits goes on waiting, the card stays until pictures come again."""

from __future__ import annotations

import pytest

from streamer.pipeline.game_mode import NO_CARD, GameMode, GameModeOptions
from streamer.types import Actor, ImageRequest, Lane, NoticeCard, Refusal, RequestKind, Role, SamplingParams

REQUEST = ImageRequest(
    "r", "bg", RequestKind.BACKGROUND, "background", "a", "a", SamplingParams(64, 64, 4, 1.0, 1),
    Actor("ann", "ann", Role.VIEWER), Lane.CHAT, at=0.0, expires_at=30.0,
)  # fmt: skip


class Machine:
    """Notes whether it was sent away."""

    def __init__(self) -> None:
        self.orders: list[str] = []
        self.stops = True

    def release_gpu(self) -> bool:
        self.orders.append("release_gpu")
        return self.stops

    def reclaim_gpu(self) -> None:
        self.orders.append("reclaim_gpu")


def parking(**options: object) -> tuple[GameMode, Machine]:
    machine = Machine()
    return GameMode(GameModeOptions.model_validate(options), machine), machine  # type: ignore[arg-type]


def test_before_anything_is_given_away_requests_are_as_they_are() -> None:
    park, machine = parking()
    assert park.objection(REQUEST, 5.0) is None
    assert not park.gpu_returned()
    assert (park.active, park.away, machine.orders) == (False, False, [])


def test_requests_may_come_while_the_gpu_is_released_and_wait_for_as_long_as_they_may() -> None:
    park, machine = parking(hold_s=600)
    assert park.release_gpu() == NoticeCard("Back soon", "Pictures are taking a short break")
    assert machine.orders == ["release_gpu"]
    assert (park.objection(REQUEST, 100.0), park.away, park.hold_s) == (None, True, 600.0)


def test_without_holding_requests_are_refused_with_a_reason() -> None:
    park, _ = parking(hold_s=0)
    park.release_gpu()
    refusal = park.objection(REQUEST, 1.0)
    assert isinstance(refusal, Refusal)
    assert (refusal.rule, "short break" in refusal.reason) == ("parked", True)


def test_the_gpu_is_away_while_the_model_loads_and_the_return_is_told_once() -> None:
    park, machine = parking(hold_s=0)
    park.release_gpu()
    park.reclaim_gpu()
    assert machine.orders == ["release_gpu", "reclaim_gpu"]
    assert park.objection(REQUEST, 0.0) is not None
    assert [park.gpu_returned(), park.gpu_returned()] == [True, False]
    assert park.objection(REQUEST, 0.0) is None


def test_being_ready_a_last_time_before_leaving_is_no_return() -> None:
    park, _ = parking()
    park.release_gpu()
    assert not park.gpu_returned()
    park.reclaim_gpu()
    assert park.gpu_returned()


def test_while_another_computer_draws_pictures_go_on_without_a_card() -> None:
    park, machine = parking(hold_s=0)
    machine.stops = False
    assert park.release_gpu() == NO_CARD
    assert (park.active, park.away, park.closed, park.objection(REQUEST, 0.0)) == (True, False, False, None)
    park.reclaim_gpu()
    assert (machine.orders, park.gpu_returned()) == (["release_gpu", "reclaim_gpu"], False)


def test_the_card_is_a_matter_of_taste() -> None:
    park, _ = parking(card="")
    assert park.release_gpu() == NO_CARD


@pytest.mark.parametrize("wrong", [{"hold_s": -1}, {"card": "x" * 61}, {"colour": "red"}])
def test_senseless_options_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        GameModeOptions.model_validate(wrong)
