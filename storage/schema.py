"""The tables, as migrations: one named function per change, applied in a transaction, never edited once landed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from storage.files import fault

if TYPE_CHECKING:
    from sqlite_utils import Database, Migrations

VERSION = 1  # PRAGMA user_version of a store with every migration below applied

FIRST_TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);

CREATE TABLE records (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL,
  text TEXT NOT NULL,
  context TEXT NOT NULL,
  speaker TEXT,
  role TEXT NOT NULL,
  source TEXT NOT NULL,
  trust TEXT NOT NULL,
  session TEXT,
  external_id TEXT,
  event_time TEXT NOT NULL,
  tz TEXT NOT NULL,
  recorded_at TEXT NOT NULL,
  valid_from TEXT,
  valid_to TEXT,
  superseded_by TEXT,
  subject TEXT,
  attribute TEXT,
  importance REAL NOT NULL,
  stability REAL NOT NULL,
  last_used TEXT,
  use_count INTEGER NOT NULL,
  pinned INTEGER NOT NULL,
  protected TEXT,
  state TEXT NOT NULL,
  language TEXT NOT NULL,
  derived_by TEXT,
  extra TEXT NOT NULL
);
CREATE INDEX records_session ON records (session, seq);
CREATE INDEX records_external ON records (external_id) WHERE external_id IS NOT NULL;
CREATE INDEX records_slot ON records (subject, attribute) WHERE subject IS NOT NULL;
CREATE INDEX records_kind ON records (kind, event_time);
CREATE INDEX records_time ON records (event_time);
CREATE INDEX records_speaker ON records (speaker);

CREATE TABLE links (
  src TEXT NOT NULL,
  dst TEXT NOT NULL,
  kind TEXT NOT NULL,
  weight REAL NOT NULL,
  start INTEGER,
  "end" INTEGER,
  PRIMARY KEY (src, dst, kind)
) WITHOUT ROWID;
CREATE INDEX links_back ON links (dst, kind);

CREATE TABLE entities (id TEXT PRIMARY KEY, name TEXT NOT NULL, kind TEXT NOT NULL, aliases TEXT NOT NULL);

CREATE TABLE uses (
  record TEXT NOT NULL,
  session TEXT NOT NULL,
  at TEXT NOT NULL,
  gain REAL NOT NULL,
  PRIMARY KEY (record, session)
) WITHOUT ROWID;

CREATE TABLE journal (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  at TEXT NOT NULL,
  run TEXT NOT NULL,
  action TEXT NOT NULL,
  "table" TEXT NOT NULL,
  key TEXT NOT NULL,
  before TEXT,
  after TEXT,
  erased INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX journal_run ON journal (run);
CREATE INDEX journal_key ON journal ("table", key);

CREATE TABLE vectors (
  op INTEGER PRIMARY KEY AUTOINCREMENT,
  seq INTEGER NOT NULL,
  view TEXT NOT NULL,
  model TEXT NOT NULL,
  dim INTEGER NOT NULL,
  precision TEXT NOT NULL,
  hash TEXT NOT NULL,
  vec BLOB NOT NULL,
  UNIQUE (seq, view, model)
);
CREATE INDEX vectors_hash ON vectors (hash, model);

CREATE TRIGGER records_vectors_delete AFTER DELETE ON records BEGIN
  DELETE FROM vectors WHERE seq = old.seq;
END;

CREATE TABLE generations (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  file TEXT NOT NULL,
  model TEXT NOT NULL,
  view TEXT NOT NULL,
  dim INTEGER NOT NULL,
  count INTEGER NOT NULL,
  watermark INTEGER NOT NULL,
  sha256 TEXT NOT NULL,
  created_at TEXT NOT NULL
);

CREATE TABLE runs (
  id TEXT PRIMARY KEY,
  started_at TEXT NOT NULL,
  ended_at TEXT,
  interrupted INTEGER NOT NULL DEFAULT 0,
  report TEXT
);

CREATE TABLE jobs (
  key TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  run TEXT NOT NULL,
  state TEXT NOT NULL,
  tries INTEGER NOT NULL DEFAULT 0,
  lease_until TEXT,
  input TEXT NOT NULL,
  output TEXT,
  error TEXT,
  updated_at TEXT NOT NULL
);
CREATE INDEX jobs_state ON jobs (state, name);

CREATE TABLE reviews (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  run TEXT NOT NULL,
  question TEXT NOT NULL,
  proposal TEXT NOT NULL,
  state TEXT NOT NULL DEFAULT 'open',
  created_at TEXT NOT NULL,
  decided_at TEXT
);

CREATE TABLE tombstones (hash TEXT PRIMARY KEY, at TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE vault (name TEXT PRIMARY KEY, kind TEXT NOT NULL, sealed BLOB NOT NULL, created_at TEXT NOT NULL);
"""

FULL_TEXT = """
CREATE VIRTUAL TABLE records_fts USING fts5(
  text, context, content='records', content_rowid='seq', tokenize='porter unicode61 remove_diacritics 2'
);
INSERT INTO records_fts (records_fts, rank) VALUES ('secure-delete', 1);
CREATE TRIGGER records_fts_insert AFTER INSERT ON records BEGIN
  INSERT INTO records_fts (rowid, text, context) VALUES (new.seq, new.text, new.context);
END;
CREATE TRIGGER records_fts_delete AFTER DELETE ON records BEGIN
  INSERT INTO records_fts (records_fts, rowid, text, context) VALUES ('delete', old.seq, old.text, old.context);
END;
CREATE TRIGGER records_fts_update AFTER UPDATE OF text, context ON records BEGIN
  INSERT INTO records_fts (records_fts, rowid, text, context) VALUES ('delete', old.seq, old.text, old.context);
  INSERT INTO records_fts (rowid, text, context) VALUES (new.seq, new.text, new.context);
END;
"""


def run_script(connection: Any, script: str) -> None:
    """Run statements one at a time inside the open transaction (`executescript` would commit it)."""
    import sqlite3

    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        # Only the parser of SQLite knows where a trigger ends; the standard library exposes it.
        if statement.strip() and sqlite3.complete_statement(statement):
            connection.execute(statement)
            statement = ""


def migrations() -> Migrations:
    """All migrations in order."""
    from sqlite_utils import Migrations  # brings numpy along: only a store that must change pays for it

    ours = Migrations("mem")

    @ours()
    def first_tables(db: Database) -> None:
        run_script(db.conn, FIRST_TABLES)
        run_script(db.conn, FULL_TEXT)

    return ours


def migrate(connection: Any) -> None:
    """Bring the store up to VERSION; a store that is there already costs nothing."""
    from sqlite_utils import Database

    fault("schema.migrate")
    migrations().apply(Database(connection))
    connection.execute(f"PRAGMA user_version = {VERSION}")
