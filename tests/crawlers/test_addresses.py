"""Private addresses are refused before connecting, whoever names them: a link, a redirect or a DNS answer."""

from __future__ import annotations

import pytest

from crawlers.addresses import may_connect, pinned
from crawlers.browser import launch_options
from crawlers.rundir import Target
from tests.crawlers.shop import Page, shop_profile, targets, verdicts

PRIVATE = [
    "10.0.0.1",
    "172.16.3.4",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "fe80::1%eth0",
    "fd00::1",
    "::ffff:10.0.0.1",
    "64:ff9b::a00:1",
    "64:ff9b:1::a00:1",
    "2002:a00:1::",
    "::10.0.0.1",
    "fec0::1",
    "4000::1",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_nobody_connects_to_a_private_address(address):
    assert not may_connect(address, loopback=False)
    assert not may_connect(address, loopback=True)


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])
def test_this_machine_is_for_markets_that_live_on_it(address):
    assert may_connect(address, loopback=True)
    assert not may_connect(address, loopback=False)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8"])
def test_the_open_internet_is_open(address):
    assert may_connect(address, loopback=False)


@pytest.fixture
def mall_example_is_this_machine(tmp_path, monkeypatch):
    """The child's DNS answers 127.0.0.1 for mall.example and 10.0.0.1 for cdn.example."""
    folder = tmp_path / "dns"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(
        "import socket\n"
        "known = {'mall.example': '127.0.0.1', 'cdn.example': '10.0.0.1'}\n"
        "real = socket.gethostbyname\n"
        "socket.gethostbyname = lambda name: known.get(name) or real(name)\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(folder))


@pytest.mark.usefixtures("mall_example_is_this_machine")
def test_a_name_that_stands_for_this_machine_gets_no_hit(shop, crawl):
    port = shop.home.rpartition(":")[2]
    shop.item("1")
    home = f"http://mall.example:{port}"
    run = crawl(shop_profile(home), targets=targets(home, "1"))
    assert verdicts(run) == {"1": ("error", "private_address")}
    assert not shop.times


@pytest.mark.usefixtures("mall_example_is_this_machine")
def test_our_own_hosts_lead_to_no_neighbour_by_link_redirect_or_name(shop, crawl):
    neighbours = ["10.0.0.1", "cdn.example", "[fd00::1]", "2130706433", "0.0.0.0"]
    profile = shop_profile(shop.home, hosts=neighbours)
    links = [
        Target(item_id=f"link{n}", url=f"http://{host}/item/1.html") for n, host in enumerate(neighbours)
    ]
    for number, host in enumerate(neighbours):
        shop.pages[f"/item/led{number}.html"] = Page("", 302, {"Location": f"http://{host}/x"})
    led = targets(shop.home, *(f"led{n}" for n in range(len(neighbours))))
    run = crawl(profile, targets=(*links, *led), timeout_s=3)
    refused = {f"{way}{n}": ("error", "private_address") for way in ("link", "led") for n in (0, 1, 2, 4)}
    found = verdicts(run)
    assert {name: found[name] for name in refused} == refused
    assert found["link3"][0] == found["led3"][0] == "error"  # 127.0.0.1 as a number: loopback, but no shop


def test_a_browser_knows_no_name_but_those_with_an_address_that_is_allowed(monkeypatch):
    known = {"mall.example": "93.184.216.34", "inside.mall.example": "10.0.0.1"}
    monkeypatch.setattr("socket.gethostbyname", lambda name: known[name])
    profile = shop_profile("https://mall.example", hosts=["inside.mall.example", "*.mall.example"])
    rules = next(a for a in launch_options(profile)["args"] if a.startswith("--host-resolver-rules="))
    assert rules == "--host-resolver-rules=MAP mall.example 93.184.216.34, MAP * ~NOTFOUND"


def test_a_name_without_an_address_is_pinned_to_none(monkeypatch):
    def unknown(name):
        raise OSError(name)

    monkeypatch.setattr("socket.gethostbyname", unknown)
    assert pinned("nowhere.example", loopback=True) is None
