"""The mapping of audiences outlives the run, and what is new in it is known until a run has finished."""

from __future__ import annotations

from pathlib import Path

import pytest

from activation.delivery.audiences import NAME, Mapped, MappedAudiences
from activation.errors import ConfigurationError


def test_all_are_fresh_until_a_run_has_finished(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    assert MappedAudiences(folder, ["a", "b"], 5).fresh == ("a", "b")
    retried = MappedAudiences(folder, ["a", "b"], 5)
    assert retried.fresh == ("a", "b"), "the first try did not finish"
    retried.commit()
    later = MappedAudiences(folder, ["b", "a"], 9)
    assert later.fresh == ()
    assert later.times == {"a": Mapped(5, 5), "b": Mapped(5, 5)}


def test_k_t7_a_further_audience_is_fresh_and_the_others_are_not(tmp_path: Path) -> None:
    MappedAudiences(tmp_path, ["a"], 5).commit()
    wider = MappedAudiences(tmp_path, ["a", "b"], 9)
    assert wider.fresh == ("b",)
    assert wider.times == {"a": Mapped(5, 5), "b": Mapped(9, 9)}


def test_one_that_comes_back_keeps_when_it_was_mapped_first(tmp_path: Path) -> None:
    MappedAudiences(tmp_path, ["a", "b"], 5).commit()
    MappedAudiences(tmp_path, ["b"], 6).commit()
    back = MappedAudiences(tmp_path, ["a", "b"], 7)
    assert back.fresh == ("a",), "what happened meanwhile was not read"
    assert back.times["a"] == Mapped(5, 7)


def test_nothing_new_writes_nothing(tmp_path: Path) -> None:
    MappedAudiences(tmp_path, ["a"], 5).commit()
    written = (tmp_path / NAME).stat().st_mtime_ns
    MappedAudiences(tmp_path, ["a"], 9).commit()
    assert (tmp_path / NAME).stat().st_mtime_ns == written


@pytest.mark.parametrize("text", ["{", "[]", '{"a": {"since": 1}}'])
def test_a_damaged_file_is_a_matter_for_a_person(tmp_path: Path, text: str) -> None:
    (tmp_path / NAME).write_text(text)
    with pytest.raises(ConfigurationError, match="Remove it"):
        MappedAudiences(tmp_path, ["a"], 5)
