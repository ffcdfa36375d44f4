"""IRC and EventSub merged: who typed what, what was retracted, and what is ignored."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.integrations.twitch.chat_merge import HOLD_S, ChatMerger
from streamer.integrations.twitch.irc_message import IrcMessage, parse
from streamer.integrations.twitch.subscriptions import REWARDS
from streamer.interfaces import SourceEvent
from streamer.storage.people import NameList
from streamer.types import Actor, Notice, NoticeKind, Redemption, Retraction, Role, Trigger
from tests.support.irc_server import chat_line
from tests.support.twitch_standin.payloads import chat_message
from tests.support.twitch_standin.people import User, user_of

NOW = 50.0


def chat(**options: Any) -> ChatMerger:
    return ChatMerger("harbour", **options)


def read_all(line: str, reader: ChatMerger | None = None, now: float = NOW) -> list[SourceEvent]:
    message = parse(line)
    assert message is not None
    return (reader or chat()).read_irc(message, now)


def read(line: str, reader: ChatMerger | None = None, now: float = NOW) -> SourceEvent | None:
    events = [event for event in read_all(line, reader, now) if not isinstance(event, Notice)]
    assert len(events) <= 1
    return events[0] if events else None


def trigger_from(
    text: str, user: str = "Ann", reader: ChatMerger | None = None, now: float = NOW, **tags: Any
) -> Trigger | None:
    trigger = read(chat_line("harbour", text, user, **tags), reader, now)
    assert trigger is None or isinstance(trigger, Trigger)
    return trigger


def text_of(text: str, **tags: Any) -> str:
    trigger = trigger_from(text, **tags)
    assert trigger is not None
    return trigger.text


def test_a_typed_line_becomes_a_trigger_with_the_platforms_own_ids() -> None:
    trigger = trigger_from("!bg castle", "Ann", user_id="77", message_id="m-1")
    assert trigger == Trigger("m-1", "twitch", "!bg castle", Actor("77", "Ann", Role.VIEWER, "ann"), NOW, False)


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
    trigger = trigger_from("!undo", badges=badges)
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
    trigger = trigger_from("!bg castle", **tags)
    assert trigger is not None
    assert trigger.paid is paid


@pytest.mark.parametrize(
    ("text", "tags", "expected"),
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
def test_what_clients_wrap_around_the_words_is_removed(text: str, tags: dict[str, str], expected: str) -> None:
    assert text_of(text, **tags) == expected


@pytest.mark.parametrize("user", ["Nightbot", "NIGHTBOT"])
def test_bots_on_the_list_are_ignored(user: str) -> None:
    assert trigger_from("!bg castle", user, chat(ignore=NameList(["nightbot"]))) is None


def test_a_name_that_cannot_be_seen_falls_back_to_the_login() -> None:
    line = chat_line("harbour", "hi", "ann").replace("display-name=ann", "display-name=\u3164\u200b")
    trigger = read(line)
    assert isinstance(trigger, Trigger)
    assert trigger.actor.name == "ann"


@pytest.mark.parametrize("listed", ["@Someone", "77", "Лисица"])
def test_whoever_is_ignored_may_be_listed_by_any_of_three_names(listed: str) -> None:
    assert trigger_from("!bg castle", "Лисица", user_id="77") is not None
    assert trigger_from("!bg castle", "Лисица", chat(ignore=NameList([listed])), user_id="77") is None


def test_a_person_has_an_id_a_login_and_a_shown_name_whichever_connection_reports_them() -> None:
    fox = User("77", "foxy", "Лисица")
    line = chat_line("harbour", "!bg castle", "Лисица", user_id="77").replace(":someone!", ":foxy!")
    message = chat_message(US, fox, "!bg castle", "m1")
    redemption = {
        "id": "d1", "status": "unfulfilled", "user_input": "a castle", "reward": {"id": "r1"},
        **US.fields("broadcaster_user"), **fox.fields("user"),
    }  # fmt: skip
    triggers = [
        *read_all(line),
        *chat().read_event("channel.chat.message", message, "n1", NOW),
        *chat().read_event(REWARDS.kind, redemption, "n2", NOW),
    ]
    actors = [event.actor for event in triggers if isinstance(event, Trigger)]
    assert actors == [Actor("77", "Лисица", Role.VIEWER, "foxy")] * 3


def test_a_timeout_without_the_id_means_whoever_has_that_login() -> None:
    reader = chat()
    trigger_from("!bg castle", "Ann", reader, user_id="77")
    assert read(":tmi.twitch.tv CLEARCHAT #harbour :ann", reader) == Retraction("twitch", None, "77", NOW)


def test_a_command_after_a_mention_of_the_streamers_shown_name_is_a_command() -> None:
    reader = chat()
    assert trigger_from("@Гавань !bg castle", reader=reader).text == "@Гавань !bg castle"  # type: ignore[union-attr]
    trigger_from("hello", "Гавань", reader, badges="broadcaster/1", message_id="id-1")
    said = trigger_from("@Гавань !bg castle", "Ben", reader, message_id="id-2")
    assert said is not None
    assert said.text == "!bg castle"


def test_the_partner_channel_of_a_shared_chat_is_ignored() -> None:
    assert trigger_from("!bg castle", source_room_id="2000") is None
    assert trigger_from("!bg castle", source_room_id="1000") is not None


def test_the_partner_channel_counts_on_request_and_its_moderators_are_viewers() -> None:
    trigger = trigger_from("!undo", reader=chat(shared_chat=True), source_room_id="2000", badges="moderator/1")
    assert trigger is not None
    assert trigger.actor.role is Role.VIEWER


def test_a_message_that_comes_twice_counts_once() -> None:
    reader = chat()
    assert trigger_from("a", reader=reader, message_id="m1") is not None
    assert trigger_from("a", reader=reader, message_id="m1", now=NOW + 3600) is None


def test_the_same_words_under_two_ids_count_once_within_two_seconds() -> None:
    reader = chat()
    assert trigger_from("a", reader=reader, message_id="m1") is not None
    assert trigger_from("a", reader=reader, message_id="m2", now=NOW + 2) is None
    assert trigger_from("a", "Bob", reader, message_id="m3", now=NOW + 2) is not None
    assert trigger_from("a", reader=reader, message_id="m4", now=NOW + 4.1) is not None


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
def test_deleting_banning_and_clearing_retract(line: str, retraction: Retraction) -> None:
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
def test_no_message_raises(command: str, params: tuple[str, ...], nick: str, tags: dict[str, str]) -> None:
    events = chat().read_irc(IrcMessage(command, params, nick, tags), NOW)
    assert all(isinstance(event, SourceEvent) for event in events)


# Both connections report the same channel.

US, ANN = user_of("Harbour"), user_of("ann")


def from_eventsub(
    reader: ChatMerger, text: str = "!bg castle", message_id: str = "m1", now: float = NOW, **options: Any
) -> list[Any]:
    event = chat_message(US, ANN, text, message_id, **options)
    return reader.read_event("channel.chat.message", event, f"n-{message_id}-{now}", now)


def from_irc(
    reader: ChatMerger, text: str = "!bg castle", message_id: str = "m1", now: float = NOW, **tags: Any
) -> list[Any]:
    return read_all(chat_line("harbour", text, "ann", user_id=ANN.id, message_id=message_id, **tags), reader, now)


def test_a_message_from_both_connections_becomes_one_trigger_in_either_order() -> None:
    for first, second in ((from_eventsub, from_irc), (from_irc, from_eventsub)):
        reader = chat()
        assert len(first(reader)) == 1
        assert second(reader, now=NOW + 5) == []


def test_a_highlighted_message_is_an_ordinary_message() -> None:
    (trigger,) = (
        event
        for event in from_eventsub(chat(), message_type="channel_points_highlighted")
        if isinstance(event, Trigger)
    )
    assert (trigger.text, trigger.paid) == ("!bg castle", False)


def test_irc_waits_for_eventsub_and_stands_in_when_that_is_silent() -> None:
    reader = chat()
    reader.set_eventsub_reads(True)
    assert from_irc(reader, message_id="m1") == from_irc(reader, "!bg boat", message_id="m2") == []
    assert len(from_eventsub(reader, message_id="m1", now=NOW + 0.2)) == 1
    assert reader.wakeup() == NOW + HOLD_S
    assert reader.due(NOW + HOLD_S - 0.01) == []
    late = reader.due(NOW + HOLD_S)
    assert [(event.id, event.at) for event in late if isinstance(event, Trigger)] == [("m2", NOW)]
    assert from_eventsub(reader, "!bg boat", message_id="m2", now=NOW + 9) == []


def test_pending_messages_are_due_at_once_when_eventsub_is_lost() -> None:
    reader = chat()
    reader.set_eventsub_reads(True)
    from_irc(reader)
    reader.set_eventsub_reads(False)
    assert len(reader.due(NOW)) == 1
    assert len(from_irc(reader, "!bg boat", message_id="m2", now=NOW + 3)) == 1


def test_one_message_with_a_different_id_on_each_connection_counts_once() -> None:
    reader = chat()
    reader.set_eventsub_reads(True)
    from_eventsub(reader, message_id="e1")
    from_irc(reader, message_id="i1", now=NOW + 0.1)
    assert reader.due(NOW + 10) == []


def test_a_pending_message_that_is_retracted_is_never_used() -> None:
    reader = chat()
    reader.set_eventsub_reads(True)
    from_irc(reader)
    event = {"message_id": "m1", "target_user_id": ANN.id}
    retracted = reader.read_event("channel.chat.message_delete", event, "n1", NOW)
    assert retracted == [Retraction("twitch", "m1", None, NOW)]
    assert reader.due(NOW + 10) == []
    assert from_eventsub(reader, now=NOW + 1) == []


def test_the_first_message_flag_comes_from_irc_only_and_is_passed_on() -> None:
    reader = chat()
    reader.set_eventsub_reads(True)
    from_irc(reader, first_msg="1")
    assert from_eventsub(reader)[0].first_time


def test_a_redemption_counts_once_with_the_role_last_seen_and_its_chat_message_does_not() -> None:
    reader = chat(own_rewards={"r1"})
    from_eventsub(reader, "hello", message_id="m0", worn="vip/1")
    event = {
        "id": "d1", "status": "unfulfilled", "user_input": "a castle", "reward": {"id": "r1"},
        **US.fields("broadcaster_user"), **ANN.fields("user"),
    }  # fmt: skip
    assert from_eventsub(reader, "a castle", reward_id="r1", worn="vip/1") == []
    (trigger,) = reader.read_event(REWARDS.kind, event, "n1", NOW)
    assert trigger == Trigger(
        "d1", "twitch", "a castle", Actor(ANN.id, "ann", Role.VIP, "ann"), NOW, paid=True,
        redemption=Redemption("d1", "r1"),
    )  # fmt: skip
    assert reader.read_event(REWARDS.kind, event, "n2", NOW) == []


def test_a_cheer_counts_once_though_twitch_reports_it_three_times() -> None:
    reader = chat()
    cheer = from_eventsub(reader, "Cheer100 !bg castle", bits=100)
    bits = {**US.fields("broadcaster_user"), **ANN.fields("user"), "bits": 100, "type": "cheer", "message": None}
    more = [
        *reader.read_event("channel.bits.use", bits, "n1", NOW),
        *from_irc(reader, "Cheer100 !bg castle", bits="100"),
    ]
    assert more == []
    assert [(event.kind, event.count) for event in cheer if isinstance(event, Notice)] == [(NoticeKind.CHEER, 100)]
    assert [(event.text, event.paid) for event in cheer if isinstance(event, Trigger)] == [(" !bg castle", True)]


def test_a_power_up_without_a_message_counts_as_a_cheer() -> None:
    bits = {**US.fields("broadcaster_user"), **ANN.fields("user"), "bits": 40, "type": "power_up", "message": None}
    (notice,) = chat().read_event("channel.bits.use", bits, "n1", NOW)
    assert (notice.kind, notice.count) == (NoticeKind.CHEER, 40)  # type: ignore[union-attr]


def test_somebody_who_follows_again_and_again_is_noticed_once() -> None:
    reader = chat()
    event = {**US.fields("broadcaster_user"), **ANN.fields("user")}
    assert [len(reader.read_event("channel.follow", event, f"n{n}", NOW + n * 1000)) for n in range(4)] == [1, 0, 0, 0]


def test_the_bots_own_messages_are_ignored_and_the_streamers_are_not() -> None:
    reader = chat()
    reader.set_account(ANN.id, ANN.login)
    assert from_eventsub(reader) == []
    reader.set_account(ANN.id, "harbour")
    assert len(from_eventsub(reader, message_id="m2", now=NOW + 60)) == 1


def test_a_mention_of_the_account_that_is_logged_in_is_removed() -> None:
    reader = chat()
    reader.set_account("99", "harbourbot")
    assert from_eventsub(reader, "@harbourbot !bg castle")[0].text == "!bg castle"


def test_messages_of_a_shared_chat_on_eventsub_count_only_on_request_and_as_a_viewers() -> None:
    room = user_of("Lighthouse")
    assert from_eventsub(chat(), partner=room, worn="moderator/1") == []
    assert from_eventsub(chat(shared_chat=True), partner=room, worn="moderator/1")[0].actor.role is Role.VIEWER


def test_native_emotes_and_cheermotes_are_removed_by_fragment() -> None:
    assert from_eventsub(chat(), "!bg Kappa castle", emotes=("Kappa",))[0].text.split() == ["!bg", "castle"]
    assert from_eventsub(chat(), "Kappa", emotes=("Kappa",))[0].text == ""


def test_a_chat_that_is_cleared_once_is_cleared_once() -> None:
    reader = chat()
    assert len(read_all(":tmi.twitch.tv CLEARCHAT #harbour", reader)) == 1
    assert reader.read_event("channel.chat.clear", US.fields("broadcaster_user"), "n1", NOW + 1) == []


@pytest.mark.parametrize(
    "event", [{}, {"message": 1}, {"message": {"text": "x", "fragments": [1]}}, {"message_id": None, "message": {}}]
)
def test_malformed_events_are_counted(event: dict[str, Any]) -> None:
    reader = chat()
    assert reader.read_event("channel.chat.message", event, "n1", NOW) == []
    assert reader.malformed == 1
