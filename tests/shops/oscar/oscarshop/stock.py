"""Fills the shop, and takes goods out of it as a shopkeeper would: by saving the product."""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.base import ContentFile
from django.db import transaction
from django.utils.html import escape
from oscar.apps.catalogue.categories import create_from_breadcrumbs
from oscar.apps.catalogue.models import Product, ProductAttribute, ProductCategory, ProductClass, ProductImage
from oscar.apps.partner.models import Partner, StockRecord
from PIL import Image

FULL = 10
PRODUCTS = Path(__file__).parents[1] / "products.jsonl"


@transaction.atomic
def fill() -> None:
    shelf = ProductClass.objects.create(name="商品")
    # Oscar shows a partner's name on no page, so the seller stands among the product's attributes.
    ProductAttribute.objects.create(product_class=shelf, name="卖家", code="seller", type="text")
    settings.MEDIA_ROOT.mkdir(parents=True, exist_ok=True)
    (settings.MEDIA_ROOT / settings.OSCAR_MISSING_IMAGE_URL).write_bytes(picture("missing"))
    for line in PRODUCTS.read_text(encoding="utf-8").splitlines():
        add_product(shelf, json.loads(line))


def add_product(shelf: ProductClass, row: dict[str, Any]) -> None:
    lines = [row["description"], *(f"{name}：{value}" for name, value in row["attributes"].items())]
    text = "<br>".join(escape(line) for line in lines)
    product = Product(product_class=shelf, title=row["title"], upc=row["upc"], description=text)
    product.attr.seller = row["seller"]
    product.save()
    category = create_from_breadcrumbs(row["category"])
    ProductCategory.objects.create(product=product, category=category)
    partner, _ = Partner.objects.get_or_create(name=row["seller"])
    StockRecord.objects.create(
        product=product, partner=partner, partner_sku=row["upc"], price=row["price"], num_in_stock=FULL
    )
    image = ContentFile(picture(row["upc"]), f"{row['upc']}.jpg")
    ProductImage.objects.create(product=product, original=image)


def picture(seed: str) -> bytes:
    red, green, blue = hashlib.sha256(seed.encode()).digest()[:3]
    buffer = io.BytesIO()
    Image.new("RGB", (200, 200), (red, green, blue)).save(buffer, "JPEG")
    return buffer.getvalue()


def listed() -> list[dict[str, Any]]:
    violating = {
        row["upc"]: row["violating"]
        for row in map(json.loads, PRODUCTS.read_text(encoding="utf-8").splitlines())
    }
    return [
        {"id": p.id, "title": p.title, "path": p.get_absolute_url(), "violating": violating[p.upc]}
        for p in Product.objects.order_by("id")
    ]


def set_public(product_id: int, public: bool) -> None:
    product = Product.objects.get(id=product_id)
    product.is_public = public
    product.save()


def set_stock(product_id: int, number: int) -> None:
    for record in StockRecord.objects.filter(product_id=product_id):
        record.num_in_stock = number
        record.save()
