"""Goods as each interface describes them, and the profiles that ask for them."""

from __future__ import annotations

from pathlib import Path

from crawlers.generic import extending
from crawlers.platforms import Platform
from takedowns import configuration

CONFIG = Path(__file__).parents[3] / "config"
PROFILES = configuration.platforms(CONFIG)


def shipped(name: str, home: str, **api: object) -> Platform:
    """The shipped profile as it is, but at ``home`` and in a hurry, one request at a time."""
    profile = PROFILES[name]
    changes = {"home": home, "politeness": profile.politeness.model_copy(update={"delay_s": 0.01})}
    return profile.model_copy(update=changes | {"api": profile.api.model_copy(update=api)})


def shop(generic: str, home: str, **more: object) -> Platform:
    """What a shop's own file of three lines makes of the generic profile."""
    base = configuration.generic_profile(CONFIG / "platforms", generic)
    data = {"extends": generic, "name": "corner", "home": home, "politeness": {"delay_s": 0.01}}
    return Platform.model_validate(extending(base).model_validate(data | more).model_dump(exclude_unset=True))


def taobao_goods(item_id: str, title: str, **price: object) -> dict[str, object]:
    basic = {
        "title": title,
        "pict_url": "//img.alicdn.com/a.jpg",
        "small_images": {"string": ["https://img.alicdn.com/b.jpg"]},
        "shop_title": "康康医疗器械专营店",
        "seller_id": 2200,
        "level_one_category_name": "医疗器械",
        "volume": 12,
    }
    prices = {"zk_final_price": "79.9", "reserve_price": "99"} | price
    return {"item_id": item_id, "item_basic_info": basic, "price_promotion_info": prices}


def jd_goods(sku: int, title: str, price: object = 59.9) -> dict[str, object]:
    return {
        "skuId": sku,
        "skuName": title,
        "priceInfo": {"price": price, "lowestPrice": 49.9},
        "shopInfo": {"shopId": 77, "shopName": "雾里专营店"},
        "imageInfo": {"imageList": [{"url": "https://img14.360buyimg.com/a.jpg"}]},
        "categoryInfo": {"cid1Name": "医药保健", "cid3Name": "雾化器"},
        "materialUrl": f"item.jd.com/{sku}.html",
    }


def pdd_goods(sign: str, title: str, fen: object = 2599, goods_id: object = None) -> dict[str, object]:
    return {
        "goods_sign": sign,
        "goods_id": goods_id,
        "goods_name": title,
        "goods_desc": "一次性",
        "min_group_price": fen,
        "mall_name": "果味小店",
        "mall_id": 31,
        "goods_image_url": "https://img.pddpic.com/a.jpg",
        "sales_tip": "已拼1万件",
    }


def ebay_item(item_id: str, title: str, **more: object) -> dict[str, object]:
    return {
        "itemId": f"v1|{item_id}|0",
        "title": title,
        "price": {"value": "12.50", "currency": "USD"},
        "itemWebUrl": f"https://www.ebay.com/itm/{item_id}?hash=x",
        "image": {"imageUrl": "https://i.ebayimg.com/a.jpg"},
        "seller": {"username": "cloudy", "feedbackPercentage": "99.1"},
        "condition": "New",
        "categories": [{"categoryName": "Vaporizers"}],
        "itemLocation": {"country": "CN"},
    } | more


def shopify_product(handle: str, title: str, **more: object) -> dict[str, object]:
    return {
        "id": 1,
        "handle": handle,
        "title": title,
        "body_html": "<p>Blueberry <b>ice</b></p><script>alert(1)</script>",
        "vendor": "Cloud Nine",
        "product_type": "Pods",
        "tags": ["vape", "5%"],
        "variants": [{"price": "19.90", "available": False}, {"price": "24.90", "available": True}],
        "images": [{"src": "https://cdn.shopify.com/a.jpg"}],
    } | more


def woo_product(slug: str, name: str, **more: object) -> dict[str, object]:
    return {
        "id": 7,
        "slug": slug,
        "name": name,
        "sku": "A-1",
        "description": "<p>草本 &amp; 薄荷</p>",
        "prices": {"price": "1999", "currency_code": "EUR", "currency_minor_unit": 2},
        "images": [{"src": "https://shop.example/a.jpg"}],
        "categories": [{"name": "Pods"}],
        "tags": [{"name": "mint"}],
        "is_in_stock": True,
    } | more
