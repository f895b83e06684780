"""Describes a BERT encoder to onnxruntime as an ONNX graph over the weights of a safetensors file.

The graph is a few kilobytes: each weight names its place in the weights' own file. Knows no text and no tokens.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from models.errors import ModelDamaged

# Field and type numbers of onnx.proto (onnx 1.16, IR version 8, operator set 20).
FLOAT, INT64 = 1, 7
IR_VERSION, OPERATOR_SET = 8, 20
EXTERNAL = 1


def bert_graph(folder: Path) -> bytes:
    """The ONNX model of `folder`/model.safetensors, shaped by `folder`/config.json.

    Inputs input_ids and attention_mask, token_type_ids: int64 (batch, tokens); output: float32 states
    (batch, tokens, hidden), as in Devlin et al. 2019. Raises ModelDamaged.
    """
    try:
        config = json.loads((folder / "config.json").read_bytes())
        weights = _read_places(folder / "model.safetensors")
        return _encoder(config, _Graph(weights, "model.safetensors")).model()
    except (OSError, ValueError, KeyError, TypeError, AttributeError, struct.error) as problem:
        raise ModelDamaged(
            f"{folder} holds no BERT weights: {problem!r}.", "Fetch it again with `mem setup`."
        ) from problem


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a float32 tensor lies in its file."""

    shape: tuple[int, ...]
    offset: int
    length: int


def _read_places(path: Path) -> dict[str, _Place]:
    """The table at the head of a safetensors file."""
    size = path.stat().st_size
    with path.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        if length > min(size, 1 << 26):
            raise ValueError("the header is longer than the file")
        table = json.loads(file.read(length))
    table.pop("__metadata__", None)
    places = {}
    for name, entry in table.items():
        start, end = entry["data_offsets"]
        if not 0 <= start <= end <= size - 8 - length:
            raise ValueError(f"{name} lies outside the file")
        if entry["dtype"] == "F32":
            places[name] = _Place(tuple(entry["shape"]), 8 + length + start, end - start)
    return places


def _encoder(config: Mapping[str, Any], graph: _Graph) -> _Graph:
    hidden, heads, epsilon = config["hidden_size"], config["num_attention_heads"], config["layer_norm_eps"]
    batch = graph.node("Shape", ["input_ids"])
    graph.constant("flat", [-1, hidden])
    graph.constant("heads", [heads, hidden // heads])
    graph.constant("hidden", [hidden])
    by_head = graph.node("Concat", [batch, "heads"], axis=0)
    barrier = _barrier(graph)
    states = _embeddings(graph, epsilon)
    for layer in range(config["num_hidden_layers"]):
        states = _layer(graph, f"encoder.layer.{layer}.", states, barrier, by_head, hidden // heads, epsilon)
    graph.node("Reshape", [states, graph.node("Concat", [batch, "hidden"], axis=0)], output="states")
    return graph


def _barrier(graph: _Graph) -> str:
    """0 where a token is, a very large negative number where padding is: (batch, 1, 1, tokens)."""
    graph.constant("one", 1.0)
    graph.constant("far", -1e9)
    graph.constant("middle", [1, 2])
    mask = graph.node("Cast", ["attention_mask"], to=FLOAT)
    return graph.node("Unsqueeze", [graph.node("Mul", [graph.node("Sub", ["one", mask]), "far"]), "middle"])


def _embeddings(graph: _Graph, epsilon: float) -> str:
    tokens = graph.node("Gather", [graph.weight("embeddings.word_embeddings.weight"), "input_ids"])
    kinds = graph.node("Gather", [graph.weight("embeddings.token_type_embeddings.weight"), "token_type_ids"])
    for name, value in (("zero", 0), ("step", 1), ("second", 1)):
        graph.constant(name, value)
    count = graph.node("Gather", [graph.node("Shape", ["input_ids"]), "second"])
    steps = graph.node("Range", ["zero", count, "step"])
    places = graph.node("Gather", [graph.weight("embeddings.position_embeddings.weight"), steps])
    summed = graph.node("Add", [graph.node("Add", [tokens, kinds]), places])
    return graph.norm(graph.node("Reshape", [summed, "flat"]), "embeddings.LayerNorm", epsilon)


def _layer(
    graph: _Graph, at: str, states: str, barrier: str, by_head: str, width: int, epsilon: float
) -> str:
    def heads(name: str, order: Sequence[int]) -> str:
        flat = graph.linear(states, f"{at}attention.self.{name}")
        return graph.node("Transpose", [graph.node("Reshape", [flat, by_head])], perm=order)

    query, key, value = heads("query", [0, 2, 1, 3]), heads("key", [0, 2, 3, 1]), heads("value", [0, 2, 1, 3])
    graph.constant(f"{at}scale", width**-0.5)
    scores = graph.node("Mul", [graph.node("MatMul", [query, key]), f"{at}scale"])
    shares = graph.node("Softmax", [graph.node("Add", [scores, barrier])], axis=-1)
    mixed = graph.node("Transpose", [graph.node("MatMul", [shares, value])], perm=[0, 2, 1, 3])
    flat = graph.node("Reshape", [mixed, "flat"])
    said = graph.linear(flat, f"{at}attention.output.dense")
    states = graph.norm(graph.node("Add", [said, states]), f"{at}attention.output.LayerNorm", epsilon)
    inner = graph.node("Gelu", [graph.linear(states, f"{at}intermediate.dense")])
    outer = graph.linear(inner, f"{at}output.dense")
    return graph.norm(graph.node("Add", [outer, states]), f"{at}output.LayerNorm", epsilon)


@dataclass(slots=True)
class _Graph:
    """An ONNX graph in the making: nodes and tensors, already in their wire form."""

    places: Mapping[str, _Place]
    file: str
    nodes: list[bytes] = field(default_factory=list)
    tensors: dict[str, bytes] = field(default_factory=dict)

    def node(self, kind: str, inputs: Sequence[str], *, output: str = "", **attributes: Any) -> str:
        """Add an operator; returns the name of its output."""
        output = output or f"n{len(self.nodes)}"
        wire = b"".join(_text(1, name) for name in inputs) + _text(2, output) + _text(4, kind)
        wire += b"".join(_block(5, _attribute(name, value)) for name, value in attributes.items())
        self.nodes.append(wire)
        return output

    def weight(self, name: str) -> str:
        """Add a tensor of the weights' file; returns its name."""
        place = self.places[name]
        where = {"location": self.file, "offset": place.offset, "length": place.length}
        entries = b"".join(_block(13, _text(1, key) + _text(2, str(value))) for key, value in where.items())
        dims = b"".join(_number(1, size) for size in place.shape)
        self.tensors[name] = dims + _number(2, FLOAT) + _text(8, name) + entries + _number(14, EXTERNAL)
        return name

    def constant(self, name: str, value: float | list[int]) -> None:
        """Add a small tensor: a float or an integer by its type, or a list of integers."""
        numbers = value if isinstance(value, list) else [value]
        dims = _number(1, len(numbers)) if isinstance(value, list) else b""
        kind = FLOAT if isinstance(value, float) else INT64
        raw = struct.pack(f"<{len(numbers)}{'f' if kind == FLOAT else 'q'}", *numbers)
        self.tensors[name] = dims + _number(2, kind) + _text(8, name) + _block(9, raw)

    def linear(self, states: str, name: str) -> str:
        """states @ weight.T + bias"""
        return self.node(
            "Gemm", [states, self.weight(f"{name}.weight"), self.weight(f"{name}.bias")], transB=1
        )

    def norm(self, states: str, name: str, epsilon: float) -> str:
        """Layer normalisation over the last axis."""
        inputs = [states, self.weight(f"{name}.weight"), self.weight(f"{name}.bias")]
        return self.node("LayerNormalization", inputs, axis=-1, epsilon=float(epsilon))

    def model(self) -> bytes:
        """The whole ModelProto."""
        axes = ("batch", "tokens")
        graph = b"".join(_block(1, node) for node in self.nodes) + _text(2, "bert")
        graph += b"".join(_block(5, tensor) for tensor in self.tensors.values())
        for name in ("input_ids", "attention_mask", "token_type_ids"):
            graph += _block(11, _value(name, INT64, axes))
        hidden = self.places["embeddings.LayerNorm.weight"].shape[0]
        graph += _block(12, _value("states", FLOAT, (*axes, hidden)))
        return _number(1, IR_VERSION) + _block(7, graph) + _block(8, _text(1, "") + _number(2, OPERATOR_SET))


def _value(name: str, kind: int, shape: Sequence[str | int]) -> bytes:
    dims = b"".join(
        _block(1, _text(2, size) if isinstance(size, str) else _number(1, size)) for size in shape
    )
    return _text(1, name) + _block(2, _block(1, _number(1, kind) + _block(2, dims)))


def _attribute(name: str, value: int | float | Sequence[int]) -> bytes:
    if isinstance(value, float):
        return _text(1, name) + _varint(2 << 3 | 5) + struct.pack("<f", value) + _number(20, 1)
    if isinstance(value, int):
        return _text(1, name) + _number(3, value) + _number(20, 2)
    return _text(1, name) + b"".join(_number(8, item) for item in value) + _number(20, 7)


def _number(tag: int, value: int) -> bytes:
    return _varint(tag << 3) + _varint(value & 0xFFFF_FFFF_FFFF_FFFF)


def _text(tag: int, value: str) -> bytes:
    return _block(tag, value.encode())


def _block(tag: int, value: bytes) -> bytes:
    return _varint(tag << 3 | 2) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    groups = bytearray()
    while value > 0x7F:
        groups.append(value & 0x7F | 0x80)
        value >>= 7
    groups.append(value)
    return bytes(groups)
