"""Every line Twitch may send is read as it was meant, and nonsense is nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.integrations.twitch.irc_message import LONGEST_LINE, IrcMessage, lines_of, parse
from tests.support.irc_server import escaped


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("PING :tmi.twitch.tv", IrcMessage("PING", ("tmi.twitch.tv",))),
        (":tmi.twitch.tv 001 me :Welcome, GLHF!", IrcMessage("001", ("me", "Welcome, GLHF!"))),
        (":tmi.twitch.tv CLEARCHAT #a", IrcMessage("CLEARCHAT", ("#a",))),
        (":tmi.twitch.tv RECONNECT", IrcMessage("RECONNECT")),
        (":ann!ann@ann.tmi.twitch.tv PRIVMSG #a :!bg  a :) b ", IrcMessage("PRIVMSG", ("#a", "!bg  a :) b "), "ann")),
        ("@a=1;b=;c :n!n@h PRIVMSG #a ::x", IrcMessage("PRIVMSG", ("#a", ":x"), "n", {"a": "1", "b": "", "c": ""})),
        ("@a=x=y  privmsg  #a  b", IrcMessage("PRIVMSG", ("#a", "b"), "", {"a": "x=y"})),
    ],
)
def test_a_line_is_tags_sender_command_and_parameters(line: str, message: IrcMessage) -> None:
    assert parse(line) == message


@pytest.mark.parametrize(
    "line", ["", " ", "@", "@a=1", ":server", "@a=1 :server", "😀 x", "::", ":a :b", "x" * LONGEST_LINE + "x"]
)
def test_what_is_no_line_is_nothing(line: str) -> None:
    assert parse(line) is None


def test_the_text_of_a_message_is_its_last_parameter() -> None:
    assert [IrcMessage("A", ("x", "y z")).text, IrcMessage("A").text] == ["y z", ""]


@given(st.text(alphabet=st.one_of(st.sampled_from("\\:;snr \r\n="), st.characters(codec="utf-8")), max_size=30))
def test_tag_values_come_back_as_they_were_before_escaping(value: str) -> None:
    message = parse(f"@before=1;key={escaped(value)};after=2 PING")
    assert message is not None
    assert message.tags == {"before": "1", "key": value, "after": "2"}


@pytest.mark.parametrize(("value", "meant"), [("a\\", "a"), ("\\b\\", "b"), ("\\\\s", "\\s"), ("\\", "")])
def test_stray_backslashes_are_dropped(value: str, meant: str) -> None:
    message = parse(f"@key={value} PING")
    assert message is not None
    assert message.tags["key"] == meant


@pytest.mark.parametrize(
    ("frame", "lines"),
    [
        (b"PING :a\r\nPING :b\r\n", ["PING :a", "PING :b"]),
        (b"PING :a", ["PING :a"]),
        (b"\r\n \r\n", []),
        ("a\u2028b\x0bc\x85".encode(), ["a\u2028b\x0bc\x85"]),
        (b"PING :\xff", ["PING :\ufffd"]),
    ],
)
def test_a_frame_holds_any_number_of_lines(frame: bytes, lines: list[str]) -> None:
    assert list(lines_of(frame)) == lines


@given(st.one_of(st.binary(max_size=200), st.text(alphabet="@:;=\\ !#PRIVMSGab\r\n\x01", max_size=80).map(str.encode)))
def test_no_bytes_can_upset_the_parser(frame: bytes) -> None:
    for line in lines_of(frame):
        message = parse(line)
        assert message is None or (message.command.isupper() or message.command.isdigit())
