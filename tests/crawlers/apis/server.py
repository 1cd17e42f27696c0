"""A server on loopback that plays the interfaces as their documentation tells, and checks what it is sent.

Signatures and logins are verified here by an implementation of its own, from the raw request.
"""

from __future__ import annotations

import base64
import binascii
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import md5
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

SECRETS = {
    "VAPEWATCH_EBAY_CLIENT_ID": "Bureau-PRD-1",
    "VAPEWATCH_EBAY_CLIENT_SECRET": "ebay-secret-Zk3",
    "VAPEWATCH_TAOBAO_UNION_APP_KEY": "23456789",
    "VAPEWATCH_TAOBAO_UNION_APP_SECRET": "taobao-secret-Zk3",
    "VAPEWATCH_TAOBAO_UNION_ADZONE_ID": "111222333",
    "VAPEWATCH_JD_UNION_APP_KEY": "jd-app-key-1",
    "VAPEWATCH_JD_UNION_APP_SECRET": "jd-secret-Zk3",
    "VAPEWATCH_PDD_DDJB_CLIENT_ID": "pdd-client-1",
    "VAPEWATCH_PDD_DDJB_CLIENT_SECRET": "pdd-secret-Zk3",
    "VAPEWATCH_PDD_DDJB_PID": "4567_89",
}
TOKEN = "v^1.1#i^1#token-Zk3"


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    query: dict[str, str]
    form: dict[str, str]
    headers: dict[str, str]


@dataclass(frozen=True)
class Says:
    """``body`` is sent as JSON unless it is bytes already."""

    body: object
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


Answering = Callable[[Asked], Says]


class ApiServer:
    """Answers by ``answering``; ``asked`` is what came, robots.txt left out."""

    def __init__(self, answering: Answering) -> None:
        self.asked: list[Asked] = []
        self.robots: Says = Says(b"", 404)
        self.robots_hits = 0
        api = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer(b"")

            def do_POST(self) -> None:
                self._answer(self.rfile.read(int(self.headers["Content-Length"])))

            def _answer(self, body: bytes) -> None:
                parts = urlsplit(self.path)
                form = dict(parse_qsl(body.decode(), keep_blank_values=True))
                headers = {name.lower(): value for name, value in self.headers.items()}
                asked = Asked(self.command, parts.path, dict(parse_qsl(parts.query)), form, headers)
                if parts.path == "/robots.txt":
                    api.robots_hits += 1
                    says = api.robots
                else:
                    api.asked.append(asked)
                    says = answering(asked)
                sent = says.body if isinstance(says.body, bytes) else json.dumps(says.body).encode()
                self.send_response(says.status)
                named = {"Content-Type": "application/json", "Content-Length": str(len(sent))} | says.headers
                for name, value in named.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(sent)

            def log_message(self, *arguments: object) -> None:
                """Tests are quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        self.home = f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def is_signed(form: dict[str, str], secret: str) -> bool:
    """The rule of Taobao, JD and Pinduoduo, built up byte by byte."""
    digest = md5(secret.encode())
    for name, value in sorted(item for item in form.items() if item[0] != "sign"):
        digest.update(name.encode())
        digest.update(value.encode())
    digest.update(secret.encode())
    return form.get("sign") == digest.hexdigest().upper()


def page_of(goods: list[object], page: int, size: int) -> list[object]:
    return goods[(page - 1) * size : page * size]


def taobao(goods: list[object]) -> Answering:
    def answer(asked: Asked) -> Says:
        form = asked.form
        if (asked.method, asked.path) != ("POST", "/router/rest"):
            return Says(b"", 404)
        if form["app_key"] != SECRETS["VAPEWATCH_TAOBAO_UNION_APP_KEY"]:
            return Says({"error_response": {"code": 29, "msg": f"Invalid app Key: {form['app_key']}"}})
        if not is_signed(form, SECRETS["VAPEWATCH_TAOBAO_UNION_APP_SECRET"]):
            return Says({"error_response": {"code": 25, "msg": "Invalid signature"}})
        assert form["method"] == "taobao.tbk.dg.material.optional.upgrade"
        assert form["adzone_id"] == SECRETS["VAPEWATCH_TAOBAO_UNION_ADZONE_ID"]
        found = [one for one in goods if form["q"] in one["item_basic_info"]["title"]]
        if not found:
            error = {"code": 15, "msg": "Remote service error", "sub_code": "50001", "sub_msg": "无结果"}
            return Says({"error_response": error})
        part = page_of(found, int(form["page_no"]), int(form["page_size"]))
        result = {"total_results": len(found), "result_list": {"map_data": part}}
        return Says({"tbk_dg_material_optional_upgrade_response": result})

    return answer


def jd(goods: list[object]) -> Answering:
    def answer(asked: Asked) -> Says:
        if (asked.method, asked.path) != ("POST", "/routerjson"):
            return Says(b"", 404)
        if not is_signed(asked.form, SECRETS["VAPEWATCH_JD_UNION_APP_SECRET"]):
            return Says(
                {"error_response": {"code": "12", "zh_desc": "签名错误", "en_desc": "Invalid signature"}}
            )
        wanted = json.loads(asked.form["360buy_param_json"])["goodsReqDTO"]
        assert wanted["pageSize"] <= 50
        found = [one for one in goods if wanted["keyword"] in one["skuName"]]
        part = page_of(found, wanted["pageIndex"], wanted["pageSize"])
        result = {"code": 200, "message": "success", "totalCount": len(found), "data": part}
        packed = json.dumps(result, ensure_ascii=False)
        return Says({"jd_union_open_goods_query_responce": {"code": "0", "queryResult": packed}})

    return answer


def pdd(goods: list[object]) -> Answering:
    def answer(asked: Asked) -> Says:
        form = asked.form
        if (asked.method, asked.path) != ("POST", "/api/router"):
            return Says(b"", 404)
        if not is_signed(form, SECRETS["VAPEWATCH_PDD_DDJB_CLIENT_SECRET"]):
            return Says({"error_response": {"error_code": 20004, "error_msg": "签名sign校验失败"}})
        if form["pid"] != SECRETS["VAPEWATCH_PDD_DDJB_PID"]:
            return Says({"error_response": {"error_code": 60001, "error_msg": "pid 未备案"}})
        assert 10 <= int(form["page_size"]) <= 100
        found = [one for one in goods if form["keyword"] in one["goods_name"]]
        part = page_of(found, int(form["page"]), int(form["page_size"]))
        return Says({"goods_search_response": {"goods_list": part, "total_count": len(found)}})

    return answer


def ebay(items: dict[str, dict[str, object]]) -> Answering:
    """``items``: legacy id → item; one that ended is still told of, one that is missing is not found."""

    def answer(asked: Asked) -> Says:
        if asked.path == "/identity/v1/oauth2/token":
            return _ebay_login(asked)
        if asked.headers.get("authorization") != f"Bearer {TOKEN}":
            return Says({"errors": [{"errorId": 1001, "message": "Invalid access token"}]}, 401)
        assert asked.headers["x-ebay-c-marketplace-id"] == "EBAY_US"
        if asked.path == "/buy/browse/v1/item_summary/search":
            found = [one for one in items.values() if asked.query["q"] in str(one["title"])]
            offset, limit = int(asked.query["offset"]), int(asked.query["limit"])
            answer = {"total": len(found), "limit": limit, "offset": offset}
            return Says(answer | ({"itemSummaries": found[offset : offset + limit]} if found else {}))
        item = items.get(asked.path.rpartition("/")[2].split("%7C")[1])
        missing = {"errors": [{"errorId": 11001, "message": "The specified item Id was not found."}]}
        return Says(item) if item else Says(missing, 404)

    return answer


def _ebay_login(asked: Asked) -> Says:
    kind, _, packed = asked.headers.get("authorization", "").partition(" ")
    try:
        known = base64.b64decode(packed, validate=True).decode()
    except binascii.Error:
        known = ""
    own = f"{SECRETS['VAPEWATCH_EBAY_CLIENT_ID']}:{SECRETS['VAPEWATCH_EBAY_CLIENT_SECRET']}"
    wanted = {"grant_type": "client_credentials", "scope": "https://api.ebay.com/oauth/api_scope"}
    if (asked.method, kind, known) != ("POST", "Basic", own) or asked.form != wanted:
        return Says({"error": "invalid_client", "error_description": "client authentication failed"}, 401)
    return Says({"access_token": TOKEN, "expires_in": 7200, "token_type": "Application Access Token"})


def shopify(products: list[dict[str, object]]) -> Answering:
    def answer(asked: Asked) -> Says:
        if asked.path == "/products.json":
            page, size = int(asked.query.get("page", 1)), int(asked.query.get("limit", 30))
            assert size <= 250
            return Says({"products": page_of(products, page, size)})
        handle = asked.path.removeprefix("/products/").removesuffix(".json")
        found = next((one for one in products if one["handle"] == handle), None)
        return (
            Says({"product": found})
            if found
            else Says(b"<h1>Not found</h1>", 404, {"Content-Type": "text/html"})
        )

    return answer


def woocommerce(home: Callable[[], str], products: list[dict[str, object]]) -> Answering:
    root = "/wp-json/wc/store/v1/products"

    def described(product: dict[str, object]) -> dict[str, object]:
        return {"permalink": f"{home()}/product/{product['slug']}/"} | product

    def answer(asked: Asked) -> Says:
        if asked.path == root:
            found = [one for one in products if asked.query.get("search", "") in str(one["name"])]
            page, size = int(asked.query.get("page", 1)), int(asked.query.get("per_page", 10))
            assert size <= 100
            return Says([described(one) for one in page_of(found, page, size)])
        slug = asked.path.removeprefix(f"{root}/")
        missing = {
            "code": "woocommerce_rest_product_invalid_slug",
            "message": "Invalid product slug.",
            "data": {"status": 404},
        }
        if not asked.path.startswith(root):
            return Says(
                {"code": "rest_no_route", "message": "No route was found", "data": {"status": 404}}, 404
            )
        found = next((one for one in products if one["slug"] == slug), None)
        return Says(described(found)) if found else Says(missing, 404)

    return answer
