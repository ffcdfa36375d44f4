"""What was taken back stays taken back, however late it is read, and nothing else does."""

from streamer.pipeline.retractions import Retractions
from streamer.types import Actor, Retraction, Role, Trigger


def line(message_id: str, who: str = "ann", at: float = 10.0, paid: bool = False) -> Trigger:
    return Trigger(message_id, "test", "!bg castle", Actor(who, who, Role.VIEWER), at, paid)


def test_a_deleted_message_is_covered_whenever_it_comes() -> None:
    recalled = Retractions()
    recalled.note(Retraction("test", "m1", None, 5.0))
    assert recalled.covers(line("m1"))
    assert not recalled.covers(line("m2"))


def test_a_timeout_covers_what_was_said_before_it_and_nothing_after() -> None:
    recalled = Retractions()
    recalled.note(Retraction("test", None, "ann", 10.0))
    assert recalled.covers(line("m1", at=10.0))
    assert not recalled.covers(line("m2", at=10.1))
    assert not recalled.covers(line("m3", who="bob"))


def test_a_cleared_chat_covers_what_waits_unless_it_was_paid_for() -> None:
    recalled = Retractions()
    recalled.note(Retraction("test", None, None, 10.0))
    assert recalled.covers(line("m1", at=9.0))
    assert not recalled.covers(line("m2", at=9.0, paid=True))
    assert not recalled.covers(line("m3", at=11.0))


def test_a_picture_is_taken_back_with_its_message_or_when_its_author_is_from_then_on() -> None:
    recalled = Retractions()
    recalled.note(Retraction("test", "m1", None, 5.0))
    recalled.note(Retraction("test", None, "7", 5.0))
    assert recalled.since("m1", "8", 9.0)
    assert [recalled.since("m2", "7", at) for at in (4.0, 5.0, 6.0)] == [True, True, False]
