"""all-MiniLM-L6-v2 and its like on onnxruntime: sentence vectors without torch.

Reads a folder with tokenizer.json and either model.onnx or BERT weights as model.safetensors.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.embed import Tokens
from models.errors import EngineMissing, ModelDamaged, ModelError, ModelMissing

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from models.embed import Vectors

MAX_TOKENS = 256  # what all-MiniLM-L6-v2 was trained to read
BATCH_TOKENS = 4096  # padded tokens in one run: keeps the activations of a batch in the processor's caches


class OnnxEmbedder:
    """An Embedder on onnxruntime. Mean of the token vectors, as unit vectors; loads at once."""

    def __init__(self, folder: Path, *, name: str | None = None, threads: int = 2) -> None:
        """Raises ModelMissing, EngineMissing or ModelDamaged."""
        self.name = name or folder.name
        self._tokenizer = _load_tokenizer(folder / "tokenizer.json")
        self._session: Any = _load_session(folder, threads)
        self._inputs = {node.name for node in self._session.get_inputs()}
        self.dim = int(self._session.get_outputs()[0].shape[-1])

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Float32 array of shape (len(texts), dim), rows of length 1; each text is cut after 256 tokens."""
        import numpy as np

        encodings = self._tokenizer.encode_batch_fast([_readable(text) for text in texts])
        lengths = np.array([len(encoding.ids) for encoding in encodings], dtype=np.int64)
        vectors = np.empty((len(texts), self.dim), dtype=np.float32)
        for rows in _batches(lengths):
            ids = np.zeros((len(rows), lengths[rows].max()), dtype=np.int64)
            for place, row in enumerate(rows):
                ids[place, : lengths[row]] = encodings[row].ids
            vectors[rows] = self._run(ids, lengths[rows])
        return vectors

    def tokens(self, text: str) -> Tokens:
        """The word pieces of a text with the last layer's states; those that stand for no letters are left out."""
        import numpy as np

        encoding = self._tokenizer.encode(_readable(text))
        ids = np.array([encoding.ids], dtype=np.int64)
        states = self._states(ids, np.ones_like(ids))[0]
        rows = [row for row, (start, end) in enumerate(encoding.offsets) if end > start]
        return Tokens([encoding.offsets[row] for row in rows], states[rows])

    def _run(self, ids: NDArray[np.int64], lengths: NDArray[np.int64]) -> Vectors:
        import numpy as np

        mask = (np.arange(ids.shape[1]) < lengths[:, None]).astype(np.int64)
        weights = mask[:, :, None].astype(np.float32)
        mean = (self._states(ids, mask) * weights).sum(axis=1) / weights.sum(axis=1)
        unit: Vectors = mean / np.maximum(np.linalg.norm(mean, axis=1, keepdims=True), 1e-12)
        return unit

    def _states(self, ids: NDArray[np.int64], mask: NDArray[np.int64]) -> NDArray[np.float32]:
        """The last layer: (texts, pieces, dim)."""
        import numpy as np

        if self._session is None:
            raise ModelError(f"{self.name} is closed.", "Open it again.")
        feed = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        states: NDArray[np.float32]
        (states,) = self._session.run(None, {name: feed[name] for name in self._inputs})
        return states

    def close(self) -> None:
        """Free the weights."""
        self._session = None


def _batches(lengths: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Rows in groups of like length, so that little is padded; the longest of a group bounds its size."""
    import numpy as np

    order = np.argsort(-lengths, kind="stable")
    groups = []
    while len(order):
        size = max(1, BATCH_TOKENS // int(lengths[order[0]]))
        groups.append(order[:size])
        order = order[size:]
    return groups


def _readable(text: str) -> str:
    """Lone surrogates have no UTF-8 form; the tokenizer would refuse the whole batch for one."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _load_tokenizer(path: Path) -> Any:
    try:
        from tokenizers import Tokenizer
    except ImportError as problem:
        raise EngineMissing("tokenizers is not installed.", "pip install tokenizers") from problem
    if not path.is_file():
        raise ModelMissing(f"{path} is not there.", "Fetch it with `mem setup`.")
    # The library raises bare Exception for what it cannot read, so the file is looked at first.
    try:
        text = path.read_text(encoding="utf-8")
        sound = "model" in json.loads(text)
    except (OSError, ValueError, TypeError):
        sound = False
    if not sound:
        raise ModelDamaged(f"{path} is not a tokenizer.", "Fetch it again with `mem setup`.")
    tokenizer = Tokenizer.from_str(text)
    tokenizer.no_padding()
    tokenizer.enable_truncation(MAX_TOKENS)
    return tokenizer


def _load_session(folder: Path, threads: int) -> Any:
    try:
        import onnxruntime  # 0.1 s and 40 MB
        from onnxruntime.capi import onnxruntime_pybind11_state as state
    except ImportError as problem:
        raise EngineMissing("onnxruntime is not installed.", "pip install onnxruntime") from problem
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    # A spinning pool would hold a core while the rest of mem thinks.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    model = _model(folder, options)
    try:
        return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except (
        state.Fail,
        state.InvalidArgument,
        state.InvalidGraph,
        state.InvalidProtobuf,
        state.NoSuchFile,
        state.NotImplemented,
        state.RuntimeException,
    ) as problem:
        reason = str(problem).splitlines()[0]
        raise ModelDamaged(
            f"{folder} cannot be read: {reason}", "Fetch it again with `mem setup`."
        ) from problem


def _model(folder: Path, options: Any) -> str | bytes:
    if (folder / "model.onnx").is_file():
        return str(folder / "model.onnx")
    if (folder / "model.safetensors").is_file():
        from models.bert import bert_graph

        # The graph names places in the weights' own file; they are mapped from there, not copied.
        options.add_session_config_entry("session.model_external_initializers_file_folder_path", str(folder))
        return bert_graph(folder)
    raise ModelMissing(f"{folder} holds no embedding model.", "Fetch it with `mem setup`.")
