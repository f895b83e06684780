"""What people say plainly is read without a model, and what they do not state is left alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.sleep.rules import DEPENDS_ON, Candidate, extract, is_single_valued
from storage.records import Kind

MONDAY = datetime(2023, 5, 8, 14, tzinfo=UTC)


def read(text: str, speaker: str = "user") -> dict[str | None, Candidate]:
    return {c.attribute: c for c in extract(text, speaker, MONDAY)}


@pytest.mark.parametrize(
    ("said", "attribute", "value"),
    [
        ("I sold it and bought a Fiat Panda.", "car", "Fiat Panda"),
        ("We swapped the car for an old Volvo V60, at last.", "car", "Volvo V60"),
        ("They gave me a Pixel 7a at work.", "phone model", "Pixel 7a"),
        ("I dropped that and I'm learning Basque now.", "language class", "Basque"),
        ("I've switched to a Welsh course.", "language class", "Welsh"),
        ("Ingrid took over as my manager.", "boss", "Ingrid"),
        ("So we ended up moving to Graz.", "home city", "Graz"),
        ("I can't believe I live in Graz now!", "home city", "Graz"),
        ("I handed in my notice and I'm at Orsini now.", "employer", "Orsini"),
        ("My gym is The Cellar.", "gym", "The Cellar"),
        ("My shifts are mornings for now.", "work schedule", "mornings"),
    ],
)
def test_a_value_tells_its_slot_in_whatever_words(said: str, attribute: str, value: str) -> None:
    assert read(said)[attribute].value == value


@pytest.mark.parametrize(
    "said",
    [
        "We finally booked a house in Crete for the holidays.",
        "My brother has a new car, a Skoda.",
        "I'm thinking of a new car, maybe a Skoda.",
        "Is the new gym at Kettle Hall any good? I have not joined it.",
        "I compared a Skoda with a Kia at the dealer, new cars are dear.",
        "He moved to Leeds, I hear the house is new.",
    ],
)
def test_what_speaks_against_it_is_left_alone(said: str) -> None:
    assert not {"home city", "car", "gym", "employer"} & {
        name for name, found in read(said).items() if found.subject == "user"
    }


@pytest.mark.parametrize(
    "said",
    [
        "We rented a Fiat Panda in Crete.",
        "My brother drives a Skoda.",
        "I sold my Volvo.",
        "I don't have a Volvo.",
        "We were in a Fiat taxi.",
        "I need an iPhone charger.",
        "I'd love to learn Welsh.",
        "I do Italian cooking.",
        "Should I get a Pixel?",
    ],
)
def test_a_name_alone_fills_no_slot(said: str) -> None:
    assert not {"car", "phone model", "language class", "employer"} & set(read(said))


@pytest.mark.parametrize(
    ("said", "attribute", "sentence"),
    [
        ("I moved to Porto last week.", "home city", "The user lives in Porto."),
        ("We're fine. We moved to Lisbon in 2019", "home city", "The user lives in Lisbon."),
        ("Actually, I work at Google now.", "employer", "The user works at Google."),
        ("I started as a nurse at the Santo Antonio hospital", "job title", "The user works as nurse."),
        ("I'm allergic to penicillin, so be careful.", "allergy", "The user is allergic to penicillin."),
        ("my favourite book is Dune.", "favourite book", "The user's favourite book is Dune."),
        ("I love climbing but I hate running", "dislikes", "The user dislikes running."),
        ("I have two kids", "number of children", "The user has two children."),
        ("I have a dog named Rex.", "pet", "The user has a dog called Rex."),
        ("My sister Lena visits soon", "sister", "The user's sister is called Lena."),
        ("Lena moved to Berlin last month.", "home city", "Lena lives in Berlin."),
        ("From now on, answer in French.", "instruction", 'The user asks: "From now on, answer in French"'),
        ("I have an appointment with the dentist on Friday", "plan",
         "The user has an appointment with the dentist on 12 May 2023."),
        ("Dr. Osei has been my GP since forever.", "doctor", "The user's doctor is Dr. Osei."),
        ("I'm off it, tea is my favourite drink now.", "favourite drink", "The user's favourite drink is tea."),
        ("The doctor put me on a vegan diet.", "diet", "The user eats vegan."),
        ("We packed up everything and moved to Linz in the end.", "home city", "The user lives in Linz."),
        ("I earn my bread as a tram driver.", "job title", "The user works as tram driver."),
        ("They moved me to late shifts, starting this week.", "work schedule", "The user works late shifts."),
        ("I ran a charity race yesterday", "event", "The user ran a charity race on 7 May 2023."),
    ],
)  # fmt: skip
def test_common_forms(said: str, attribute: str, sentence: str) -> None:
    assert read(said)[attribute].text == sentence


@pytest.mark.parametrize(
    ("said", "attribute", "sentence"),
    [
        ("I drink green tea every morning.", "habit", "Tom drinks green tea every morning."),
        ("I always fly with a paper book.", "habit", "Tom always flies with a paper book."),
        ("I don't smoke at the moment, my lungs", "avoids", "Tom does not smoke at the moment."),
        ("I've never been to Spain, believe it?", "avoids", "Tom has never been to Spain."),
        ("I used to live on a boat.", "past", "Tom used to live on a boat."),
        ("We broke up, finally.", "event", "Tom and others broke up, finally."),
        ("I passed the driving test!", "event", "Tom passed the driving test."),
        ("My bike got stolen, did I say?", "event", None),
        ("My old bike got stolen.", "event", "Tom's old bike got stolen."),
        ("I fly to Rome on the 20th", "plan", "Tom flies to Rome on 20 May 2023."),
        ("I take it as it comes", "habit", None),
        ("I'm crying on the bus now", "status", None),
        ("She says I drink too much wine", "habit", None),
        ("My weight is 80 kilos at the moment.", "weight", "Tom's weight is 80 kilos."),
        ("My son Max is coming on Friday", "plan", "Tom's son Max is coming on 12 May 2023."),
        ("Eva is six and Max is four.", "age", "Max is four."),
        ("Eva doesn't eat fish", "avoids", "Eva doesn't eat fish."),
    ],
)  # fmt: skip
def test_ways_of_living(said: str, attribute: str, sentence: str | None) -> None:
    found = read(said, "Tom").get(attribute)
    assert (found.text if found else None) == sentence


def test_what_an_assistant_is_asked() -> None:
    assert "instruction" in read("Don't explain too much, show the code first.")
    assert "instruction" not in read("Don't explain too much, show the code first.", "Tom")
    assert "instruction" not in read("Don't worry about the milk, I have some.")


@pytest.mark.parametrize(
    "said",
    [
        "Do I live in Porto?",
        "If I lived in Rome I'd be happy.",
        "I wish I worked at Google",
        "haha I'm a billionaire",
        "My brother said I am an idiot.",
        "I'd love to visit Japan.",
        "I never thought I live in Rome",
        "I know a vegan restaurant.",
        "Hey! How are you?",
        "",
        "I'm so tired of this.",
    ],
)
def test_what_is_no_statement_is_left_alone(said: str) -> None:
    assert extract(said, "user", MONDAY) == []


@pytest.mark.parametrize(
    ("said", "attribute"),
    [
        ("We never moved to Linz.", "home city"),
        ("I'm not vegan.", "diet"),
        ("I don't report to Ada.", "boss"),
    ],
)
def test_what_is_denied_fills_no_slot(said: str, attribute: str) -> None:
    assert attribute not in read(said)


def test_the_quote_is_verbatim_and_the_time_is_resolved() -> None:
    said = "Big news! I moved to Porto last week, it is lovely."
    found = read(said)["home city"]
    assert said[found.start : found.end] == "I moved to Porto"
    assert found.valid_from is not None
    assert MONDAY - timedelta(days=8) < found.valid_from < MONDAY
    assert found.value == "Porto"


def test_a_persons_own_name_stands_for_i() -> None:
    found = read("I work at Acme and my sister Lena is allergic to nuts.", "Tom")
    assert found["employer"].text == "Tom works at Acme."
    assert found["employer"].subject == "tom"
    assert found["allergy"].text == "Tom's sister Lena is allergic to nuts."
    assert found["allergy"].subject == "lena"


def test_corrections_and_ends_are_marked() -> None:
    assert read("No, actually I live in Lisbon.")["home city"].is_correction
    assert read("I quit smoking two years ago")["gave up"].closes
    assert not read("I live in Lisbon.")["home city"].is_correction
    assert not read("No, I live in Lisbon now.")["home city"].is_correction


def sentences_of(said: str, speaker: str, *before: tuple[str, str]) -> list[str]:
    return [c.text for c in extract(said, speaker, MONDAY, context=before)]


@pytest.mark.parametrize(
    ("said", "before", "sentence"),
    [
        ("She's a midwife.", [("Tom", "My sister Ana visited us.")], "Tom's sister Ana is a midwife."),
        ("Lou called. He sold the truck in May.", [], "Lou sold the truck in May 2023."),
        ("They run a bookshop near the opera.", [("Tom", "My parents are well.")],
         "Tom's parents run a bookshop near the opera."),
        ("Your mother worked nights at the cannery.", [("Ann", "How are you, Tom?")],
         "Ann's mother worked nights at the cannery."),
        ("My sister Ana can't come, she has an exam on Friday.", [],
         "Tom's sister Ana has an exam on 12 May 2023."),
        ("She has an exam on Friday.", [("Tom", "My brother is here.")], None),
        ("She has an exam on Friday.", [("Tom", "Ana and Bea are here, and Bea met Ana.")], None),
        ("She has an exam on Friday.", [], None),
        ("The dog needs a vet. She eats grass every day.", [], "Tom's dog eats grass every day."),
        ("Marta and I are getting a dog.", [], "Marta and Tom are getting a dog."),
    ],
)  # fmt: skip
def test_whom_a_word_means(said: str, before: list[tuple[str, str]], sentence: str | None) -> None:
    found = sentences_of(said, "Tom", *before)
    assert sentence in found if sentence else found == []


@pytest.mark.parametrize(
    "said",
    [
        "You hate running every Sunday!",
        "I would work nights every week.",
        "She says my car is at the shop in Leeds.",
        "I might swim twice a week.",
        "It is a nice car for two people.",
        "I was going to take up sailing in March.",
    ],
)
def test_what_is_vague_or_not_so_is_no_statement(said: str) -> None:
    assert sentences_of(said, "Tom", ("Ann", "And you?")) == []


def test_one_long_sentence_takes_no_longer_than_its_length() -> None:
    for words in ("and I have a dog ", "I said, ", "my sister's brother's ", ", ,", "Ana Bea "):
        assert len(extract(words * 500, "Tom", MONDAY)) < 1000


def test_procedures() -> None:
    [found] = extract("To reset the router, hold the button for ten seconds.", "user", MONDAY)
    assert found.kind is Kind.PROCEDURAL
    assert found.attribute == "to reset the router"


def test_knowledge_of_slots() -> None:
    assert is_single_valued("home city")
    assert is_single_valued("favourite book")
    assert not is_single_valued("likes")
    assert "home city" in DEPENDS_ON["commute"]
    assert all(is_single_valued(attribute) for attribute in DEPENDS_ON)


@given(st.text(max_size=400), st.sampled_from(["user", "Ana"]))
def test_no_text_breaks_it_and_every_quote_is_in_the_text(text: str, speaker: str) -> None:
    for found in extract(text, speaker, MONDAY):
        assert 0 <= found.start < found.end <= len(text)


def test_a_megabyte_is_read_in_part() -> None:
    assert len(extract("I live in Rome. " * 70_000, "user", MONDAY)) == 1
