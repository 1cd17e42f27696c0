"""The documentation names what there is, in both languages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.core
import typer.main

from takedowns.cli import app

ROOT = Path(__file__).parents[2]
MANUAL = (ROOT / "docs/commands.md").read_text(encoding="utf-8")


def commands(group: typer.core.TyperGroup, prefix: str = "") -> Iterator[str]:
    for name, command in sorted(group.commands.items()):
        is_group = isinstance(command, typer.core.TyperGroup)
        if not is_group or command.invoke_without_command:
            yield f"{prefix}{name}"
        if is_group:
            yield from commands(command, f"{prefix}{name} ")


def root() -> typer.core.TyperGroup:
    command = typer.main.get_command(app)
    assert isinstance(command, typer.core.TyperGroup)
    return command


@pytest.mark.parametrize("name", list(commands(root())))
def test_every_command_is_documented(name: str) -> None:
    assert f"`vapewatch {name}" in MANUAL


def test_every_documented_command_exists() -> None:
    known = set(commands(root()))
    documented = set(re.findall(r"^\| `vapewatch ((?:[a-z]+ ?)+)", MANUAL, re.M))
    assert {name.strip() for name in documented} <= known


@pytest.mark.parametrize("readme", ["README.md", "README.zh-CN.md"])
def test_both_readmes_give_the_two_commands_and_point_at_files_that_exist(readme: str) -> None:
    text = (ROOT / readme).read_text(encoding="utf-8")
    assert "make run" in text
    assert "make test" in text
    for link in re.findall(r"\]\((?!https?:)([^)#]+)", text):
        assert (ROOT / link).exists(), link


def test_the_two_readmes_have_the_same_chapters() -> None:
    def levels(name: str) -> list[str]:
        return re.findall(r"^(#+) ", (ROOT / name).read_text(encoding="utf-8"), re.M)

    assert levels("README.md") == levels("README.zh-CN.md")
