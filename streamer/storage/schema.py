"""The schema of the database: one script of statements for each version."""

from __future__ import annotations

from collections.abc import Sequence

# PRAGMA user_version counts how many have run. A script that was released never changes.
MIGRATIONS: Sequence[str] = (
    """
    CREATE TABLE requests (
      id TEXT PRIMARY KEY, command TEXT NOT NULL, kind TEXT NOT NULL, layer TEXT NOT NULL, text TEXT NOT NULL,
      prompt TEXT NOT NULL, width INTEGER NOT NULL, height INTEGER NOT NULL, seed INTEGER NOT NULL,
      actor_id TEXT NOT NULL, actor_name TEXT NOT NULL, role INTEGER NOT NULL, lane INTEGER NOT NULL,
      asked_at REAL NOT NULL, state TEXT NOT NULL, rule TEXT NOT NULL DEFAULT '', reason TEXT NOT NULL DEFAULT '',
      ended_at REAL, draw_ms REAL, total_ms REAL
    );
    CREATE INDEX requests_by_time ON requests (asked_at DESC);
    CREATE INDEX requests_by_state ON requests (state);
    CREATE TABLE pictures (
      id TEXT PRIMARY KEY REFERENCES requests (id), layer TEXT NOT NULL, media_type TEXT NOT NULL,
      width INTEGER NOT NULL, height INTEGER NOT NULL, file TEXT NOT NULL, shown_at REAL NOT NULL
    );
    CREATE INDEX pictures_by_time ON pictures (shown_at DESC);
    CREATE TABLE on_air (layer TEXT PRIMARY KEY, picture_id TEXT NOT NULL);
    CREATE TABLE tokens (digest TEXT PRIMARY KEY, role TEXT NOT NULL, name TEXT NOT NULL, created_at REAL NOT NULL);
    CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL);
    """,
    # Pictures from before this version were on air, so they count as allowed.
    """
    CREATE TABLE verdicts (
      id TEXT PRIMARY KEY, request_id TEXT NOT NULL, judge TEXT NOT NULL, outcome TEXT NOT NULL, code TEXT NOT NULL,
      version TEXT NOT NULL, at REAL NOT NULL
    );
    CREATE INDEX verdicts_by_time ON verdicts (at);
    CREATE INDEX verdicts_by_request ON verdicts (request_id);
    ALTER TABLE pictures ADD COLUMN verdict_id TEXT NOT NULL DEFAULT '';
    INSERT INTO verdicts SELECT 'before-' || id, id, 'before', 'allow', '', '', shown_at FROM pictures;
    UPDATE pictures SET verdict_id = 'before-' || id;
    CREATE TABLE airings (
      request_id TEXT NOT NULL, verdict_id TEXT NOT NULL, layer TEXT NOT NULL, from_at REAL NOT NULL, to_at REAL
    );
    CREATE INDEX airings_by_time ON airings (from_at);
    CREATE TABLE bans (
      who TEXT PRIMARY KEY, name TEXT NOT NULL, until REAL, reason TEXT NOT NULL, by TEXT NOT NULL, at REAL NOT NULL
    );
    CREATE TABLE forgotten (who TEXT PRIMARY KEY, at REAL NOT NULL);
    """,
    """
    CREATE TABLE redemptions (
      id TEXT PRIMARY KEY, reward_id TEXT NOT NULL, request_id TEXT NOT NULL DEFAULT '', noted_at REAL NOT NULL,
      earned INTEGER, reason TEXT NOT NULL DEFAULT '', settled_at REAL
    );
    CREATE INDEX redemptions_by_request ON redemptions (request_id);
    CREATE INDEX redemptions_unsettled ON redemptions (noted_at) WHERE settled_at IS NULL;
    """,
    # Bans from before this version may hold an id or a name, so they hold for both.
    """
    ALTER TABLE requests ADD COLUMN actor_login TEXT NOT NULL DEFAULT '';
    ALTER TABLE requests ADD COLUMN source TEXT NOT NULL DEFAULT '';
    ALTER TABLE requests ADD COLUMN first_time INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE requests ADD COLUMN hold TEXT NOT NULL DEFAULT '';
    ALTER TABLE requests ADD COLUMN restarts INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE requests ADD COLUMN channel TEXT NOT NULL DEFAULT '';
    ALTER TABLE bans ADD COLUMN login TEXT NOT NULL DEFAULT '';
    ALTER TABLE bans ADD COLUMN seen INTEGER NOT NULL DEFAULT 0;
    """,
    """
    CREATE TABLE tenants (
      name TEXT PRIMARY KEY, per_minute INTEGER, per_month INTEGER, at_once INTEGER, gpu_second_price REAL,
      gated INTEGER, created_at REAL NOT NULL
    );
    CREATE TABLE api_keys (digest TEXT PRIMARY KEY, tenant TEXT NOT NULL, created_at REAL NOT NULL);
    CREATE INDEX api_keys_by_tenant ON api_keys (tenant);
    CREATE TABLE api_usage (
      tenant TEXT NOT NULL, day TEXT NOT NULL, pictures INTEGER NOT NULL, refused INTEGER NOT NULL,
      failed INTEGER NOT NULL, gpu_s REAL NOT NULL, cost REAL NOT NULL, PRIMARY KEY (tenant, day)
    );
    """,
)
