"""The check of schedules takes nothing that Airflow's own parser refuses."""

from __future__ import annotations

from datetime import datetime

import pytest
from croniter import croniter
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from activation.spec.cron import CONTINUOUS, PRESETS, Cron

CHECK = TypeAdapter(Cron)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        *((preset, preset) for preset in PRESETS),
        (" Continuous ", "continuous"),
        ("continous", None),
        (" Once ", "once"),
        ("onse", None),
        ("@continuous", None),
        (" */15  *\t* * * ", "*/15 * * * *"),
        ("0 9-17/2 1,15,L * *", None),
        ("0 9-17/2 1,15 JAN-Mar MON-fri", "0 9-17/2 1,15 jan-mar mon-fri"),
        ("5/20 0 l * *", "5/20 0 l * *"),
        ("0 0 29 2 *", "0 0 29 2 *"),
        ("0 0 31 2 mon", "0 0 31 2 mon"),
        ("0 0 30 2 *", None),
        ("0 0 31 4,6,9,11 *", None),
        ("60 * * * *", None),
        ("* 24 * * *", None),
        ("* * 0 * *", None),
        ("* * * 13 *", None),
        ("* * * * 8", None),
        ("5-1 * * * *", None),
        ("*/0 * * * *", None),
        ("*/60 * * * *", None),
        ("jan * * * *", None),
        ("1, * * * *", None),
        ("* * * *", None),
        ("@yearly", None),
        ("@once", None),
        ("", None),
        ("* * * * * *", None),
        ("?  * * * *", None),
        ("١ * * * *", None),
    ],
)
def test_schedule(text: str, expected: str | None) -> None:
    if expected is None:
        with pytest.raises(ValidationError):
            CHECK.validate_python(text)
    else:
        assert CHECK.validate_python(text) == expected


_NUMBER = st.integers(0, 61).map(str) | st.sampled_from(["jan", "MAR", "sun", "Fri", "l"])
_ITEM = st.just("*") | _NUMBER | st.builds("{}-{}".format, _NUMBER, _NUMBER)
_STEPPED = _ITEM | st.builds("{}/{}".format, _ITEM, st.integers(0, 61))
_FIELD = st.lists(_STEPPED, min_size=1, max_size=3).map(",".join)


@given(st.lists(st.just("*") | _STEPPED | _FIELD, min_size=5, max_size=5).map(" ".join))
def test_airflow_takes_what_is_taken(text: str) -> None:
    try:
        schedule = CHECK.validate_python(text)
    except ValidationError:
        return
    assert schedule != CONTINUOUS
    assert croniter(schedule, datetime(2026, 1, 1)).get_next(datetime) > datetime(2026, 1, 1)
