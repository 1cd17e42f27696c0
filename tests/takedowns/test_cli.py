"""The command line as its user meets it: a real process, its exit code, and one clear sentence on stderr."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from takedowns import configuration

Ended = subprocess.CompletedProcess[str]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A working folder with a configuration of its own."""
    shutil.copytree(configuration.SHIPPED, tmp_path / "config")
    return tmp_path


def vapewatch(home: Path, *arguments: str, stdin: str = "") -> Ended:
    environment = {name: value for name, value in os.environ.items() if name != "VAPEWATCH_CONFIG"}
    return subprocess.run(
        [sys.executable, "-m", "takedowns", *arguments],
        cwd=home,
        env={**environment, "PYTHONPATH": str(configuration.SHIPPED.parent)},
        input=stdin,
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="surrogateescape",
        timeout=200,
        check=False,
    )


def replace(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_an_unknown_platform_is_a_usage_error_with_a_guess(home: Path) -> None:
    ended = vapewatch(home, "sweep", "sampel")
    assert ended.returncode == 2
    assert "no platform is called 'sampel'; did you mean sample" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_misspelt_setting_is_named_with_its_place_and_a_guess(home: Path) -> None:
    replace(home / "config/vapewatch.yml", "office:", "ofice:")
    ended = vapewatch(home, "leads", "list")
    assert ended.returncode == 2
    assert "config/vapewatch.yml:2:1: ofice: unknown key; did you mean office?" in ended.stderr


def test_broken_yaml_is_named_with_line_and_column(home: Path) -> None:
    (home / "config/platforms/sample.yml").write_text("name: sample\nhosts: [a, b\nroad: page\n")
    ended = vapewatch(home, "sweep", "sample")
    assert ended.returncode == 2
    assert "config/platforms/sample.yml:3:" in ended.stderr


def test_a_dead_host_is_one_sentence_and_a_failure(home: Path) -> None:
    replace(home / "config/platforms/sample.yml", "home: http://127.0.0.1:8600", "home: http://127.0.0.1:1")
    ended = vapewatch(home, "sweep", "sample", "--term", "雾化")
    assert ended.returncode == 1
    assert len(ended.stderr.splitlines()) == 1
    assert ended.stderr.startswith("vapewatch: ")


def test_classify_keeps_order_and_count_over_ten_thousand_good_and_bad_lines(home: Path) -> None:
    good = [json.dumps({"id": f"L{n}", "title": "便携雾化棒 3000口"}, ensure_ascii=False) for n in range(50)]
    bad = [
        "not json",
        "{}",
        '{"id": "x"}',
        "",
        "[1, 2]",
        '{"id": "y", "title": 3}',
        '{"id": "z", "titel": "a"}',
    ]
    lines = [(good + bad)[n % 57] for n in range(10_000)]
    ended = vapewatch(home, "classify", stdin="\n".join(lines) + "\n")
    answers = [json.loads(line) for line in ended.stdout.splitlines()]
    assert ended.returncode == 3
    assert len(answers) == len(lines)
    for line, answer in zip(lines, answers, strict=True):
        assert ("error" in answer) == (line in bad)
        if line in good:
            assert answer["id"] == json.loads(line)["id"]


def test_an_import_keeps_the_good_rows_and_names_the_bad_ones(home: Path) -> None:
    file = home / "handed-over.csv"
    file.write_text(
        "平台,商品ID,标题,价格\n"
        "淘宝,612345,医用加热雾化器 西瓜味 8000口,59\n"
        "淘宝,,没有编号的一行,10\n"
        "taobao,612346,家用加湿器 4L,129\n",
        encoding="gb18030",
    )
    ended = vapewatch(home, "import", str(file), "--json")
    assert ended.returncode == 3
    assert "handed-over.csv:3:" in ended.stderr
    result = json.loads(ended.stdout)
    assert (result["rows"], result["bad_rows"], result["new_listings"], result["flagged"]) == (3, 1, 2, 1)
    assert (home / "handed-over.result.csv").exists()


def test_half_a_workbook_is_one_sentence_and_a_failure(home: Path) -> None:
    (home / "half.xlsx").write_bytes(b"PK\x03\x04" + b"\0" * 100)
    ended = vapewatch(home, "import", "half.xlsx")
    assert ended.returncode == 1
    assert ended.stderr.startswith("vapewatch: half.xlsx: ")
    assert len(ended.stderr.splitlines()) == 1


def test_pasted_links_are_recognised_and_unknown_ones_named(home: Path) -> None:
    share = "【淘宝】https://item.taobao.com/item.htm?id=612345&spm=a1 点击链接直接打开"
    ended = vapewatch(home, "add", share, "https://unknown.example/1", "--json")
    assert ended.returncode == 3
    known, unknown = json.loads(ended.stdout)
    assert (known["platform"], known["item_id"]) == ("taobao", "612345")
    assert not unknown["item_id"]


def test_listing_text_cannot_steer_the_terminal(home: Path) -> None:
    ended = vapewatch(home, "import", "no\x1b[31msuch.csv")
    assert ended.returncode == 1
    assert "\x1b" not in ended.stderr


def test_an_empty_ledger_gives_a_report_that_says_so(home: Path) -> None:
    ended = vapewatch(home, "report", "2026-10", "--json")
    assert ended.returncode == 0
    files = json.loads(ended.stdout)
    [data] = [
        json.loads((home / path).read_text("utf-8")) for path in files.values() if path.endswith(".json")
    ]
    assert data["reasons"]


def test_a_period_that_is_none_is_refused(home: Path) -> None:
    ended = vapewatch(home, "report", "2026-13")
    assert ended.returncode == 1
    assert "2026-13" in ended.stderr


def test_the_audit_chain_of_an_imported_file_is_whole(home: Path) -> None:
    (home / "one.jsonl").write_text('{"platform": "jd", "item_id": "1", "title": "水杯"}\n', encoding="utf-8")
    assert vapewatch(home, "import", "one.jsonl").returncode == 0
    ended = vapewatch(home, "audit", "verify")
    assert (ended.returncode, ended.stdout.strip()) == (0, "the chain is whole")


def test_a_term_is_added_once_and_found_from_then_on(home: Path) -> None:
    arguments = ("lexicon", "add", "溢岚晶芯", "--concept", "product.device", "--weight", "strong")
    added = vapewatch(home, *arguments)
    assert (added.returncode, added.stdout) == (0, "config/lexicon/learned.yml: learned_yilanjingxin\n")
    assert vapewatch(home, "lexicon", "check").returncode == 0
    again = vapewatch(home, *arguments)
    assert again.returncode == 1
    assert "a spelling of the entry learned_yilanjingxin" in again.stderr


def test_an_everyday_word_is_no_term_unless_it_is_forced(home: Path) -> None:
    arguments = ("lexicon", "add", "家用", "--concept", "product.device", "--weight", "weak")
    refused = vapewatch(home, *arguments)
    assert refused.returncode == 1
    assert "lawful listings" in refused.stderr
    assert not (home / "config/lexicon/learned.yml").exists()
    assert vapewatch(home, *arguments, "--force", "--json").returncode == 0


def test_an_empty_ledger_has_nothing_to_learn_from_and_says_so(home: Path) -> None:
    ended = vapewatch(home, "lexicon", "emerging", "--json")
    assert (ended.returncode, ended.stdout) == (0, "[]\n")
    assert "no violation has been confirmed yet" in ended.stderr
    refused = vapewatch(home, "train", "--from-ledger")
    assert refused.returncode == 1
    assert "no decision to learn from" in refused.stderr
    nothing = vapewatch(home, "rescan")
    assert nothing.returncode == 0
    assert "no listing to judge" in nothing.stderr


def test_a_number_on_several_shops_is_listed_with_its_shops(home: Path) -> None:
    nothing = vapewatch(home, "licences", "borrowed")
    assert (nothing.returncode, nothing.stdout) == (0, "")
    assert "nothing to show" in nothing.stderr
    (home / "shops.csv").write_text(
        "平台,商品ID,标题,店铺\n"
        "taobao,612345,雾化器 粤械注准20212080012,甲店\n"
        "taobao,612346,家用雾化器 粤械注准 2021 208 0012,乙\u202e店\n"
        "taobao,612347,雾化器 粤械注准20212080013,丙店\n",
        encoding="utf-8",
    )
    assert vapewatch(home, "import", "shops.csv").returncode == 0
    (found,) = json.loads(vapewatch(home, "licences", "borrowed", "--json").stdout)
    assert (found["number"], [shop["shop"] for shop in found["shops"]]) == (
        "粤械注准20212080012",
        ["甲店", "乙\u202e店"],
    )
    assert [shop["listings"][0]["item_id"] for shop in found["shops"]] == ["612345", "612346"]
    table = vapewatch(home, "licences", "borrowed").stdout
    assert "粤械注准20212080012" in table
    assert "\u202e" not in table
