"""One page's mailbox: newest wins, finals and clears are never lost, at most two pictures are in flight."""

from __future__ import annotations

import itertools

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from streamer.overlay.mailbox import ACK_TIMEOUT_S, MAX_NOTICES, WINDOW, EncodedPicture, Mailbox

LAYERS = ("background", "meme", "sticker")
_seq = itertools.count(1)


def picture(layer: str = "background", *, final: bool = True, request_id: str = "r") -> EncodedPicture:
    seq = next(_seq)
    return EncodedPicture(layer, request_id, seq, final, f"{layer}:{seq}:{'final' if final else 'preview'}".encode())


def drain(mailbox: Mailbox, now: float = 0.0) -> list[bytes | str]:
    return list(iter(lambda: mailbox.take(now), None))


def test_the_newest_picture_of_a_layer_replaces_the_unsent_one() -> None:
    mailbox = Mailbox(1, None)
    pictures = [picture() for _ in range(50)]
    for each in pictures:
        mailbox.put(each)
    assert drain(mailbox) == [pictures[-1].message]
    assert mailbox.skipped == 49


def test_a_meme_never_replaces_a_background() -> None:
    mailbox = Mailbox(1, None)
    background, meme = picture("background"), picture("meme")
    mailbox.put(background)
    mailbox.put(meme)
    assert drain(mailbox) == [background.message, meme.message]


def test_a_preview_never_replaces_an_unsent_final() -> None:
    mailbox = Mailbox(1, None)
    final = picture()
    mailbox.put(final)
    mailbox.put(picture(final=False))
    assert drain(mailbox) == [final.message]


def test_a_final_replaces_an_unsent_preview() -> None:
    mailbox = Mailbox(1, None)
    mailbox.put(picture(final=False))
    final = picture()
    mailbox.put(final)
    assert drain(mailbox) == [final.message]


def test_a_preview_waits_until_nothing_is_in_flight_so_that_a_final_always_finds_the_window_open() -> None:
    mailbox = Mailbox(1, None)
    first, preview, final = picture("meme"), picture(final=False), picture()
    mailbox.put(first)
    assert drain(mailbox) == [first.message]
    mailbox.put(preview)
    assert drain(mailbox) == []
    mailbox.put(final)
    assert drain(mailbox) == [final.message]


def test_a_third_picture_waits_for_an_answer() -> None:
    mailbox = Mailbox(1, None)
    first, second, third = picture("background"), picture("meme"), picture("sticker")
    for each in (first, second, third):
        mailbox.put(each)
    assert drain(mailbox) == [first.message, second.message]
    assert mailbox.painted("background", first.seq, now=0.01)
    assert drain(mailbox, now=0.01) == [third.message]


def test_a_clear_empties_the_slot_and_jumps_the_queue() -> None:
    mailbox = Mailbox(1, None)
    mailbox.notify("toast")
    mailbox.put(picture("background"))
    meme = picture("meme")
    mailbox.put(meme)
    mailbox.clear("background", "clear background")
    assert drain(mailbox) == ["clear background", "toast", meme.message]


def test_a_clear_passes_a_full_window() -> None:
    mailbox = Mailbox(1, None)
    mailbox.put(picture("background"))
    mailbox.put(picture("meme"))
    drain(mailbox)
    mailbox.put(picture("background"))
    mailbox.clear("background", "clear")
    assert drain(mailbox) == ["clear"]


def test_pages_get_only_the_layers_they_asked_for() -> None:
    mailbox = Mailbox(1, frozenset({"meme"}))
    mailbox.put(picture("background"))
    mailbox.clear("background", "clear")
    assert drain(mailbox) == []


def test_a_page_that_lets_notices_pile_up_is_given_up() -> None:
    mailbox = Mailbox(1, None)
    for _ in range(MAX_NOTICES):
        mailbox.notify("toast")
    assert not mailbox.overflowed
    mailbox.notify("toast")
    assert mailbox.overflowed
    assert len(drain(mailbox)) == MAX_NOTICES


def test_an_unanswered_window_is_freed_once_and_then_the_page_must_show_that_it_lives() -> None:
    mailbox = Mailbox(1, None)
    for layer in LAYERS:
        mailbox.put(picture(layer))
    assert len(drain(mailbox, now=0.0)) == WINDOW
    assert mailbox.wait_s(0.5) == ACK_TIMEOUT_S - 0.5
    later = drain(mailbox, now=ACK_TIMEOUT_S)
    assert '"ping"' in str(later[0])
    assert len(later) == 2
    for layer in LAYERS:
        mailbox.put(picture(layer))
    assert len(drain(mailbox, now=ACK_TIMEOUT_S)) == 1
    assert drain(mailbox, now=100.0) == []
    mailbox.pong()
    assert len(drain(mailbox, now=100.0)) == 3


def test_a_slow_page_gets_one_picture_at_a_time_until_it_is_quick_again() -> None:
    mailbox = Mailbox(1, None)
    slow = picture("background")
    mailbox.put(slow)
    drain(mailbox, now=0.0)
    mailbox.painted("background", slow.seq, now=0.4)
    first, second = picture("background"), picture("meme")
    mailbox.put(first)
    mailbox.put(second)
    assert drain(mailbox, now=1.0) == [first.message]
    mailbox.painted("background", first.seq, now=1.02)
    mailbox.put(picture("sticker"))
    assert len(drain(mailbox, now=1.02)) == 2


def test_an_answer_to_something_never_sent_changes_nothing() -> None:
    mailbox = Mailbox(1, None)
    mailbox.put(picture())
    drain(mailbox)
    assert not mailbox.painted("background", 10**9, now=0.0)
    assert mailbox.in_flight == 1


def test_an_answer_covers_everything_older_on_its_layer() -> None:
    mailbox = Mailbox(1, None)
    first, second = picture(), picture()
    mailbox.put(first)
    drain(mailbox)
    mailbox.put(second)
    drain(mailbox)
    mailbox.painted("background", second.seq, now=0.0)
    assert mailbox.in_flight == 0


def test_every_change_wakes_the_writer() -> None:
    woken: list[None] = []
    mailbox = Mailbox(1, None, wake=lambda: woken.append(None))
    sent = picture()
    mailbox.put(sent)
    mailbox.clear("meme", "clear")
    mailbox.notify("toast")
    drain(mailbox)
    mailbox.painted("background", sent.seq, now=0.0)
    mailbox.pong()
    assert len(woken) == 5


class Page(RuleBasedStateMachine):
    """Whatever happens in whatever order, the page ends up with the newest of every layer."""

    def __init__(self) -> None:
        super().__init__()
        self.mailbox = Mailbox(1, None)
        self.now = 0.0
        self.wanted: dict[str, bytes | str] = {}
        self.got: dict[str, bytes | str] = {}
        self.unanswered: list[tuple[str, int]] = []
        self.notified = 0
        self.noticed = 0

    @rule(layer=st.sampled_from(LAYERS))
    def final(self, layer: str) -> None:
        each = picture(layer)
        self.mailbox.put(each)
        self.wanted[layer] = each.message

    @rule(layer=st.sampled_from(LAYERS))
    def preview(self, layer: str) -> None:
        self.mailbox.put(picture(layer, final=False))

    @rule(layer=st.sampled_from(LAYERS))
    def clear(self, layer: str) -> None:
        message = f"clear {layer} {next(_seq)}"
        self.mailbox.clear(layer, message)
        self.wanted[layer] = message

    @rule()
    def notice(self) -> None:
        self.mailbox.notify("notice")
        self.notified += 1

    @rule()
    def take(self) -> None:
        message = self.mailbox.take(self.now)
        if isinstance(message, bytes):
            layer, seq, kind = message.decode().split(":")
            self.unanswered.append((layer, int(seq)))
            if kind == "final":
                self.got[layer] = message
        elif message == "notice":
            self.noticed += 1
        elif message is not None and message.startswith("clear"):
            self.got[message.split()[1]] = message

    @precondition(lambda self: self.unanswered)
    @rule(data=st.data())
    def answer(self, data: st.DataObject) -> None:
        layer, seq = self.unanswered.pop(data.draw(st.integers(0, len(self.unanswered) - 1)))
        self.mailbox.painted(layer, seq, self.now)

    @rule(seconds=st.floats(0.001, 3.0))
    def pass_time(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def pong(self) -> None:
        self.mailbox.pong()

    @invariant()
    def never_more_than_the_window_in_flight(self) -> None:
        assert self.mailbox.in_flight <= WINDOW

    @invariant()
    def holds_at_most_one_picture_per_layer(self) -> None:
        assert len(self.mailbox._slots) <= len(LAYERS)
        assert len(self.mailbox._urgent) <= len(LAYERS) + 1

    def teardown(self) -> None:
        for _ in range(20 + self.notified):
            self.take()
            for layer, seq in self.unanswered:
                self.mailbox.painted(layer, seq, self.now)
            self.unanswered.clear()
            self.mailbox.pong()
            self.now += ACK_TIMEOUT_S
        assert self.got == self.wanted
        assert self.noticed == self.notified


TestPage = Page.TestCase
