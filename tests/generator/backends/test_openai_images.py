"""The options name a server and a file with the key; a key in the config file is refused and not repeated."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from streamer.config_file import Document
from streamer.errors import BackendUnavailable, ConfigError, leaves
from streamer.generator.backends.openai_images import Options, create, key_path, parse_size, read_key

KEY = "sk-live-0123456789"


def key_file(folder: Path, content: bytes = KEY.encode(), mode: int = 0o600) -> Path:
    path = folder / "key"
    path.touch(mode)
    path.write_bytes(content)
    path.chmod(mode)
    return path


@pytest.mark.parametrize("url", ["ftp://x", "api.openai.com/v1", "https://", "https://x/v1?key=1", ""])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ValidationError, match="is no address like"):
        Options(url=url)


@pytest.mark.parametrize("options", [{"key_file": KEY}, {"url": f"https://me:{KEY}@host/v1"}])
def test_a_key_in_the_config_file_is_refused_and_not_repeated(options: dict[str, object]) -> None:
    with pytest.raises(ExceptionGroup) as caught:
        Document("config.yaml", {}, {}).check(Options, options, ("generator", "backends", "openai_images"))
    (error,) = leaves(caught.value)
    assert isinstance(error, ConfigError)
    assert "write the key into" in str(error)
    assert KEY not in str(error)


def test_a_parameter_that_the_program_sets_itself_is_refused() -> None:
    with pytest.raises(ValidationError, match="prompt, user cannot be set here"):
        Options(parameters={"prompt": "x", "user": "ann", "quality": "low"})


def test_the_key_is_in_the_state_folder_or_where_the_path_leads(tmp_path: Path) -> None:
    assert key_path(Options(), tmp_path) == tmp_path / "secrets" / "openai_images"
    assert key_path(Options(key_file="/keys/mine"), tmp_path) == Path("/keys/mine")
    assert key_path(Options(key_file=None), tmp_path) is None


def test_a_key_is_read_without_its_line_end(tmp_path: Path) -> None:
    assert read_key(key_file(tmp_path, KEY.encode() + b"\n")) == KEY
    assert read_key(None) == ""


@pytest.mark.parametrize("content", [b"", b"\n", b"two words", b"\xff\xfe"])
def test_a_file_without_a_key_is_named_with_the_fix(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(BackendUnavailable, match="has no key in it; write the key into it"):
        read_key(key_file(tmp_path, content))
    with pytest.raises(BackendUnavailable, match="nowhere is missing"):
        read_key(tmp_path / "nowhere")


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BackendUnavailable, match="other users of this machine may read it; chmod 600"):
        read_key(key_file(tmp_path, mode=0o644))


def test_a_backend_without_its_key_cannot_be_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STREAMER_HOME", str(tmp_path))
    with pytest.raises(BackendUnavailable, match="openai_images is missing"):
        create(Options())


@pytest.mark.parametrize("size", ["1024", "0x5", "axb", "1x1x1", "99999x99999", "1024 x 1024"])
def test_a_size_that_is_none_is_refused(size: str) -> None:
    with pytest.raises(ValidationError, match="write it like 1024x1024"):
        Options(sizes=(size,))
    assert parse_size("1024x768") == (1024, 768)
