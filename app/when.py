"""Words for times -> absolute intervals, by a small grammar of what people say. Pure; never a model, never the clock.

Everything is resolved against the moment and the zone in which the words were said.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from functools import lru_cache

from app.almanac import DAYS, EASTER, FEASTS, MONTHS, NUMBERS, PARTS, SEASONS, Found, Moment

LONGEST = 20_000  # characters of a text that are read

_MONTH = "|".join(sorted(MONTHS, key=len, reverse=True))
_DAY = "|".join(sorted(DAYS, key=len, reverse=True))
_NUMBER = r"\d{1,4}|" + "|".join(sorted(NUMBERS, key=len, reverse=True))
_UNIT = r"days?|weeks?|months?|years?|hours?|minutes?|weekends?|decades?"
_YEAR = r"(?:19|20)\d\d"
_OF_YEAR = rf"(?:,? (?:of )?(?P<year>{_YEAR})|,? (?P<which>last|this|next) year)?"
_NTH_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_FEAST = "|".join(sorted((*FEASTS, *EASTER), key=len, reverse=True)).replace("'", "['’]")
_AHEAD = re.compile(
    r"\b(?:will|going to|gonna|remind|have (?:an?|to)|appointment|meeting|planning|visits?|arrives?|need to|let's|hope|"
    r"is (?:on|due|in|at)|"
    r"(?:I'm|we're|she's|he's|they're|is|are|am) (?:\w+ly )?\w+ing(?: \w+ed)?|"
    r"starts?|starting|beginning|flies|fly|leaves?|comes?|moves?|opens|"
    r"ends?|begins|finish(?:es)?|defend|due|until|till|by|away|off)\b|'ll\b",
    re.IGNORECASE,
)
_BACK = re.compile(
    r"\b(?:was|were|had|did|didn't|went|got|came|took|made|left|met|saw|bought|sold|gave|began|broke|won|lost|told|since|been|"
    r"[a-z]{3,}ed)\b",
    re.IGNORECASE,
)


_HINT = re.compile(
    rf"\d|day|night|week|month|year|decade|hour|minute|ago\b|back\b|now\b|{_MONTH}|{'|'.join(SEASONS)}|{_FEAST}|{_DAY}|tomorrow",
    re.I,
)
"""Without any of these a text names no time."""


@dataclass(frozen=True, slots=True)
class TimeSpan:
    """The interval [start, end) that `text[begin:finish]` names, and how exact it is.

    `precision`: hour, day, weekend, week, month, season, year, or range.
    """

    start: datetime
    end: datetime
    begin: int
    finish: int
    precision: str


Rule = Callable[[re.Match[str], Moment], Found]


def _looks_ahead(m: re.Match[str]) -> bool:
    """Whether the words around a time speak of what is to come: the verb that stands nearest before it decides."""
    sentence = re.split(r"[.!?;\n] ", m.string[max(0, m.start() - 80) : m.end()])[-1]
    ahead = [found.end() for found in _AHEAD.finditer(sentence)]
    back = [found.end() for found in _BACK.finditer(sentence)]
    if not ahead and not back:
        return _AHEAD.search(m.string, m.end(), m.end() + 20) is not None
    return max(ahead, default=-1) >= max(back, default=-1)


def _iso(m: re.Match[str], here: Moment) -> Found:
    return here.days(date(int(m["y"]), int(m["m"]), int(m["d"])))


def _calendar_day(m: re.Match[str], here: Moment) -> Found:
    month, day = MONTHS[m["month"].lower()], int(m["day"])
    if year := _year_told(m, here):
        return here.days(date(year, month, day))
    return here.days(here.nearest(lambda year: date(year, month, day), ahead=_looks_ahead(m)))


def _day_of_month(m: re.Match[str], here: Moment) -> Found:
    """ "On the 20th": of this month, or of the next one when it is over and the words look ahead."""
    from dateutil.relativedelta import relativedelta

    day = here.today.replace(day=int(m["day"]))
    return here.days(day + relativedelta(months=1) if day < here.today and _looks_ahead(m) else day)


def _year_told(m: re.Match[str], here: Moment) -> int | None:
    """The year that the words name, as a number or as "last year"; None where they name none."""
    if m["year"]:
        return int(m["year"])
    step = {"last": -1, "this": 0, "next": 1}
    return here.today.year + step[m["which"].lower()] if m["which"] else None


def _month(m: re.Match[str], here: Moment) -> Found:
    month, turn = MONTHS[m["month"].lower()], (m["turn"] or "").lower()
    if told := _year_told(m, here):
        year = told
    elif turn == "next":
        year = here.today.year + (month <= here.today.month)
    elif turn == "this":
        year = here.today.year
    else:
        coming = turn != "last" and month > here.today.month and _looks_ahead(m)
        past = month > here.today.month or (turn == "last" and month == here.today.month)
        year = here.today.year - (past and not coming)
        year += not turn and month < here.today.month and _looks_ahead(m)
    part = (m["part"] or "").lower()
    found = here.month(year, month)
    step = {"early": 0, "the beginning of": 0, "mid": 1, "mid-": 1, "the middle of": 1}.get(part, 2)
    return here.third(found, step) if part else found


def _weekday(m: re.Match[str], here: Moment) -> Found:
    day, turn = DAYS[m["day"].lower()], (m["turn"] or "").lower()
    ahead = (day - here.today.weekday()) % 7
    if turn in ("last", "past"):
        return here.days(here.today - timedelta(days=7 - ahead if ahead else 7))
    if turn in ("next", "coming", "this"):
        return here.days(here.today + timedelta(days=ahead or 7))
    # "on Friday" alone: the coming one when the words look ahead, else the one before.
    step = (ahead or 7) if _looks_ahead(m) else (ahead - 7 if ahead else 0)
    return here.days(here.today + timedelta(days=step))


def _turned(m: re.Match[str], here: Moment) -> Found:
    step = {"last": -1, "past": -1, "previous": -1, "this": 0, "current": 0, "next": 1, "coming": 1}[
        m["turn"].lower()
    ]
    unit = m["unit"].lower()
    if unit in SEASONS:
        year = here.today.year + (step if step > 0 else 0)
        found = here.season(unit, year)
        while step < 0 and found and found[1] > here.now:
            year -= 1
            found = here.season(unit, year)
        return found
    if unit == "night":
        return here.part("night", step)
    return (
        here.week(step)
        if unit == "week"
        else here.weekend(step)
        if unit == "weekend"
        else here.moved(step, unit)
    )


def _near_day(m: re.Match[str], here: Moment) -> Found:
    word = m["word"].lower()
    if word == "tonight":
        return here.part("night", 0)
    step = {
        "yesterday": -1,
        "today": 0,
        "tomorrow": 1,
        "the day before yesterday": -2,
        "the day after tomorrow": 2,
    }[word]
    return here.part(m["part"].lower(), step) if m["part"] else here.days(here.today + timedelta(days=step))


def _distance(m: re.Match[str], here: Moment) -> Found:
    text = m["n"].lower()
    count = NUMBERS[text] if text in NUMBERS else int(text)
    back = m["back"] is not None
    return here.moved(-count if back else count, m["unit"].lower())


def _season(m: re.Match[str], here: Moment) -> Found:
    return here.season(m["season"].lower(), int(m["year"]))


def _year_only(m: re.Match[str], here: Moment) -> Found:
    return here.year(int(m["year"]))


def _nth_week(m: re.Match[str], here: Moment) -> Found:
    year = _year_told(m, here) or here.today.year
    start, end, _ = here.month(year, MONTHS[m["month"].lower()]) or (here.now, here.now, "")
    nth = {"first": 0, "second": 1, "third": 2, "fourth": 3}.get(m["nth"].lower())
    first = end - timedelta(days=7) if nth is None else start + timedelta(weeks=nth)
    return first, first + timedelta(days=7), "week"


def _iso_week(m: re.Match[str], here: Moment) -> Found:
    year = int(m["year"] or here.today.isocalendar().year)
    return here.days(date.fromisocalendar(year, int(m["week"]), 1), 7, "week")


def _slashed(m: re.Match[str], here: Moment) -> Found:
    """7/5 or 7.5.: day first, unless it was said where the month comes first, or can only be read the other way."""
    day, month = int(m["a"]), int(m["b"])
    if month > 12 or (day <= 12 and m["sign"] == "/" and here.month_first):
        day, month = month, day
    if told := m.groupdict().get("y"):
        return here.days(date(int(told) + (2000 if len(told) == 2 else 0), month, day))
    return here.days(here.nearest(lambda year: date(year, month, day), ahead=_looks_ahead(m)))


def _feast(m: re.Match[str], here: Moment) -> Found:
    """A feast, or the week or weekend before or after it."""
    name = m["feast"].lower().replace("’", "'")
    told, turn = _year_told(m, here), (m["turn"] or "").lower()
    ahead = turn in ("this", "next") or (not turn and _looks_ahead(m))
    day = here.feast(name, told) if told else here.nearest(lambda year: here.feast(name, year), ahead=ahead)
    if not m["side"]:
        return here.days(day)
    step = 1 if m["side"].lower() == "after" else -1
    if m["span"].lower() == "day":
        return here.days(day + timedelta(days=step))
    monday = day - timedelta(days=day.weekday()) + timedelta(weeks=step)
    return (
        here.days(monday, 7, "week")
        if m["span"].lower() == "week"
        else here.days(monday + timedelta(days=5), 2)
    )


def _days_between(m: re.Match[str], here: Moment) -> Found:
    """ "From 3 to 7 May": both days and those between."""
    month, day, told = MONTHS[m["month"].lower()], int(m["day"]), _year_told(m, here)
    first = (
        date(told, month, day)
        if told
        else here.nearest(lambda year: date(year, month, day), ahead=_looks_ahead(m))
    )
    last = date(first.year, month, int(m["last"]))
    return here.days(first, (last - first).days + 1, "range") if last > first else None


_RULES: tuple[tuple[re.Pattern[str], Rule], ...] = tuple(
    (re.compile(rf"\b(?:{pattern})\b", re.IGNORECASE), rule)
    for pattern, rule in (
        (rf"(?P<y>{_YEAR})-(?P<m>\d\d)-(?P<d>\d\d)", _iso),
        (rf"(?P<year>{_YEAR})-?W(?P<week>\d\d)", _iso_week),
        (rf"(?:in |calendar )?week (?P<week>\d\d?)"
         rf"(?:,? (?:of |in )?(?P<year>{_YEAR})|(?! (?:of|in|ago)\b))", _iso_week),
        (rf"(?:the )?(?:(?P<span>week|weekend|day) (?P<side>before|after) )?(?:at |over )?"
         rf"(?:(?P<turn>last|this|next) )?(?P<feast>{_FEAST}){_OF_YEAR}", _feast),
        (rf"(?:between |from )?(?:the )?{_NTH_DAY}(?: (?:and|to|until|till)(?: the)? | ?[-–] ?)"
         rf"(?P<last>\d{{1,2}})(?:st|nd|rd|th)? (?:of )?"
         rf"(?P<month>{_MONTH})\.?{_OF_YEAR}", _days_between),
        (rf"(?P<month>{_MONTH})\.? {_NTH_DAY}(?: (?:to|until|till) (?:the )?| ?[-–] ?)"
         rf"(?P<last>\d{{1,2}})(?:st|nd|rd|th)?{_OF_YEAR}",
         _days_between),
        (r"(?P<a>\d{1,2})(?P<sign>[/.])(?P<b>\d{1,2})(?P=sign)(?P<y>(?:19|20)?\d\d)", _slashed),
        (r"(?:on|by|until|till|since|before|after|from) (?P<a>\d{1,2})(?P<sign>/)(?P<b>\d{1,2})(?![\d/])", _slashed),
        (rf"(?:the )?(?P<nth>first|second|third|fourth|last) week (?:of|in) (?P<month>{_MONTH}){_OF_YEAR}", _nth_week),
        (rf"(?P<month>{_MONTH})\.? (?:the )?{_NTH_DAY}{_OF_YEAR}(?! ?:)", _calendar_day),
        (rf"(?:the )?{_NTH_DAY} (?:of )?(?P<month>{_MONTH})\.?{_OF_YEAR}", _calendar_day),
        (r"(?:on|by|until|till|from|since|between|(?<=(?:st|nd|rd|th) )(?:and|to)) the (?P<day>\d{1,2})(?:st|nd|rd|th)"
         r"(?! (?:of|floor|century|grade|birthday|time|edition))", _day_of_month),
        (rf"(?P<word>the day before yesterday|the day after tomorrow|yesterday|today|tomorrow|tonight)"
         rf"(?: (?P<part>{'|'.join(PARTS)}))?", _near_day),
        (rf"(?P<n>{_NUMBER}) (?P<unit>{_UNIT}) (?P<back>ago|before now|back)", _distance),
        (rf"(?:in|within) (?P<n>{_NUMBER}) (?P<unit>{_UNIT})(?P<back>(?!))?", _distance),
        (rf"(?P<n>{_NUMBER}) (?P<unit>{_UNIT}) from now(?P<back>(?!))?", _distance),
        (rf"(?:(?P<part>early|mid-?|late|the beginning of|the middle of|the end of)[ -])?(?:(?P<turn>last|this|next) )?"
         rf"(?P<month>{_MONTH})\.?{_OF_YEAR}", _month),
        (rf"(?:the |this )?(?P<turn>last|past|previous|this|current|next|coming) (?P<unit>week|weekend|month|year|"
         rf"night|{'|'.join(SEASONS)})", _turned),
        (rf"(?:the )?(?P<season>{'|'.join(SEASONS)}) (?:of )?(?P<year>{_YEAR})", _season),
        (rf"(?:(?P<turn>last|past|next|coming|this) )?(?P<day>{_DAY})(?! (?:night|morning|evening)s)", _weekday),
        (rf"(?:in|since|during|of|until|by|before|after|from|year) (?P<year>{_YEAR})", _year_only),
    )
)  # fmt: skip


def find_times(text: str, said_at: datetime, *, month_first: bool | None = None) -> list[TimeSpan]:
    """Every time that `text` names, in order, none overlapping. Dates that do not exist are not found.

    `month_first`: whether 7/5 is in July; None goes by where it was said (the zones of North America).
    """
    return list(_found(text[:LONGEST], said_at, said_at.tzinfo, month_first))


@lru_cache(maxsize=64)  # the clauses of a sentence ask for its times again and again
def _found(
    text: str, said_at: datetime, _zone: tzinfo | None, month_first: bool | None
) -> tuple[TimeSpan, ...]:
    here = Moment(said_at, month_first=month_first)
    taken: list[TimeSpan] = []
    for match, rule in _matches(text) if _HINT.search(text) else ():
        if any(match.start() < span.finish and span.begin < match.end() for span in taken):
            continue
        try:
            found = rule(match, here)
        except (ValueError, OverflowError):
            continue  # 30 February, the year 10,000
        if found is not None:
            taken.append(TimeSpan(found[0], found[1], match.start(), match.end(), found[2]))
    return tuple(_ranges(text, sorted(taken, key=lambda span: span.begin)))


def _ranges(text: str, spans: list[TimeSpan]) -> list[TimeSpan]:
    """ "Between March and May", "from the 5th to the 9th": two times that are the ends of one."""
    joined: list[TimeSpan] = []
    for span in spans:
        first = joined[-1] if joined else span
        opens = re.search(r"\b(?:between|from) (?=\S*$)", text[: first.begin + 1], re.I)
        begin = opens.start() if opens else first.begin
        links = re.match(r",? ?(?:and|to|until|till)\b", text[first.finish : span.finish], re.I)
        if joined and links and re.match(r"between|from", text[begin:], re.I):
            late = timedelta(days=7 if span.start <= first.start and span.precision == "day" else 0)
            if span.end + late > first.start and span.start + late > first.start:
                joined[-1] = TimeSpan(first.start, span.end + late, begin, span.finish, "range")
                continue
        joined.append(span)
    return joined


def parse_when(text: str, now: datetime) -> TimeSpan | None:
    """The time that a whole phrase names ("2024", "last March", "since two weeks ago"), or None."""
    bare = text.strip()
    if re.fullmatch(_YEAR, bare):
        found = Moment(now).year(int(bare))
        return None if found is None else TimeSpan(found[0], found[1], 0, len(text), "year")
    try:
        moment = datetime.fromisoformat(bare)
    except ValueError:
        spans = find_times(text, now)
        return spans[0] if spans else None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=now.tzinfo)
    whole_day = len(bare) <= 10
    return TimeSpan(
        moment, moment + timedelta(days=1 if whole_day else 0), 0, len(text), "day" if whole_day else "hour"
    )


def describe(span: TimeSpan) -> str:
    """Absolute words for a span: "7 May 2023", "the week of 1 May 2023", "May 2023", "2023"."""
    start = span.start
    if span.precision == "range":
        last = span.end - timedelta(days=1)
        return f"{start.day} {start:%B %Y} to {last.day} {last:%B %Y}"
    if span.precision in ("week", "weekend"):
        return f"the {span.precision} of {start.day} {start:%B %Y}"
    if span.precision == "season":
        name = {3: "spring", 6: "summer", 9: "autumn", 12: "winter"}[start.month]
        return f"{name} {start.year}"
    return {"month": f"{start:%B %Y}", "year": f"{start.year}"}.get(
        span.precision, f"{start.day} {start:%B %Y}"
    )


def resolved(text: str, said_at: datetime, begin: int = 0, end: int = LONGEST) -> str:
    """`text[begin:end]` with its relative times in absolute words, the rest unchanged: "yesterday" -> "on 7 May 2023".

    What stands around tells which Friday is meant.
    """
    out, at = [], begin
    for span in find_times(text, said_at):
        words = text[span.begin : span.finish]
        if not begin <= span.begin <= span.finish <= end:
            continue
        if (re.search(_YEAR, words) and "W" not in words) or not re.search(r"[a-z]", words, re.IGNORECASE):
            continue
        lead = (
            "from"
            if span.precision == "range"
            else "in"
            if span.precision in ("month", "year", "season", "week")
            else "on"
        )
        before = re.search(
            r"\b(?:on|in|since|until|by|before|after|from|during|of|for) $", text[: span.begin], re.I
        )
        starts_with = re.match(r"(?:on|in|since|until|by|before|after|from|during)\b", words, re.I)
        kept = (
            lead if span.precision == "range" else starts_with[0] if starts_with else "" if before else lead
        )
        out += [text[at : span.begin], f"{kept} {describe(span)}".strip()]
        at = span.finish
    return "".join([*out, text[at:end]])


def _matches(text: str) -> Iterator[tuple[re.Match[str], Rule]]:
    for pattern, rule in _RULES:
        for match in pattern.finditer(text):
            if (
                match.group().lower() in ("may", "mar", "sun", "sat", "mon", "wed")
                and not match.group().istitle()
            ):
                continue  # "it may rain", "we sat"
            if match.group() == "May" and re.match(
                r"May (?:I|you|we|it|he|she|they|be)\b", text[match.start() :]
            ):
                continue
            yield match, rule
