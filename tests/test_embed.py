"""The embedders on the real packaged weights, and the ONNX graph that is built for the full-precision one."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from models.bert import bert_graph
from models.catalog import find
from models.embed import Embedder
from models.errors import ModelDamaged, ModelError, ModelMissing
from models.onnx import OnnxEmbedder
from models.open import open_embedder
from models.pull import pull

SENTENCES = [
    "Where does Ana live?",
    "Ana moved to Lisbon in March.",
    "Bob pays the rent on the first of the month.",
    "",
    "Straße, naïve café, 東京 and 🎉",
    "a " * 2000,
]


@pytest.fixture(scope="module")
def exact(models_folder: Path) -> Iterator[Embedder]:
    pull(find("minilm-fp32"), models_folder)
    opened = open_embedder("minilm-fp32", models_folder)
    yield opened
    opened.close()


@pytest.mark.embedder
def test_vectors_are_unit_rows_in_order(embedder: Embedder) -> None:
    vectors = embedder.embed(SENTENCES)
    assert vectors.shape == (len(SENTENCES), embedder.dim) and vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert embedder.embed([]).shape == (0, 384)


@pytest.mark.embedder
def test_the_meaning_is_nearer_than_the_rest(embedder: Embedder) -> None:
    question, answer, other = embedder.embed(SENTENCES[:3])
    assert question @ answer > 0.5 > question @ other


@pytest.mark.embedder
def test_a_text_has_nearly_the_same_vector_in_any_batch(embedder: Embedder, exact: Embedder) -> None:
    # 8-bit activations are scaled by batch, so only the exact model is the same to the last digits.
    for model, least in ((embedder, 0.98), (exact, 0.999999)):
        together = model.embed(SENTENCES)
        for text, vector in zip(SENTENCES, together, strict=True):
            assert model.embed([text])[0] @ vector > least


@pytest.mark.embedder
def test_what_lies_beyond_the_limit_changes_nothing(exact: Embedder) -> None:
    long, longer = exact.embed(["word " * 300, "word " * 300 + "and another end"])
    assert long @ longer > 0.999999


@pytest.mark.embedder
@pytest.mark.parametrize(
    "hostile", ["\ud800 alone", "a\0b", "\x1b[31m", "x" * 1_000_000, "\u202e right to left"]
)
def test_hostile_text_gets_a_vector(embedder: Embedder, hostile: str) -> None:
    assert np.isclose(np.linalg.norm(embedder.embed([hostile])[0]), 1, atol=1e-5)


@pytest.mark.embedder
def test_8_bits_stay_close_to_full_precision(embedder: Embedder, exact: Embedder) -> None:
    cosines = (embedder.embed(SENTENCES) * exact.embed(SENTENCES)).sum(axis=1)
    assert cosines.min() >= 0.98


@pytest.mark.embedder
@pytest.mark.parametrize("text", ["", "Zoë's Škoda, at last 🚗!", "so " * 600, "\ud83d lone"])
def test_pieces_stand_where_they_say(embedder: Embedder, text: str) -> None:
    pieces = embedder.tokens(text)
    assert pieces.vectors.shape == (len(pieces.spans), embedder.dim)
    assert len(pieces.spans) <= 256
    assert all(0 <= start < end <= len(text) for start, end in pieces.spans)


@pytest.mark.embedder
@pytest.mark.torch
def test_both_onnx_models_agree_with_sentence_transformers(
    embedder: Embedder, exact: Embedder, models_folder: Path
) -> None:
    pytest.importorskip("sentence_transformers")
    pull(find("minilm-st"), models_folder)
    reference = open_embedder("minilm-st", models_folder, device="cpu")
    assert (reference.name, reference.dim) == ("minilm-st", 384)
    vectors = reference.embed(SENTENCES)
    assert (vectors * exact.embed(SENTENCES)).sum(axis=1).min() >= 0.9999
    assert (vectors * embedder.embed(SENTENCES)).sum(axis=1).min() >= 0.98
    assert reference.embed([]).shape == (0, 384)
    words, same = reference.tokens(SENTENCES[0]), exact.tokens(SENTENCES[0])
    assert list(words.spans) == list(same.spans)
    assert np.allclose(words.vectors, same.vectors, atol=1e-3)
    reference.close()
    with pytest.raises(ModelError, match="closed"):
        reference.embed(["more"])


@pytest.mark.torch
def test_a_name_that_is_not_on_this_machine_is_a_missing_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("sentence_transformers")
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    with pytest.raises(ModelMissing) as caught:
        open_embedder("nobody/no-such-model", tmp_path)
    assert "minilm-st" in caught.value.hint


@pytest.mark.embedder
def test_a_closed_model_says_so(models_folder: Path, embedder: Embedder) -> None:
    opened = open_embedder("minilm-int8", models_folder)
    opened.close()
    with pytest.raises(ModelError, match="closed"):
        opened.embed(["more"])


@pytest.mark.embedder
def test_the_default_embedder_needs_no_torch(models_folder: Path, embedder: Embedder) -> None:
    program = (
        "import sys; from pathlib import Path; from models.open import open_embedder;"
        f"open_embedder('minilm-int8', Path({str(models_folder)!r})).embed(['hello']);"
        "print([name for name in ('torch', 'transformers', 'scipy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.embedder
@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json"])
def test_a_damaged_file_is_a_clean_error(
    models_folder: Path, embedder: Embedder, tmp_path: Path, name: str
) -> None:
    good = find("minilm-int8").folder(models_folder)
    for file in find("minilm-int8").files:
        (tmp_path / file.name).write_bytes((good / file.name).read_bytes())
    (tmp_path / name).write_bytes((good / name).read_bytes()[:100_000])
    with pytest.raises(ModelDamaged):
        OnnxEmbedder(tmp_path)


@pytest.mark.parametrize("data", [b"", b"\xff" * 8, b"\x02\0\0\0\0\0\0\0{}", b"\x04\0\0\0\0\0\0\0null"])
def test_weights_that_are_no_weights_are_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "config.json").write_bytes(
        b'{"hidden_size": 4, "num_attention_heads": 2, "num_hidden_layers": 1, "layer_norm_eps": 1e-12}'
    )
    (tmp_path / "model.safetensors").write_bytes(data)
    with pytest.raises(ModelDamaged):
        bert_graph(tmp_path)
