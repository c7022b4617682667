"""Two pipelines must not carry one table to one place."""

from __future__ import annotations

from pathlib import Path

import pytest

from activation.spec import load_folder

ONE = """source: {type: snowflake, connection: warehouse, table: CRM.USERS}
destination: {type: braze, connection: braze, data: attributes}
alerts: {email: [crm@example.com]}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "one.yaml").write_text(ONE)
    (tmp_path / "three.yaml").write_text(ONE.replace("CRM.USERS", "CRM.ORDERS"))
    return tmp_path


def test_f26_two_pipelines_on_one_table_are_both_told(folder: Path) -> None:
    (folder / "two.yaml").write_text(ONE.replace("CRM.USERS", "crm.users").replace("attributes", "events"))
    loaded = load_folder(folder)
    assert list(loaded.pipelines) == ["three"]
    assert {path.name: str(error).replace(f"{folder}/", "") for path, error in loaded.broken.items()} == {
        "one.yaml": "one.yaml:1:57: The table CRM.USERS is also carried to Braze (connection braze) by two.yaml.\n"
        "    1 | source: {type: snowflake, connection: warehouse, table: CRM.USERS}\n"
        "      |                                                         ^\n"
        "        Put both into one pipeline, or give one of them a view or a query of its own.",
        "two.yaml": "two.yaml:1:57: The table crm.users is also carried to Braze (connection braze) by one.yaml.\n"
        "    1 | source: {type: snowflake, connection: warehouse, table: crm.users}\n"
        "      |                                                         ^\n"
        "        Put both into one pipeline, or give one of them a view or a query of its own.",
    }


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("CRM.USERS", "CRM.PEOPLE"),
        ("connection: warehouse", "connection: elsewhere"),
        ("connection: braze", "connection: braze_test"),
        ("snowflake", "databricks"),
        ("table: CRM.USERS", "query: SELECT * FROM CRM.USERS"),
        ("CRM.USERS", "'{{ var.value.table }}'"),
    ],
)
def test_what_differs_is_no_conflict(folder: Path, old: str, new: str) -> None:
    (folder / "two.yaml").write_text(ONE.replace(old, new))
    assert not load_folder(folder).broken


def test_an_engine_that_keeps_the_case_of_names_has_two_tables(folder: Path) -> None:
    for name, table in {"one": "crm.Users", "two": "crm.users"}.items():
        (folder / f"{name}.yaml").write_text(ONE.replace("snowflake", "postgres").replace("CRM.USERS", table))
    assert not load_folder(folder).broken


STREAM = """source: {type: snowflake, connection: warehouse, table: CRM.PROFILES}
destination: {type: kinesis, connection: aws, stream: profiles, audiences: [a1]}
"""


def test_two_pipelines_with_the_same_profiles_to_one_stream_are_both_told(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text(STREAM)
    (tmp_path / "two.yaml").write_text(STREAM.replace("CRM.PROFILES", "crm.profiles").replace("a1", "a2"))
    told = {path.name: str(error).splitlines()[0].partition(": ")[2] for path, error in load_folder(tmp_path).broken.items()}
    assert told == {
        "one.yaml": "The table CRM.PROFILES is also carried to Kinesis (connection aws, stream profiles) by two.yaml.",
        "two.yaml": "The table crm.profiles is also carried to Kinesis (connection aws, stream profiles) by one.yaml.",
    }


@pytest.mark.parametrize(
    "stream",
    [
        "clients",
        "{name: profiles, region: eu-west-1}",
        "'{{ var.value.stream }}'",
        "'arn:aws:kinesis:eu-west-1:123456789012:stream/x'",
    ],
)
def test_the_same_profiles_may_go_to_several_streams(tmp_path: Path, stream: str) -> None:
    (tmp_path / "one.yaml").write_text(STREAM)
    (tmp_path / "two.yaml").write_text(STREAM.replace("stream: profiles", f"stream: {stream}"))
    assert not load_folder(tmp_path).broken


FILE = """source: {type: duckdb, connection: warehouse, table: crm.ids}
destination: {type: kakao_moment, ad_account_id: 12345, mode: edit, file_name: VIP 고객}
"""


def test_two_pipelines_that_replace_one_customer_file_are_both_told(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text(FILE)
    (tmp_path / "two.yaml").write_text(FILE.replace("crm.ids", "crm.others"))
    broken = {path.name: str(error).splitlines()[0] for path, error in load_folder(tmp_path).broken.items()}
    assert broken["one.yaml"].endswith("The customer file VIP 고객 of the ad account 12345 is also replaced by two.yaml.")
    assert broken["two.yaml"].endswith("The customer file VIP 고객 of the ad account 12345 is also replaced by one.yaml.")


BY_ID = FILE.replace("VIP 고객", "VIP 고객, file: {id: 77}")


@pytest.mark.parametrize("name", ["VIP 고객", "휴면 고객", "'VIP {{ ds }}'"])
def test_two_pipelines_that_edit_the_file_of_one_id_are_both_told(tmp_path: Path, name: str) -> None:
    (tmp_path / "one.yaml").write_text(BY_ID)
    (tmp_path / "two.yaml").write_text(BY_ID.replace("VIP 고객", name))
    broken = {path.name: str(error).splitlines() for path, error in load_folder(tmp_path).broken.items()}
    assert broken["one.yaml"][0].endswith(": The customer file 77 of the ad account 12345 is also replaced by two.yaml.")
    assert broken["two.yaml"][0].endswith(": The customer file 77 of the ad account 12345 is also replaced by one.yaml.")
    assert broken["one.yaml"][-1].strip() == "Edit another file in one of them."


def test_a_name_of_a_file_that_another_pipeline_names_by_its_id_is_told(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text(FILE)
    (tmp_path / "two.yaml").write_text(BY_ID)
    broken = {path.name: str(error).splitlines()[0].partition(" The ")[2] for path, error in load_folder(tmp_path).broken.items()}
    assert broken == {
        "one.yaml": "customer file VIP 고객 of the ad account 12345 is also replaced by two.yaml.",
        "two.yaml": "customer file 77 of the ad account 12345 is also replaced by one.yaml.",
    }


def test_files_of_one_name_are_told_apart_by_their_ids(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text(BY_ID)
    (tmp_path / "two.yaml").write_text(BY_ID.replace("77", "78"))
    (tmp_path / "three.yaml").write_text(BY_ID.replace("12345", "54321"))
    assert not load_folder(tmp_path).broken


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("12345", "54321"),
        ("mode: edit", "mode: register"),
        ("VIP 고객", "휴면 고객"),
        ("VIP 고객", "'VIP {{ ds }}'"),
        ("kakao_moment,", "kakao_moment, connection: another,"),
    ],
)
def test_one_table_may_feed_several_customer_files(tmp_path: Path, old: str, new: str) -> None:
    (tmp_path / "one.yaml").write_text(FILE)
    (tmp_path / "two.yaml").write_text(FILE.replace(old, new))
    assert not load_folder(tmp_path).broken
