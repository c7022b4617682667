"""The demo's warehouse: a table of users as Braze Cloud Data Ingestion expects it (contracts: braze 1.1), good and bad rows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

TABLE = ("marketing", "users")
USERS = 100_000
UPDATES = 1_000
AT_THE_END = 300
"""Updated rows that all carry the last timestamp."""

_TABLE = """
CREATE SCHEMA marketing;
CREATE TABLE marketing.users (
    EXTERNAL_ID VARCHAR, ALIAS_NAME VARCHAR, ALIAS_LABEL VARCHAR, BRAZE_ID VARCHAR, EMAIL VARCHAR, PHONE VARCHAR,
    PAYLOAD VARCHAR, UPDATED_AT TIMESTAMP
);
"""

_FILL = """
INSERT INTO marketing.users (EXTERNAL_ID, PAYLOAD, UPDATED_AT)
SELECT
    'user-' || lpad(n::VARCHAR, 6, '0'),
    json_object(
        'first_name', ['민준', '서연', 'José', '지우', 'Anna', '하은', '🦊 도윤', 'Zoë'][n % 8 + 1],
        'home_city', ['서울', '부산', 'Berlin', '대구', 'São Paulo', '제주', 'Seattle'][n % 7 + 1],
        'age', 18 + n % 60,
        'loyalty', json_object('tier', ['bronze', 'silver', 'gold'][n % 3 + 1], 'points', n * 7 % 100000, 'since', '2024-03-01'),
        'favorites', json_array('coffee ☕', '커피', n % 10),
        'vip', n % 20 = 0,
        'last_coupon', CASE WHEN n % 4 = 0 THEN NULL ELSE 'C' || n END
    )::VARCHAR,
    now()::TIMESTAMP - INTERVAL 2 HOUR + to_microseconds(n * 1000)
FROM range(?) AS numbers(n);
"""

_UPDATE = """
UPDATE marketing.users SET
    PAYLOAD = json_object('loyalty', json_object('tier', 'platinum', 'points', 1), 'visited', '한국 🇰🇷')::VARCHAR,
    UPDATED_AT = now()::TIMESTAMP - INTERVAL 30 MINUTE + to_microseconds(least(n, ?) * 1000)
FROM (SELECT EXTERNAL_ID AS id, row_number() OVER (ORDER BY EXTERNAL_ID DESC) - 1 AS n FROM marketing.users
      WHERE EXTERNAL_ID LIKE 'user-%' ORDER BY n LIMIT ?)
WHERE EXTERNAL_ID = id;
"""

Bad = tuple[str, dict[str, str | None]]


def bad_rows() -> Iterator[Bad]:
    """Fifty rows that must be rejected, with the reason code: five of each kind."""
    for number in range(5):
        user, note = f"bad-{number}", json.dumps({"note": number})
        yield "no_identifier", {"PAYLOAD": note}
        yield "half_alias", {"ALIAS_NAME": user, "PAYLOAD": note}
        yield "multiple_identifiers", {"EXTERNAL_ID": user, "BRAZE_ID": "b" * 24, "PAYLOAD": note}
        yield "identifier_too_long", {"EXTERNAL_ID": f"{user}-{'긴' * 400}", "PAYLOAD": note}
        yield "payload_not_json", {"EXTERNAL_ID": user, "PAYLOAD": '{"city": "서울"'}
        yield "payload_not_object", {"EXTERNAL_ID": user, "PAYLOAD": "[1, 2, 3]"}
        yield "too_many_keys", {"EXTERNAL_ID": user, "PAYLOAD": json.dumps({f"k{key}": key for key in range(251)})}
        yield "identifier_in_payload", {"EXTERNAL_ID": user, "PAYLOAD": '{"external_id": "someone else"}'}
        yield "null_updated_at", {"EXTERNAL_ID": user, "PAYLOAD": note, "UPDATED_AT": None}
        yield "email_bad_format", {"EXTERNAL_ID": user, "PAYLOAD": '{"email": "not an address"}'}


def seed(path: Path) -> None:
    """Make the database with all users and the bad rows."""
    path.unlink(missing_ok=True)
    with duckdb.connect(str(path)) as warehouse:
        warehouse.execute(_TABLE)
        warehouse.execute(_FILL, [USERS])
        for _, row in bad_rows():
            stamp = None if "UPDATED_AT" in row else "now()::TIMESTAMP - INTERVAL 90 MINUTE"
            names = [name for name in row if name != "UPDATED_AT"]
            marks = ", ".join("?" for _ in names)
            warehouse.execute(
                f"INSERT INTO marketing.users ({', '.join(names)}, UPDATED_AT) VALUES ({marks}, {stamp or 'NULL'})",
                [row[name] for name in names],
            )


def update(path: Path) -> None:
    """Change a thousand users; the last three hundred of them carry one timestamp."""
    with duckdb.connect(str(path)) as warehouse:
        warehouse.execute(_UPDATE, [UPDATES - AT_THE_END, UPDATES])


def rows(path: Path) -> pa.Table:
    """All rows, the good and the bad, for another engine; UPDATED_AT is an instant in UTC there."""
    with duckdb.connect(str(path), read_only=True) as warehouse:
        warehouse.execute("SET TimeZone = 'UTC'")
        found: pa.Table = warehouse.sql(
            "SELECT * REPLACE (CAST(UPDATED_AT AS TIMESTAMP WITH TIME ZONE) AS UPDATED_AT) FROM marketing.users"
        ).to_arrow_table()
    return found


def expect(path: Path, before: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """What Braze must hold, read row by row with Python's own means: user -> attributes.

    :param before: what it held before; a payload changes only the keys that it names, and NULL takes a key away.
    """
    with duckdb.connect(str(path), read_only=True) as warehouse:
        rows = warehouse.execute("SELECT EXTERNAL_ID, PAYLOAD FROM marketing.users WHERE EXTERNAL_ID LIKE 'user-%'").fetchall()
    users = {user: dict(attributes) for user, attributes in before.items()}
    for user, payload in rows:
        attributes = users.setdefault(user, {})
        for key, value in json.loads(payload).items():
            if value is None:
                attributes.pop(key, None)
            else:
                attributes[key] = value
    return users
