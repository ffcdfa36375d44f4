"""The `words` rule: refuse texts with words that do not belong on a stream."""

from __future__ import annotations

from streamer.integrations.twitch.subscriptions import BLOCKED_TERMS
from streamer.moderation.text_filter import lexicon
from streamer.moderation.text_filter.filter import TextFilter
from streamer.moderation.text_filter.options import TextFilterOptions as Options

__all__ = ["Options", "create", "scopes"]


def scopes(options: Options) -> dict[str, str]:
    """Say what a Twitch login must cover for the channel's blocked terms."""
    return dict(BLOCKED_TERMS) if options.channel_terms else {}


def create(options: Options) -> TextFilter:
    """Build the rule with the shipped list."""
    return TextFilter(options, lexicon.shipped())
