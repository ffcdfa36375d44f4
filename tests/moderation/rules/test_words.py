"""The rule `words` asks for the scopes it can use; what it refuses is tested with the text filter."""

from __future__ import annotations

from streamer.moderation.rules.words import Options, create, scopes
from streamer.moderation.text_filter.filter import TextFilter


def test_the_channels_terms_take_a_scope_only_where_they_are_wanted() -> None:
    assert scopes(Options(channel_terms=False)) == {}
    assert scopes(Options()) != {}


def test_it_is_the_text_filter_with_the_shipped_list() -> None:
    rule = create(Options())
    assert isinstance(rule, TextFilter)
    assert rule.name_ok("ann")
