import io

import pytest

from streamer.generator.ipc import LENGTH, MAX_BYTES, Cancel, Produced, Progress, pack, read
from streamer.types import Frame

FRAME = Produced(3, Frame("r", "meme", "image/jpeg", bytes(range(256)), 16, 16))


def test_messages_arrive_unchanged_and_in_order() -> None:
    stream = io.BytesIO(pack(Progress("reading", 0.5)) + pack(FRAME) + pack(Cancel(4)))
    assert [read(stream) for _ in range(4)] == [Progress("reading", 0.5), FRAME, Cancel(4), None]


@pytest.mark.parametrize("kept", [0, 1, LENGTH.size, LENGTH.size + 1, len(pack(FRAME)) - 1])
def test_a_truncated_message_ends_the_stream(kept: int) -> None:
    assert read(io.BytesIO(pack(FRAME)[:kept])) is None


def test_an_absurd_length_ends_the_stream_and_allocates_nothing() -> None:
    assert read(io.BytesIO(LENGTH.pack(MAX_BYTES + 1) + b"xx")) is None
