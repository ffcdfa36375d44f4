"""Refuses texts with words that do not belong on a stream: the text filter with the shipped list."""

from __future__ import annotations

from streamer.integrations.twitch.subscriptions import BLOCKED_TERMS
from streamer.moderation.text_filter import lexicon
from streamer.moderation.text_filter.filter import TextFilter
from streamer.moderation.text_filter.options import TextFilterOptions as Options

__all__ = ["Options", "create", "scopes"]


def scopes(options: Options) -> dict[str, str]:
    """Return the scopes that a Twitch login needs for the channel's blocked terms."""
    return dict(BLOCKED_TERMS) if options.channel_terms else {}


def create(options: Options) -> TextFilter:
    """Build the rule with the shipped list."""
    return TextFilter(options, lexicon.shipped())
