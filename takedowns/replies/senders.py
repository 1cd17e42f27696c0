"""Whether a mail's sender is who it says, by our own receiving server; and whom it may speak for.

A From line proves nothing. What counts is the Authentication-Results header (RFC 8601) that our server set:
it takes away those of strangers that bear its name, and puts its own on top.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from crawlers.platforms import Platform
from takedowns.replies.mail import Mail
from takedowns.replies.matching import Speaker

# The property of each method that holds the domain, which has to be that of the From line.
ALIGNED = {"dmarc": ("header.from",), "dkim": ("header.d", "header.i"), "spf": ("smtp.mailfrom", "smtp.from")}
# What changes the reading of what follows; a header of 20,000 of them is read in one pass.
_PIECE = re.compile(r'\\.?|[()"]|[^\\()"]+', re.DOTALL)
_SYNTAX = re.compile(r"[^\w@.+-]")
_RESULT = re.compile(r"(\w[\w-]*)(?:/\d+)?=(\w+)")
_PROPERTY = re.compile(r"(\w+\.[\w-]+)=(\S+)")


def speaker(mail: Mail, platforms: Mapping[str, Platform], authserv_id: str) -> tuple[Speaker, str]:
    """Whom the mail may speak for, and why for nobody (then ``Speaker.platforms`` is empty)."""
    nobody = Speaker(frozenset())
    if mail.sender is None:
        return nobody, "the mail names no sender, or several"
    address, domain = mail.sender, f"@{mail.sender.rpartition('@')[2]}"
    listed = [name for name, profile in platforms.items() if {address, domain} & {*_allowed(profile)}]
    if not listed:
        return nobody, f"no platform says that {address} may answer for it"
    if not is_genuine(mail.authentication, domain[1:], authserv_id):
        return nobody, f"our mail server did not confirm that the mail is from {domain[1:]}"
    if mail.automatic:  # it may repeat what a stranger wrote to it in our name
        return nobody, "a machine answered a mail or reports on one"
    return Speaker(frozenset(platforms[name].lists for name in listed)), ""


def is_genuine(results: Sequence[str], domain: str, authserv_id: str) -> bool:
    """Whether the topmost of our server's headers says that the mail comes from ``domain``.

    ``dmarc=pass`` says so, or ``dkim`` or ``spf`` passed for that very domain; ``dmarc=fail`` outweighs them.
    A server tells of DMARC once: where it seems to do so twice, a stranger's words got into the header.
    """
    ours = (_plain(written).partition(";") for written in results)
    named = (told for name, _, told in ours if name.split()[:1] == [authserv_id.lower()])
    methods = [_method(part) for part in next(named, "").split(";")]
    of_dmarc = [result for method, result, _ in methods if method == "dmarc"]
    if "fail" in of_dmarc or len(of_dmarc) > 1:
        return False
    return any(
        result == "pass" and _domains(properties, ALIGNED.get(method, ())) == {domain}
        for method, result, properties in methods
    )


def _allowed(platform: Platform) -> list[str]:
    return [sender.lower() for sender in platform.lead.answers_from]


def _plain(written: str) -> str:
    """Without comments, which nest; what is quoted, perhaps a stranger's words, keeps no syntax.

    Nothing of a header whose comments and quotation marks do not pair up: it cannot be told what is whose.
    """
    plain, depth, quoted = [], 0, False
    for piece in _PIECE.findall(written.lower()):
        if piece == '"' and not depth:
            quoted = not quoted
        elif quoted:
            plain.append(_SYNTAX.sub("_", piece))
        elif piece in ("(", ")"):
            depth += 1 if piece == "(" else -1
            plain.append(" ")
        elif not depth:
            plain.append("_" if piece.startswith("\\") else piece)
        if depth < 0:
            return ""
    return "" if depth or quoted else "".join(plain)


def _method(part: str) -> tuple[str, str, list[tuple[str, str]]]:
    found = _RESULT.match(part.strip())
    return (found[1], found[2], _PROPERTY.findall(part)) if found else ("", "", [])


def _domains(properties: Sequence[tuple[str, str]], names: Sequence[str]) -> set[str]:
    """The domains that the first of ``names`` which is there gives: one, unless somebody meddled."""
    for name in names:
        if told := {value.rpartition("@")[2].rstrip(".>") for key, value in properties if key == name}:
            return told
    return set()
