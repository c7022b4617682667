"""Partial settings: what is changed, and the texts of the errors."""

from typing import Any

import pytest

from sandbox.braze import Fault, Settings
from sandbox.braze.patching import SettingsError, as_json, fault_from, patched


def test_named_settings_change_and_the_others_stay() -> None:
    changed = patched(Settings(), {"limits": {"track": "per_array_75"}, "rate": {"track": {"burst": None}}})
    assert changed.limits.track == "per_array_75"
    assert changed.limits.bulk == "bulk_1000"
    assert changed.rate.track.burst is None
    assert changed.rate.track.burst_seconds == 3
    assert changed.rate.bulk == Settings().rate.bulk


def test_json_form_goes_round() -> None:
    settings = patched(Settings(), {"faults": {"rules": [{"kind": "reset", "applied": True}]}})
    assert settings.faults.rules == (Fault("reset", applied=True),)
    assert patched(Settings(), as_json(settings)) == settings


@pytest.mark.parametrize(
    ("patch", "text"),
    [
        ({"limit": {}}, "unknown setting 'limit'; did you mean 'limits'? allowed: limits, rate, answers, visibility, faults"),
        ({"rate": {"track": {"brust": 1}}}, "unknown setting 'rate.track.brust'; did you mean 'burst'?"),
        ({"answers": {"zzz": 1}}, "unknown setting 'answers.zzz'; allowed: latency_ms, error_style"),
        ({"answers": {"latency_ms": "fast"}}, "answers.latency_ms: Expected `float`, got `str`"),
        ({"answers": {"latency_ms": -1}}, "answers: latency_ms must be at least 0, not -1"),
        ({"answers": {"error_style": "loud"}}, "answers.error_style: Invalid enum value 'loud'"),
        ({"limits": {"track": "75"}}, "limits: unknown limit profile '75'; allowed: combined_N, per_array_N, bulk_N"),
        ({"limits": {"track": "combined_0"}}, "limits: unknown limit profile 'combined_0'"),
        ({"limits": 7}, "limits must be a JSON object"),
        ([], "settings must be a JSON object"),
        ({"faults": {"rules": {}}}, "faults.rules must be a list of fault rules"),
        ({"faults": {"rules": [{"kind": "500"}, {"knd": "500"}]}}, "unknown setting 'faults.rules[1].knd'; did you mean 'kind'?"),
    ],
)
def test_mistakes_are_named(patch: Any, text: str) -> None:
    with pytest.raises(SettingsError) as caught:
        patched(Settings(), patch)
    assert str(caught.value).startswith(text)


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ({}, "fault.kind is required"),
        ({"kind": "418"}, "fault.kind: Invalid enum value '418'"),
        ({"kind": "500", "probability": 2}, "fault: probability must be at most 1, not 2"),
        ("500", "fault must be a JSON object"),
    ],
)
def test_mistakes_in_faults_are_named(rule: Any, text: str) -> None:
    with pytest.raises(SettingsError) as caught:
        fault_from(rule)
    assert str(caught.value) == text
