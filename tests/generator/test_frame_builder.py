from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from streamer.errors import BackendError
from streamer.generator.backend import BackendPicture, HostPicture, Pixels, StepCallback
from streamer.generator.frame_builder import EncodeOptions, FrameBuilder, has_structure, is_blank
from streamer.generator.ipc import JudgeUse
from streamer.generator.judge_panel import JudgePanel, load_judge
from streamer.generator.render.encode import DigitalSource
from streamer.types import (
    Actor,
    Caption,
    Frame,
    ImageRequest,
    Judgement,
    Lane,
    Outcome,
    Preview,
    RequestKind,
    Role,
    SamplingParams,
)
from tests.support.generation import IMAGE_JUDGE, TEXT_JUDGE

GOLDEN = Path(__file__).parent / "procedural" / "scenery" / "golden"


def noise(width: int, height: int, channels: int = 3) -> Pixels:
    return np.random.default_rng(1).integers(0, 256, (height, width, channels), dtype=np.uint8)


def slope(width: int, height: int) -> Pixels:
    line = np.linspace(0, 255, width, dtype=np.uint8)
    return np.broadcast_to(line[None, :, None], (height, width, 3)).copy()


def request(caption: Caption | None = None, preview_px: int = 32) -> ImageRequest:
    params, actor = SamplingParams(64, 48, 4, 1.0, 1), Actor("1", "somebody", Role.VIEWER)
    return ImageRequest(
        "1", "meme", RequestKind.MEME, "meme", "a cat", "a cat", params, actor, Lane.CHAT, 0.0, 1.0, caption=caption,
        preview_px=preview_px,
    )  # fmt: skip


class Playback:
    """A backend that yields what it was given."""

    def __init__(self, *items: StepCallback | BackendPicture) -> None:
        self._items = items
        self.closed_early = self.left_out_words = False

    def draw(self, request: ImageRequest) -> Iterator[StepCallback | BackendPicture]:
        try:
            yield from self._items
        except GeneratorExit:
            self.closed_early = True
            raise


class DevicePicture(HostPicture):
    """A picture that is encoded on the GPU."""

    def jpeg(self, quality: int) -> bytes:
        file = io.BytesIO()
        Image.new("RGB", (self.width, self.height), "red").save(file, "JPEG", quality=quality)
        return file.getvalue()


def draw(
    *items: StepCallback | BackendPicture, caption: Caption | None = None, source: DigitalSource = DigitalSource.TRAINED
) -> list[object]:
    return list(FrameBuilder(Playback(*items), EncodeOptions(source=source)).draw(request(caption)))  # type: ignore[arg-type]


def frame_of(*items: StepCallback | BackendPicture, caption: Caption | None = None) -> Frame:
    last = draw(*items, caption=caption)[-1]
    assert isinstance(last, Frame)
    return last


def open_image(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


@pytest.mark.parametrize("size", [(64, 48), (48, 64), (1024, 1024), (20, 10), (1280, 80)])
def test_a_preview_is_never_larger_than_32_pixels_on_either_side(size: tuple[int, int]) -> None:
    preview, _ = draw(StepCallback(1, 4, slope(*size)), HostPicture(noise(64, 48)))
    assert isinstance(preview, Preview)
    image = open_image(preview.data)
    assert image.size == (preview.width, preview.height)
    assert max(image.size) <= 32
    assert (preview.step, preview.steps, preview.media_type) == (1, 4, "image/jpeg")


@pytest.mark.parametrize(
    ("size", "wanted"), [((1280, 720), (256, 144)), ((80, 45), (80, 45)), ((300, 600), (128, 256))]
)
def test_a_preview_is_as_large_as_its_request_says_and_never_enlarged(
    size: tuple[int, int], wanted: tuple[int, int]
) -> None:
    backend = Playback(StepCallback(1, 4, slope(*size)), HostPicture(noise(64, 48)))
    preview, _ = FrameBuilder(backend).draw(request(preview_px=256))  # type: ignore[arg-type]
    assert isinstance(preview, Preview)
    assert (preview.width, preview.height) == wanted == open_image(preview.data).size


@pytest.mark.parametrize("file", sorted(GOLDEN.glob("*.png")), ids=lambda file: file.stem)
def test_every_scene_has_structure_and_loses_it_in_noise(file: Path) -> None:
    scene = np.asarray(Image.open(file).convert("RGB").resize((80, 45)))
    assert has_structure(scene)
    drowned = scene * 0.1 + noise(80, 45) * 0.9
    assert not has_structure(drowned.astype(np.uint8))


@pytest.mark.parametrize("size", [(32, 18), (80, 45), (256, 144)])
def test_noise_and_flat_colour_have_no_structure_at_any_size(size: tuple[int, int]) -> None:
    width, height = size
    assert not has_structure(noise(*size))
    assert not has_structure(np.full((height, width, 3), 128, np.uint8))
    assert not has_structure((noise(*size) // 32 + 110).astype(np.uint8))
    assert has_structure(slope(*size))


@pytest.mark.parametrize("pixels", [None, noise(80, 45), np.full((45, 80, 3), 128, np.uint8)])
def test_a_step_that_shows_nothing_is_a_preview_without_data(pixels: Pixels | None) -> None:
    step, frame = draw(StepCallback(1, 4, pixels), HostPicture(noise(64, 48)))
    assert isinstance(step, Preview)
    assert (step.step, step.steps, step.data) == (1, 4, b"")
    assert isinstance(frame, Frame)


def test_an_opaque_picture_becomes_a_jpeg() -> None:
    frame = frame_of(HostPicture(noise(64, 48)))
    assert (frame.media_type, frame.width, frame.height, frame.layer) == ("image/jpeg", 64, 48, "meme")
    assert open_image(frame.data).size == (64, 48)


def test_a_transparent_picture_keeps_its_transparency() -> None:
    frame = frame_of(HostPicture(noise(64, 48, 4)))
    assert frame.media_type == "image/webp"
    assert open_image(frame.data).mode == "RGBA"


def test_alpha_that_hides_nothing_costs_nothing() -> None:
    pixels = noise(64, 48, 4)
    pixels[..., 3] = 255
    assert frame_of(HostPicture(pixels)).media_type == "image/jpeg"


def test_a_picture_encoded_on_the_device_is_sent_as_that_and_marked() -> None:
    frame = frame_of(DevicePicture(noise(64, 48)))
    red, green, blue = open_image(frame.data).convert("RGB").getpixel((5, 5))  # type: ignore[misc]
    assert red > 200
    assert green < 60
    assert blue < 60
    assert b"trainedAlgorithmicMedia" in frame.data


def test_a_caption_is_drawn_on_the_host_even_if_the_device_could_encode() -> None:
    grey = np.full((256, 256, 3), 128, np.uint8)
    grey[0, 0] = grey[4, 4] = 90
    frame = frame_of(DevicePicture(grey), caption=Caption("TOP", "", "top_bottom"))
    pixels = np.asarray(open_image(frame.data))
    assert pixels[:90].max() > 240
    assert pixels[:90].min() < 20
    assert np.ptp(pixels[200:]) < 20


def test_the_file_says_whether_a_model_drew_the_picture() -> None:
    frame = draw(HostPicture(noise(64, 48)), source=DigitalSource.ALGORITHMIC)[-1]
    assert isinstance(frame, Frame)
    assert b"digitalsourcetype/algorithmicMedia" in frame.data


def test_closing_early_closes_the_backends_iterator() -> None:
    backend = Playback(StepCallback(1, 2, None), HostPicture(noise(8, 8)))
    items = FrameBuilder(backend).draw(request())  # type: ignore[arg-type]
    next(items)
    items.close()
    assert backend.closed_early


def test_a_backend_without_a_picture_is_a_fault() -> None:
    with pytest.raises(BackendError, match="without a picture"):
        draw(StepCallback(1, 1, None))


def test_a_blank_picture_is_a_fault() -> None:
    with pytest.raises(BackendError, match="blank"):
        draw(HostPicture(np.zeros((48, 64, 3), np.uint8)))


def silhouette() -> Pixels:
    pixels = np.zeros((64, 64, 4), np.uint8)
    pixels[16:48, 16:48, 3] = 255
    return pixels


def night() -> Pixels:
    pixels = np.zeros((64, 64, 3), np.uint8)
    pixels[30:40, 30:40] = 180
    return pixels


@pytest.mark.parametrize(
    ("pixels", "blank"),
    [
        (np.zeros((64, 64, 3), np.uint8), True),
        (np.full((64, 64, 3), 255, np.uint8), True),
        (np.full((64, 64, 3), (20, 120, 80), np.uint8), True),
        (noise(64, 64) // 100, True),
        (np.zeros((64, 64, 4), np.uint8), True),
        (noise(64, 64), False),
        (noise(64, 64) // 10, False),
        (night(), False),
        (silhouette(), False),
        (np.tile(np.arange(64, dtype=np.uint8)[:, None, None], (1, 64, 3)), False),
    ],
    ids=[
        "black", "white", "one colour", "black noise", "transparent",
        "noise", "dark noise", "a light at night", "a silhouette", "a gradient",
    ],
)  # fmt: skip
def test_blank_is_what_shows_nothing(pixels: Pixels, blank: bool) -> None:
    assert is_blank(pixels) is blank


def test_the_drawing_time_excludes_the_time_of_the_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0

    class Slow(Playback):
        def draw(self, request: ImageRequest) -> Iterator[StepCallback | BackendPicture]:
            nonlocal now
            for item in self._items:
                now += 1.0
                yield item

    monkeypatch.setattr("streamer.generator.frame_builder.time.perf_counter", lambda: now)
    builder = FrameBuilder(Slow(StepCallback(1, 1, None), HostPicture(noise(64, 48))))  # type: ignore[arg-type]
    items = []
    for item in builder.draw(request()):
        items.append(item)
        now += 100.0
    assert isinstance(items[-1], Frame)
    assert items[-1].drew_s == 2.0


def test_the_judges_see_the_picture_before_the_caption_covers_it() -> None:
    judge = load_judge(JudgeUse(IMAGE_JUDGE, {}))
    grey = np.full((256, 256, 3), 128, np.uint8)
    grey[0, 0] = grey[4, 4] = 90
    plain = FrameBuilder(Playback(HostPicture(grey)), judge_panel=JudgePanel([judge]))  # type: ignore[arg-type]
    (alone,) = list(plain.draw(request()))[-1].judgements  # type: ignore[union-attr]
    captioned = FrameBuilder(Playback(HostPicture(grey)), judge_panel=JudgePanel([judge]))  # type: ignore[arg-type]
    (covered,) = list(captioned.draw(request(Caption("TOP " * 9, "", "top_bottom"))))[-1].judgements  # type: ignore[union-attr]
    assert alone.scores == covered.scores


def test_a_frame_carries_the_judgements_of_the_backend_and_the_text_judges() -> None:
    class Opinionated(Playback):
        def opinions(self) -> tuple[Judgement, ...]:
            return (Judgement(Outcome.HOLD, "policy", "policy", "1"),)

    text_judge = load_judge(JudgeUse(TEXT_JUDGE, {"words": ["cat"], "block": {"cat": 1.0}}))
    builder = FrameBuilder(Opinionated(HostPicture(noise(64, 48))), judge_panel=JudgePanel([text_judge]))  # type: ignore[arg-type]
    frame = list(builder.draw(request()))[-1]
    assert isinstance(frame, Frame)
    assert [(judgement.outcome, judgement.code) for judgement in frame.judgements] == [
        ("block", "cat"),
        ("hold", "policy"),
    ]


def test_a_frame_says_whether_its_backend_left_out_words() -> None:
    backend = Playback(HostPicture(slope(64, 48)))
    for left_out in (False, True):
        backend.left_out_words = left_out
        (frame,) = FrameBuilder(backend).draw(request())  # type: ignore[arg-type]
        assert isinstance(frame, Frame)
        assert frame.left_out_words is left_out
