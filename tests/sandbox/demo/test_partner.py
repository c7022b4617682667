"""The reader of the demo's exports: he believes the manifest, and notices whatever differs from it or from the warehouse."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from botocore.exceptions import ClientError

from activation.destinations.s3.export import export
from activation.destinations.s3.formats import Format
from activation.destinations.s3.identity import Identity
from activation.destinations.s3.parts import PartLimit
from activation.destinations.s3.plan import Place, Plan
from activation.spec import S3Destination, load_file
from sandbox.demo import customers
from sandbox.demo.exports import differences
from sandbox.demo.partner import Partner, ReadBackError
from sandbox.demo.source import EVENTS, PROFILES, ROOT

NOW = datetime(2026, 7, 19, 9, 7, 23, tzinfo=timezone.utc)
HOUR = datetime(2026, 7, 19, 8, tzinfo=timezone.utc)


def destination(pipeline: str) -> S3Destination:
    """The destination of a sample."""
    found = load_file(ROOT / "dags" / "pipelines" / f"{pipeline}.yaml").destination
    assert isinstance(found, S3Destination)
    return found


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("customers") / "warehouse.duckdb"
    with duckdb.connect(str(path)) as warehouse:
        warehouse.execute("CREATE SCHEMA marketing")
    customers.seed(path, NOW)
    return path


@pytest.fixture(scope="module")
def partner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Partner]:
    with Partner(destination(EVENTS), tmp_path_factory.mktemp("partner")) as partner:
        yield partner


def exported(partner: Partner, rows: pa.Table, prefix: str, form: Format) -> str:
    """Export rows by the exporter's own means, but with the rights of the account; gives the manifest's key."""
    identity = Identity("p", "p", "run", "event", HOUR, HOUR + timedelta(hours=1), "UTC", None)
    plan = Plan(Place(partner.bucket, prefix), identity, form, PartLimit(5_000, None))
    return export(rows.to_batches(), rows.schema, plan, partner.aws.client("s3")).manifest


def test_an_hour_has_its_first_instant_and_not_that_of_the_next(database: Path) -> None:
    assert customers.hours(database) == [HOUR - timedelta(hours=back) for back in (3, 2, 1, 0)]
    hours = [customers.events(database, start) for start in customers.hours(database)]
    assert [hour.num_rows for hour in hours] == [customers.AN_HOUR] * customers.HOURS
    assert [hour["SERVER_AT"][0].as_py() for hour in hours] == customers.hours(database)
    whole = customers.events(database)
    assert pa.concat_tables(hours).equals(whole)
    assert all(whole[name].null_count for name in ("PRICE", "NOTE", "ITEMS"))
    assert {"", "다시 구매한 고객"} < set(whole["NOTE"].to_pylist())
    assert {"[]", '["커피","a,\\"b\\"","2"]'} < set(whole["ITEMS"].to_pylist())


def test_profiles_are_active_inactive_and_neither(database: Path) -> None:
    everybody, active = customers.profiles(database), customers.profiles(database, active=True)
    assert everybody.num_rows == customers.PEOPLE
    assert set(everybody["IS_ACTIVE"].to_pylist()) == {True, False, None}
    assert set(active["IS_ACTIVE"].to_pylist()) == {True}
    assert active.num_rows == sum(bool(one) for one in everybody["IS_ACTIVE"].to_pylist())


def test_the_samples_share_one_partner(partner: Partner) -> None:
    events, profiles = destination(EVENTS), destination(PROFILES)
    assert (events.access, events.place, events.connection) == (profiles.access, profiles.place, profiles.connection)
    (name,) = (name for name in partner.environment() if name.startswith("AIRFLOW_CONN_"))
    connection = json.loads(partner.environment()[name])
    assert name == "AIRFLOW_CONN_PARTNER"
    assert "role_arn" not in connection["extra"]
    assert connection["login"] != "test"


def test_the_readme_shows_the_sample_for_another_engine(tmp_path: Path) -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    (text,) = (block for block in blocks if f"/{EVENTS}.yaml" in block)
    (tmp_path / f"{EVENTS}.yaml").write_text(text, encoding="utf-8")
    shown, sample = load_file(tmp_path / f"{EVENTS}.yaml"), load_file(ROOT / "dags" / "pipelines" / f"{EVENTS}.yaml")
    assert (shown.schedule, shown.cursor, shown.source.table) == (sample.schedule, sample.cursor, sample.source.table)
    assert isinstance(shown.destination, S3Destination)
    ours = destination(EVENTS)
    assert (shown.destination.access, shown.destination.place) == (ours.access, ours.place)


def test_the_exporter_itself_may_write_nothing(partner: Partner) -> None:
    own = json.loads(partner.environment()["AIRFLOW_CONN_PARTNER"])
    client = partner.aws.client("s3", access_key=own["login"], secret_key=own["password"])
    with pytest.raises(ClientError, match="AccessDenied"):
        client.put_object(Bucket=partner.bucket, Key="crm/one", Body=b"1")


@pytest.mark.parametrize("form", [Format("csv", "gzip"), Format("parquet", "zstd")])
def test_what_was_exported_is_read_back_row_by_row(database: Path, partner: Partner, form: Format) -> None:
    rows = customers.events(database, HOUR)
    found = partner.read(exported(partner, rows, f"crm/dt=2026-07-19/{form.kind}", form), rows)
    assert differences(rows, found.rows) == 0
    assert found.place == f"s3://{partner.bucket}/crm/dt=2026-07-19/{form.kind}"
    assert list(found.sizes) == list(found.hashes) == [f"part-0000{number}.{form.extension}" for number in range(3)]
    assert len(list((partner.folder / "crm" / "dt=2026-07-19" / form.kind).iterdir())) == 3


def test_rows_that_differ_are_counted(database: Path) -> None:
    rows = customers.events(database, HOUR)
    other = rows.set_column(5, "NOTE", pa.array(["changed", *rows["NOTE"].to_pylist()[1:]]))
    assert differences(rows, rows) == 0
    assert differences(rows, other) == 1
    assert differences(rows, rows.slice(0, rows.num_rows - 2)) == 2
    assert differences(rows.slice(0, 0), rows) == rows.num_rows


def _changed(told: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {**told, **fields}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda told: _changed(told, status="withdrawn"), "is withdrawn"),
        (lambda told: _changed(told, total_rows=1), "complete with 1 rows; read were 12500"),
        (lambda told: _changed(told, files=told["files"][1:]), "complete with 12500 rows; read were 7500"),
        (lambda told: _changed(told, columns=told["columns"][1:]), "the columns are "),
        (lambda told: _changed(told, files=[{**told["files"][0], "sha256": "0"}]), "is not what its manifest says"),
    ],
)
def test_what_the_manifest_does_not_say_is_noticed(database: Path, partner: Partner, change: Any, message: str) -> None:
    rows = customers.events(database, HOUR)
    key = exported(partner, rows, "crm/odd", Format("csv", "gzip"))
    client = partner.aws.client("s3")
    told = json.loads(client.get_object(Bucket=partner.bucket, Key=key)["Body"].read())
    client.put_object(Bucket=partner.bucket, Key=key, Body=json.dumps(change(told)).encode())
    with pytest.raises(ReadBackError, match=message):
        partner.read(key, rows)
    client.delete_object(Bucket=partner.bucket, Key=key)


def test_a_partner_needs_a_role_and_an_external_id(tmp_path: Path) -> None:
    sample = destination(EVENTS)
    nobody = sample.model_copy(update={"access": sample.access.model_copy(update={"external_id": None})})
    with pytest.raises(ValueError, match="names no role, or no external id"):
        Partner(nobody, tmp_path)
