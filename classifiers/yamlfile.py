"""YAML 1.2 checked against a pydantic model; every fault is a sentence ``file:line:col: path: message``."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

M = TypeVar("M", bound=BaseModel)
Location = tuple[int | str, ...]

MAX_BYTES = 5_000_000  # a settings file beyond this is a mistake, and parsing it would take minutes


class ConfigError(ValueError):
    """A settings file that cannot be used; ``problems`` holds one ``file:line:col: path: message`` each."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = list(problems)


def load(path: Path, model: type[M]) -> M:
    """Read ``path`` into ``model``.

    Raises :class:`ConfigError` naming every fault at once: unreadable file, bad YAML, duplicate, unknown or
    missing keys (with a guess at what was meant) and values that the model refuses.
    """
    root, data = _parse(path, _read(path))
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise ConfigError([_sentence(path, root, model, fault) for fault in error.errors()]) from error


def _read(path: Path) -> str:
    try:
        raw = path.read_bytes()
        if len(raw) > MAX_BYTES:
            raise ConfigError([f"{path}:1:1: (file): larger than {MAX_BYTES} bytes"])
        return raw.decode("utf-8-sig")
    except OSError as error:
        raise ConfigError([f"{path}:1:1: (file): cannot be read: {error.strerror}"]) from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ConfigError([f"{path}:{line}:1: (file): not UTF-8 text"]) from error


def _parse(path: Path, text: str) -> tuple[Node, Any]:
    try:
        yaml = YAML(typ="safe", pure=True)
        root = yaml.compose(text)
        if root is None:
            raise ConfigError([f"{path}:1:1: (file): is empty"])
        _refuse_aliases(path, root, set())
        return root, yaml.constructor.construct_document(root)
    except ConfigError:
        raise
    except MarkedYAMLError as error:
        raise ConfigError([_syntax(path, error)]) from error
    except (YAMLError, ValueError, RecursionError) as error:
        # a control character, a date such as 2026-02-31, or brackets nested without end
        raise ConfigError([f"{path}:1:1: (syntax): {' '.join(str(error).split())}"]) from error


def _refuse_aliases(path: Path, node: Node, seen: set[int]) -> None:
    """A few nested aliases unfold to gigabytes, and no settings file needs them."""
    if id(node) in seen:
        line, column = _place(node)
        raise ConfigError([f"{path}:{line}:{column}: (syntax): aliases (*name) are not allowed"])
    seen.add(id(node))
    for child in _children(node):
        _refuse_aliases(path, child, seen)


def _children(node: Node) -> Iterator[Node]:
    if isinstance(node, MappingNode):
        for key, value in node.value:
            yield from (key, value)
    elif isinstance(node, SequenceNode):
        yield from node.value


def _syntax(path: Path, error: MarkedYAMLError) -> str:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    message = " ".join(str(error.problem or error.context or "not YAML").split())
    return f"{path}:{line}:{column}: (syntax): {message}"


def _sentence(path: Path, root: Node, model: type[BaseModel], fault: ErrorDetails) -> str:
    line, column = _place(_nearest(root, fault["loc"], key=fault["type"] == "extra_forbidden"))
    name = ".".join(map(str, fault["loc"])) or "(file)"
    return f"{path}:{line}:{column}: {name}: {_message(model, fault)}"


def _message(model: type[BaseModel], fault: ErrorDetails) -> str:
    if fault["type"] == "missing":
        return "this key is required"
    if fault["type"] != "extra_forbidden":
        return fault["msg"].removeprefix("Value error, ")
    known = sorted(_keys_at(model, fault["loc"][:-1]))
    guess = difflib.get_close_matches(str(fault["loc"][-1]), known, n=1)
    return f"unknown key; did you mean {guess[0]}?" if guess else f"unknown key; known are {', '.join(known)}"


def _place(node: Node) -> tuple[int, int]:
    return node.start_mark.line + 1, node.start_mark.column + 1


def _nearest(node: Node, location: Location, *, key: bool) -> Node:
    """The node at ``location`` (its key, if asked), or the last one on the way that the file really holds."""
    for step, part in enumerate(location):
        last = step == len(location) - 1
        found = _child(node, part, key=key and last)
        if found is not None:
            node = found
    return node


def _child(node: Node, part: int | str, *, key: bool) -> Node | None:
    if isinstance(node, MappingNode):
        pairs = ((name, value) for name, value in node.value if name.value == str(part))
        return next((name if key else value for name, value in pairs), None)
    if isinstance(node, SequenceNode) and isinstance(part, int):
        return next(iter(node.value[part : part + 1]), None)
    return None


def _keys_at(model: type[BaseModel], location: Location) -> set[str]:
    """Keys that the model knows at ``location``; a union offers those of all its members."""
    models = {model}
    for part in location:
        fields = [m.model_fields[str(part)] for m in models if str(part) in m.model_fields]
        if fields:  # other parts are list indexes, mapping keys or union tags: same models
            models = {m for field in fields for m in _models_in(field.annotation)}
    return {field.alias or name for m in models for name, field in m.model_fields.items()}


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models_in(argument)
