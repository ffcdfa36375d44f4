"""The panel shows the same table of models as the command line."""

from __future__ import annotations

from streamer.generator import model_table
from streamer.generator.models import shipped
from tests.support.real_program import Remote


async def test_every_model_is_listed_with_what_it_needs_here(program: Remote) -> None:
    """Licence, memory and fit are those of streamer models; nothing was measured on this machine."""
    answer = (await program.client.get("/api/v1/models")).json()
    name, memory_gb = model_table.memory_here()
    assert answer["machine"] == model_table.machine_in_words(name, memory_gb)
    assert [row["name"] for row in answer["models"]] == list(shipped())
    by_name = {row["name"]: row for row in answer["models"]}
    assert by_name["sdxl-turbo"]["earning_streams"] == "no"
    assert by_name["klein-4b"]["size"] == "1024x1024"
    assert by_name["klein-4b"]["memory"].endswith("6.5 GB tiny")
    assert {row["seconds"] for row in answer["models"]} == {None}
