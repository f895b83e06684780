"""The text of a PDF, page by page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from app.errors import BadInput
from app.exchange.documents import chunks
from app.exchange.items import MAX_FILE, Item, Problem, Turn
from app.records import Kind, Source


def read_pdf(path: Path) -> Iterator[Item]:
    """Chunks of each page; a page without text (a scan) is reported. Raises BadInput."""
    try:
        from pypdf import PdfReader  # an extra that few need
        from pypdf.errors import PyPdfError
    except ImportError as error:
        raise BadInput("Reading PDF needs pypdf.", "Run `pip install 'mem-assistant[pdf]'`.") from error
    if path.stat().st_size > MAX_FILE:
        raise BadInput(f"{path} is larger than {MAX_FILE // 2**20} MB.", "Split it first.")
    try:
        reader = PdfReader(path)
        count = len(reader.pages)
    except (PyPdfError, OSError, ValueError, KeyError, RecursionError) as error:
        raise BadInput(
            f"{path} is no readable PDF: {error}.", "Open and save it again, without a password."
        ) from error
    for number in range(count):
        place = f"page {number + 1}"
        try:
            text = reader.pages[number].extract_text()
        except (
            PyPdfError,
            ValueError,
            KeyError,
            TypeError,
            AttributeError,
            RecursionError,
            IndexError,
        ) as error:
            yield Problem(place, f"cannot be read: {error}")
            continue
        if not text.strip():
            yield Problem(place, "holds no text (a scanned image?)")
        for chunk in chunks(text):
            yield Turn(
                chunk,
                place,
                session=path.name,
                kind=Kind.RESOURCE,
                source=Source.USER_FILE,
                context=f"{path.stem}, {place}",
                extra={"path": str(path.absolute()), "page": number + 1},
            )
