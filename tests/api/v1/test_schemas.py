"""What a program asks for is filled in and checked; the same request has the same fingerprint."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.api.v1 import schemas
from streamer.api.v1.faults import Fault
from streamer.api.v1.options import PictureApiOptions
from streamer.api.v1.schemas import AskIn, OutputFormat, parsed, resolved
from streamer.api.v1.tenants import Limits, Tenant
from streamer.storage.tenants import Usage

OPTIONS = PictureApiOptions(sizes=("640x352", "512x512"), also_called=("gpt-image-1",))
MODELS = ("procedural", "gpt-image-1")


def asked(**fields: object) -> schemas.Ask:
    return resolved(parsed({"prompt": "a fox", **fields}), OPTIONS, MODELS)


def test_what_is_left_out_is_the_first_size_one_jpeg_and_no_stream() -> None:
    ask = asked(size=None, n=None, stream=None)
    assert (ask.size, ask.count, ask.output_format, ask.stream, ask.seed) == (
        "640x352", 1, OutputFormat.JPEG, False, None,
    )  # fmt: skip
    assert asked(size="auto").size == "640x352"


def test_programs_that_know_openais_model_alone_may_ask_for_it() -> None:
    assert asked(model="gpt-image-1").prompt == "a fox"
    with pytest.raises(Fault, match="use 'procedural'"):
        asked(model="dall-e-3")


def test_what_has_no_effect_is_taken() -> None:
    assert asked(user="ann", quality="high", style="vivid", moderation="low", background="opaque") == asked()


def test_an_equal_request_has_the_same_fingerprint_whether_it_streams_or_not() -> None:
    assert asked().fingerprint == asked(stream=True, partial_images=2).fingerprint
    others = [asked(n=2), asked(size="512x512"), asked(seed=1), asked(output_format="png"), asked(output_compression=5)]
    edit = resolved(parsed({"prompt": "a fox"}), OPTIONS, MODELS, b"picture")
    prints = {ask.fingerprint for ask in (*others, edit, asked())}
    assert len(prints) == len(others) + 2


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.sampled_from(list(AskIn.model_fields)), JSON, max_size=6), JSON)
def test_any_json_is_a_request_or_a_fault_in_one_sentence(fields: dict[str, object], anything: object) -> None:
    for body in ({"prompt": "a fox", **fields}, anything):
        found = outcome(body)
        if isinstance(found, Fault):
            assert found.status_code in (400, 404)
            assert "\n" not in found.detail
        else:
            assert found.size in OPTIONS.sizes
            assert 1 <= found.count <= schemas.MOST_PICTURES


def outcome(body: object) -> schemas.Ask | Fault:
    try:
        return resolved(parsed(body), OPTIONS, MODELS)
    except Fault as fault:
        return fault


def test_a_report_says_what_is_left() -> None:
    shop = Tenant("shop", Limits(5, 100, 2, 0.5, True))
    shop.count(Usage("shop", "2026-11-29", pictures=3))
    with shop.asking(2, 0.0, "2026-11-29"):
        report = schemas.usage_report(
            shop, [Usage("shop", "2026-11-28", 1, 2, 3, 0.5, 0.25)], OPTIONS, 0.0, "2026-11-29"
        )
    assert (report.left_this_minute, report.got_this_month, report.currency) == (3, 3, "EUR")
    assert report.days[0].model_dump() == {
        "day": "2026-11-28", "pictures": 1, "refused": 2, "failed": 3, "gpu_seconds": 0.5, "cost": 0.25,
    }  # fmt: skip


def test_the_document_describes_every_field_of_a_body() -> None:
    content = schemas.body_schema("multipart/form-data", image=True)["requestBody"]["content"]
    schema = content["multipart/form-data"]["schema"]
    assert schema["properties"].keys() == {*AskIn.model_fields, "image"}
    assert schema["required"] == ["prompt", "image"]
    assert "$ref" not in str(schema)
