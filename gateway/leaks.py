"""Keys that somebody has found: anybody tells of one, scanners sign lists of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from django.conf import settings

from accounts import keys
from accounts.audit import Actor
from accounts.models import APIKey
from gateway import database, scanners
from gateway.call import Call
from gateway.errors import InvalidRequest, NotAuthenticated, UnknownEndpoint

if TYPE_CHECKING:
    from gateway.asgi import Gateway

MOST = 1000  # keys in one list
LONGEST = 1024 * 1024  # bytes
_encode = msgspec.json.Encoder().encode


class Report(msgspec.Struct):
    """What anybody may tell us."""

    key: str
    where: str = ""


class Finding(msgspec.Struct):
    """What a scanner tells of one key, in GitHub's words."""

    token: str
    type: str = ""
    url: str | None = ""
    source: str | None = ""


async def leaked_key(gateway: Gateway, call: Call) -> None:
    """``POST leaked-key``: whoever has found a key may say so, and learns nothing of it.

    Raises InvalidRequest, TooManyGuesses, Unavailable.
    """
    gateway.reports.refuse(call.ip)
    report = decoded(await call.body(LONGEST), Report)
    plaintext = report.key.strip()
    if defect := keys.defect(plaintext):
        raise InvalidRequest(defect, code="no_api_key", param="key")
    await gateway.reports.count(call.ip, keys.digest(plaintext))
    finder = Actor("somebody", None, call.ip)
    await database.query(take, [(plaintext, report.where)], finder)
    await call.answer(202, _encode({"object": "leak_report", "accepted": True}))


async def leaked_keys(gateway: Gateway, call: Call) -> None:
    """``POST leaked-keys``: a signed list, answered with which of them are real.

    Raises NotAuthenticated, InvalidRequest, Unavailable.
    """
    if settings.LEAK_SCANNERS is None:
        raise UnknownEndpoint("This server knows no scanners whose signature it could check.")
    gateway.reports.refuse(call.ip)
    body = await call.body(LONGEST)
    identifier = call.header(b"github-public-key-identifier")
    try:
        signature = call.header(b"github-public-key-signature")
        scanners.verify(settings.LEAK_SCANNERS, identifier, signature, body)
    except scanners.Unsigned as error:
        await gateway.reports.count(call.ip, keys.digest(body.hex()))
        raise NotAuthenticated(str(error), code="invalid_signature") from error
    findings = decoded(body, list[Finding])
    if len(findings) > MOST:
        raise InvalidRequest(f"At most {MOST} keys may be reported at once.", code="too_many_keys")
    found = [(finding.token, finding.url or finding.source or "") for finding in findings]
    scanner = Actor(f"scanner {identifier[:100]}", None, call.ip)
    real = await database.query(take, found, scanner)
    await call.answer(200, _encode([labelled(finding, real) for finding in findings]))


def labelled(finding: Finding, real: set[str]) -> dict[str, Any]:
    label = "true_positive" if finding.token in real else "false_positive"
    return {"token_raw": finding.token, "token_type": finding.type, "label": label}


def decoded(body: bytes, kind: type[Any]) -> Any:
    """Raises InvalidRequest."""
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.MsgspecError as error:
        raise InvalidRequest(f"The report cannot be understood: {error}.") from error


def take(found: list[tuple[str, str]], by: Actor) -> set[str]:
    """Do with each what its account wants; those that are keys of ours."""
    wheres = {keys.digest(plaintext): (plaintext, where) for plaintext, where in found}
    real = set()
    for api_key in APIKey.objects.select_related("account").filter(digest__in=wheres):
        plaintext, where = wheres[bytes(api_key.digest)]
        api_key.report_leaked(where, by=by)
        real.add(plaintext)
    return real
