import json

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.chat import Message, shared_prefix
from models.fake import EchoChat, HashEmbedder, smallest_instance

QUESTION = Message("user", "Where does Ana live?")


def say(chat: EchoChat, *messages: Message, **options: object) -> str:
    return "".join(chat.stream(messages, **options))  # type: ignore[arg-type]


def test_echo_answers_with_the_closest_line_of_the_evidence() -> None:
    evidence = Message("system", "You have memories.\n[m1] Ana lives in Lisbon.\n[m2] Bob likes tea.")
    assert say(EchoChat(), evidence, QUESTION) == "[m1] Ana lives in Lisbon."


def test_echo_finds_evidence_inside_the_newest_message_too() -> None:
    assert (
        say(EchoChat(), Message("user", "[m2] Bob likes tea.\nWhat does Bob like?")) == "[m2] Bob likes tea."
    )


def test_echo_repeats_the_question_when_nothing_is_close() -> None:
    assert say(EchoChat(), Message("system", "Be kind."), QUESTION) == QUESTION.content
    assert say(EchoChat()) == ""


def test_scripted_replies_are_given_in_order_and_the_last_stays() -> None:
    chat = EchoChat(["one", "two"])
    assert [say(chat, QUESTION) for _ in range(3)] == ["one", "two", "two"]
    assert len(chat.prompts) == 3


def test_a_function_may_be_the_script() -> None:
    assert say(EchoChat(lambda messages: messages[-1].content.upper()), QUESTION) == "WHERE DOES ANA LIVE?"


def test_a_schema_is_answered_by_its_smallest_instance() -> None:
    schema = {
        "type": "object",
        "properties": {"facts": {"type": "array", "items": {"type": "string"}}, "note": {"type": "string"}},
        "required": ["facts"],
    }
    assert json.loads(say(EchoChat(), QUESTION, schema=schema)) == {"facts": []}


def test_smallest_instance_follows_choices_bounds_and_references() -> None:
    schema = {
        "$defs": {"op": {"enum": ["add", "noop"]}},
        "type": "object",
        "properties": {
            "ops": {"type": "array", "minItems": 2, "items": {"$ref": "#/$defs/op"}},
            "score": {"type": "integer", "minimum": 3},
            "name": {"type": "string", "minLength": 2},
            "sure": {"type": "boolean"},
            "when": {"anyOf": [{"type": "null"}, {"type": "string"}]},
            "kind": {"const": "fact"},
        },
        "required": ["ops", "score", "name", "sure", "when", "kind"],
    }
    assert smallest_instance(schema) == {
        "ops": ["add", "add"],
        "score": 3,
        "name": "xx",
        "sure": False,
        "when": None,
        "kind": "fact",
    }


def test_stop_and_max_tokens_end_the_reply_and_usage_says_so() -> None:
    chat = EchoChat(["one two three four"])
    assert say(chat, QUESTION, max_tokens=2) == "one two"
    assert chat.last_usage is not None and not chat.last_usage.stopped
    assert say(chat, QUESTION, stop=lambda: True) == "one"
    assert chat.last_usage.completion_tokens == 1 and chat.last_usage.stopped


def test_usage_reports_the_prefix_that_two_prompts_share() -> None:
    chat = EchoChat()
    system = Message("system", "You remember.")
    say(chat, system, Message("user", "Hello"))
    assert chat.last_usage is not None and chat.last_usage.cached_tokens == 0
    say(chat, system, Message("user", "Bye"))
    assert 0 < chat.last_usage.cached_tokens < chat.last_usage.prompt_tokens


@given(st.text())
def test_pieces_join_to_the_reply(text: str) -> None:
    chat = EchoChat([text])
    assert say(chat, QUESTION, max_tokens=10_000) == text


@given(st.lists(st.text(), max_size=5))
def test_hash_vectors_are_unit_and_do_not_depend_on_the_batch(texts: list[str]) -> None:
    embedder = HashEmbedder()
    vectors = embedder.embed(texts)
    assert vectors.shape == (len(texts), 64) and vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    for text, vector in zip(texts, vectors, strict=True):
        assert np.array_equal(embedder.embed([text])[0], vector)


def test_texts_that_share_words_are_nearer() -> None:
    query, near, far = HashEmbedder().embed(
        ["Who climbed the mountain?", "We were climbing a mountain", "Bob pays rent"]
    )
    assert query @ near > 0.5 > query @ far


@given(st.lists(st.integers(0, 2)), st.lists(st.integers(0, 2)))
def test_shared_prefix_is_common_and_longest(one: list[int], other: list[int]) -> None:
    length = shared_prefix(one, other)
    assert one[:length] == other[:length]
    assert length in (len(one), len(other)) or one[length] != other[length]
