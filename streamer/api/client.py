"""What the command line asks of the running program."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

import httpx

from streamer.errors import ApiError, SeveralPeople, in_words
from streamer.integrations import network

OK, CONFLICT = 200, 409
CONNECT_WITHIN_S = 10.0
FORGET_WITHIN_S = 600.0
"""The running program answers only when the pictures in the streamer's folders are deleted, too."""
NOTHING_DONE = "nothing was changed, since a running program would not notice"


@dataclass(frozen=True, slots=True)
class ForgetAnswer:
    """How many requests were deleted, and a sentence that names the person."""

    requests: int
    text: str


async def forget(url: str, token: str, who: str) -> ForgetAnswer:
    """Let the running program forget somebody, since it knows more than the disk.

    ``who`` is an id, a login or a shown name. Raises SeveralPeople when it means several, and ApiError when nothing
    answers at ``url``, or something else does.
    """
    try:
        async with _own_program(token, FORGET_WITHIN_S) as client:
            answer = await client.delete(f"{url}/api/v1/people/{quote(who, safe='')}")
    except (httpx.TransportError, httpx.InvalidURL) as error:
        raise _silent(url, error) from error
    try:
        if answer.status_code == CONFLICT:
            raise SeveralPeople(str(answer.json()["detail"]))
        if answer.status_code != OK:
            raise _refused(url, answer)
        body = answer.json()
        return ForgetAnswer(int(body["requests"]), str(body["text"]))
    except (ValueError, LookupError, TypeError) as error:
        raise _foreign(url) from error


async def check_token(url: str, token: str) -> None:
    """Raise ApiError if the program at ``url`` does not take a token for its operator's; it need not answer yet."""
    try:
        async with _own_program(token, CONNECT_WITHIN_S) as client:
            answer = await client.get(f"{url}/api/v1/overlay")
    except httpx.TransportError:
        return
    if answer.status_code != OK:
        raise _refused(url, answer)


def _refused(url: str, answer: httpx.Response) -> ApiError:
    fix = "stop it, or set STREAMER_OPERATOR_TOKEN to the token of its operator"
    return ApiError(url, f"answers {answer.status_code}", fix)


def _foreign(url: str) -> ApiError:
    fix = f"stop it, give streamer another port (server.port), and start it again; {NOTHING_DONE}"
    return ApiError(url, "is not streamer", fix)


def _silent(url: str, error: Exception) -> ApiError:
    fix = f"wait until it answers, or stop it, and repeat the command; {NOTHING_DONE}"
    return ApiError(url, f"does not answer ({in_words(error)})", fix)


def _own_program(token: str, within_s: float) -> httpx.AsyncClient:
    """Make a client for this computer's own program, which is never asked through a proxy."""
    timeout = httpx.Timeout(within_s, connect=CONNECT_WITHIN_S)
    return network.own_client(timeout, {"authorization": f"Bearer {token}"})
