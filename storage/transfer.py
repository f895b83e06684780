"""Rows as an export holds them: all of them out, and checked ones back in, exactly as they were."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from storage.ids import short_id
from storage.records import Use
from storage.rows import (
    KEYS,
    Row,
    entity_from,
    entity_row,
    from_text,
    link_from,
    link_row,
    record_from,
    record_row,
    use_row,
)


def all_rows(connection: Any) -> Iterator[tuple[str, Row]]:
    """Every row that the state hash covers, as (table, row); records in the order in which they came."""
    for table, columns in KEYS.items():
        order = "seq" if table == "records" else ", ".join(columns)
        cursor = connection.execute(f"SELECT * FROM {table} ORDER BY {order}")
        names = [c[0] for c in cursor.description]
        for values in cursor:
            yield table, dict(zip(names, values, strict=True))


def checked(table: str, row: Row) -> Row:
    """The row, if it is one that this program would write itself. Raises ValueError otherwise."""
    try:
        again = _READ_AND_WRITTEN[table](row)
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise ValueError(f"not a row of {table}: {error!r}") from error
    if again != row:
        wrong = [name for name in again.keys() | row.keys() if again.get(name) != row.get(name)]
        raise ValueError(f"not a row of {table}: {', '.join(sorted(wrong))}")
    if table == "records" and row["id"] != short_id(row["seq"]):
        raise ValueError("not a row of records: its id is not the one of its number")
    return again


def _use(row: Row) -> Row:
    return use_row(Use(row["record"], from_text(row["at"]), row["session"], row["gain"]))


_READ_AND_WRITTEN: Mapping[str, Callable[[Row], Row]] = {
    "records": lambda row: record_row(record_from(row)),
    "links": lambda row: link_row(link_from(row)),
    "entities": lambda row: entity_row(entity_from(row)),
    "uses": _use,
}
