"""Draws on a server with OpenAI's images API: a loop of its own waits for the answer while the worker says it lives."""

from __future__ import annotations

import asyncio
import io
import queue
import threading
from collections.abc import Iterator, Sequence

from streamer.errors import BackendError, Unsupported
from streamer.generator.backend import BackendPicture, HostPicture, Pixels, Report, StepCallback, one_line
from streamer.generator.openai_images import answers
from streamer.generator.openai_images.client import Ask, ImagesClient, Partial
from streamer.types import ImageRequest, RequestKind

HEARTBEAT_S = 0.5
"""How often a step without a picture is reported: it shows that the worker does not hang, and a cancel is noticed."""
CLOSE_S = 5.0
STEPS = 1
"""A drawing elsewhere has no steps; one step says that stopping it for another picture saves nothing."""

_Item = Partial | bytes | BackendError


class OpenAiImages:
    """Draw on one server; ``sizes`` are those it draws, none if it draws any."""

    def __init__(
        self, client: ImagesClient, parameters: dict[str, object], sizes: tuple[tuple[int, int], ...], *,
        edits: bool = True, transparent: bool = False, sends_seed: bool = False,
    ) -> None:  # fmt: skip
        self.edits = edits
        self._client, self._parameters, self._sizes = client, parameters, sizes
        self._transparent, self._sends_seed = transparent, sends_seed
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="picture-server", daemon=True)

    def load(self, report: Report) -> None:
        """Start the thread that waits for answers; the server is asked when there is something to draw."""
        report(f"pictures are drawn by {self._client.host}", 1.0)
        self._thread.start()

    def warm_up(self, sizes: Sequence[tuple[int, int]], report: Report) -> None:
        """Do nothing: each picture costs money at many servers."""

    def draw(self, request: ImageRequest) -> Iterator[StepCallback | BackendPicture]:
        """Yield steps while the server draws, with its unfinished pictures, then the picture; closing hangs up."""
        if request.reference is not None and not self.edits:
            raise Unsupported("this picture server only draws new pictures")
        items: queue.SimpleQueue[_Item] = queue.SimpleQueue()
        asking = asyncio.run_coroutine_threadsafe(self._ask(self._asked(request), items), self._loop)
        try:
            yield from self._items(request, items)
        finally:
            asking.cancel()

    def active(self) -> dict[str, str]:
        """Name the server and the model."""
        return {"device": self._client.host, "model": str(self._parameters.get("model", "")), "engine": "openai images"}

    def close(self) -> None:
        """Stop the thread."""
        if self._thread.is_alive():
            asyncio.run_coroutine_threadsafe(_end_all(), self._loop).result(CLOSE_S)
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
        self._loop.close()

    async def _ask(self, ask: Ask, items: queue.SimpleQueue[_Item]) -> None:
        """Put everything that comes into the queue; the last item is a picture or an error."""
        try:
            async for item in self._client.draw(ask):
                items.put(item)
        except BackendError as error:
            items.put(error)
        except Exception as error:
            # Whatever a server sends must not leave the worker waiting.
            items.put(BackendError(f"the picture server's answer cannot be used: {one_line(error)}"))

    def _items(self, request: ImageRequest, items: queue.SimpleQueue[_Item]) -> Iterator[StepCallback | BackendPicture]:
        while True:
            try:
                item = items.get(timeout=HEARTBEAT_S)
            except queue.Empty:
                yield StepCallback(0, STEPS, None)
                continue
            if isinstance(item, BackendError):
                raise item
            if isinstance(item, bytes):
                yield HostPicture(self._pixels(request, item))
                return
            yield StepCallback(0, STEPS, self._pixels(request, item.data))

    def _pixels(self, request: ImageRequest, data: bytes) -> Pixels:
        alpha = self._transparent and request.kind is RequestKind.STICKER
        return answers.pixels_of(data, request.params.width, request.params.height, alpha=alpha)

    def _asked(self, request: ImageRequest) -> Ask:
        """Return what is sent: words, size and the configured parameters; neither id nor name of whoever asked."""
        width, height = answers.nearest_size(request.params.width, request.params.height, self._sizes)
        parameters = {**self._parameters, "prompt": request.prompt, "n": 1, "size": f"{width}x{height}"}
        if self._sends_seed:
            parameters["seed"] = request.params.seed
        if self._transparent and request.kind is RequestKind.STICKER:
            parameters |= {"background": "transparent", "output_format": "png"}
        return Ask(parameters, None if request.reference is None else as_png(request.reference))


async def _end_all() -> None:
    """Cancel what still runs in this loop, and wait until its connections are closed."""
    running = asyncio.all_tasks() - {asyncio.current_task()}
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)


def as_png(reference: bytes) -> bytes:
    """Return the picture of an edit as a PNG, which every server takes."""
    from PIL import Image

    file = io.BytesIO()
    with Image.open(io.BytesIO(reference)) as image:
        image.convert("RGB").save(file, "PNG", compress_level=1)
    return file.getvalue()
