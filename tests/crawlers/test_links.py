"""Pasted links and share texts, as people paste them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.links import Link, LinkProblem, Unrecognised, recognise

NOTE = "0123456789abcdef01234567"
LISTINGS = [
    ("https://item.taobao.com/item.htm?spm=a.b&id=123&ut_sk=1", "taobao", "123"),
    ("http://h5.m.taobao.com/awp/core/detail.htm?id=123", "taobao", "123"),
    ("https://world.taobao.com/item/123.htm?x=1", "taobao", "123"),
    ("https://m.intl.taobao.com/detail/detail.html?id=123&price=5", "taobao", "123"),
    ("https://a.m.taobao.com/i123.htm", "taobao", "123"),
    ("https://detail.tmall.com/item.htm?abbucket=1&id=9&skuId=7", "tmall", "9"),
    ("https://chaoshi.detail.tmall.com/item.htm?id=9", "tmall", "9"),
    ("https://detail.tmall.hk/hk/item.htm?id=9", "tmall", "9"),
    ("https://detail.1688.com/offer/77.html?spm=x", "1688", "77"),
    ("https://m.1688.com/offer/77.html", "1688", "77"),
    ("https://www.goofish.com/item?itemId=5&categoryId=1", "xianyu", "5"),
    ("https://h5.m.goofish.com/item?id=5", "xianyu", "5"),
    ("https://item.jd.com/100012.html#comment", "jd", "100012"),
    ("https://item.m.jd.com/product/100012.html?utm_source=x", "jd", "100012"),
    ("https://item.m.jd.com/ware/view.action?wareId=100012", "jd", "100012"),
    ("https://npcitem.jd.hk/100012.html", "jd", "100012"),
    ("https://mobile.yangkeduo.com/goods2.html?ps=abc&goods_id=31", "pdd", "31"),
    ("https://mobile.pinduoduo.com/goods.html?goods_id=31&refer_x=1", "pdd", "31"),
    ("https://haohuo.jinritemai.com/views/product/item2?id=35&origin=1", "douyin", "35"),
    ("https://haohuo.jinritemai.com/ecommerce/trade/detail/index.html?id=35", "douyin", "35"),
    ("https://weidian.com/item.html?itemID=4", "weidian", "4"),
    ("https://shop1234.v.weidian.com/item.html?itemID=4", "weidian", "4"),
    (f"https://www.xiaohongshu.com/explore/{NOTE}?xsec_token=1", "xiaohongshu", NOTE),
    (f"https://www.xiaohongshu.com/goods-detail/{NOTE}", "xiaohongshu", NOTE),
    ("https://app.kwaixiaodian.com/merchant/shop/detail?id=6&from=share", "kuaishou", "6"),
    ("https://www.kuaishou.com/short-video/3xabc?x=1", "kuaishou-video", "3xabc"),
    ("https://www.douyin.com/video/71?x=1", "douyin-video", "71"),
    ("https://www.iesdouyin.com/share/video/71/?region=CN", "douyin-video", "71"),
    ("https://m.zhuanzhuan.com/u/detail?x=1&infoId=88", "zhuanzhuan", "88"),
    ("https://mp.weixin.qq.com/s/AbCdEfGhIjKl-_?x=1", "wechat-article", "/AbCdEfGhIjKl-_"),
    (
        "https://mp.weixin.qq.com/s?__biz=MzI=&mid=1&idx=2&sn=ab12&chksm=0",
        "wechat-article",
        "?__biz=MzI=&mid=1&idx=2&sn=ab12",
    ),
    ("https://weibo.com/1234/NaBcD?type=comment", "weibo", "NaBcD"),
    ("https://m.weibo.cn/status/NaBcD", "weibo", "NaBcD"),
    ("https://tieba.baidu.com/p/777?pid=1", "tieba", "777"),
    ("https://www.amazon.com/Vape-Pod/dp/B0ABCDEFGH/ref=sr_1", "amazon", "B0ABCDEFGH"),
    ("https://www.amazon.com/gp/product/B0ABCDEFGH?th=1", "amazon", "B0ABCDEFGH"),
    ("https://de.aliexpress.com/item/1005.html?spm=1", "aliexpress", "1005"),
    ("https://www.temu.com/vape-pod-g-601.html?x=1", "temu", "601"),
    ("https://shopee.sg/Vape-pod-i.12.34?sp=1", "shopee", "12.34"),
    ("https://shopee.sg/product/12/34", "shopee", "12.34"),
    ("https://www.lazada.sg/products/vape-pod-i56-s78.html", "lazada", "56"),
    ("https://www.etsy.com/de/listing/99/vape-case", "etsy", "99"),
    ("https://www.ebay.com/itm/vape-pod/123456789012?hash=1", "ebay", "123456789012"),
    ("#小程序://果味雾化馆/AbCd12EfGh", "wechat-mini", "果味雾化馆/AbCd12EfGh"),
    ("http://127.0.0.1:8600/mall/item/123.html", "sample", "123"),
    ("http://127.0.0.1:8600/bazaar/item/123.html", "sample-microdata", "123"),
    ("http://127.0.0.1:8600/live/item/123.html", "sample-js", "123"),
    ("http://127.0.0.1:8601/catalogue/%E9%9B%BE%E5%8C%96_12/", "oscar", "12"),
]


@pytest.mark.parametrize(("url", "platform", "item_id"), LISTINGS)
def test_a_link_leads_to_its_platform_and_item(shipped, url, platform, item_id):
    found = recognise(url, shipped.values())
    assert found == Link(platform, item_id, shipped[platform].canonical_url(item_id))


@pytest.mark.parametrize(("url", "platform", "item_id"), LISTINGS)
def test_a_canonical_address_is_its_own_canonical_address(shipped, url, platform, item_id):
    canonical = shipped[platform].canonical_url(item_id)
    assert recognise(canonical, shipped.values()) == Link(platform, item_id, canonical)


@pytest.mark.parametrize(
    "text",
    [
        "【淘宝】7天无理由 https://item.taobao.com/item.htm?id=123 「医用雾化器」点击链接直接打开",
        "看看这个https://item.taobao.com/item.htm?id=123，挺好",
        "<a href='https://item.taobao.com/item.htm?id=123'>x</a>",
        "HTTPS://ITEM.TAOBAO.COM/item.htm?id=123.",
        "（https://item.taobao.com/item.htm?id=123）",
    ],
)
def test_the_first_link_of_a_share_text_is_taken(shipped, text):
    found = recognise(text, shipped.values())
    assert isinstance(found, Link)
    assert (found.platform, found.item_id) == ("taobao", "123")


@pytest.mark.parametrize(
    ("text", "item_id"),
    [
        ("#小程序://果味雾化馆/AbCd12EfGh", "果味雾化馆/AbCd12EfGh"),
        ("快来看 #小程序://果味雾化馆/AbCd12EfGh 复制到微信打开", "果味雾化馆/AbCd12EfGh"),
        ("#小程序://果味雾化馆/AbCd12EfGh https://item.jd.com/1.html", "果味雾化馆/AbCd12EfGh"),
        ("#小程序://a/b/c", None),
        ("#小程序://没有短码", None),
        ("小程序 果味雾化馆/AbCd12EfGh", None),
        ("#小程序://" + "长" * 100 + "/AbCd12EfGh", None),
    ],
)
def test_a_share_text_of_a_mini_program_names_it(shipped, text, item_id):
    found = recognise(text, shipped.values())
    expected = Link("wechat-mini", item_id, f"#小程序://{item_id}")
    assert found == (expected if item_id else Unrecognised(LinkProblem.NO_LINK))


@pytest.mark.parametrize(
    ("inner", "expected"),
    [
        ("https%3A%2F%2Fweidian.com%2Fitem.html%3FitemID%3D44%26spider%3D1", ("weidian", "44")),
        ("https%3A%2F%2Fitem.jd.com%2F1.html", ("jd", "1")),
        ("https%253A%252F%252Fitem.jd.com%252F1.html", None),
        ("https%3A%2F%2Fevil.example%2Fitem.jd.com%2F1.html", None),
        ("javascript%3Aalert(1)", None),
        ("", None),
    ],
)
def test_an_agents_link_is_unwrapped_once(shipped, inner, expected):
    found = recognise(f"https://www.kakobuy.com/item/details?x=1&url={inner}", shipped.values())
    assert (isinstance(found, Link) and (found.platform, found.item_id)) == (expected or False)
    other = recognise(f"https://agent.example/item/details?url={inner}", shipped.values())
    assert other.problem is LinkProblem.UNKNOWN_HOST


@pytest.mark.parametrize(
    ("text", "problem", "platform"),
    [
        ("", LinkProblem.NO_LINK, None),
        ("￥AbCd1234￥ 打开淘宝", LinkProblem.NO_LINK, None),
        ("ftp://item.jd.com/1.html", LinkProblem.NO_LINK, None),
        ("https://evil.example/item.jd.com/1.html", LinkProblem.UNKNOWN_HOST, None),
        ("https://item.jd.com.evil.example/1.html", LinkProblem.UNKNOWN_HOST, None),
        ("https://evil.example/?u=https://item.jd.com/1.html", LinkProblem.UNKNOWN_HOST, None),
        ("https://item.jd.com@evil.example/1.html", LinkProblem.MALFORMED, None),
        ("https://[::1/", LinkProblem.MALFORMED, None),
        ("https://item.jd.com:99999/1.html", LinkProblem.MALFORMED, None),
        ("https://item.jd.com/" + "9" * 3000 + ".html", LinkProblem.MALFORMED, None),
        ("https://item.jd.com/", LinkProblem.NOT_A_LISTING, "jd"),
        ("https://item.jd.com/?next=https://item.jd.com/1.html", LinkProblem.NOT_A_LISTING, "jd"),
        ("https://e.tb.cn/h.gAbC?tk=x", LinkProblem.SHORT_LINK, "taobao"),
        ("https://u.jd.com/AbC", LinkProblem.SHORT_LINK, "jd"),
        ("https://mobile.yangkeduo.com/goods.html?ps=AbC", LinkProblem.SHORT_LINK, "pdd"),
        ("https://v.douyin.com/AbC/", LinkProblem.SHORT_LINK, "douyin"),
        ("https://v.kuaishou.com/AbC", LinkProblem.SHORT_LINK, "kuaishou"),
        ("https://wxaurl.cn/AbC", LinkProblem.SHORT_LINK, "wechat-mini"),
        ("https://k.youshop10.com/AbC", LinkProblem.SHORT_LINK, "weidian"),
        ("https://t.cn/AbC", LinkProblem.SHORT_LINK, "weibo"),
        ("https://a.aliexpress.com/_AbC", LinkProblem.SHORT_LINK, "aliexpress"),
        ("https://u.jd.com.evil.example/AbC", LinkProblem.UNKNOWN_HOST, None),
        ("https://u.jd.com:8443/AbC", LinkProblem.UNKNOWN_HOST, None),
        ("https://evil.example/?next=https://u.jd.com/AbC", LinkProblem.UNKNOWN_HOST, None),
        ("https://item.jd.com:8443/1.html", LinkProblem.UNKNOWN_HOST, None),
        ("https://item.jd.com./1.html", LinkProblem.UNKNOWN_HOST, None),
        ("https://\u0456tem.jd.com/1.html", LinkProblem.UNKNOWN_HOST, None),
        ("https://item.jd.com/\u0663.html", LinkProblem.NOT_A_LISTING, "jd"),
        ("https://item.jd.com/1\u202e.html", LinkProblem.NOT_A_LISTING, "jd"),
        ("http://127.0.0.1/mall/item/1.html", LinkProblem.UNKNOWN_HOST, None),
        ("http://[::1]:8600/mall/item/1.html", LinkProblem.UNKNOWN_HOST, None),
        ("http://2130706433:8600/mall/item/1.html", LinkProblem.UNKNOWN_HOST, None),
        ("https://live.douyin.com/7", LinkProblem.NOT_A_LISTING, "douyin-video"),
        ("https://mobile.yangkeduo.com/mall_page.html?mall_id=1", LinkProblem.NOT_A_LISTING, "pdd"),
    ],
)
def test_what_is_no_listing_says_why(shipped, text, problem, platform):
    found = recognise(text, shipped.values())
    assert isinstance(found, Unrecognised)
    assert (found.problem, found.platform) == (problem, platform)


@pytest.mark.parametrize("port", ["https://item.jd.com:443/1.html", "http://item.jd.com:80/1.html"])
def test_the_ordinary_port_may_be_written_out(shipped, port):
    assert recognise(port, shipped.values()) == Link("jd", "1", "https://item.jd.com/1.html")


@given(
    st.text() | st.text(max_size=60).map("https://item.jd.com/".__add__) | st.text().map("http://".__add__)
)
def test_no_text_breaks_the_reader_and_no_id_is_guessed(shipped, text):
    found = recognise(text, shipped.values())
    if isinstance(found, Link):
        assert found.item_id in text
