"""Advice to install something is the exact command for this installation, and names our own package."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
import tomllib
import venv
from pathlib import Path

import pytest

from streamer import installation
from streamer.installation import Installation, Installer, add_extra, add_package
from tests.support.paths import ROOT

PYTHON = Path("/opt/show/bin/python")


@pytest.mark.parametrize(
    ("found", "extra", "package"),
    [
        (
            Installation(Installer.PIP, PYTHON),
            "/opt/show/bin/python -m pip install 'streamer-live[klein]'",
            "/opt/show/bin/python -m pip install timm",
        ),
        (
            Installation(Installer.PIP, Path("/my show/python"), flags=("--user", "--break-system-packages")),
            "'/my show/python' -m pip install --user --break-system-packages 'streamer-live[klein]'",
            "'/my show/python' -m pip install --user --break-system-packages timm",
        ),
        (
            Installation(Installer.PIP, PYTHON, source="/src/streamer", editable=True),
            "/opt/show/bin/python -m pip install --editable '/src/streamer[klein]'",
            "/opt/show/bin/python -m pip install timm",
        ),
        (
            Installation(Installer.PIP, PYTHON, source="git+https://example.com/s.git@v1"),
            "/opt/show/bin/python -m pip install 'streamer-live[klein] @ git+https://example.com/s.git@v1'",
            "/opt/show/bin/python -m pip install timm",
        ),
        (
            Installation(Installer.UV, PYTHON),
            "uv pip install --python /opt/show/bin/python 'streamer-live[klein]'",
            "uv pip install --python /opt/show/bin/python timm",
        ),
        (
            Installation(Installer.PIPX, PYTHON, "streamer-live", extras={"midi"}),
            "pipx install --force 'streamer-live[klein,midi]'",
            "pipx inject streamer-live timm",
        ),
        (
            Installation(Installer.UV_TOOL, PYTHON, extras={"hotkey"}),
            "uv tool install --reinstall 'streamer-live[hotkey,klein]'",
            "uv tool install --with timm 'streamer-live[hotkey]'",
        ),
    ],
)
def test_each_kind_of_installation_has_its_command(found: Installation, extra: str, package: str) -> None:
    assert (add_extra("klein", found), add_package("timm", found)) == (extra, package)


def test_the_home_folder_is_not_shown_and_the_shell_puts_it_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    found = Installation(Installer.PIP, tmp_path / "a b" / "python", source=f"{tmp_path}/src", editable=True)
    command = add_extra("klein", found)
    assert str(tmp_path) not in command
    echoed = subprocess.run(
        ["sh", "-c", f"printf '%s\\n' {command}"], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert (echoed[0], echoed[-1]) == (str(tmp_path / "a b" / "python"), f"{tmp_path}/src[klein]")


def test_a_checkout_is_installed_again_from_its_folder() -> None:
    words = shlex.split(add_extra("hotkey"))
    assert words[-2] == "--editable"
    assert Path(words[-1].removesuffix("[hotkey]")).expanduser() == ROOT


PROBE = "from streamer import installation as i; print(i.add_extra('klein')); print(i.add_package('timm'))"


def in_environment(folder: Path, marker: str = "", direct_url: object = None) -> list[str]:
    """Ask a copy of the module in a real virtual environment, as its installer leaves it behind."""
    venv.create(folder, with_pip=False)
    (packages,) = folder.glob("lib/python*/site-packages")
    (packages / "streamer").mkdir()
    (packages / "streamer" / "__init__.py").touch()
    (packages / "streamer" / "installation.py").write_text(Path(installation.__file__).read_text(encoding="utf-8"))
    notes = packages / "streamer_live-0.1.0.dist-info"
    notes.mkdir()
    needs = 'Requires-Dist: mido>=1.3; extra == "midi"\nRequires-Dist: torch>=2.9; extra == "klein"\n'
    (notes / "METADATA").write_text(f"Metadata-Version: 2.4\nName: streamer-live\nVersion: 0.1.0\n{needs}")
    mido = packages / "mido-1.3.dist-info"
    mido.mkdir()
    (mido / "METADATA").write_text("Metadata-Version: 2.4\nName: mido\nVersion: 1.3\n")
    if marker:
        (folder / marker).touch()
    if direct_url:
        (notes / "direct_url.json").write_text(json.dumps(direct_url))
    return subprocess.run(
        [folder / "bin" / "python", "-I", "-c", PROBE], capture_output=True, text=True, check=True, timeout=60
    ).stdout.splitlines()


@pytest.mark.skipif(sys.platform == "win32", reason="the folders of a virtual environment have other names")
@pytest.mark.parametrize(
    ("marker", "noted", "commands"),
    [
        (
            "pipx_metadata.json", None,
            ["pipx install --force 'streamer-live[klein,midi]'", "pipx inject streamer-live timm"],
        ),
        (
            "uv-receipt.toml", {"url": "file:///src/my%20show", "dir_info": {}},
            ["uv tool install --reinstall '/src/my show[klein,midi]'",
             "uv tool install --with timm '/src/my show[midi]'"],
        ),
        (
            "", {"url": "https://example.com/s.git", "vcs_info": {"vcs": "git", "commit_id": "1" * 40}},
            ["uv pip install --python PYTHON 'streamer-live[klein] @ git+https://example.com/s.git'",
             "uv pip install --python PYTHON timm"],
        ),
    ],
)  # fmt: skip
def test_the_installation_is_recognized_by_what_its_installer_leaves(
    tmp_path: Path, marker: str, noted: object, commands: list[str]
) -> None:
    folder = tmp_path / "streamer-live"
    python = shlex.quote(str(folder / "bin" / "python"))
    assert in_environment(folder, marker, noted) == [command.replace("PYTHON", python) for command in commands]


def test_nothing_tells_people_to_install_somebody_elses_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert (project["name"], project["scripts"]) == (installation.NAME, {"streamer": "streamer.cli:main"})
    folders = [ROOT / name for name in ("streamer", "docs", "scripts", "tests", "web")]
    kinds = (".py", ".md", ".js", ".sh", ".yaml")
    files = [path for folder in folders for path in folder.rglob("*") if path.suffix in kinds]
    told = {
        f"{path.name}: {found[0]}"
        for path in [*files, ROOT / "README.md", ROOT / "config.yaml", ROOT / "Makefile"] if path != Path(__file__)
        for found in [re.search(r"\bstreamer\[\w+\]|pip install \"?streamer\b(?!-)", path.read_text(encoding="utf-8"))]
        if found
    }  # fmt: skip
    assert told == set()
    advice = re.compile(r"pip install")
    own = [path for path in (ROOT / "streamer").rglob("*.py") if advice.search(path.read_text(encoding="utf-8"))]
    assert [path.name for path in own] == ["classifier.py"], "installation.py writes these commands"
