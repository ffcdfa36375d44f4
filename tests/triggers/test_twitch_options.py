"""Which channel names are understood, and what the plug-in offers."""

import pytest
from pydantic import ValidationError

from streamer.errors import ConfigError
from streamer.integrations.twitch.subscriptions import Feature
from streamer.triggers.twitch import NoChannel, Options, TwitchSource, create, login_of, scopes


@pytest.mark.parametrize(
    "channel",
    [
        "my_channel",
        "My_Channel",
        "#my_channel",
        "@My_Channel",
        " my_channel ",
        "https://twitch.tv/My_Channel",
        "www.twitch.tv/my_channel?x=1",
        "https://m.twitch.tv/my_channel/videos",
    ],
)
def test_a_channel_may_be_written_in_every_usual_way(channel: str) -> None:
    assert Options(channel=channel).channel == "my_channel"


@pytest.mark.parametrize(
    "channel", ["no", "a b c", "канал", "x" * 26, "https://example.org/abc", "a;b", "abc\r\nJOIN #x"]
)
def test_a_name_that_cannot_be_a_channel_is_refused_with_the_fix(channel: str) -> None:
    with pytest.raises(ConfigError, match=r"channel: .* is not the name of a Twitch channel; write the name"):
        create(Options(channel=channel))


@pytest.mark.parametrize("channel", [None, "", " ", "#"])
async def test_without_a_channel_the_source_is_silent_and_says_what_to_do(channel: str | None) -> None:
    source = create(Options(channel=channel))
    assert isinstance(source, NoChannel)
    assert [happening async for happening in source.listen()] == []
    assert source.health().state == "off"
    assert "config.yaml" in source.health().detail
    assert login_of(channel) == ""


def test_with_a_channel_the_source_reads_twitch() -> None:
    source = create(Options(channel="harbour"))
    assert isinstance(source, TwitchSource)
    assert (source.health().state, source.health().detail) == ("connecting", "#harbour")
    assert str(Options().irc_url).startswith("wss://irc-ws.chat.twitch.tv")


@pytest.mark.parametrize("wrong", [{"chanel": "x"}, {"irc_url": "https://x.org"}, {"shared_chat": "perhaps"}])
def test_options_that_mean_nothing_are_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        Options.model_validate(wrong)


def test_a_login_is_asked_for_no_more_than_the_options_use() -> None:
    assert scopes(Options()) == {}
    assert set(scopes(Options(channel="harbour"))) == {"user:read:chat", "moderator:read:shield_mode"}
    chosen = Options(channel="harbour", events=(Feature.BITS,), followers=True)
    assert set(scopes(chosen)) == {"user:read:chat", "bits:read", "moderator:read:followers"}
