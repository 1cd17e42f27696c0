"""The signature against vectors computed elsewhere, and the whole requests against them."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import parse_qsl, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.apis.keys import MissingKeysError, read_keys, variable
from crawlers.apis.registry import INTERFACES
from crawlers.apis.signing import md5_signature, signed
from tests.crawlers.apis.goods import PROFILES
from tests.crawlers.apis.server import is_signed

NOW = datetime(2026, 1, 1, 19, 4, 5, tzinfo=UTC)  # 2026-01-02 03:04:05 in GMT+8
VECTORS = [
    (
        "test-secret",
        {
            "method": "taobao.tbk.dg.material.optional.upgrade",
            "app_key": "12345678",
            "timestamp": "2026-01-02 03:04:05",
            "v": "2.0",
            "sign_method": "md5",
            "format": "json",
            "q": "雾化器",
            "adzone_id": "111",
            "page_no": "1",
            "page_size": "20",
        },
        "49CEA6198B14883BE9F7EA296389CEE1",
    ),
    (
        "s",
        {
            "method": "jd.union.open.goods.query",
            "app_key": "k",
            "timestamp": "2026-01-02 03:04:05",
            "format": "json",
            "v": "1.0",
            "sign_method": "md5",
            "360buy_param_json": '{"goodsReqDTO":{"keyword":"雾化器","pageIndex":1,"pageSize":20}}',
        },
        "E4D4A1B33820A350D699638149A07667",
    ),
    (
        "cs",
        {
            "type": "pdd.ddk.goods.search",
            "client_id": "cid",
            "timestamp": "1767294245",
            "data_type": "JSON",
            "keyword": "雾化器",
            "page": "1",
            "page_size": "20",
            "pid": "1_2",
        },
        "F49C9E9058960B9E00E077DFE8EC3A5E",
    ),
]
KEYS = {
    "taobao-union": (
        {"app_key": "12345678", "app_secret": "test-secret", "adzone_id": "111"},
        VECTORS[0],
        20,
    ),
    "jd-union": ({"app_key": "k", "app_secret": "s"}, VECTORS[1], 20),
    "pdd-ddjb": ({"client_id": "cid", "client_secret": "cs", "pid": "1_2"}, VECTORS[2], 20),
}


@pytest.mark.parametrize(("secret", "parameters", "signature"), VECTORS)
def test_a_signature_is_that_of_the_vector(secret, parameters, signature):
    assert md5_signature(parameters, secret) == signature
    assert is_signed(parameters | {"sign": signature}, secret)


@pytest.mark.parametrize("name", KEYS)
def test_a_whole_request_is_built_and_signed_as_documented(name, monkeypatch):
    keys, (secret, parameters, signature), page_size = KEYS[name]
    interface = INTERFACES[name](PROFILES[name], keys)
    monkeypatch.setattr(type(interface), "page_size", page_size)
    call = interface.search("雾化器", 1, NOW)
    sent = dict(parse_qsl(call.body.decode()))
    stamped = parameters | ({"timestamp": sent["timestamp"]} if name == "pdd-ddjb" else {})
    assert call.method == "POST"
    assert "?" not in call.url
    assert sent == stamped | {"sign": sent["sign"]}
    assert is_signed(sent, secret)
    assert name == "pdd-ddjb" or sent["sign"] == signature
    assert secret not in sent.values()


def test_pinduoduo_takes_unix_seconds():
    interface = INTERFACES["pdd-ddjb"](PROFILES["pdd-ddjb"], KEYS["pdd-ddjb"][0])
    assert dict(parse_qsl(interface.search("a", 1, NOW).body.decode()))["timestamp"] == "1767294245"


@pytest.mark.parametrize("name", [*KEYS, "ebay"])
def test_what_goes_into_the_evidence_holds_no_key_and_no_signature(name):
    keys = dict.fromkeys(("app_key", "app_secret", "adzone_id", "client_id", "client_secret", "pid"), "Zk3")
    interface = INTERFACES[name](PROFILES[name], keys)
    call = interface.search("雾化器", 2, NOW)
    said = call.url + "".join(call.asked.values())
    assert "雾化器" in unquote(said)
    assert "Zk3" not in said
    assert "sign" not in call.asked
    assert "Zk3" not in repr(call)


@given(st.dictionaries(st.text(min_size=1), st.text()), st.text())
def test_whatever_is_signed_is_found_to_be_signed_and_nothing_else(parameters, secret):
    parameters.pop("sign", None)
    sent = signed(parameters, secret)
    assert is_signed(sent, secret)
    assert not is_signed(sent | {"one more": "x"}, secret)


def test_missing_keys_are_named_by_their_variables():
    with pytest.raises(MissingKeysError) as caught:
        read_keys(
            "taobao-union",
            {variable("taobao-union", "app_key"): "1", "VAPEWATCH_TAOBAO_UNION_APP_SECRET": " "},
        )
    assert "VAPEWATCH_TAOBAO_UNION_APP_SECRET, VAPEWATCH_TAOBAO_UNION_ADZONE_ID" in str(caught.value)
    assert "APP_KEY" not in str(caught.value)
    assert read_keys("shopify", {}) == {}
