"""Words for times -> absolute intervals, by a small grammar of what people say. Pure; never a model, never the clock.

Everything is resolved against the moment and the zone in which the words were said.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo

MONTHS = {
    name: number
    for number, names in enumerate(
        ("january jan", "february feb", "march mar", "april apr", "may", "june jun", "july jul", "august aug",
         "september sep sept", "october oct", "november nov", "december dec"), 1)
    for name in names.split()
}  # fmt: skip
DAYS = {
    name: number
    for number, names in enumerate(
        ("monday mon", "tuesday tue tues", "wednesday wed", "thursday thu thurs", "friday fri", "saturday sat",
         "sunday sun"))
    for name in names.split()
}  # fmt: skip
NUMBERS = {
    "a": 1, "an": 1, "one": 1, "two": 2, "couple of": 2, "a couple of": 2, "three": 3, "few": 3, "a few": 3, "four": 4,
    "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "several": 4,
}  # fmt: skip
SEASONS = {"spring": 3, "summer": 6, "fall": 9, "autumn": 9, "winter": 12}  # the northern first month
PARTS = {"morning": (5, 12), "afternoon": (12, 18), "evening": (18, 23), "night": (18, 30)}
LONGEST = 20_000  # characters of a text that are read

_MONTH = "|".join(sorted(MONTHS, key=len, reverse=True))
_DAY = "|".join(sorted(DAYS, key=len, reverse=True))
_NUMBER = r"\d{1,4}|" + "|".join(sorted(NUMBERS, key=len, reverse=True))
_UNIT = r"days?|weeks?|months?|years?|hours?|minutes?|weekends?|decades?"
_YEAR = r"(?:19|20)\d\d"
_OF_YEAR = rf"(?:,? (?:of )?(?P<year>{_YEAR})|,? (?P<which>last|this|next) year)?"
_NTH_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_AHEAD = re.compile(
    r"\b(?:will|going to|gonna|remind|have (?:an?|to)|appointment|meeting|planning|visits?|arriv\w+|need to|let's|"
    r"is on|(?:I'm|we're|is|are) \w+ing|starts|flies|leaves|comes|until|till|by)\b|'ll\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class TimeSpan:
    """The interval [start, end) that `text[begin:finish]` names, and how exact it is: day, week, month, year, hour."""

    start: datetime
    end: datetime
    begin: int
    finish: int
    precision: str


Found = tuple[datetime, datetime, str] | None


class _Moment:
    """Arithmetic from where and when the words were said."""

    def __init__(self, said_at: datetime) -> None:
        if said_at.tzinfo is None:
            raise ValueError("naive datetime: every time needs its zone")
        self.now = said_at
        self.zone: tzinfo = said_at.tzinfo
        self.today = said_at.date()

    def at(self, day: date) -> datetime:
        return datetime.combine(day, time(), self.zone)

    def days(self, first: date, count: int = 1, precision: str = "day") -> Found:
        return self.at(first), self.at(first + timedelta(days=count)), precision

    def week(self, offset: int) -> Found:
        monday = self.today - timedelta(days=self.today.weekday()) + timedelta(weeks=offset)
        return self.days(monday, 7, "week")

    def weekend(self, offset: int) -> Found:
        saturday = self.today - timedelta(days=self.today.weekday()) + timedelta(days=5, weeks=offset)
        return self.days(saturday, 2, "day")

    def month(self, year: int, month: int, months: int = 1) -> Found:
        years, index = divmod(month - 1 + months, 12)
        return self.at(date(year, month, 1)), self.at(date(year + years, index + 1, 1)), "month"

    def year(self, year: int) -> Found:
        return self.at(date(year, 1, 1)), self.at(date(year + 1, 1, 1)), "year"

    def season(self, name: str, year: int) -> Found:
        start, end, _ = self.month(year, SEASONS[name], 3) or (self.now, self.now, "")
        return start, end, "season"

    def moved(self, count: int, unit: str) -> Found:
        """The day, week, month or year that lies `count` units from here."""
        from dateutil.relativedelta import relativedelta

        unit = unit.rstrip("s")
        if unit in ("hour", "minute"):
            moment = self.now + timedelta(**{f"{unit}s": count})
            return moment, moment + timedelta(hours=1), "hour"
        if unit == "weekend":
            return self.weekend(count)
        if unit == "day":
            return self.days(self.today + timedelta(days=count))
        if unit == "week":
            # "two weeks ago" is about that day, give or take half a week
            return self.days(self.today + timedelta(weeks=count, days=-3), 7, "week")
        if unit == "month":
            there = self.today + relativedelta(months=count)
            return self.month(there.year, there.month)
        return self.year(self.today.year + count * (10 if unit == "decade" else 1))


Rule = Callable[[re.Match[str], _Moment], Found]


def _iso(m: re.Match[str], here: _Moment) -> Found:
    return here.days(date(int(m["y"]), int(m["m"]), int(m["d"])))


def _calendar_day(m: re.Match[str], here: _Moment) -> Found:
    month, day = MONTHS[m["month"].lower()], int(m["day"])
    if year := _year_told(m, here):
        return here.days(date(year, month, day))
    # Without a year the nearest one is meant, and rather the past: people tell what happened.
    near = [
        date(here.today.year + step, month, day)
        for step in (-1, 0, 1)
        if _exists(here.today.year + step, month, day)
    ]
    return here.days(
        min(near, key=lambda d: abs((d - here.today).days - 0.5) + (60 if d > here.today else 0))
    )


def _day_of_month(m: re.Match[str], here: _Moment) -> Found:
    """ "On the 20th": of this month, or of the next one when it is over and the words look ahead."""
    from dateutil.relativedelta import relativedelta

    day = here.today.replace(day=int(m["day"]))
    around = m.string[max(0, m.start() - 80) : m.end() + 20]
    return here.days(day + relativedelta(months=1) if day < here.today and _AHEAD.search(around) else day)


def _year_told(m: re.Match[str], here: _Moment) -> int | None:
    """The year that the words name, as a number or as "last year"; None where they name none."""
    if m["year"]:
        return int(m["year"])
    step = {"last": -1, "this": 0, "next": 1}
    return here.today.year + step[m["which"].lower()] if m["which"] else None


def _exists(year: int, month: int, day: int) -> bool:
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True


def _month(m: re.Match[str], here: _Moment) -> Found:
    month, turn = MONTHS[m["month"].lower()], (m["turn"] or "").lower()
    if told := _year_told(m, here):
        year = told
    elif turn == "next":
        year = here.today.year + (month <= here.today.month)
    elif turn == "this":
        year = here.today.year
    else:
        year = here.today.year - (month > here.today.month or (turn == "last" and month == here.today.month))
    part = (m["part"] or "").lower()
    found = here.month(year, month)
    return found if not part or found is None else _third(found, part)


def _third(span: tuple[datetime, datetime, str], part: str) -> Found:
    start, end, _ = span
    third = (end - start) / 3
    step = {"early": 0, "the beginning of": 0, "mid": 1, "mid-": 1, "the middle of": 1}.get(part, 2)
    return start + step * third, start + (step + 1) * third, "week"


def _weekday(m: re.Match[str], here: _Moment) -> Found:
    day, turn = DAYS[m["day"].lower()], (m["turn"] or "").lower()
    ahead = (day - here.today.weekday()) % 7
    if turn in ("last", "past"):
        return here.days(here.today - timedelta(days=7 - ahead if ahead else 7))
    if turn in ("next", "coming", "this"):
        return here.days(here.today + timedelta(days=ahead or 7))
    # "on Friday" alone: the coming one when the words look ahead, else the one before.
    around = m.string[max(0, m.start() - 80) : m.end() + 20]
    return here.days(
        here.today + timedelta(days=(ahead or 7) if _AHEAD.search(around) else (ahead - 7 if ahead else 0))
    )


def _turned(m: re.Match[str], here: _Moment) -> Found:
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
        return _part("night", here, step)
    return (
        here.week(step)
        if unit == "week"
        else here.weekend(step)
        if unit == "weekend"
        else here.moved(step, unit)
    )


def _part(name: str, here: _Moment, step: int) -> Found:
    day = here.at(here.today + timedelta(days=step))
    first, last = PARTS[name]
    return day + timedelta(hours=first), day + timedelta(hours=last), "hour"


def _near_day(m: re.Match[str], here: _Moment) -> Found:
    word = m["word"].lower()
    if word == "tonight":
        return _part("night", here, 0)
    step = {
        "yesterday": -1,
        "today": 0,
        "tomorrow": 1,
        "the day before yesterday": -2,
        "the day after tomorrow": 2,
    }[word]
    return _part(m["part"].lower(), here, step) if m["part"] else here.days(here.today + timedelta(days=step))


def _distance(m: re.Match[str], here: _Moment) -> Found:
    text = m["n"].lower()
    count = NUMBERS[text] if text in NUMBERS else int(text)
    back = m["back"] is not None
    return here.moved(-count if back else count, m["unit"].lower())


def _season(m: re.Match[str], here: _Moment) -> Found:
    return here.season(m["season"].lower(), int(m["year"]))


def _year_only(m: re.Match[str], here: _Moment) -> Found:
    return here.year(int(m["year"]))


def _nth_week(m: re.Match[str], here: _Moment) -> Found:
    year = _year_told(m, here) or here.today.year
    start, end, _ = here.month(year, MONTHS[m["month"].lower()]) or (here.now, here.now, "")
    nth = {"first": 0, "second": 1, "third": 2, "fourth": 3}.get(m["nth"].lower())
    first = end - timedelta(days=7) if nth is None else start + timedelta(weeks=nth)
    return first, first + timedelta(days=7), "week"


_RULES: tuple[tuple[re.Pattern[str], Rule], ...] = tuple(
    (re.compile(rf"\b(?:{pattern})\b", re.IGNORECASE), rule)
    for pattern, rule in (
        (rf"(?P<y>{_YEAR})-(?P<m>\d\d)-(?P<d>\d\d)", _iso),
        (rf"(?:the )?(?P<nth>first|second|third|fourth|last) week (?:of|in) (?P<month>{_MONTH}){_OF_YEAR}", _nth_week),
        (rf"(?P<month>{_MONTH})\.? (?:the )?{_NTH_DAY}{_OF_YEAR}(?! ?:)", _calendar_day),
        (rf"(?:the )?{_NTH_DAY} (?:of )?(?P<month>{_MONTH})\.?{_OF_YEAR}", _calendar_day),
        (r"(?:on|by|until|till|from|since) the (?P<day>\d{1,2})(?:st|nd|rd|th)"
         r"(?! (?:of|floor|century|grade|birthday|time|edition))", _day_of_month),
        (rf"(?P<word>the day before yesterday|the day after tomorrow|yesterday|today|tomorrow|tonight)"
         rf"(?: (?P<part>{'|'.join(PARTS)}))?", _near_day),
        (rf"(?P<n>{_NUMBER}) (?P<unit>{_UNIT}) (?P<back>ago|before now|back)", _distance),
        (rf"(?:in|within) (?P<n>{_NUMBER}) (?P<unit>{_UNIT})(?P<back>(?!))?", _distance),
        (rf"(?P<n>{_NUMBER}) (?P<unit>{_UNIT}) from now(?P<back>(?!))?", _distance),
        (rf"(?:(?P<part>early|mid-?|late|the beginning of|the middle of|the end of)[ -])?(?:(?P<turn>last|this|next) )?"
         rf"(?P<month>{_MONTH})\.?{_OF_YEAR}", _month),
        (rf"(?:the )?(?P<turn>last|past|previous|this|current|next|coming) (?P<unit>week|weekend|month|year|night|"
         rf"{'|'.join(SEASONS)})", _turned),
        (rf"(?:the )?(?P<season>{'|'.join(SEASONS)}) (?:of )?(?P<year>{_YEAR})", _season),
        (rf"(?:(?P<turn>last|past|next|coming|this) )?(?P<day>{_DAY})", _weekday),
        (rf"(?:in|since|during|of|until|by|before|after|from|year) (?P<year>{_YEAR})", _year_only),
    )
)  # fmt: skip


def find_times(text: str, said_at: datetime) -> list[TimeSpan]:
    """Every time that `text` names, in order, none overlapping. Dates that do not exist are not found."""
    here = _Moment(said_at)
    taken: list[TimeSpan] = []
    for match, rule in _matches(text[:LONGEST]):
        if any(match.start() < span.finish and span.begin < match.end() for span in taken):
            continue
        try:
            found = rule(match, here)
        except (ValueError, OverflowError):
            continue  # 30 February, the year 10,000
        if found is not None:
            taken.append(TimeSpan(found[0], found[1], match.start(), match.end(), found[2]))
    return sorted(taken, key=lambda span: span.begin)


def parse_when(text: str, now: datetime) -> TimeSpan | None:
    """The time that a whole phrase names ("2024", "last March", "since two weeks ago"), or None."""
    bare = text.strip()
    if re.fullmatch(_YEAR, bare):
        found = _Moment(now).year(int(bare))
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
    if span.precision == "week":
        return f"the week of {start.day} {start:%B %Y}"
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
        if re.search(_YEAR, words) or not re.search(r"[a-z]", words, re.IGNORECASE):
            continue
        lead = "in" if span.precision in ("month", "year", "season", "week") else "on"
        before = re.search(
            r"\b(?:on|in|since|until|by|before|after|from|during|of|for) $", text[: span.begin], re.I
        )
        starts_with = re.match(r"(?:on|in|since|until|by|before|after|from|during)\b", words, re.I)
        kept = starts_with[0] if starts_with else "" if before else lead
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
