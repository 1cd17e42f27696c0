from __future__ import annotations

import pytest
from pydantic import ValidationError

from crawlers.lead_channel import LeadChannel

HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ7cHnHJ"
RIGHT = {
    "smtp": {"recipient": "notices@shop.example"},
    "webhook": {"recipient": "https://shop.example/hooks/leads", "secret": "SHOP_HOOK"},
    "sftp": {"recipient": "sftp://leads@drop.shop.example:2222/in/leads", "host_key": HOST_KEY},
    "folder": {"recipient": "/mnt/shop/leads"},
    "manual": {"recipient": "平台执法协查渠道（按双方约定）"},
}


@pytest.mark.parametrize("channel", RIGHT)
def test_each_channel_has_its_form_of_recipient(channel: str) -> None:
    assert LeadChannel(channel=channel, **RIGHT[channel]).recipient == RIGHT[channel]["recipient"]


@pytest.mark.parametrize(
    ("channel", "recipient"),
    [
        ("smtp", "nobody"),
        ("smtp", "a@shop.example, b@shop.example"),
        ("webhook", "http://shop.example/hooks"),
        ("webhook", "https://user:password@shop.example/"),
        ("webhook", "https://:password@shop.example/"),
        ("webhook", "https://shop.example/\nhooks"),
        ("webhook", "ftp://shop.example/"),
        ("sftp", "sftp://leads@drop.shop.example/in\n"),
        ("sftp", "sftp://drop.shop.example/in"),
        ("sftp", "sftp://leads:password@drop.shop.example/in"),
        ("sftp", "sftp://leads@drop.shop.example/../etc"),
        ("folder", "leads"),
        ("folder", "/mnt/../etc"),
        ("manual", "a\nb"),
    ],
)
def test_another_form_is_refused(channel: str, recipient: str) -> None:
    with pytest.raises(ValidationError, match="is no recipient of"):
        LeadChannel(channel=channel, **{**RIGHT[channel], "recipient": recipient})


@pytest.mark.parametrize(
    ("channel", "given", "complaint"),
    [
        ("sftp", {"host_key": None}, "no server is trusted at first sight"),
        ("webhook", {"secret": None}, "needs the name of the secret"),
        ("folder", {"secret": "X"}, "has no secret"),
        ("smtp", {"host_key": HOST_KEY}, "host_key is for sftp"),
        ("smtp", {"ladder": [{"after_working_days": 4}, {"after_working_days": 4}]}, "comes later"),
        ("smtp", {"ladder": [{"after_working_days": 4, "to": "nobody"}]}, "is no recipient of smtp"),
    ],
)
def test_what_does_not_fit_together_is_refused(
    channel: str, given: dict[str, object], complaint: str
) -> None:
    with pytest.raises(ValidationError, match=complaint):
        LeadChannel(channel=channel, **{**RIGHT[channel], **given})


def test_a_ladder_may_lead_to_others() -> None:
    rungs = [
        {"after_working_days": 4},
        {"after_working_days": 8, "kind": "escalation", "to": "legal@shop.example"},
    ]
    made = LeadChannel(channel="smtp", recipient="notices@shop.example", ladder=rungs)
    assert made.ladder is not None
    assert [(rung.kind, rung.to) for rung in made.ladder] == [
        ("reminder", None),
        ("escalation", "legal@shop.example"),
    ]
