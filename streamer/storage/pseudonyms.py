"""Says whose a picture is in signs that mean nothing to anybody without this installation's key.

A mark travels inside a picture's file, so it must not tell who asked, nor that two pictures are of the same person:
every mark has a salt of its own. Only when somebody is to be forgotten, their id (or its keyed hash) tries each mark.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Callable, Iterable
from functools import cached_property
from pathlib import Path

from filelock import FileLock

from streamer.errors import StoreError

FORM = re.compile(rb"streamer:([0-9a-f]{16}\.[0-9a-f]{16}\.[0-9a-f]{16})")
"""What a mark looks like inside a file; the group is the mark."""


class Pseudonyms:
    """Makes marks and recognises them; the key is a file of the data folder, made when first needed."""

    def __init__(self, home: Path) -> None:
        self._path = home / "secrets" / "pseudonym"

    @cached_property
    def _key(self) -> bytes:
        return _read_or_make(self._path)

    def unlock(self) -> None:
        """Read the key now, or make it; raises StoreError when neither can be done."""
        _ = self._key

    def pseudonym(self, actor_id: str) -> str:
        """Return the keyed hash that stands for somebody; what is one already stays as it is."""
        # The prefix tells a hash from an id, so that nothing is hashed twice.
        return actor_id if actor_id.startswith("~") else "~" + self._digest(actor_id)[:32]

    def make(self, request_id: str, actor_id: str) -> str:
        """Make the mark of one picture: of its request, and of whom it was drawn for."""
        salt = secrets.token_hex(8)
        return f"{self._of_request(request_id)}.{salt}.{self._of_owner(salt, self.pseudonym(actor_id))}"

    def meaning(self, actor_id: str | None, request_ids: Iterable[str] = ()) -> Callable[[str], bool]:
        """Return what tells whether a mark is somebody's, or that of one of these requests."""
        requests = {self._of_request(one) for one in request_ids}
        who = None if actor_id is None else self.pseudonym(actor_id)

        def meant(mark: str) -> bool:
            request, salt, owner = mark.split(".")
            return request in requests or (who is not None and owner == self._of_owner(salt, who))

        return meant

    def _of_request(self, request_id: str) -> str:
        return self._digest(f"request {request_id}")[:16]

    def _of_owner(self, salt: str, pseudonym: str) -> str:
        return self._digest(f"owner {salt} {pseudonym}")[:16]

    def _digest(self, text: str) -> str:
        return hmac.new(self._key, text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


def _read_or_make(path: Path) -> bytes:
    """Raises StoreError when there is no key and none can be written."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # The program and a command beside it may both be the first: one of them makes it, whole.
        with FileLock(path.with_name(f"{path.name}.lock")):
            if not path.exists():
                with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                    file.write(secrets.token_bytes(32))
            return path.read_bytes()
    except OSError as error:
        raise StoreError(str(path), f"{error.strerror}; set STREAMER_HOME to a folder that can be written") from error
