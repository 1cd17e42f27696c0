"""Tips out of the workbooks of hotlines and other offices. Pure: cells in, a Told or a CellError out.

Of who told it nothing is read: columns that could say so are dropped, and named to whoever imports.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import TypeVar

from classifiers.verdict import Label
from takedowns.content import storable
from takedowns.imports.tabular import plain_name
from takedowns.replies.columns import CLOCK_SKEW, CellError, claimed_time
from takedowns.tips import ORIGINS, TEXT_AT_MOST, Told

COLUMNS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "number": ("工单编号", "工单号", "举报编号", "受理编号", "线索编号", "编号", "number", "case_number"),
        "received_at": (
            "受理时间",
            "举报时间",
            "反映时间",
            "来电时间",
            "登记时间",
            "received_at",
            "received",
        ),
        "text": (
            *("举报内容", "反映内容", "诉求内容", "线索内容", "问题描述", "内容", "情况说明"),
            *("text", "content", "complaint"),
        ),
        "url": ("商品链接", "链接", "链接地址", "网址", "url", "link"),
        "platform": ("平台", "平台名称", "涉事平台", "platform"),
        "item_id": ("商品ID", "商品编号", "宝贝ID", "item_id", "product_id"),
        "title": ("商品标题", "商品名称", "标题", "宝贝标题", "title", "product_name"),
        "shop": ("店铺名称", "店铺", "商家", "被举报商家", "被举报店铺", "shop", "shop_name", "merchant"),
        "minors": ("涉未成年人", "是否涉未成年人", "涉及未成年人", "未成年人", "minors"),
        "category": ("商品类别", "类别", "线索类别", "举报类别", "category", "kind"),
        "origin": ("来源", "线索来源", "举报渠道", "渠道", "origin"),
    }
)
FIELD_OF = {plain_name(name): field for field, names in COLUMNS.items() for name in names}
ROW_NUMBERS = frozenset(plain_name(name) for name in ("序号", "No", "#"))
# In a column's name: it may say who told it, or by whom that was taken down.
PERSONAL = re.compile(
    r"举报(?:人|者)|投诉(?:人|者)|反映(?:人|者)|申诉人|来电(?:人|号)|联系|姓名|电话|手机|身份|证件|住址|地址|邮箱|微信|qq|性别|年龄"
    r"|接线|受理(?:人|员)|登记(?:人|员)|reporter|caller|complainant|informant|phone|mobile|contact|mail|address|idcard|idnumber|^name$",
    re.IGNORECASE,
)
ORIGIN_OF = {
    plain_name(word): origin
    for origin, words in {
        "hotline": ("12313", "12313热线", "热线", "电话举报", "hotline"),
        "public": ("公众", "群众", "群众举报", "网络举报", "来信", "来访", "public"),
        "bureau": ("烟草局", "烟草专卖局", "外省移送", "外市移送", "其他部门", "市场监管", "bureau"),
        "police": ("公安", "公安机关", "警方", "police"),
    }.items()
    for word in words
}
CATEGORY_OF = {
    plain_name(word): label
    for label, words in {
        None: ("电子烟", "e-cigarette", "ecig", "vape"),
        Label.OTHER_TOBACCO: (
            *(
                "其他烟草",
                "其他烟草制品",
                "烟草",
                "卷烟",
                "香烟",
                "雪茄",
                "雪茄烟",
                "烟丝",
                "水烟",
                "鼻烟",
                "嚼烟",
            ),
            *("口含烟", "加热卷烟", "假烟", "走私烟", "other_tobacco", "tobacco", "cigarettes", "cigars"),
        ),
    }.items()
    for word in words
}
YES = frozenset({"是", "涉及", "涉", "有", "y", "yes", "true", "1", "√"})
T = TypeVar("T")
NO = frozenset({"", "否", "不涉及", "不涉", "无", "没有", "n", "no", "false", "0", "未知", "不详"})


def is_dropped(header: str) -> bool:
    """Whether a column is not read because it may say who told it."""
    name = plain_name(header)
    return name not in FIELD_OF and bool(PERSONAL.search(name))


def dropped(headers: Iterable[str]) -> list[str]:
    """The names of such columns, in order."""
    return [header for header in dict.fromkeys(headers) if is_dropped(header)]


def read(fields: Mapping[str, str], *, now: datetime, origin: str = "hotline") -> Told:
    """What a row says; ``origin`` is for one that names none. Raises CellError.

    What stands in columns of other names goes into the text, behind their names.
    """
    cells, others = _sorted_out(fields)
    text = "\n".join(part for part in (cells.get("text", ""), *others) if part)
    if not text and not cells.keys() & {"url", "item_id", "title"}:
        raise CellError("text", "is empty, and there is neither a link nor a title")
    if len(text) > TEXT_AT_MOST:
        raise CellError("text", f"is longer than {TEXT_AT_MOST:,} characters")
    return Told(
        origin=_word("origin", cells["origin"], ORIGIN_OF) if "origin" in cells else origin,
        text=text,
        number=cells.get("number"),
        received_at=_time(cells.get("received_at", ""), now),
        url=cells.get("url"),
        platform=cells.get("platform"),
        item_id=cells.get("item_id"),
        title=cells.get("title"),
        shop=cells.get("shop"),
        minors=_yes(cells.get("minors", "")),
        category=_word("category", cells["category"], CATEGORY_OF) if "category" in cells else None,
    )


def _sorted_out(fields: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Cells by our name of their column, and lines for the others."""
    cells: dict[str, str] = {}
    others = []
    for header, raw in fields.items():
        field, cell = FIELD_OF.get(plain_name(header)), storable(raw).strip()
        if not cell or is_dropped(header) or plain_name(header) in ROW_NUMBERS:
            continue
        if field and field not in cells:
            cells[field] = cell
        else:
            others.append(f"{storable(header)}: {cell}")
    return cells, others


def _word(field: str, cell: str, words: Mapping[str, T]) -> T:
    try:
        return words[plain_name(cell)]
    except KeyError:
        known = ", ".join(ORIGINS) if field == "origin" else "电子烟, other_tobacco (其他烟草)"
        raise CellError(field, f"{cell[:40]!r} is none of {known}, nor another word for one") from None


def _time(cell: str, now: datetime) -> datetime | None:
    try:
        received_at = claimed_time(cell)
    except ValueError as error:
        raise CellError("received_at", f"{cell[:40]!r} is no time such as 2026-10-12 09:30") from error
    if received_at is not None and received_at > now + CLOCK_SKEW:
        raise CellError("received_at", f"{cell[:40]!r} lies in the future")
    return received_at


def _yes(cell: str) -> bool:
    word = cell.strip().casefold()
    if word not in YES | NO:
        raise CellError("minors", f"{cell[:40]!r} is neither yes (是) nor no (否)")
    return word in YES
