"""The calendar as it looks from one moment: days, weeks, months, seasons and feasts. Pure arithmetic, no words."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
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
FEASTS = {
    "new year's eve": (12, 31), "new year's day": (1, 1), "new year's": (1, 1), "new year": (1, 1),
    "halloween": (10, 31), "valentine's day": (2, 14), "christmas eve": (12, 24), "christmas day": (12, 25),
    "christmas": (12, 25), "boxing day": (12, 26),
}  # fmt: skip
EASTER = {"good friday": -2, "easter sunday": 0, "easter monday": 1, "easter": 0, "pentecost": 49}
"""Days from Easter Sunday."""


Found = tuple[datetime, datetime, str] | None


def local(moment: datetime, tz: str) -> datetime:
    """The moment in the zone of an offset ("+02:00"); as it is where that is none."""
    known = re.fullmatch(r"[+-]\d\d:\d\d", tz)
    return moment.astimezone(datetime.strptime(tz, "%z").tzinfo) if known else moment


class Moment:
    """Arithmetic from where and when the words were said."""

    def __init__(self, said_at: datetime, *, month_first: bool | None = None) -> None:
        if said_at.tzinfo is None:
            raise ValueError("naive datetime: every time needs its zone")
        self.now = said_at
        self.zone: tzinfo = said_at.tzinfo
        self.today = said_at.date()
        offset = said_at.utcoffset() or timedelta()
        american = timedelta(hours=-10) <= offset <= timedelta(hours=-4)
        self.month_first = american if month_first is None else month_first

    def at(self, day: date) -> datetime:
        return datetime.combine(day, time(), self.zone)

    def days(self, first: date, count: int = 1, precision: str = "day") -> Found:
        return self.at(first), self.at(first + timedelta(days=count)), precision

    def week(self, offset: int) -> Found:
        monday = self.today - timedelta(days=self.today.weekday()) + timedelta(weeks=offset)
        return self.days(monday, 7, "week")

    def weekend(self, offset: int) -> Found:
        saturday = self.today - timedelta(days=self.today.weekday()) + timedelta(days=5, weeks=offset)
        return self.days(saturday, 2, "weekend")

    def month(self, year: int, month: int, months: int = 1) -> Found:
        years, index = divmod(month - 1 + months, 12)
        return self.at(date(year, month, 1)), self.at(date(year + years, index + 1, 1)), "month"

    def year(self, year: int) -> Found:
        return self.at(date(year, 1, 1)), self.at(date(year + 1, 1, 1)), "year"

    def third(self, span: Found, which: int) -> Found:
        """The beginning (0), the middle (1) or the end (2) of a month."""
        start, end, _ = span or (self.now, self.now, "")
        third = (end - start) / 3
        return start + which * third, start + (which + 1) * third, "week"

    def part(self, name: str, step: int) -> Found:
        """The morning, afternoon, evening or night of the day that lies `step` days from here."""
        day = self.at(self.today + timedelta(days=step))
        first, last = PARTS[name]
        return day + timedelta(hours=first), day + timedelta(hours=last), "hour"

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

    def nearest(self, of_year: Callable[[int], date], *, ahead: bool) -> date:
        """The day that lies nearest, of those of last, this and next year: the coming one, or rather a past one.

        Raises ValueError where the day exists in none of them.
        """
        days = []
        for year in range(self.today.year - 1, self.today.year + 2):
            with contextlib.suppress(ValueError):  # 29 February
                days.append(of_year(year))
        if ahead:
            days = [day for day in days if day >= self.today] or days
        return min(days, key=lambda d: abs((d - self.today).days - 0.5) + (60 if d > self.today else 0))

    def feast(self, name: str, year: int) -> date:
        """The day of a feast in a year."""
        if name in EASTER:
            from dateutil.easter import easter

            return easter(year) + timedelta(days=EASTER[name])
        return date(year, *FEASTS[name])
