"""``vapewatch platforms``: what is known of each marketplace, and writing and trying profiles.

People read both languages side by side: the operator who writes a profile and the developer who helps may not
share one.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from crawlers.drafting.draft import Draft, name_for
from crawlers.listing import Presence
from crawlers.platforms import Platform
from takedowns import configuration
from takedowns.cli.output import (
    ERROR,
    PARTIAL,
    USAGE,
    Json,
    complain,
    harmless,
    progress,
    write_json,
    write_rows,
    write_text,
)
from takedowns.cli.platform_words import FIELDS, LACKING, MEANINGS, NOTES, REFUSED_ROADS, SCRUBBED, STATES
from takedowns.context import Context, open_context
from takedowns.crawling import profiling
from takedowns.crawling.profiling import Drafted, NoPageError, PageReport

platforms = typer.Typer(help="The marketplaces in config/platforms.")
app = typer.Typer()
app.add_typer(platforms, name="platforms")

SHOWN_LENGTH = 60  # characters of a value on the screen; --json has all of it


@platforms.command("list")
def list_platforms(as_json: Json = False) -> None:
    """Show every platform, how it is reached, and whether it was tried live."""
    known = configuration.platforms(configuration.folder())
    write_rows(
        (
            {
                "name": profile.name,
                "title": profile.title,
                "road": profile.road,
                "render": profile.render,
                "lead": profile.lead.channel,
                "verified": profile.verified,
            }
            for profile in known.values()
        ),
        as_json,
    )


@platforms.command("show")
def show_platform(name: str, as_json: Json = False) -> None:
    """Show what the profile says of a platform; what nobody has confirmed is marked so."""
    profile = configuration.platform_named(configuration.platforms(configuration.folder()), name)
    if as_json:
        write_json(profile.model_dump(mode="json", exclude_defaults=True) | {"verified": profile.verified})
        return
    _line("平台 platform", f"{profile.title} {profile.title_en}")
    _line("途径 road", profile.road)
    _line("核实 tried live", "是 yes" if profile.verified else "未核实 unverified")
    _line("主机 hosts", " ".join(profile.hosts) or (profile.home or ""))
    _line("规范链接 canonical", profile.listing_url.canonical)
    _line("投诉渠道 leads go to", f"{profile.lead.channel}: {profile.lead.recipient}")
    for saying in profile.sayings:
        mark = "" if saying.verified else "  [未核实 unverified]"
        _line(f"页面文字 says ({MEANINGS[saying.means]} {saying.means})", f"{saying.text}{mark}")


@platforms.command("check")
def check_platform(
    name: str,
    url: Annotated[str | None, typer.Option(help="A listing that is up, instead of the canary pair.")] = None,
    as_json: Json = False,
) -> None:
    """Look at the canary pair and report, field by field, what the profile reads of it."""
    context = open_context(configuration.folder())
    profile = _page_profile(context, name)
    with progress(f"check {name}"), _well_asked():
        pages = profiling.check(context, profile, url)
    _show_pages(profile.name, pages, as_json)
    raise typer.Exit(_verdict(pages))


@platforms.command("new")
def new_platform(
    search_url: Annotated[
        str, typer.Argument(help="A search that finds something, as the browser shows it.")
    ],
    listing_url: Annotated[str, typer.Argument(help="A listing that is on sale, found by it.")],
    name: Annotated[str | None, typer.Option(help="Of the profile and its file.")] = None,
    term: Annotated[str | None, typer.Option(help="What was searched for, where it cannot be seen.")] = None,
    browser: Annotated[
        str | None, typer.Option(help="Why its pages need a browser; without, plain HTTP is used.")
    ] = None,
    save: Annotated[bool, typer.Option("--save", help="Save the draft without asking.")] = False,
    as_json: Json = False,
) -> None:
    """Draft a profile from a live search page and a live listing, and show what it would read."""
    context = open_context(configuration.folder())
    chosen = name or name_for(listing_url)
    path = context.config / "platforms" / f"{chosen}.yml"
    _refuse_known(context, chosen, path, (search_url, listing_url))
    with progress(f"look at {chosen}"), _well_asked():
        drafted = _drafted(context, search_url, listing_url, chosen, term, browser)
    text = profiling.as_yaml(drafted.draft, [search_url, listing_url]) if drafted.draft.profile else ""
    _show_draft(drafted, text, as_json)
    if not text:
        raise typer.Exit(ERROR)
    if save or _agreed(path, as_json):
        with path.open("x", encoding="utf-8") as file:  # fails where somebody was quicker
            file.write(text)
        complain(f"已保存 saved: {path}")
    elif not as_json:
        complain("没有保存；加 --save 保存 / not saved; --save does")
    raise typer.Exit(_verdict(drafted.pages))


@platforms.command("snap")
def snap_platform(
    name: str,
    url: str,
    case: Annotated[str, typer.Argument(help="Name of the case, e.g. gone or sold-out.")],
    into: Annotated[Path, typer.Option(help="Folder of saved pages.")] = Path("tests/pages"),
    as_json: Json = False,
) -> None:
    """Save a live page as a test case, with personal data taken out; read it through before it is shared."""
    context = open_context(configuration.folder())
    profile = _page_profile(context, name)
    if not case.replace("-", "").isalnum() or not case.isascii():
        complain(f"{case!r} 不能用作名称：只用字母、数字和 - / is no name: letters, digits and hyphens only")
        raise typer.Exit(USAGE)
    try:
        with progress(f"snap {name}"), _well_asked():
            expected, taken = profiling.snap(context, profile, url, into / name / case)
    except NoPageError as error:
        raise _no_page(error) from error
    folder = into / name / case
    if as_json:
        write_json({"folder": str(folder), "expected": expected.model_dump(mode="json"), "taken_out": taken})
        return
    _line("页面 page", f"{STATES[expected.state]} {expected.state.value} ({expected.reason})")
    for kind, count in sorted(taken.items()):
        _line(f"已去除 taken out: {SCRUBBED[kind]} {kind}", str(count))
    _line("已保存 saved", str(folder))
    complain("分享之前请通读一遍 / read it through before you share it")


@contextmanager
def _well_asked() -> Iterator[None]:
    """An address that cannot be used is a usage error."""
    try:
        yield
    except profiling.AddressError as error:
        complain(str(error))
        raise typer.Exit(USAGE) from error


def _page_profile(context: Context, name: str) -> Platform:
    """A platform with pages to look at; a usage error for any other."""
    profile = configuration.platform_named(context.platforms, name)
    if profile.road != "page":
        complain(" / ".join(REFUSED_ROADS[profile.road]).format(name))
        raise typer.Exit(USAGE)
    return profile


def _refuse_known(context: Context, name: str, path: Path, urls: Iterable[str]) -> None:
    if name in context.platforms or path.exists():
        complain(f"{path} 已存在，不会覆盖；请用 --name 另取名称 / is there and stays; choose another --name")
        raise typer.Exit(USAGE)
    for profile in context.platforms.values():
        if profile.road == "import" and any(profile.owns_host(url) for url in urls):
            complain(f"{profile.title}不采集网页，只导入 / {profile.title_en} is not crawled: import only")
            raise typer.Exit(USAGE)


def _drafted(
    context: Context, search: str, listing: str, name: str, term: str | None, browser: str | None
) -> Drafted:
    try:
        return profiling.new(context, search, listing, name, term=term, render_reason=browser)
    except NoPageError as error:
        raise _no_page(error) from error


def _no_page(error: NoPageError) -> typer.Exit:
    complain(f"没有得到页面 no page: {error}")
    return typer.Exit(PARTIAL if error.is_wall else ERROR)


def _agreed(path: Path, as_json: bool) -> bool:
    asks = sys.stdin.isatty() and not as_json
    return asks and typer.confirm(f"保存到 save to {path}?", err=True)


def _show_draft(drafted: Drafted, text: str, as_json: bool) -> None:
    draft = drafted.draft
    if as_json:
        pages = [_page_json(page) for page in drafted.pages]
        told = {"notes": draft.notes, "lacking": draft.lacking, "found": draft.found}
        write_json({"profile": draft.profile, "pages": pages, **told})
        return
    _show_words(draft)
    if text:
        write_text(harmless_lines(text))
        _show_pages(str((draft.profile or {})["name"]), drafted.pages, as_json=False)


def _show_words(draft: Draft) -> None:
    for code in draft.lacking:
        complain("缺少 lacking: " + " / ".join(LACKING[code]))
    for code, value in draft.found.items():
        _line(f"已找到 found: {code}", value)
    for code in draft.notes:
        complain("注意 note: " + " / ".join(NOTES[code]))


def _show_pages(name: str, pages: Iterable[PageReport], as_json: bool) -> None:
    if as_json:
        write_json({"platform": name, "pages": [_page_json(page) for page in pages]})
        return
    for page in pages:
        _show_page(page)


def _show_page(page: PageReport) -> None:
    capture = page.seen.capture
    must = f"应为{STATES[page.must_be]} must be {page.must_be.value}" if page.must_be else "页面 page"
    _line(must, capture.url)
    if page.seen.place != capture.url:
        _line("  转到 led to", page.seen.place)
    mark = "✓" if page.as_expected else "✗"
    _line(f"  {mark} 判断 seen", f"{STATES[capture.state]} {capture.state.value} ({capture.reason})")
    for sign in page.signs:
        _line("  依据 sign", sign)
    missing = set(page.missing)
    for field in page.fields:
        told = f"{_cut(field.value)}  [{field.source}]" if field.value else "— 没有 missing"
        _line(f"  {'✗' if field.name in missing else ' '} {FIELDS[field.name]} {field.name}", told)


def _page_json(page: PageReport) -> dict[str, Any]:
    capture = page.seen.capture
    return {
        "url": capture.url,
        "final_url": page.seen.place,
        "http_status": capture.http_status,
        "must_be": page.must_be,
        "state": capture.state,
        "reason": capture.reason,
        "as_expected": page.as_expected,
        "signs": page.signs,
        "missing": page.missing,
        "fields": {
            field.name: {"value": field.value, "source": field.source, "wanted": field.wanted}
            for field in page.fields
        },
    }


def _verdict(pages: Iterable[PageReport]) -> int:
    """A page that is not what it must be fails; a wall or a missing field leaves it in part."""
    codes = {_code(page) for page in pages}
    return ERROR if ERROR in codes else max(codes, default=ERROR)


def _code(page: PageReport) -> int:
    if page.seen.capture.state is Presence.BLOCKED:
        return PARTIAL
    if not page.as_expected:
        return ERROR
    return PARTIAL if page.missing else 0


def _line(label: str, value: str) -> None:
    write_text(f"{label}: {harmless(value)}")


def _cut(value: str) -> str:
    return value if len(value) <= SHOWN_LENGTH else value[: SHOWN_LENGTH - 1] + "…"


def harmless_lines(text: str) -> str:
    """The same of a text of several lines."""
    return "\n".join(map(harmless, text.splitlines()))
