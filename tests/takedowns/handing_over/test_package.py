from __future__ import annotations

import hashlib
import io
import json
import zipfile
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from takedowns.evidence.packing import zipped
from takedowns.handing_over import package
from takedowns.handing_over.casefile import Receipt
from takedowns.handing_over.package import PackageError

FILES = {"case.json": b'{"a": 1}\n', "evidence/L-1.zip": b"PK not looked into", "letter.pdf": b"%PDF"}
WHOLE = package.write("case", "2026-1100-X00001", FILES)
AT_MOST = 100_000


def manifest_of(files, **given):
    listed = {
        name: {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)} for name, data in files.items()
    }
    told = {"format": "vapewatch-handover", "version": 1, "kind": "case", "number": "X", "files": listed}
    return json.dumps({**told, **given}).encode()


def refused(data, match=None):
    with pytest.raises(PackageError, match=match):
        package.read(data, at_most=AT_MOST)


def test_what_was_packed_is_read_back_and_the_same_files_make_the_same_bytes():
    found = package.read(WHOLE, at_most=AT_MOST)
    assert (found.kind, found.number, found.files) == ("case", "2026-1100-X00001", FILES)
    assert found.sha256 == hashlib.sha256(WHOLE).hexdigest()
    assert package.write("case", "2026-1100-X00001", dict(reversed(FILES.items()))) == WHOLE


def test_the_changed_file_is_named():
    manifest = zipfile.ZipFile(io.BytesIO(WHOLE)).read("manifest.json")
    refused(zipped({**FILES, "letter.pdf": b"%PDG", "manifest.json": manifest}), "letter.pdf: was changed")
    refused(zipped({**FILES, "more.txt": b"", "manifest.json": manifest}), "more.txt: does not stand")
    less = {name: data for name, data in FILES.items() if name != "case.json"}
    refused(zipped({**less, "manifest.json": manifest}), "case.json.*: stands in the manifest and is missing")
    refused(zipped(FILES), "manifest.json: is missing")


@pytest.mark.parametrize(
    "name",
    ["../up.txt", "/etc/passwd", "a//b", "a\\b", ".hidden", "C:x", "‮cod.exe", "a/../b", "x" * 300, "a/", ""],
)
def test_a_name_that_leads_elsewhere_is_refused(name):
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w") as pack:
        pack.writestr("manifest.json", manifest_of({}))
        pack.writestr(zipfile.ZipInfo(name), b"x")
    refused(raw.getvalue())


def test_a_bomb_is_refused_before_it_is_unpacked():
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED) as pack:
        pack.writestr("bomb.bin", b"\0" * 50_000_000)
    refused(raw.getvalue(), "bomb.bin: is compressed")
    overlapping = bytearray(zipped({"a": b"x" * 5000}))
    overlapping = overlapping.replace(zlib.crc32(b"x" * 5000).to_bytes(4, "little"), b"\0\0\0\0")
    refused(bytes(overlapping), "damaged")
    refused(WHOLE + b"x" * AT_MOST, "more than")
    refused(zipped({f"f{number}": b"" for number in range(package.FILES_AT_MOST + 1)}) + b"", "more than")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_files_of_one_name_are_refused():
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w") as pack:
        for data in (b"shown", b"hidden"):
            pack.writestr("case.json", data)
    refused(raw.getvalue(), "two files of one name")


@pytest.mark.parametrize(
    "given",
    [{"version": 2}, {"format": "other"}, {"kind": "order"}, {"number": ""}, {"more": 1}, {"version": "1"}],
)
def test_another_format_is_refused_by_its_key(given):
    refused(zipped({"manifest.json": manifest_of({}, **given)}), f"manifest.json: {next(iter(given))}")


def test_a_package_that_was_packed_anew_is_refused():
    with zipfile.ZipFile(io.BytesIO(WHOLE)) as before:
        raw = io.BytesIO()
        with zipfile.ZipFile(raw, "w") as anew:
            for entry in before.infolist():
                anew.writestr(entry.filename, before.read(entry))
    refused(raw.getvalue(), "packed anew")


@given(st.binary(max_size=400))
def test_random_bytes_are_refused_and_never_crash(data):
    refused(data)


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_no_changed_package_is_ever_accepted(data):
    at = data.draw(st.integers(0, len(WHOLE) - 1))
    kind = data.draw(st.sampled_from(["change", "cut", "insert", "drop", "swap"]))
    byte = data.draw(st.binary(min_size=1, max_size=4))
    changed = {
        "change": WHOLE[:at] + byte + WHOLE[at + len(byte) :],
        "cut": WHOLE[:at],
        "insert": WHOLE[:at] + byte + WHOLE[at:],
        "drop": WHOLE[:at] + WHOLE[at + len(byte) :],
        "swap": WHOLE[at:] + WHOLE[:at],
    }[kind]
    if changed != WHOLE:
        refused(changed)


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_whatever_a_json_file_holds_it_is_refused_by_name(data):
    with pytest.raises(PackageError, match=r"receipt\.json"):
        package.parsed(data, "receipt.json", Receipt)
