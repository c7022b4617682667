"""The models of a pipeline to kinesis: what the file leaves out, and what survives an operator's arguments."""

from __future__ import annotations

from typing import Any

import pytest

from activation.errors import ConfigurationError
from activation.spec import Duration, KinesisDestination, Pipeline, Size
from activation.spec.kinesis_rules import attribute_changes

GOOD: dict[str, Any] = {
    "id": "profiles",
    "source": {"type": "snowflake", "connection": "w", "table": 'PROD.CRM."my.profiles"'},
    "destination": {"type": "kinesis", "connection": "k", "stream": "profiles", "audiences": ["a1", "a2"]},
}


def pipeline(source: dict[str, Any] | None = None, destination: dict[str, Any] | None = None, **more: Any) -> Pipeline:
    blocks = {**GOOD, "source": GOOD["source"] | (source or {}), "destination": GOOD["destination"] | (destination or {})}
    return Pipeline.model_validate({**blocks, **more}, context={"environment": {"STREAM": "people"}})


def stream_of(made: Pipeline) -> KinesisDestination:
    assert isinstance(made.destination, KinesisDestination)
    return made.destination


def test_defaults() -> None:
    to = stream_of(pipeline())
    assert (to.records.partition_key, to.records.ordering, to.records.aggregation) == ("profile_id", "per_key", "off")
    assert (to.requests.records, to.requests.bytes, to.requests.retries) == (500, 5_242_880, "adobe")
    assert (to.requests.deadline, to.changes.wait) == (Duration.parse("10m"), Duration.parse("5m"))
    assert (to.message.membership_scope, to.message.time_format) == ("same_merge_policy", "z")
    assert (to.stream.place, to.key_path) == ((None, None, "profiles"), None)


@pytest.mark.parametrize(
    ("given", "place"),
    [
        ("${env:STREAM}", (None, None, "people")),
        ({"name": "profiles", "region": "eu-west-1"}, ("eu-west-1", None, "profiles")),
        ("arn:aws:kinesis:ap-northeast-2:123456789012:stream/x", ("ap-northeast-2", "123456789012", "x")),
        ({"name": "arn:aws-us-gov:kinesis:us-gov-west-1:123456789012:stream/x"}, ("us-gov-west-1", "123456789012", "x")),
    ],
)
def test_where_the_stream_is(given: Any, place: tuple[str | None, str | None, str]) -> None:
    assert stream_of(pipeline(destination={"stream": given})).stream.place == place


def test_a_template_has_no_place_before_it_is_rendered() -> None:
    to = stream_of(pipeline(destination={"stream": "{{ var.value.stream }}"}))
    assert to.is_template
    with pytest.raises(ConfigurationError, match="is not the name or ARN of a data stream"):
        to.stream.place  # noqa: B018


def test_related_tables_lie_beside_the_profiles() -> None:
    assert pipeline().source.related_parts() == {
        "memberships": ("PROD", "CRM", "audience_memberships"),
        "identities": ("PROD", "CRM", "identities"),
        "audiences": ("PROD", "CRM", "audiences"),
    }
    given = {"identities": "crm.ids", "writes": 'crm."attribute writes"'}
    assert pipeline(source={"related": given}).source.related_parts() == {
        "memberships": ("PROD", "CRM", "audience_memberships"),
        "identities": ("crm", "ids"),
        "audiences": ("PROD", "CRM", "audiences"),
        "writes": ("crm", "attribute writes"),
    }


def test_related_tables_of_a_query() -> None:
    related = {"memberships": "crm.m", "identities": "crm.i", "audiences": "crm.a"}
    source = pipeline(source={"table": None, "query": "SELECT 1", "related": related}).source
    assert source.related_parts() == {"memberships": ("crm", "m"), "identities": ("crm", "i"), "audiences": ("crm", "a")}


def test_related_tables_may_be_templates_until_they_are_read() -> None:
    source = pipeline(source={"related": {"audiences": "{{ var.value.schema }}.audiences"}}).source
    with pytest.raises(ConfigurationError, match="was not rendered"):
        source.related_parts()


@pytest.mark.parametrize(
    ("related", "attributes", "expected"),
    [
        (None, None, "content"),
        ({"audiences": "crm.a"}, None, "content"),
        ({"writes": "crm.w"}, None, "writes"),
        ({"writes": "crm.w"}, "writes", "writes"),
        (None, "row", "row"),
    ],
)
def test_which_update_of_attributes_counts(related: Any, attributes: str | None, expected: str) -> None:
    made = pipeline(source={"related": related}, destination={"changes": {"attributes": attributes}})
    assert attribute_changes(made.source, stream_of(made)) == expected


def test_a_mapped_attribute_can_be_the_partition_key() -> None:
    fields = {"_acme.loyalty.tier": "TIER", "person.name.lastName": {"column": "LAST", "nulls": "reject"}}
    made = pipeline(destination={"records": {"partition_key": "_acme.loyalty.tier"}}, columns={"fields": fields})
    assert stream_of(made).key_path == "_acme.loyalty.tier"


def test_what_is_dumped_can_be_validated_again() -> None:
    made = pipeline(
        source={"related": {"writes": "crm.w"}},
        destination={"requests": {"bytes": "10MiB", "retries": "until_deadline"}, "records": {"max_bytes": "2MiB"}},
        schedule={"after": ["users_import", "clients"], "wait_for": "any"},
        columns={"fields": {"a.b": "A", "c": {"column": "C", "as": "json"}}},
        cursor={"settle": "2s"},
        alerts={"email": ["a@b.c"], "latency": None},
    )
    assert made.schedule == "after users_import or clients"
    for dumped in (made.model_dump(), made.model_dump(mode="json"), made.model_dump(mode="json", exclude_unset=True)):
        assert Pipeline.model_validate(dumped) == made
    assert stream_of(made).requests.bytes == Size(10_485_760)
    assert made.model_dump(mode="json")["destination"]["requests"]["bytes"] == "10MiB"


@pytest.mark.parametrize(
    ("schedule", "text"),
    [(None, None), ("continuous", "continuous"), ({"cron": "@daily"}, "@daily"), ({"after": ["a", "b"]}, "after a and b")],
)
def test_a_schedule_in_words(schedule: Any, text: str | None) -> None:
    assert pipeline(schedule=schedule).schedule == text
