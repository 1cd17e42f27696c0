from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys

import httpx
import pytest

from takedowns.sample_market.client import MarketError, running_market

COMMAND = [sys.executable, "-m", "takedowns.sample_market", "--port=0", "--listings=30"]


def test_the_market_is_gone_after_use():
    with running_market(listings=30) as market:
        assert httpx.get(f"{market.base_url}/robots.txt", trust_env=False).status_code == 200
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{market.base_url}/robots.txt", trust_env=False)
    assert not market.state.exists()


def test_the_same_seed_gives_the_same_market_in_two_processes():
    truths = []
    for _ in range(2):
        with running_market(listings=30, seed=9) as market:
            truths.append(market.truth())
    assert truths[0] == truths[1]


def test_a_port_in_use_is_said_to_be(capfd: pytest.CaptureFixture[str]):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(MarketError, match="did not start"), running_market(port=port, listings=30):
            pass
    assert "the sample market cannot start" in capfd.readouterr().err


def test_a_market_whose_parent_dies_ends_by_itself():
    with subprocess.Popen(
        [*COMMAND, "--stop-on-eof"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert json.loads(child.stdout.readline())["base_url"]
        child.stdin.close()
        assert child.wait(timeout=10) == 0


def test_the_ready_line_is_the_only_output_and_ctrl_c_ends_it_quietly():
    with subprocess.Popen(COMMAND, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        ready = json.loads(child.stdout.readline())
        assert {"base_url", "smtp_host", "smtp_port", "token", "state"} == set(ready)
        os.kill(child.pid, signal.SIGINT)
        assert child.communicate(timeout=10) == (b"", b"")
        assert child.returncode == 130
