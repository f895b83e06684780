from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from models.thinking import Piece, ThoughtSplitter


def split(pieces: list[str], *, thinking: bool = False) -> tuple[str, str]:
    splitter = ThoughtSplitter(thinking=thinking)
    found: list[Piece] = []
    for piece in pieces:
        found += splitter.feed(piece)
    found += splitter.end()
    said = {
        kind: "".join(piece.text for piece in found if piece.kind == kind) for kind in ("thought", "text")
    }
    return said["thought"], said["text"]


def test_a_thought_is_told_from_the_reply() -> None:
    assert split(["<think>Hmm, Lisbon.</think>\n\nAna lives in Lisbon."]) == (
        "Hmm, Lisbon.",
        "Ana lives in Lisbon.",
    )


def test_a_reply_without_a_thought_comes_as_it_is() -> None:
    assert split(["  <b>bold</b> words"]) == ("", "  <b>bold</b> words")


def test_a_thought_that_the_prompt_opened_ends_at_its_tag() -> None:
    assert split(["so it is", "</think>Yes."], thinking=True) == ("so it is", "Yes.")


def test_the_tag_inside_a_reply_means_itself() -> None:
    assert split(["Write <think> to think.</think>"]) == ("", "Write <think> to think.</think>")


def test_an_unfinished_thought_is_never_part_of_the_reply() -> None:
    assert split(["<think>and so on </thi"]) == ("and so on </thi", "")


def test_text_is_not_held_back() -> None:
    splitter = ThoughtSplitter()
    assert splitter.feed("Hello") == [Piece("text", "Hello")]
    assert splitter.feed(" <") == [Piece("text", " <")]


@given(st.text("<think>/ ab", max_size=60), st.lists(st.integers(0, 60), max_size=6), st.booleans())
def test_where_the_stream_is_cut_does_not_matter(text: str, cuts: list[int], thinking: bool) -> None:
    places = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    pieces = [text[start:end] for start, end in pairwise(places)]
    assert split(pieces, thinking=thinking) == split([text], thinking=thinking)
