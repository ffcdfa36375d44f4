"""A tenant of a running program, and OpenAI's own client that speaks for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import openai


@dataclass(frozen=True)
class Key:
    """A tenant's name, its key, and the client that shows it."""

    tenant: str
    key: str
    client: openai.AsyncOpenAI

    @property
    def headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.key}"}


Tenant = Callable[[str], Key]
