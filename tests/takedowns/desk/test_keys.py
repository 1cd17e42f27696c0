from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from takedowns.desk.keys import KEYS
from takedowns.ledger.engine import Ledger
from takedowns.ledger.vocabulary import Role

NO_BUTTON = {"Enter", "Esc", "1–5"}  # the browser's own, or the radio buttons
TAKEN = {"Backspace", "Delete", "Space", "Tab"}  # by the browser and by screen readers


@pytest.fixture
def buttons(client: Callable[[Role], TestClient], sqlite_ledger: Ledger, suspicious: Any) -> list[str]:
    """The opening tags with a key, on an item's page after a decision."""
    with sqlite_ledger.write() as session:
        first, second = suspicious(session, priority=0.9).id, suspicious(session, priority=0.8).id
    browser = client(Role.ANALYST)
    version = re.findall(r'name="version" value="(\d+)"', browser.get(f"/item/{first}").text)[0]
    browser.post(f"/item/{first}/decision", data={"version": version, "reason": "duplicate"})
    return re.findall(r"<[^>]*data-key=[^>]*>", browser.get(f"/item/{second}").text)


def test_no_key_means_two_things(buttons: list[str]) -> None:
    assert max(Counter(key.key for key in KEYS.values()).values()) == 1
    assert not TAKEN & {key.key for key in KEYS.values()}
    pressed = [re.findall(r'data-key="(.)"', button)[0] for button in buttons]
    assert max(Counter(pressed).values()) == 1


def test_every_key_has_a_visible_button_that_names_it(buttons: list[str]) -> None:
    named = {re.findall(r'aria-keyshortcuts="(.)"', button)[0] for button in buttons}
    assert named == {key.key for key in KEYS.values()} - NO_BUTTON


def test_just_the_keys_that_change_something_wait_for_the_item(buttons: list[str]) -> None:
    waiting = {
        re.findall(r'aria-keyshortcuts="(.)"', button)[0] for button in buttons if "data-decides" in button
    }
    # X only opens the list; its reasons, which decide, wait themselves
    assert waiting == {key.key for key in KEYS.values() if key.decides} - {"X"}
