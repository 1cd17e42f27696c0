from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, model_validator

from classifiers.yamlfile import ConfigError, load


class Search(BaseModel):
    model_config = ConfigDict(extra="forbid")

    pages: int
    terms: tuple[str, ...] = ()


class Shop(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str
    search: Search | None = None
    others: dict[str, Search] = {}

    @model_validator(mode="after")
    def _named(self) -> Shop:
        if self.name == "nobody":
            raise ValueError("nobody keeps no shop")
        return self


def problems(folder: Path, text: str | bytes) -> list[str]:
    path = folder / "shop.yml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(ConfigError) as caught:
        load(path, Shop)
    return [problem.removeprefix(f"{path}:") for problem in caught.value.problems]


def test_a_sound_file_becomes_the_model(tmp_path: Path) -> None:
    path = tmp_path / "shop.yml"
    path.write_text("name: 店\nsearch: {pages: 2, terms: [雾化]}\n", encoding="utf-8")
    assert load(path, Shop) == Shop(name="店", search=Search(pages=2, terms=("雾化",)))


def test_a_misspelt_key_is_named_with_its_place_and_what_was_meant(tmp_path: Path) -> None:
    found = problems(tmp_path, "name: a\nsearch:\n  pages: 1\n  termz: [x]\n")
    assert found == ["4:3: search.termz: unknown key; did you mean terms?"]


def test_a_key_far_from_all_others_lists_those_known(tmp_path: Path) -> None:
    assert problems(tmp_path, "name: a\nqqq: 1\n") == [
        "2:1: qqq: unknown key; known are name, others, search"
    ]


def test_every_fault_is_reported_at_once(tmp_path: Path) -> None:
    found = problems(tmp_path, "search:\n  terms: [1]\nothers:\n  x: {pages: many}\n")
    assert found == [
        "1:1: name: this key is required",
        "2:3: search.pages: this key is required",
        "2:11: search.terms.0: Input should be a valid string",
        "4:14: others.x.pages: Input should be a valid integer, unable to parse string as an integer",
    ]


def test_a_fault_between_fields_points_at_the_nearest_known_place(tmp_path: Path) -> None:
    assert problems(tmp_path, "# first\nname: nobody\n") == ["2:1: (file): nobody keeps no shop"]


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("name: a\nname: b\n", "2:1: (syntax): found duplicate key"),
        ("name: [\n", "2:1: (syntax): "),
        ("", "1:1: (file): is empty"),
        ("- 1\n", "1:1: (file): Input should be a valid dictionary"),
        ("a: &x [1]\nname: *x\n", "1:4: (syntax): aliases"),
        ("name: x\n---\nname: y\n", "2:1: (syntax): but found another document"),
        ("name: !!python/object:os.system x\n", "1:7: (syntax): could not determine a constructor"),
        (b"name: ok\nsearch: \xff\n", "2:1: (file): not UTF-8 text"),
        ("name: \x01\n", "1:1: (syntax): unacceptable character"),
    ],
)
def test_a_broken_file_gives_one_sentence(tmp_path: Path, text: str | bytes, start: str) -> None:
    (sentence,) = problems(tmp_path, text)
    assert sentence.startswith(start)


def test_endless_nesting_is_refused(tmp_path: Path) -> None:
    (sentence,) = problems(tmp_path, "[" * 1200)
    assert sentence.startswith("1:1: (syntax): ")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.yml:1:1: \(file\): cannot be read: No such file"):
        load(tmp_path / "none.yml", Shop)


@given(st.text(max_size=80))
def test_any_text_gives_a_model_or_a_config_error(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    faults: list[str] = []
    try:
        load(path, Shop)
    except ConfigError as error:
        faults = error.problems
    assert all(problem.startswith(f"{path}:") for problem in faults)
