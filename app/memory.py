"""Memory: the day's verbs over one store. What every face (commands, screens, daemon) calls.

Adding is one transaction: words, vector and journal entry together, with the embedding computed
before it opens. Without an embedder everything works by full text, and the backlog waits.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from app.config import Config, Home
from app.older import models_of, note_model
from app.recall.context import views_of
from models.errors import ModelError
from models.recent import RecentEmbedder
from storage.records import Record
from storage.store import Store

if TYPE_CHECKING:
    from app.guard.secrets import Secret
    from models.chat import ChatModel
    from models.embed import Embedder, Vectors

EMBED_BATCH = 256


class Memory:
    """One person's memory, open. Belongs to the thread that opened it."""

    def __init__(
        self,
        home: Home,
        config: Config,
        store: Store,
        *,
        load_embedder: Callable[[], Embedder],
        load_chat: Callable[[], ChatModel],
        load_older: Callable[[str], Embedder] | None = None,
    ) -> None:
        """`load_older` loads an embedding model by what the settings once called it."""
        self.home = home
        self.config = config
        self.store = store
        self._load_embedder = load_embedder
        self._load_chat = load_chat
        self._load_older = load_older
        self._older: dict[str, Embedder | None] = {}
        self._embedder: Embedder | None = None
        self._chat: ChatModel | None = None
        self.embedder_error: ModelError | None = None

    @property
    def embedder(self) -> Embedder | None:
        """The embedding model, loaded on first use; None where it is missing (`embedder_error` says why)."""
        if self._embedder is None and self.embedder_error is None:
            try:
                self._embedder = RecentEmbedder(self._load_embedder())
            except ModelError as error:
                self.embedder_error = error
        return self._embedder

    @property
    def older_embedders(self) -> list[Embedder]:
        """Models whose vectors stand for what today's has not reached yet; without those gone from this machine."""
        today = self.embedder.name if self.embedder is not None else None
        others = {name: called for name, called in models_of(self.store).items() if name != today}
        return [
            model for name, called in others.items() if (model := self._older_of(name, called)) is not None
        ]

    @property
    def chat(self) -> ChatModel:
        """The chat model, loaded on first use. Raises ModelError where it is missing."""
        if self._chat is None:
            self._chat = self._load_chat()
        return self._chat

    def close(self) -> None:
        """Close the store and free the models."""
        for model in (self._embedder, self._chat, *self._older.values()):
            if model is not None:
                model.close()
        self.store.close()

    # -- writing -------------------------------------------------------------------------------

    def add(
        self,
        records: Sequence[Record],
        action: str,
        now: datetime,
        run: str | None = None,
        *,
        embed: bool = True,
    ) -> list[Record]:
        """Store records with their vectors in one transaction; returns them with ids.

        The guard reads them first: a secret is left out (`extra["secrets"]` names its kind) and goes to the vault
        where there is one. The context view is embedded later (`embed_backlog`), after it was acknowledged; so is
        the text where nobody waits for it (`embed` false).
        """
        from app.guard.admit import checked_record  # many patterns, which what only reads does not owe

        checked = [checked_record(record) for record in records]
        vectors = self._embed([views_of(record)["text"] for record, _ in checked]) if embed else None
        with self.store.atomic(action, now, run):
            added = self.store.insert(record for record, _ in checked)
            if vectors is not None:
                self._put_vectors(added, "text", vectors)
            self._put_away(
                dict(zip((r.id for r in added), (found for _, found in checked), strict=True)), now
            )
        return added

    def embed_backlog(
        self,
        now: datetime,
        *,
        view: str = "text",
        limit: int | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> int:
        """Embed records that have no vector yet, in batches, newest first; returns how many. Interruptible."""
        if self.embedder is None:
            return 0
        done = 0
        while limit is None or done < limit:
            size = EMBED_BATCH if limit is None else min(EMBED_BATCH, limit - done)
            batch = self.store.unembedded(self.embedder.name, view, size)
            if not batch:
                break
            vectors = self._embed([views_of(r).get(view, r.text) for r in batch])
            assert vectors is not None
            with self.store.atomic("embed", now):
                self._put_vectors(batch, view, vectors)
            done += len(batch)
            if progress is not None:
                progress(done)
        return done

    def sharpen(self, records: Sequence[Record], now: datetime) -> None:
        """Make the vectors of these records, again where there are some, at full precision."""
        for view in ("text", "context"):
            having = [r for r in records if view in views_of(r)]
            if (vectors := self._embed([views_of(r)[view] for r in having])) is not None:
                with self.store.atomic("embed", now):
                    self._put_vectors(having, view, vectors)

    def edit(self, id: str, text: str, now: datetime) -> Record:
        """Reword a derived or hand-written memory; the old words stay in the history. Episodes cannot be reworded."""
        from app.guard.admit import checked_record

        record, _ = checked_record(replace(self.store.get(id), text=text))
        vectors = self._embed([views_of(record)["text"]])
        with self.store.atomic("edit", now):
            self.store.update(record)
            if vectors is not None:
                self._put_vectors([record], "text", vectors)
        return record

    def pin(self, id: str, now: datetime, *, pinned: bool = True) -> Record:
        """Pin or unpin: a pinned memory never fades below the floor."""
        record = replace(self.store.get(id), pinned=pinned)
        with self.store.atomic("pin" if pinned else "unpin", now):
            self.store.update(record)
        return record

    # -- inside --------------------------------------------------------------------------------

    def _put_away(self, secrets: Mapping[str, Sequence[Secret]], now: datetime) -> None:
        """Seal the secrets that were found in records, by record id, where a vault is set up."""
        if not any(secrets.values()):
            return
        from app.vault import Vault

        vault = Vault(self.store)
        if vault.ready:
            for id, found in secrets.items():
                for number, secret in enumerate(found, 1):
                    vault.put(f"{id}-{number}", secret.value, now, kind=secret.kind)

    def _older_of(self, name: str, called: str) -> Embedder | None:
        if name not in self._older and self._load_older is not None:
            self._older[name] = None
            with suppress(ModelError):  # words find what it embedded, until today's model reaches it
                model = RecentEmbedder(self._load_older(called))
                self._older[name] = model if model.name == name else None
        return self._older.get(name)

    def _embed(self, texts: Sequence[str]) -> Vectors | None:
        if self.embedder is None or not texts:
            return None
        return self.embedder.embed(texts)

    def _put_vectors(self, records: Iterable[Record], view: str, vectors: Vectors) -> None:
        assert self.embedder is not None
        note_model(self.store, self.embedder.name, self.config.models.embed)
        index = self.store.vectors(self.embedder.name, self.embedder.dim)
        for record, vector in zip(records, vectors, strict=True):
            index.put(record.seq, view, vector, text_hash(views_of(record).get(view, record.text)))


def text_hash(text: str) -> str:
    """The hash by which an embedded text is known, so that it is not embedded twice."""
    return hashlib.blake2b(text.encode(errors="replace"), digest_size=16).hexdigest()
