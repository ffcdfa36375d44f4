"""The client asks one server, follows its picture's address without the key, and shows the key to nobody."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from streamer.errors import BackendError
from streamer.generator.openai_images.client import Ask, ImagesClient
from tests.support.images_server import ImagesServer, Said, drawn, picture, said_json, serving

PICTURE = picture()


@pytest.fixture
def server() -> Iterator[ImagesServer]:
    with serving() as running:
        yield running


async def drawn_by(client: ImagesClient) -> bytes:
    items = [item async for item in client.draw(Ask({"prompt": "fox"}))]
    assert isinstance(items[-1], bytes)
    return items[-1]


def test_the_key_is_in_no_description_of_the_client() -> None:
    client = ImagesClient("https://pictures.example/v1", 5.0, "sk-secret")
    assert client.host == "pictures.example"
    assert "sk-secret" not in f"{client} {client!r}"


async def test_one_client_asks_again_and_again(server: ImagesServer) -> None:
    server.answer = lambda asked: drawn(PICTURE)
    client = ImagesClient(f"{server.url}/", 5.0, "sk-secret")
    assert [await drawn_by(client) for _ in range(2)] == [PICTURE] * 2
    assert [asked.path for asked in server.asked] == ["/v1/images/generations"] * 2


async def test_an_address_that_moved_is_followed_a_few_times(server: ImagesServer) -> None:
    def answer_of(hops: int) -> None:
        answers = iter([
            said_json({"data": [{"url": f"{server.url}/one.png"}]}),
            *[Said(302, headers={"location": "/v1/two.png"})] * hops,
            Said(200, (PICTURE,), "image/png"),
        ])  # fmt: skip
        server.answer = lambda asked: next(answers)

    client = ImagesClient(server.url, 5.0, "sk-secret")
    answer_of(2)
    assert await drawn_by(client) == PICTURE
    assert [asked.path for asked in server.asked[1:]] == ["/v1/one.png", "/v1/two.png", "/v1/two.png"]
    assert not any("authorization" in asked.headers for asked in server.asked[1:])
    answer_of(9)
    with pytest.raises(BackendError, match="leads elsewhere too often"):
        await drawn_by(client)


async def test_an_address_that_moves_into_the_network_is_not_followed(server: ImagesServer) -> None:
    answers = iter([
        said_json({"data": [{"url": f"{server.url}/one.png"}]}),
        Said(302, headers={"location": "http://169.254.169.254/latest"}),
    ])  # fmt: skip
    server.answer = lambda asked: next(answers)
    with pytest.raises(BackendError, match="not one to fetch from"):
        await drawn_by(ImagesClient(server.url, 5.0))


async def test_an_address_that_answers_nothing_is_one_sentence(server: ImagesServer) -> None:
    answers = iter([said_json({"data": [{"url": f"{server.url}/one.png"}]}), Said(404)])
    server.answer = lambda asked: next(answers)
    with pytest.raises(BackendError, match="address of the picture answers 404"):
        await drawn_by(ImagesClient(server.url, 5.0))
