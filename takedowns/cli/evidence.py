"""Commands around evidence: show, verify, pack, capture, keep, expire."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
import typer

from crawlers import rundir
from crawlers.warc import Record
from takedowns import configuration, jobs
from takedowns.cli.evidence_words import COLUMNS, VALUES, Lang, pick, say, sentence
from takedowns.cli.following import acting_user
from takedowns.cli.output import (
    ERROR,
    PARTIAL,
    Json,
    complain,
    harmless,
    progress,
    write_json,
    write_rows,
    write_text,
)
from takedowns.context import Context, open_context
from takedowns.evidence import dossier, keeping, manifest, packs, reading, retention, verifying
from takedowns.evidence.dossier import Exhibit, UnknownError
from takedowns.evidence.reading import Reference
from takedowns.ledger import audit
from takedowns.ledger.tables import CrawlRun, Lead
from takedowns.ledger.vocabulary import RunState
from takedowns.roles import REVIEWERS, require

app = typer.Typer()
evidence = typer.Typer(
    help="Pages, screenshots and pictures: what was kept, whether it is whole, packs of it."
)
app.add_typer(evidence, name="evidence")

ZONE = ZoneInfo("Asia/Shanghai")
Speak = Annotated[Lang, typer.Option("--lang", help="Language of what is written for people.")]


@evidence.command()
def show(
    name: Annotated[str, typer.Argument(help="A reference, a listing (PLATFORM:ITEM) or a lead's number.")],
    save: Annotated[Path | None, typer.Option(help="Write the record's payload to this file.")] = None,
    lang: Speak = Lang.ZH,
    as_json: Json = False,
) -> None:
    """Show what was kept: of a reference the record and those beside it, of a listing or lead every page."""
    context = open_context(configuration.folder())
    if "#" in name:
        _show_record(context, Reference.parse(name), save, lang, as_json)
    else:
        _show_listing(context, name, lang, as_json)


def _show_record(
    context: Context, reference: Reference, save: Path | None, lang: Lang, as_json: bool
) -> None:
    with context.ledger.read() as session:
        keeping.check(session, context.evidence, [reference.run_id])
    found = reading.record(context.evidence, reference)
    rows = [_record_row(one) for one in (found, *reading.beside(context.evidence, reference))]
    _write(rows, lang, as_json)
    if save:
        save.write_bytes(found.payload)
        complain(say("saved", lang, file=save))
    if any(row["sound"] == "changed" for row in rows):
        raise typer.Exit(ERROR)


def _record_row(record: Record) -> dict[str, Any]:
    return {
        "kind": record.kind,
        "uri": record.uri,
        "at": record.at,
        "media_type": record.media_type,
        "size": len(record.payload),
        "sound": "changed" if record.problems else "whole",
        "sha256": record.sha256,
    }


def _show_listing(context: Context, name: str, lang: Lang, as_json: bool) -> None:
    with context.ledger.read() as session:
        listing = dossier.listing_named(session, name)
        exhibits = dossier.exhibits(session, context.evidence, listing)
        keeping.check(session, context.evidence, {one.reference.run_id for one in exhibits if one.reference})
        rows = [_exhibit_row(context, one) for one in exhibits]
        pictures = [
            {
                "url": origin.url,
                "size": facts.size,
                "perceptual_hash": facts.perceptual_hash,
                "sha256": facts.sha256,
            }
            for origin, facts in dossier.pictures_of(session, context.evidence, listing)
        ]
    if as_json:
        write_json(
            {"listing": f"{listing.platform}:{listing.item_id}", "exhibits": rows, "pictures": pictures}
        )
    else:
        _write(rows, lang, as_json=False)
        if pictures:
            _write(pictures, lang, as_json=False)
    _exit_for(rows, lang)


def _exhibit_row(context: Context, one: Exhibit) -> dict[str, Any]:
    return {
        "at": one.at.astimezone(ZONE).strftime("%Y-%m-%d %H:%M:%S"),
        "what": one.what,
        "state": str(one.state),
        "reason": one.reason,
        "view": "yes" if one.view else "no",
        "sound": _soundness(context, one),
        "reference": str(one.reference) if one.reference else None,
    }


def _soundness(context: Context, one: Exhibit) -> str:
    if one.reference is None:
        return "none"
    try:
        return "changed" if reading.record(context.evidence, one.reference).problems else "whole"
    except LookupError:
        return "missing"


def _exit_for(rows: Iterable[Mapping[str, Any]], lang: Lang) -> None:
    states = {row["sound"] for row in rows}
    if "changed" in states:
        raise typer.Exit(ERROR)
    if not states - {"none"}:
        complain(say("no_evidence", lang))
    if "missing" in states or not states - {"none"}:
        raise typer.Exit(PARTIAL)


@evidence.command()
def verify(
    everything: Annotated[
        bool, typer.Option("--all", help="Also every record's digests and every reference of the ledger.")
    ] = False,
    lang: Speak = Lang.ZH,
    as_json: Json = False,
) -> None:
    """Compare every file with its hash and every manifest with the audit chain; name what is damaged."""
    context = open_context(configuration.folder())
    looked = verifying.Looked()
    with context.ledger.read() as session:
        chain = list(audit.verify(session))
        found = list(verifying.verify(session, context.evidence, deeply=everything, looked=looked))
    damage = [one for one in found if one.problem.is_damage]
    for line in (*chain, *(sentence(one, lang) for one in found)):
        complain(line)
    if as_json:
        write_json({**asdict(looked), "chain": chain, "findings": [asdict(one) for one in found]})
    _conclude(
        looked, len(damage) + len(chain), len(found) - len(damage), lang, None if as_json else write_text
    )


def _conclude(
    looked: verifying.Looked, damages: int, unverified: int, lang: Lang, tell: Callable[[str], None] | None
) -> None:
    tell = tell or (lambda _: None)
    if damages:
        tell(say("damaged", lang, count=damages))
        raise typer.Exit(ERROR)
    if not looked.runs:
        tell(say("nothing", lang))
        raise typer.Exit(PARTIAL)
    tell(say("whole", lang, **asdict(looked)))
    if unverified:
        tell(say("not_verifiable", lang, count=unverified))
        raise typer.Exit(PARTIAL)


@evidence.command()
def pack(
    number: Annotated[str, typer.Argument(help="The lead's number.")],
    by: Annotated[str, typer.Option("--by", help="Login of the person who packs it.")],
    out: Annotated[Path | None, typer.Option(help="The zip to write; by default NUMBER.zip.")] = None,
    lang: Speak = Lang.ZH,
    as_json: Json = False,
) -> None:
    """Write a lead's evidence pack: pages, screenshots, pictures, metadata, manifest and chain of custody."""
    context = open_context(configuration.folder())
    file = out or Path(f"{number}.zip")
    with context.ledger.read() as session:  # packing takes a while, and the desk must not wait for it
        user = acting_user(session, by)
        require(user, REVIEWERS)
        lead = session.scalar(sa.select(Lead).where(Lead.number == number))
        if lead is None:
            raise UnknownError(f"no lead {number!r}")
        packed = packs.pack(session, context.evidence, lead, office=context.settings.office)
    with context.ledger.write() as session:
        file.write_bytes(packed)
        sha256 = packs.hand_out(session, lead, packed, user, now=context.clock())
    told = {"file": str(file), "sha256": sha256, "bytes": len(packed)}
    write_json(told) if as_json else write_text(say("packed", lang, **told))


@evidence.command()
def capture(platform: str, lang: Speak = Lang.ZH, as_json: Json = False) -> None:
    """Photograph a platform's listings that were flagged or have changed, and fetch their pictures once."""
    context = open_context(configuration.folder())
    with progress(f"capture {platform}") as done:
        result = jobs.capture(context, platform, done)
    if result is None:
        write_json({"captures": 0}) if as_json else write_text(say("nothing_due", lang))
        return
    shown = [one for one in result.run.captures if one.view]
    lost = len(result.run.captures) - len(shown) + sum(one.problem is not None for one in result.run.pictures)
    told = {
        "captures": len(shown),
        "pictures": sum(one.sha256 is not None for one in result.run.pictures),
        "lost": lost,
    }
    write_json({"outcome": result.outcome.value, **told}) if as_json else write_text(
        say("captured", lang, **told)
    )
    if result.outcome is not rundir.Outcome.OK:
        complain(result.first_problem or result.outcome.value)
        raise typer.Exit(ERROR if result.outcome is rundir.Outcome.FAILED else PARTIAL)


@evidence.command()
def keep(lang: Speak = Lang.ZH, as_json: Json = False) -> None:
    """Put the runs of earlier releases, which still lie in their directories, into the evidence store."""
    context = open_context(configuration.folder())
    with context.ledger.read() as session:
        ended = session.scalars(sa.select(CrawlRun.run_id).where(CrawlRun.state != RunState.RUNNING))
        unkept = sorted(set(ended) - keeping.all_vouched(session).keys())
    waiting = [context.runs / run_id for run_id in unkept if (context.runs / run_id).is_dir()]
    for run in waiting:
        made = manifest.make(context.evidence, run)
        with context.ledger.write() as session:
            keeping.keep(session, context.evidence, made, now=context.clock())
    write_json({"kept": len(waiting)}) if as_json else write_text(say("kept", lang, count=len(waiting)))


@evidence.command()
def expire(
    preview: Annotated[bool, typer.Option("--preview", help="Only name the runs.")] = False,
    lang: Speak = Lang.ZH,
    as_json: Json = False,
) -> None:
    """Give up evidence older than `evidence.keep_days` that no flag, decision or measurement rests on.

    Also forget old work that was done or given up, whatever the term.
    """
    context = open_context(configuration.folder())
    keep_days = context.settings.evidence.keep_days
    if not preview:
        with context.ledger.write() as session:
            retention.forget_work(session, now=context.clock())
    if keep_days is None:
        write_json({"expired": []}) if as_json else write_text(say("no_term", lang))
        return
    leaving = _expired(context, keep_days, preview)
    write_json({"expired": leaving}) if as_json else write_text(
        "\n".join((*map(harmless, leaving), say("expired", lang, count=0 if preview else len(leaving))))
    )


def _expired(context: Context, keep_days: int, preview: bool) -> list[str]:
    with context.ledger.read() as session:
        leaving = retention.due(session, keep_days=keep_days, now=context.clock())
    if preview:
        return leaving
    with context.ledger.write() as session:
        retention.give_up(session, leaving, keep_days=keep_days, now=context.clock())
    with context.ledger.read() as session:
        return list(retention.remove(session, context.evidence, context.runs))


def _write(rows: list[dict[str, Any]], lang: Lang, as_json: bool) -> None:
    if as_json:
        write_json(rows)
        return
    write_rows(
        (
            {pick(COLUMNS[name], lang): _value(name, value, lang) for name, value in row.items()}
            for row in rows
        ),
        as_json=False,
    )


def _value(name: str, value: Any, lang: Lang) -> Any:
    known = name in ("what", "state", "view", "sound") and value in VALUES
    return pick(VALUES[value], lang) if known else value
