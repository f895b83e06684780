"""Words for times: what people say, seen from one afternoon, and that no text can break it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.when import describe, find_times, parse_when, resolved

MONDAY = datetime(2023, 5, 8, 14, tzinfo=UTC)


@pytest.mark.parametrize(
    ("words", "start", "end"),
    [
        ("I went yesterday", "2023-05-07", "2023-05-08"),
        ("the day before yesterday", "2023-05-06", "2023-05-07"),
        ("last March", "2023-03-01", "2023-04-01"),
        ("in December 2022", "2022-12-01", "2023-01-01"),
        ("last summer", "2022-06-01", "2022-09-01"),
        ("the summer of 2021", "2021-06-01", "2021-09-01"),
        ("three days ago", "2023-05-05", "2023-05-06"),
        ("two years ago", "2021-01-01", "2022-01-01"),
        ("10 years from now", "2033-01-01", "2034-01-01"),
        ("next Friday", "2023-05-12", "2023-05-13"),
        ("last Saturday", "2023-05-06", "2023-05-07"),
        ("we met on Friday", "2023-05-05", "2023-05-06"),
        ("we will meet on Friday", "2023-05-12", "2023-05-13"),
        ("May 7", "2023-05-07", "2023-05-08"),
        ("the 7th of May 2021", "2021-05-07", "2021-05-08"),
        ("Dec. 3rd, 2022", "2022-12-03", "2022-12-04"),
        ("6 June next year", "2024-06-06", "2024-06-07"),
        ("March last year", "2022-03-01", "2022-04-01"),
        ("2024-02-29", "2024-02-29", "2024-03-01"),
        ("last week", "2023-05-01", "2023-05-08"),
        ("this weekend", "2023-05-13", "2023-05-15"),
        ("the first week of June", "2023-06-01", "2023-06-08"),
        ("since 2019", "2019-01-01", "2020-01-01"),
        ("next month", "2023-06-01", "2023-07-01"),
        ("a couple of weeks ago", "2023-04-21", "2023-04-28"),
        ("I started on the 1st", "2023-05-01", "2023-05-02"),
        ("I fly on the 20th", "2023-05-20", "2023-05-21"),
        ("the exam is on the 3rd", "2023-06-03", "2023-06-04"),
        ("we stay until Friday", "2023-05-12", "2023-05-13"),
        ("he's getting married in September", "2023-09-01", "2023-10-01"),
        ("my shop opens in July", "2023-07-01", "2023-08-01"),
        ("I signed up for a course starting July", "2023-07-01", "2023-08-01"),
        ("I was in Rome in July", "2022-07-01", "2022-08-01"),
        ("the week after Easter", "2023-04-10", "2023-04-17"),
        ("I saw her at Easter", "2023-04-09", "2023-04-10"),
        ("we fly on Easter Monday 2024", "2024-04-01", "2024-04-02"),
        ("we leave the weekend before Christmas", "2023-12-23", "2023-12-25"),
        ("last Christmas", "2022-12-25", "2022-12-26"),
        ("2024-W07", "2024-02-12", "2024-02-19"),
        ("in week 32", "2023-08-07", "2023-08-14"),
        ("between March and May", "2023-03-01", "2023-06-01"),
        ("between 3 and 7 May", "2023-05-03", "2023-05-08"),
        ("from the 10th to the 19th", "2023-05-10", "2023-05-20"),
        ("May 3-7", "2023-05-03", "2023-05-08"),
        ("between Monday and Thursday", "2023-05-08", "2023-05-12"),
        ("on 7/5", "2023-05-07", "2023-05-08"),
        ("on 13/5/2022", "2022-05-13", "2022-05-14"),
        ("3.6.2023", "2023-06-03", "2023-06-04"),
    ],
)
def test_what_people_say(words: str, start: str, end: str) -> None:
    [span] = find_times(words, MONDAY)
    assert (span.start.date().isoformat(), span.end.date().isoformat()) == (start, end)


@pytest.mark.parametrize(
    "words",
    [
        "it may rain",
        "May I ask?",
        "we sat down",
        "2021-13-40 hours",
        "room 2023",
        "",
        "31",
        "24/7",
        "add 1/2 cup",
        "week 3 of it",
    ],
)
def test_what_is_no_time(words: str) -> None:
    assert [s for s in find_times(words, MONDAY) if s.precision == "day"] == []


def test_a_day_begins_in_the_speakers_zone() -> None:
    tokyo = MONDAY.astimezone(timezone(timedelta(hours=9)))
    [span] = find_times("yesterday", tokyo)
    assert span.start == datetime(2023, 5, 6, 15, tzinfo=UTC)


def test_what_is_written_with_a_slash_goes_by_where_it_was_said_or_by_what_is_asked() -> None:
    chicago = MONDAY.astimezone(timezone(timedelta(hours=-6)))
    assert find_times("on 7/5", chicago)[0].start.month == 7
    assert find_times("on 7/5", chicago, month_first=False)[0].start.month == 5
    assert find_times("on 7/5", MONDAY, month_first=True)[0].start.month == 7
    assert find_times("on 13/5", chicago)[0].start.month == 5


def test_the_words_around_tell_which_friday() -> None:
    said = "We will be busy, so come on Friday."
    begin = said.index("come")
    assert resolved(said, MONDAY, begin) == "come on 12 May 2023."
    assert resolved(said, MONDAY, 0, 15) == "We will be busy"


@given(st.dates(min_value=MONDAY.date().replace(year=1971), max_value=MONDAY.date().replace(year=2090)))
def test_a_week_by_its_number_holds_its_days(day: date) -> None:
    year, week, _ = day.isocalendar()
    [span] = find_times(f"{year}-W{week:02}", MONDAY)
    assert span.start.date() <= day < span.end.date()
    assert (span.end - span.start).days == 7


@given(st.integers(1, 28), st.integers(1, 28), st.sampled_from(["and", "to", "until"]))
def test_a_range_goes_from_its_first_to_its_last_day(one: int, other: int, link: str) -> None:
    first, last = sorted((one, other))
    spans = find_times(f"between {first} {link} {last} June 2021", MONDAY)
    if first < last:
        [span] = spans
        assert (span.start.day, (span.end - timedelta(days=1)).day, span.precision) == (first, last, "range")


@given(st.integers(1990, 2060))
def test_easter_is_a_sunday_of_spring(year: int) -> None:
    [span] = find_times(f"Easter {year}", MONDAY)
    assert span.start.weekday() == 6
    assert (3, 22) <= (span.start.month, span.start.day) <= (4, 25)


def test_naive_moments_are_refused() -> None:
    with pytest.raises(ValueError, match="naive"):
        find_times("yesterday", MONDAY.replace(tzinfo=None))


def test_absolute_words() -> None:
    assert resolved("I ran yesterday and will swim in two weeks.", MONDAY) == (
        "I ran on 7 May 2023 and will swim in the week of 19 May 2023."
    )
    assert resolved("The trip this past weekend was fun.", MONDAY) == (
        "The trip on the weekend of 6 May 2023 was fun."
    )
    assert resolved("She was born in June 1990.", MONDAY) == "She was born in June 1990."
    assert describe(find_times("last month", MONDAY)[0]) == "April 2023"


def test_whole_phrases_for_options() -> None:
    year = parse_when("2022", MONDAY)
    assert year is not None
    assert year.start == datetime(2022, 1, 1, tzinfo=UTC)
    span = parse_when("2024-05-01T10:00:00+02:00", MONDAY)
    assert span is not None
    assert span.start == datetime(2024, 5, 1, 8, tzinfo=UTC)
    assert parse_when("nonsense", MONDAY) is None


@given(st.text(max_size=300))
def test_no_text_breaks_it(text: str) -> None:
    for span in find_times(text, MONDAY):
        assert span.start < span.end
        assert 0 <= span.begin < span.finish <= len(text)
    resolved(text, MONDAY)


WORDS = """last next this in two 31 30 February May of the first week weekend ago year 2023 9999 days on Friday
summer since early mid-June tomorrow night , from now"""
PARTS = st.sampled_from(WORDS.split())


@given(st.lists(PARTS, max_size=25), st.datetimes(datetime(1, 1, 2), datetime(9998, 1, 1)))  # noqa: DTZ001
def test_no_jumble_of_time_words_breaks_it(parts: list[str], moment: datetime) -> None:
    text = " ".join(parts)
    spans = find_times(text, moment.replace(tzinfo=UTC))
    assert all(a.finish <= b.begin for a, b in pairwise(spans))


def test_long_text_takes_linear_time() -> None:
    assert len(find_times("last may the first of two weeks ago " * 30_000, MONDAY)) < 5_000
