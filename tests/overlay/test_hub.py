"""The hub: what each layer shows, what joining pages get, and which late previews are dropped."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.overlay import wire
from streamer.overlay.hub import Hub
from streamer.overlay.layer_options import LayerOptions
from streamer.overlay.mailbox import Mailbox
from streamer.types import Clear, NoticeCard, Refusal, Toast
from tests.support.cleared_frames import opened
from tests.support.overlay_updates import LAYERS, frame, preview


def sent_to(mailbox: Mailbox) -> list[str]:
    """Return what the page is sent now, in short; it answers everything at once."""
    words = []
    while (message := mailbox.take(0.0)) is not None:
        if isinstance(message, bytes):
            header, _ = wire.decode_picture(message)
            mailbox.painted(str(header["layer"]), int(header["seq"]), 0.0)
            words.append(f"{header['type']} {header['request_id']}")
        else:
            body = json.loads(message)
            words.append(f"{body['type']} {body.get('layer') or body.get('text') or body.get('title')}")
    return words


@pytest.fixture
def hub() -> Hub:
    return opened(Hub(LAYERS, wall=lambda: 1000.0))


def test_every_page_gets_the_very_same_bytes(hub: Hub) -> None:
    pages = [hub.join() for _ in range(3)]
    hub.publish(frame("a"))
    messages = [page.take(0.0) for page in pages]
    assert isinstance(messages[0], bytes)
    assert all(message is messages[0] for message in messages)


def test_a_page_that_joins_late_gets_the_current_picture_of_each_of_its_layers(hub: Hub) -> None:
    hub.publish(frame("a"))
    hub.publish(frame("b"))
    hub.publish(frame("m", "meme"))
    assert sent_to(hub.join()) == ["frame b", "frame m"]
    assert sent_to(hub.join(frozenset({"meme"}))) == ["frame m"]


def test_a_page_that_joins_after_a_clear_is_told_to_be_empty(hub: Hub) -> None:
    hub.publish(frame("a"))
    hub.publish(Clear("background"))
    assert sent_to(hub.join()) == ["clear background"]


def test_a_page_that_joins_a_hub_which_knows_nothing_keeps_what_it_has(hub: Hub) -> None:
    assert sent_to(hub.join()) == []


def test_a_preview_is_never_part_of_the_current_picture(hub: Hub) -> None:
    hub.publish(frame("a"))
    hub.publish(preview("b"))
    assert sent_to(hub.join()) == ["frame a"]


def test_a_preview_after_its_final_is_not_shown(hub: Hub) -> None:
    page = hub.join()
    hub.publish(frame("a"))
    hub.publish(preview("a", step=3))
    assert sent_to(page) == ["frame a"]


def test_a_preview_of_a_picture_begun_before_a_clear_is_not_shown(hub: Hub) -> None:
    page = hub.join()
    hub.publish(preview("a", step=1))
    hub.publish(Clear("background"))
    hub.publish(preview("a", step=2))
    assert sent_to(page) == ["clear background"]
    hub.publish(preview("b"))
    assert sent_to(page) == ["preview b"]


def test_the_next_picture_is_still_announced_when_the_time_of_the_one_before_is_over(hub: Hub) -> None:
    page = hub.join()
    hub.publish(frame("a", "meme"))
    hub.publish(preview("b", "meme", step=1))
    hub.publish(Clear("meme", fade=True))
    sent_to(page)
    hub.publish(preview("b", "meme", step=2))
    assert sent_to(page) == ["preview b"]
    hub.publish(Refusal("b", "picture", "not shown"))
    assert sent_to(page) == ["clear meme"]


def test_a_layer_without_toasts_does_not_say_for_whom_a_picture_is_drawn() -> None:
    hub = Hub({"named": LayerOptions(use="background"), "silent": LayerOptions(use="background", toast=False)})
    page, lines = hub.join(), {}
    for layer in hub.layers:
        hub.publish(replace(preview("a", layer), line="drawing for Zoë"))
        message = page.take(0.0)
        assert isinstance(message, bytes)
        header, _ = wire.decode_picture(message)
        page.painted(layer, int(header["seq"]), 0.0)
        lines[layer] = header["line"]
    assert lines == {"named": "drawing for Zoë", "silent": ""}


def test_a_layer_may_go_without_previews(hub: Hub) -> None:
    page = hub.join()
    hub.publish(preview("a", "quiet"))
    assert sent_to(page) == []


def test_a_refusal_takes_the_beginnings_off_and_puts_the_old_picture_back(hub: Hub) -> None:
    page = hub.join()
    hub.publish(frame("a"))
    hub.publish(preview("b"))
    sent_to(page)
    hub.publish(Refusal("b", "picture", "not shown"))
    hub.publish(preview("b", step=2))
    assert sent_to(page) == ["frame a"]


def test_a_picture_that_is_put_off_leaves_nothing_behind_and_may_begin_anew(hub: Hub) -> None:
    page = hub.join()
    hub.publish(frame("a"))
    hub.publish(preview("b", step=2))
    hub.publish(preview("m", "meme"))
    sent_to(page)
    assert (hub.withdraw("b"), sent_to(page)) == (["background"], ["frame a"])
    assert (hub.withdraw("m"), sent_to(page)) == (["meme"], ["clear meme"])
    assert hub.withdraw("b") == []
    hub.publish(preview("b"))
    hub.publish(preview("m", "meme"))
    assert sent_to(page) == ["preview b", "preview m"]
    hub.publish(frame("b"))
    assert sent_to(page) == ["frame b"]


def test_a_refusal_on_an_empty_layer_empties_it_again(hub: Hub) -> None:
    page = hub.join()
    hub.publish(preview("b"))
    assert sent_to(page) == ["preview b"]
    hub.publish(Refusal("b", "picture", "not shown"))
    assert sent_to(page) == ["clear background"]


def test_a_refusal_of_something_without_previews_says_nothing(hub: Hub) -> None:
    page = hub.join()
    hub.publish(frame("a"))
    sent_to(page)
    hub.publish(Refusal("b", "cooldown", "try again in 12 s"))
    assert sent_to(page) == []


def test_a_toast_goes_to_the_pages_of_its_picture_and_without_one_to_all(hub: Hub) -> None:
    below, above = hub.join(frozenset({"background"})), hub.join(frozenset({"meme"}))
    hub.publish(frame("a"))
    hub.publish(Toast("a", "drawn for Zoë"))
    hub.publish(Toast("", "queue: 3"))
    assert sent_to(below) == ["toast drawn for Zoë", "toast queue: 3", "frame a"]
    assert sent_to(above) == ["toast queue: 3"]


def test_a_card_goes_to_the_pages_of_the_topmost_layer_and_to_those_that_come_later(hub: Hub) -> None:
    gone = "card "
    top = max(hub.layers, key=lambda name: hub.layers[name].z)
    below, above = hub.join(frozenset({"background"})), hub.join(frozenset({top}))
    hub.publish(NoticeCard("", ""))
    hub.publish(NoticeCard("Back soon", "a break"))
    hub.publish(NoticeCard("Back soon", "a break"))
    later = hub.join()
    hub.publish(NoticeCard("", ""))
    assert [sent_to(page) for page in (below, above, later, hub.join())] == [
        [],
        ["card Back soon", gone],
        ["card Back soon", gone],
        [gone],
    ]


def test_a_layer_may_go_without_toasts(hub: Hub) -> None:
    page = hub.join()
    hub.publish(frame("a", "quiet"))
    hub.publish(Toast("a", "drawn for Zoë"))
    assert sent_to(page) == ["frame a"]


def test_an_update_of_a_layer_that_is_not_configured_is_logged_and_dropped(
    hub: Hub, caplog: pytest.LogCaptureFixture
) -> None:
    page = hub.join()
    hub.publish(frame("a", "nowhere"))
    assert sent_to(page) == []
    assert "nowhere" in caplog.text


REQUESTS = st.sampled_from(["a", "b", "c", "d"])
UPDATES = st.one_of(
    st.builds(frame, REQUESTS, st.sampled_from(["background", "meme"])),
    st.builds(preview, REQUESTS, st.sampled_from(["background", "meme"])),
    st.builds(Clear, st.sampled_from(["background", "meme"])),
    st.builds(Refusal, REQUESTS, st.just("rule"), st.just("reason")),
    st.builds(Toast, REQUESTS, st.text(max_size=20)),
)


@given(updates=st.lists(UPDATES, max_size=40), read=st.lists(st.booleans(), min_size=40, max_size=40))
def test_whoever_reads_when_ends_with_what_the_hub_remembers(updates: list[object], read: list[bool]) -> None:
    """A page that reads now and then, and one that joins at the end, agree on every touched layer."""
    hub = opened(Hub(LAYERS))
    steady, now_and_then = hub.join(), hub.join()
    pictures: dict[Mailbox, dict[str, str]] = {steady: {}, now_and_then: {}}

    def look(page: Mailbox) -> None:
        while (message := page.take(0.0)) is not None:
            if isinstance(message, bytes):
                header, _ = wire.decode_picture(message)
                page.painted(str(header["layer"]), int(header["seq"]), 0.0)
                if header["type"] == "frame":
                    pictures[page][str(header["layer"])] = str(header["request_id"])
            elif (body := json.loads(message))["type"] == "clear":
                pictures[page].pop(body["layer"], None)

    for update, now in zip(updates, read, strict=False):
        hub.publish(update)  # type: ignore[arg-type]
        look(steady)
        if now:
            look(now_and_then)
    late = hub.join()
    pictures[late] = {}
    for page in (steady, now_and_then, late):
        look(page)
    assert pictures[steady] == pictures[now_and_then] == pictures[late]
