"""Which scopes of a login the events of config.yaml and the rules about words need."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

BLOCKED_TERMS: Mapping[str, str] = {"moderator:read:blocked_terms": "the channel's blocked terms"}
_SCOPES = {
    "cheer": "bits:read",
    "subscription": "user:read:chat",
    "gift": "user:read:chat",
    "follow": "moderator:read:followers",
}


def of_events(events: Iterable[str]) -> Mapping[str, str]:
    """Return each scope with its feature; raids need none."""
    return {_SCOPES[event]: f"{event} events" for event in events if event in _SCOPES}
