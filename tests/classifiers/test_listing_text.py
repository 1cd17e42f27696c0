from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from classifiers.listing_text import MAX_FIELD, MAX_TEXT, lay_out, locate
from classifiers.verdict import ListingText

TEXT = st.text(st.characters(exclude_categories=()), max_size=60)
LISTINGS = st.builds(
    ListingText,
    id=st.just("x"),
    title=TEXT,
    description=TEXT,
    shop=st.none() | TEXT,
    price=st.none() | st.integers() | TEXT,
    attributes=st.dictionaries(TEXT, TEXT, max_size=4),
)


def test_every_field_is_laid_out_a_line_each() -> None:
    listing = ListingText(
        id="1", title="标题", description="说明", shop="店", price=9.9, attributes={"口数": "800"}
    )
    assert lay_out(listing).text == "标题\n说明\n店\n9.9\n口数 800"


def test_a_word_in_the_name_of_an_attribute_is_shown_at_its_value() -> None:
    layout = lay_out(ListingText(id="1", title="x", attributes={"口数": "800"}))
    at = layout.text.index("口数")
    assert locate(layout, at, at + 2) == ("attributes.口数", 0, 3)
    assert locate(layout, at, at + 6) == ("attributes.口数", 0, 3)


def test_an_attribute_without_a_value_is_shown_at_its_name() -> None:
    layout = lay_out(ListingText(id="1", title="x", attributes={"口数": ""}))
    at = layout.text.index("口数")
    assert locate(layout, at, at + 2) == ("attributes.口数", 0, 2)


def test_half_a_surrogate_pair_keeps_its_place() -> None:
    assert lay_out(ListingText(id="1", title="a\ud83d\ude00b")).text.startswith("a\ufffd\ufffdb")


def test_an_absurdly_long_field_is_cut_and_said_to_be() -> None:
    layout = lay_out(ListingText(id="1", title="长" * 1_000_000, shop="店"))
    assert [(s.field, s.clipped) for s in layout.segments] == [
        ("title", True), ("shop", False)
    ]  # fmt: skip
    assert layout.segments[0].end == MAX_FIELD


def test_a_flood_of_attributes_is_cut_as_a_whole() -> None:
    layout = lay_out(ListingText(id="1", title="x", attributes={f"k{n}": "v" * 900 for n in range(5000)}))
    assert len(layout.text) <= MAX_TEXT
    assert layout.segments[-1].clipped


@given(LISTINGS, st.data())
def test_a_located_span_is_the_text_itself_wherever_it_lies(
    listing: ListingText, data: st.DataObject
) -> None:
    layout = lay_out(listing)
    segment = data.draw(st.sampled_from(layout.segments))
    original = {
        "title": listing.title,
        "description": listing.description,
        "shop": listing.shop or "",
        "price": "" if listing.price is None else str(listing.price),
    } | {f"attributes.{name}": value for name, value in listing.attributes.items()}
    value = original[segment.field]
    if value:
        start = data.draw(st.integers(0, len(value) - 1))
        end = data.draw(st.integers(start + 1, len(value)))
        assert locate(layout, segment.value + start, segment.value + end) == (segment.field, start, end)
