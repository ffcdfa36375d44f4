"""Who typed what on Twitch, what was taken back, and what is nobody's business here."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.triggers.twitch.chat import Chat, Seen, without_cheermotes, without_emotes
from streamer.triggers.twitch.irc import Message, parse
from streamer.types import Actor, Retraction, Role, Trigger
from tests.irc_server import chat_line

NOW = 50.0


def chat(**how: Any) -> Chat:
    return Chat("harbour", **how)


def read(line: str, reader: Chat | None = None, now: float = NOW) -> Trigger | Retraction | None:
    message = parse(line)
    assert message is not None
    return (reader or chat()).read(message, now)


def heard(text: str, user: str = "Ann", reader: Chat | None = None, now: float = NOW, **tags: Any) -> Trigger | None:
    trigger = read(chat_line("harbour", text, user, **tags), reader, now)
    assert trigger is None or isinstance(trigger, Trigger)
    return trigger


def text_of(text: str, **tags: Any) -> str:
    trigger = heard(text, **tags)
    assert trigger is not None
    return trigger.text


def test_a_typed_line_becomes_a_trigger_with_the_platforms_own_ids() -> None:
    trigger = heard("!bg castle", "Ann", user_id="77", message_id="m-1")
    assert trigger == Trigger("m-1", "twitch", "!bg castle", Actor("77", "Ann", Role.VIEWER), NOW, False)


@pytest.mark.parametrize(
    ("badges", "role"),
    [
        ("", Role.VIEWER),
        ("broadcaster/1,subscriber/3012", Role.BROADCASTER),
        ("moderator/1", Role.MODERATOR),
        ("lead_moderator/1", Role.MODERATOR),
        ("vip/1,founder/0", Role.VIP),
        ("subscriber/12,premium/1", Role.SUBSCRIBER),
        ("founder/0", Role.SUBSCRIBER),
        ("staff/1", Role.VIEWER),
        ("admin/1,global_mod/1", Role.VIEWER),
        ("bits/1000,unheard-of/7", Role.VIEWER),
    ],
)
def test_badges_give_the_role(badges: str, role: Role) -> None:
    trigger = heard("!undo", badges=badges)
    assert trigger is not None
    assert trigger.actor.role is role


@pytest.mark.parametrize(
    ("tags", "paid"),
    [
        ({}, False),
        ({"bits": "100"}, True),
        ({"bits": "0"}, False),
        ({"bits": "²"}, False),
        ({"custom_reward_id": "r"}, True),
        ({"msg_id": "highlighted-message"}, False),
    ],
)
def test_a_cheer_and_a_reward_with_text_count_as_paid(tags: dict[str, Any], paid: bool) -> None:
    trigger = heard("!bg castle", **tags)
    assert trigger is not None
    assert trigger.paid is paid


@pytest.mark.parametrize(
    ("text", "tags", "heard_as"),
    [
        ("\x01ACTION !bg castle\x01", {}, "!bg castle"),
        ("!bg Kappa castle 😀 Kappa", {"emotes": "25:4-8,19-23"}, "!bg  castle 😀 "),
        ("\x01ACTION Kappa !bg castle\x01", {"emotes": "25:0-4"}, " !bg castle"),
        ("@Bob !bg castle", {"reply_parent_msg_id": "m0"}, "!bg castle"),
        ("@Мария, !bg @bob", {"reply_parent_msg_id": "m0"}, "!bg @bob"),
        ("@Bob !bg castle", {}, "@Bob !bg castle"),
        ("@Harbour !bg castle", {}, "!bg castle"),
        ("Cheer100 !bg route66 Corgo50", {"bits": "150"}, "!bg route66"),
        ("Cheer100 !bg castle", {}, "Cheer100 !bg castle"),
    ],
)
def test_what_clients_wrap_around_the_words_is_taken_off(text: str, tags: dict[str, str], heard_as: str) -> None:
    assert text_of(text, **tags) == heard_as


@pytest.mark.parametrize("user", ["Nightbot", "NIGHTBOT"])
def test_bots_on_the_list_are_not_heard(user: str) -> None:
    assert heard("!bg castle", user, chat(ignore=frozenset({"nightbot"}))) is None


def test_a_name_that_cannot_be_seen_falls_back_to_the_login() -> None:
    line = chat_line("harbour", "hi", "ann").replace("display-name=ann", "display-name=\u3164\u200b")
    trigger = read(line)
    assert isinstance(trigger, Trigger)
    assert trigger.actor.name == "ann"


def test_the_partner_channel_of_a_shared_chat_is_not_heard() -> None:
    assert heard("!bg castle", source_room_id="2000") is None
    assert heard("!bg castle", source_room_id="1000") is not None


def test_the_partner_channel_is_heard_on_request_and_its_moderators_are_viewers() -> None:
    trigger = heard("!undo", reader=chat(shared_chat=True), source_room_id="2000", badges="moderator/1")
    assert trigger is not None
    assert trigger.actor.role is Role.VIEWER


def test_a_message_that_comes_twice_is_heard_once() -> None:
    reader = chat()
    assert heard("a", reader=reader, message_id="m1") is not None
    assert heard("a", reader=reader, message_id="m1", now=NOW + 3600) is None


def test_the_same_words_under_two_ids_are_heard_once_within_two_seconds() -> None:
    reader = chat()
    assert heard("a", reader=reader, message_id="m1") is not None
    assert heard("a", reader=reader, message_id="m2", now=NOW + 2) is None
    assert heard("a", "Bob", reader, message_id="m3", now=NOW + 2) is not None
    assert heard("a", reader=reader, message_id="m4", now=NOW + 4.1) is not None


def test_memory_for_repeats_is_bounded_and_keeps_the_newest() -> None:
    seen = Seen(2)
    assert [seen.before(key, NOW) for key in "abacb"] == [False, False, True, False, False]


@pytest.mark.parametrize(
    ("line", "retraction"),
    [
        ("@target-msg-id=m1 :tmi.twitch.tv CLEARMSG #harbour :x", Retraction("twitch", "m1", None, NOW)),
        (
            "@target-user-id=77;ban-duration=600 :tmi.twitch.tv CLEARCHAT #harbour :ann",
            Retraction("twitch", None, "77", NOW),
        ),
        (":tmi.twitch.tv CLEARCHAT #harbour", Retraction("twitch", None, None, NOW)),
    ],
)
def test_deleting_banning_and_clearing_take_things_back(line: str, retraction: Retraction) -> None:
    assert read(line) == retraction


@pytest.mark.parametrize(
    "line",
    [
        ":tmi.twitch.tv CLEARMSG #harbour :x",
        ":tmi.twitch.tv CLEARCHAT #harbour :ann",
        "CLEARCHAT",
        ":ann!ann@h PRIVMSG #harbour :no tags",
        "@id=m1;user-id=7 PRIVMSG #harbour :no sender",
        "@id=m1;user-id=7 :ann!ann@h PRIVMSG #harbour",
        "@id=;user-id=7 :ann!ann@h PRIVMSG #harbour :x",
    ],
)
def test_incomplete_lines_are_counted_and_clear_nothing(line: str) -> None:
    reader = chat()
    assert read(line, reader) is None
    assert reader.malformed == 1


@pytest.mark.parametrize("msg_id", ["raid", "resub", "announcement", ""])
def test_notices_draw_nothing(msg_id: str) -> None:
    reader = chat()
    line = f"@msg-id={msg_id};login=bob;msg-param-viewerCount=200 :tmi.twitch.tv USERNOTICE #harbour :!bg castle"
    assert read(line, reader) is None
    assert reader.malformed == 0


@pytest.mark.parametrize("emotes", ["x", "25:4", "25:9-4", "25:900-999", "25:0-1,0-1", "::--,,//"])
def test_emote_positions_that_make_no_sense_do_no_harm(emotes: str) -> None:
    assert set(without_emotes("abc", emotes)) <= set("abc")


@pytest.mark.parametrize(
    ("text", "bits", "left"),
    [
        ("Cheer1 Cheer1 hi", 2, "hi"),
        ("route66 Cheer100", 100, "route66"),
        ("R2D2 Cheer5", 5, "R2D2"),
        ("Cheer0 hi", 5, "Cheer0 hi"),
    ],
)
def test_only_as_many_bits_are_cut_out_as_were_cheered(text: str, bits: int, left: str) -> None:
    assert without_cheermotes(text, bits) == left


@given(
    st.sampled_from(["PRIVMSG", "CLEARMSG", "CLEARCHAT", "USERNOTICE", "NOTICE", "XYZ"]),
    st.lists(st.text(max_size=20), max_size=3).map(tuple),
    st.sampled_from(["", "ann"]),
    st.dictionaries(
        st.sampled_from(
            ["id", "user-id", "badges", "emotes", "bits", "room-id", "source-room-id", "target-msg-id", "msg-id"]
        ),
        st.one_of(st.text(max_size=20), st.text("0123456789-:/,", max_size=20)),
    ),
)
def test_no_message_can_upset_the_reader(
    command: str, params: tuple[str, ...], nick: str, tags: dict[str, str]
) -> None:
    happening = chat().read(Message(command, params, nick, tags), NOW)
    assert happening is None or isinstance(happening, Trigger | Retraction)
