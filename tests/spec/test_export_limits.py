"""Limits on exports that the files alone can break: how many, of what, and where to."""

from __future__ import annotations

from pathlib import Path

import pytest

from activation.spec import PipelineFileError, load_file, load_folder

PERIODIC = """schedule: "@hourly"
source: {type: duckdb, connection: warehouse, table: crm.events}
destination:
  type: s3
  connection: partner
  data: event
  path: s3://partner/crm
"""
LAID = PERIODIC + '  files: {layout: "{folder}/{data}/{date}/{hour}"}\n'


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text)
    return folder


def told(folder: Path) -> dict[str, str]:
    return {path.name: str(error).replace(f"{folder}/", "") for path, error in load_folder(folder).broken.items()}


def test_s_l1_the_sixth_periodic_export_to_a_connection_is_refused(tmp_path: Path) -> None:
    write(tmp_path, **dict.fromkeys(("g", "a", "f", "c", "b", "e", "d"), PERIODIC))
    assert list(load_folder(tmp_path).pipelines) == ["a", "b", "c", "d", "e"]
    text = (
        "{0}.yaml:3:1: Too many periodic exports to the connection partner: this is number {1}, and compat: dfinery allows 5.\n"
        "    3 | destination:\n"
        "      | ^\n"
        "        Remove another one, or write export: {{compat: none}}."
    )
    assert told(tmp_path) == {"f.yaml": text.format("f", 6), "g.yaml": text.format("g", 7)}


@pytest.mark.parametrize(
    "other",
    [
        PERIODIC + "  export: {compat: none}\n",
        PERIODIC.replace("connection: partner", "connection: other"),
        PERIODIC.replace('schedule: "@hourly"\n', "")
        + "  export: {type: one_time, from_date: '2026-07-01', to_date: '2026-07-02'}\n",
        PERIODIC.replace("type: s3", "type: braze")
        .replace("event\n", "events\n")
        .replace("  path: s3://partner/crm\n", "alerts: {email: [crm@example.com]}\n"),
    ],
    ids=["limits lifted", "another connection", "one-time", "no export"],
)
def test_s_l1_only_periodic_exports_of_the_strict_mode_are_counted(tmp_path: Path, other: str) -> None:
    write(tmp_path, a=other, **dict.fromkeys(("b", "c", "d", "e", "f"), PERIODIC))
    assert told(tmp_path) == {}


def test_s_l2_profiles_are_not_exported_periodically(tmp_path: Path) -> None:
    text = PERIODIC.replace("data: event", "data: user_profile")
    write(tmp_path, profiles=text)
    with pytest.raises(PipelineFileError) as raised:
        load_file(tmp_path / "profiles.yaml")
    assert str(raised.value).replace(f"{tmp_path}/", "") == (
        "profiles.yaml:4:3: destination exports user_profile periodically.\n"
        "    4 |   type: s3\n"
        "      |   ^\n"
        "        A periodic export carries events; write export: {type: one_time}, or compat: none."
    )
    write(tmp_path, profiles=text + "  export: {compat: none}\n")
    assert load_file(tmp_path / "profiles.yaml").id == "profiles"


def test_s_t3_two_exports_under_the_same_keys_are_both_told(tmp_path: Path) -> None:
    other = LAID.replace("crm\n", "/crm//\n").replace("{date}", "{year}-{month}-{day}").replace("crm.events", "crm.orders")
    write(tmp_path, one=LAID, two=other.replace("connection: partner", "connection: elsewhere"))
    text = (
        "{0}.yaml:8:19: Exports of {1}.yaml lie under the same keys: s3://partner/crm/event/{{year}}-{{month}}-{{day}}/{{hour}}.\n"
        '    8 |   files: {{layout: "{{folder}}/{{data}}/{2}/{{hour}}"}}\n'
        "      |                   ^\n"
        "        Put {{pipeline_id}} into the layout, choose another folder, or export other days."
    )
    assert told(tmp_path) == {
        "one.yaml": text.format("one", "two", "{date}"),
        "two.yaml": text.format("two", "one", "{year}-{month}-{day}"),
    }


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("crm\n", "crm/eu\n"),
        ("s3://partner/", "s3://partner-eu/"),
        ("{hour}", "{hour}/{pipeline_id}"),
        ("{hour}", "{hour}-{minute}"),
        ("data: event", "data: user_profile"),
        ("s3://partner/", "s3://{{ var.value.bucket }}/"),
    ],
    ids=["folder", "bucket", "pipeline in the path", "path", "data", "template"],
)
def test_s_t3_exports_that_lie_apart_are_no_conflict(tmp_path: Path, old: str, new: str) -> None:
    lifted = LAID + "  export: {compat: none}\n"
    write(tmp_path, one=lifted, two=lifted.replace(old, new))
    assert told(tmp_path) == {}


@pytest.mark.parametrize(
    ("layout", "days", "broken"),
    [
        ("{folder}/{date}", ("2026-07-01", "2026-07-09"), False),
        ("{folder}/{date}", ("2026-07-01", "2026-07-10"), True),
        ("{folder}/{interval_start}", ("2026-07-21", "2026-07-22"), False),
        ("{folder}/{year}/{month}", ("2026-07-01", "2026-07-09"), True),
        ("{folder}/latest", ("2026-07-01", "2026-07-09"), True),
    ],
)
def test_s_t3_the_same_path_is_shared_by_exports_of_different_days_only(
    tmp_path: Path, layout: str, days: tuple[str, str], broken: bool
) -> None:
    base = PERIODIC.replace('schedule: "@hourly"\n', "") + f'  files: {{layout: "{layout}"}}\n'
    export = "  export: {{type: one_time, from_date: '{0}', to_date: '{1}'}}\n"
    write(tmp_path, one=base + export.format("2026-07-10", "2026-07-20"), two=base + export.format(*days))
    assert sorted(told(tmp_path)) == (["one.yaml", "two.yaml"] if broken else [])


def test_a_table_is_exported_to_one_connection_as_often_as_wanted(tmp_path: Path) -> None:
    write(tmp_path, one=PERIODIC, two=PERIODIC, three=PERIODIC.replace("/crm", "/all"))
    assert told(tmp_path) == {}
