"""Keyed pseudonyms for people, and tags that link a picture to its owner.

A tag is written into a picture's file, so it must not tell who asked, nor that two pictures belong to the same person:
each tag has its own salt. To erase somebody's pictures, their id (or its keyed hash) is tried on each tag.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Iterable
from functools import cached_property
from pathlib import Path

from streamer.storage import secret_files

KEY_BYTES = 32
TAG_PATTERN = re.compile(rb"streamer:([0-9a-f]{16}\.[0-9a-f]{16}\.[0-9a-f]{16})")
"""A tag as it stands in a file; the group is the tag."""


class Pseudonyms:
    """Makes pseudonyms and picture tags with this installation's key, and recognizes them.

    The key is a file of the state directory, created at first use.
    """

    def __init__(self, home: Path) -> None:
        self._path = secret_files.path_in(home, "pseudonym")

    @cached_property
    def _key(self) -> bytes:
        return secret_files.read_or_create(self._path, lambda: secrets.token_bytes(KEY_BYTES))

    def unlock(self) -> None:
        """Read the key now, or create it; raises StoreError when neither is possible."""
        _ = self._key

    def pseudonym(self, actor_id: str) -> str:
        """Return the keyed hash that stands for somebody; a pseudonym stays as it is."""
        # The prefix tells a hash from an id, so that nothing is hashed twice.
        return actor_id if actor_id.startswith("~") else "~" + self._digest(actor_id)[:32]

    def picture_tag(self, request_id: str, actor_id: str) -> str:
        """Return a new tag for one picture, which names its request and its owner."""
        salt = secrets.token_hex(8)
        return f"{self._request_part(request_id)}.{salt}.{self._owner_part(salt, self.pseudonym(actor_id))}"

    def tag_matcher(self, actor_id: str | None, request_ids: Iterable[str] = ()) -> Callable[[str], bool]:
        """Return a function that tells whether a tag belongs to this person or to one of these requests."""
        requests = {self._request_part(request_id) for request_id in request_ids}
        pseudonym = None if actor_id is None else self.pseudonym(actor_id)

        def matches(tag: str) -> bool:
            request, salt, owner = tag.split(".")
            return request in requests or (pseudonym is not None and owner == self._owner_part(salt, pseudonym))

        return matches

    def _request_part(self, request_id: str) -> str:
        return self._digest(f"request {request_id}")[:16]

    def _owner_part(self, salt: str, pseudonym: str) -> str:
        return self._digest(f"owner {salt} {pseudonym}")[:16]

    def _digest(self, text: str) -> str:
        return hmac.new(self._key, text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()
