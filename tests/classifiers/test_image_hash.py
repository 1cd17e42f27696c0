from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
from PIL import Image, ImageEnhance

from classifiers.image_file import UnreadableError
from classifiers.image_hash import hash_of, near
from classifiers.verdict import Unread
from takedowns.sample_market.pictures import photo
from tests.classifiers.pictures import drawn, saved

ORIGINAL = drawn("电子烟 8000口", "西瓜冰味")
COPIES: dict[str, Callable[[Image.Image], bytes]] = {
    "the same bytes": saved,
    "much compressed": lambda image: saved(image, "JPEG", quality=25),
    "another format": lambda image: saved(image, "WEBP"),
    "half the size": lambda image: saved(image.resize((320, 160))),
    "a thumbnail": lambda image: saved(image.resize((100, 50))),
    "without colour": lambda image: saved(image.convert("L")),
    "brighter": lambda image: saved(ImageEnhance.Brightness(image).enhance(1.02)),
    "less contrast": lambda image: saved(ImageEnhance.Contrast(image).enhance(0.7)),
}


@pytest.mark.parametrize("how", COPIES)
def test_a_copy_is_near(how: str) -> None:
    assert near(hash_of(saved(ORIGINAL)), hash_of(COPIES[how](ORIGINAL)))


def test_pictures_of_different_offers_are_not_near() -> None:
    hashes = [hash_of(photo(f"offer {number}")) for number in range(60)]
    assert all(0 <= one < 2**64 for one in hashes)
    assert not any(near(*pair) for pair in itertools.combinations(hashes, 2))


def test_near_means_six_bits_at_most() -> None:
    assert near(0, 0b111111)
    assert not near(0, 0b1111111)
    assert not near(0, 2**64 - 1)


@pytest.mark.parametrize("colour", ["white", "black", "#808080"])
def test_blank_pictures_are_not_taken_for_each_other(colour: str) -> None:
    with pytest.raises(UnreadableError) as raised:
        hash_of(saved(Image.new("RGB", (300, 300), colour)))
    assert raised.value.reason is Unread.BLANK


def test_a_file_that_is_no_picture_has_no_hash() -> None:
    with pytest.raises(UnreadableError):
        hash_of(b"<svg/>")
