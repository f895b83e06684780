"""Mail in an mbox file: one message, one memory, with its subject; attachments are left out."""

from __future__ import annotations

import mailbox
import re
from collections.abc import Iterator
from datetime import datetime
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message
from email.utils import parseaddr, parsedate_to_datetime
from pathlib import Path

from app.errors import BadInput
from app.exchange.html import text_of
from app.exchange.items import MAX_TEXT, Item, Problem, Turn

REPLY = re.compile(r"^(?:(?:re|aw|fwd?|wg|sv|tr)\s*:\s*)+", re.IGNORECASE)


def read_mbox(path: Path) -> Iterator[Item]:
    """One turn per mail; a conversation is what has the same subject. Raises BadInput."""
    if not path.is_file():
        raise BadInput(f"{path} is no mbox file.", "Give the file itself.")
    box = mailbox.mbox(path, create=False)
    try:
        for number, key in enumerate(box.iterkeys(), 1):
            place = f"mail {number}"
            try:
                yield _turn(box.get_message(key), place)
            except (MessageError, ValueError, LookupError, TypeError, AttributeError) as error:
                yield Problem(place, f"cannot be read: {error}")
    finally:
        box.close()


def _turn(message: Message, place: str) -> Item:
    subject = _header(message, "Subject")
    body = _body(message).strip()
    if not subject and not body:
        return Problem(place, "empty")
    name, address = parseaddr(_header(message, "From"))
    return Turn(
        (f"{subject}\n\n{body}" if subject and body else subject or body)[:MAX_TEXT],
        place,
        speaker=name or address or None,
        role="other",
        time=_date(message),
        session=f"mail: {REPLY.sub('', subject).strip() or 'no subject'}"[:200],
        external_id=_header(message, "Message-ID").strip("<> ") or None,
    )


def _header(message: Message, name: str) -> str:
    raw = str(message.get(name) or "")
    try:
        return " ".join(str(make_header(decode_header(raw))).split())
    except (LookupError, ValueError, MessageError):
        return " ".join(raw.split())


def _body(message: Message) -> str:
    """The first plain text part, else the first HTML part as text."""
    html = ""
    for part in message.walk():
        if part.get_content_disposition() == "attachment":
            continue
        if part.get_content_type() == "text/plain":
            return _decoded(part)
        if part.get_content_type() == "text/html" and not html:
            html = text_of(_decoded(part))
    return html


def _decoded(part: Message) -> str:
    data = part.get_payload(decode=True)
    if not isinstance(data, bytes):
        return ""
    try:
        return data.decode(part.get_content_charset() or "utf-8", errors="replace")
    except LookupError:
        return data.decode("utf-8", errors="replace")


def _date(message: Message) -> datetime | None:
    try:
        found = parsedate_to_datetime(_header(message, "Date"))
    except (ValueError, TypeError, IndexError):
        return None
    return found if found.tzinfo else found.astimezone()
