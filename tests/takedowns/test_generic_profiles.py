"""A shop on a known system is a file of three lines."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from classifiers.yamlfile import ConfigError
from crawlers import links
from crawlers.platforms import Platform
from takedowns import configuration

CONFIG = Path(__file__).parents[2] / "config"
GENERIC = sorted(path.stem for path in (CONFIG / "platforms/generic").glob("*.yml"))
ADDRESSES = {
    "shopify": ("https://shop.example/en-us/collections/all/products/mint-pod?variant=1", "mint-pod"),
    "woocommerce": ("https://shop.example/product/mint-pod/?utm_source=x", "mint-pod"),
    "schema-org": ("https://shop.example/en/p/mint-pod/", "en/p/mint-pod"),
}


@pytest.fixture
def config(tmp_path):
    shutil.copytree(CONFIG / "platforms/generic", tmp_path / "platforms/generic")
    return tmp_path


def write(config: Path, text: str, name: str = "corner") -> None:
    (config / f"platforms/{name}.yml").write_text(text, encoding="utf-8")


@pytest.mark.parametrize("generic", GENERIC)
def test_name_and_home_are_enough(config, generic):
    write(config, f"extends: {generic}\nname: corner\nhome: https://shop.example\n")
    corner = configuration.platforms(config)["corner"]
    assert type(corner) is Platform
    assert Platform.model_validate_json(corner.model_dump_json()) == corner
    assert (corner.home, corner.verified, corner.lead.channel) == ("https://shop.example", False, "manual")
    assert corner.title.endswith("corner")
    url, item_id = ADDRESSES[generic]
    found = links.recognise(url, [corner])
    assert (found.platform, found.item_id) == ("corner", item_id)
    assert corner.listing_url.item_id(found.url) == item_id


def test_what_the_shop_says_itself_goes_first_key_by_key(config):
    write(
        config,
        "extends: woocommerce\nname: corner\nhome: https://shop.example\ntitle: 街角\n"
        "politeness: {delay_s: 10}\napi: {interface: woocommerce, pages: 2, terms: [vape]}\n",
    )
    corner = configuration.platforms(config)["corner"]
    assert (corner.title, corner.title_en) == ("街角", "WooCommerce shop corner")
    assert (corner.politeness.delay_s, corner.politeness.daily_requests) == (10, 2000)
    assert corner.terms == ("vape",)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("extends: shopfy\nname: corner\nhome: https://a.example\n", "no profile 'shopfy'; known are"),
        ("extends: ../corner\nname: corner\n", "corner.yml:1:10: extends:"),
        (
            "extends: shopify\nname: corner\nhom: https://a.example\n",
            "corner.yml:3:1: hom: unknown key; did you",
        ),
        ("extends: shopify\nname: corner\n", "road api needs home"),
        ("extends: shopify\nname: other\nhome: https://a.example\n", "must be 'corner'"),
        ("extends: shopify\nhome: https://a.example\n", "name: this key is required"),
        ("extends: [\n", "corner.yml:2"),
    ],
)
def test_a_mistake_is_named_with_file_and_line(config, text, complaint):
    write(config, text)
    with pytest.raises(ConfigError) as caught:
        configuration.platforms(config)
    assert complaint in str(caught.value)


def test_a_road_to_a_marketplace_that_is_not_there_is_refused(config):
    shutil.copy(CONFIG / "platforms/jd-union.yml", config / "platforms")
    with pytest.raises(ConfigError, match=r"jd-union\.yml:1:1: marketplace: no platform is called 'jd'"):
        configuration.platforms(config)
    shutil.copy(CONFIG / "platforms/jd.yml", config / "platforms")
    assert configuration.platforms(config)["jd-union"].lists == "jd"


def test_generic_profiles_are_no_platforms_themselves():
    assert not set(GENERIC) & set(configuration.platforms(CONFIG))
