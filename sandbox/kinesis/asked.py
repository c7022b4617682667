"""What a request asks about: its stream, and members that are checked alike in many operations."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sandbox.kinesis.errors import Refused, absent, invalid, unfit
from sandbox.kinesis.stream import Stream
from sandbox.kinesis.world import World

_NAME = re.compile(r"[a-zA-Z0-9_.-]{1,128}")
_ARN = re.compile(r"arn:aws[a-z-]*:kinesis:(?P<region>[a-z0-9-]*):(?P<account>\d{12}):stream/(?P<name>[a-zA-Z0-9_.-]{1,128})")


def stream_name(world: World, given: Mapping[str, Any]) -> str:
    """The stream's name by ``StreamName``, ``StreamARN`` or both; empty if neither is given."""
    name, arn = given.get("StreamName") or "", given.get("StreamARN") or ""
    if name and not _NAME.fullmatch(name):
        raise unfit("streamName", "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+", name)
    if not arn:
        return str(name)
    found = _ARN.fullmatch(arn)
    if found is None:
        raise unfit("streamARN", r"Member must satisfy regular expression pattern: arn:aws.*:kinesis:.*:\d{12}:stream/\S+", arn)
    if name and name != found["name"]:
        raise invalid(f"Stream ARN {arn} and stream name {name} do not match.")
    if (found["region"], found["account"]) != (world.settings.region, world.settings.account):
        raise Refused("ResourceNotFoundException", f"Stream {found['name']} under account {found['account']} not found.")
    return found["name"]


def stream_of(world: World, given: Mapping[str, Any]) -> Stream:
    """The stream that a request is about."""
    name = stream_name(world, given)
    if not name:
        raise invalid("Either StreamName or StreamARN should be provided.")
    return world.stream(name)


def number(given: Mapping[str, Any], name: str, least: int, most: int, default: int | None = None) -> int:
    """A whole number of a request, within bounds."""
    value = given.get(name, default)
    where = name[0].lower() + name[1:]
    if value is None:
        raise absent(where)
    if not isinstance(value, int):
        raise Refused("SerializationException", f"{name} is no number.")
    if value < least:
        raise unfit(where, f"Member must have value greater than or equal to {least}", value)
    if value > most:
        raise unfit(where, f"Member must have value less than or equal to {most}", value)
    return value
