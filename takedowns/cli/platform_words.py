"""The Chinese and English words of ``vapewatch platforms``."""

from __future__ import annotations

from crawlers.listing import Presence

FIELDS = {
    "title": "标题",
    "price": "价格",
    "currency": "币种",
    "seller": "卖家",
    "seller_id": "卖家编号",
    "seller_kind": "卖家类型",
    "seller_url": "店铺链接",
    "description": "描述",
    "attributes": "属性",
    "images": "图片",
    "lang": "语言",
}
STATES = {
    Presence.UP: "在架",
    Presence.GONE: "已下架",
    Presence.ALTERED: "已改换",
    Presence.BLOCKED: "被拦截",
    Presence.ERROR: "无法判断",
}
REFUSED_ROADS = {
    "import": ("{0} 不采集网页，只导入", "{0} is not crawled: its listings come by files and pasted links"),
    "api": (
        "{0} 通过接口查询，请用 `vapewatch sweep {0} --term 词` 试用",
        "{0} is asked by its interface; try it with `vapewatch sweep {0} --term TERM`",
    ),
}
MEANINGS = {"removed": "已下架", "sold_out": "售罄（不算下架）", "walled_off": "被拦截"}
SCRUBBED = {
    "header": "响应头",
    "script": "脚本",
    "buyer": "买家与评价",
    "form_value": "隐藏表单值",
    "identity": "身份证号",
    "phone": "电话",
    "mail": "邮箱",
    "handle": "社交账号",
    "name": "人名",
    "token": "令牌",
}
NOTES = {
    "one_term_only": ("只有一个搜索词，请补充 search.terms", "one search term only: add to search.terms"),
    "recipient_missing": ("请填写投诉渠道 lead.recipient", "give the complaint channel in lead.recipient"),
    "page_parameter_guessed": (
        "没有看到翻页参数，page 是猜的",
        "no link to a second page was seen: its parameter is a guess",
    ),
    "few_listings": (
        "搜索页上只认出一个商品，编号规律可能不准",
        "the search page shows one listing only: the id pattern may be wrong",
    ),
    "control_on_results": (
        "搜索页也有同样的购买按钮，不能单独证明商品在架",
        "the result page has the buy control as well: by itself it proves little",
    ),
    "many_other_links": (
        "search.item_links 还选中了许多别的链接",
        "search.item_links matches many other links too",
    ),
    "absence_unknown": (
        "看不出平台怎样表示商品不存在，请补充 presence.gone",
        "how the platform says that a listing is gone was not seen: write presence.gone",
    ),
    "no_title": ("没有找到标题", "no title was found"),
    "no_price": ("没有找到价格", "no price was found"),
    "no_seller": ("没有找到卖家", "no seller was found"),
    "no_images": ("没有找到图片", "no pictures were found"),
}
LACKING = {
    "listing_id": ("商品链接里看不出编号", "no id can be seen in the listing's address"),
    "item_links": (
        "搜索页上没有同类的商品链接（可能要用浏览器：--browser）",
        "the search page has no links like the listing's (does it need --browser?)",
    ),
    "search_term": (
        "看不出哪个参数是搜索词，请用 --term 给出",
        "which parameter is the search term cannot be seen: give it with --term",
    ),
    "buy_control": (
        "没有看到购买按钮，无法证明商品在架（可能要用浏览器：--browser）",
        "no control to buy with was seen, so nothing proves that a listing is up (does it need --browser?)",
    ),
}
