"""The same words give the same memory, the same ranking and the same state hash, in whatever process they are lived."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
ZONES = {"0": "UTC", "1": "Asia/Tokyo", "4242": "America/Lima"}
LIFE = """
import json, sys
from pathlib import Path
sys.path[:0] = ["tests"]
import nights
from app.recall.recall import Query, Recall
from app.sleep.night import sleep
from app.exchange.importer import import_items
from app.exchange.items import Turn
from storage.database import memory as empty
from storage.journal import replay, state_hash
memory = nights.opened(Path(sys.argv[1]))
nights.live(memory)
twins = [Turn("The lake was lovely.", role="other", speaker=who, session=who) for who in ("Lea", "Tom", "Ana")]
import_items(memory, twins, nights.NOW)
sleep(memory, nights.reader(), nights.NOW)
ranked = [
    [(hit.record.id, round(hit.score, 9)) for hit in Recall.of(memory).recall(Query(words, nights.NOW, k=9)).hits]
    for words in ("where do I live", "my sister Ana", "bathroom tiles", "jazz", "the lake was lovely")
]
again = empty()
replay(memory.store.connection, again)
records = [(r.id, r.text, r.kind) for r in memory.store.records()]
print(json.dumps([state_hash(memory.store.connection), state_hash(again), ranked, records]))
"""


def lived(folder: Path, seed: str) -> list[object]:
    environment = {**os.environ, "PYTHONHASHSEED": seed, "OMP_NUM_THREADS": "1", "TZ": ZONES[seed]}
    command = [sys.executable, "-c", LIFE, str(folder)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout))


def test_no_process_lives_another_life(tmp_path: Path) -> None:
    first, second, third = (lived(tmp_path / seed, seed) for seed in ZONES)
    assert first == second == third
    state, replayed, ranked, records = first
    assert state == replayed
    assert len(records) > 15  # type: ignore[arg-type]
    assert all(ranked)  # type: ignore[arg-type]
