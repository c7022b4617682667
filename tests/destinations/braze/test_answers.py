"""What each of Braze's answers means for the engine: the table of contracts: braze 2.5."""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any

import pytest

from activation.delivery.answer import Answer, Reason, Verdict
from activation.destinations.braze.answers import read_answer
from activation.destinations.braze.calls import track_call
from activation.destinations.braze.contract import DEFAULT_PROFILE
from activation.errors import ConfigurationError

SECRET = "0f1e2d3c-key"
EMAIL_TEXT = "The value provided for the 'email' field is not a valid email."
ALL_BAD = "Valid data must be provided in the 'attributes', 'events', or 'purchases' fields."
HTML = b"<html><body><h1>Oops</h1></body></html>"
REST = "Set the connection's host to your instance's REST endpoint, such as https://rest.iad-01.braze.com, without a path."


def read(status: int, body: Any, *, count: int = 3, array: str = "attributes", headers: dict[str, str] | None = None) -> Answer:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return read_answer(status, headers or {}, content, count=count, call=track_call(array, DEFAULT_PROFILE), secret=SECRET)


def error(kind: str, index: int | None = None, array: str | None = "attributes") -> dict[str, Any]:
    named = {"type": kind, "input_array": array, "index": index}
    return {key: value for key, value in named.items() if value is not None}


def success(*errors: Any) -> dict[str, Any]:
    return {"message": "success", "attributes_processed": 3, **({"errors": list(errors)} if errors else {})}


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (201, success()),
        (200, success()),
        (201, {"message": "Success"}),
        (201, {"message": "success", "errors": []}),
        (201, {"message": "success", "errors": None}),
        (202, {"message": "queued"}),
    ],
)
def test_accepted(status: int, body: Any) -> None:
    assert read(status, body) == Answer(Verdict.ACCEPTED)


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("EMAIL_BAD_FORMAT", Reason("email_bad_format", "Braze: EMAIL_BAD_FORMAT")),
        ("BLACKLISTED_EXTERNAL_USER_ID", Reason("blacklisted_external_user_id", "Braze: BLACKLISTED_EXTERNAL_USER_ID")),
        (EMAIL_TEXT, Reason("email_bad_format", f"Braze: {EMAIL_TEXT}")),
        ("'external_id' is required", Reason("no_identifier", "Braze: 'external_id' is required")),
        (
            "'external_id' must be fewer than 988 bytes",
            Reason("external_user_id_too_large", "Braze: 'external_id' must be fewer than 988 bytes"),
        ),
        ("The property '#/x' was not of type object", Reason("refused", "Braze: The property '#/x' was not of type object")),
        ("한글", Reason("refused", "Braze: 한글")),
    ],
)
def test_f16_the_items_that_errors_name_are_rejected_and_the_others_are_in(kind: str, reason: Reason) -> None:
    assert read(201, success(error(kind, 1))) == Answer(Verdict.ACCEPTED, rejected={1: reason})


def test_of_several_errors_about_one_item_the_first_is_told() -> None:
    answer = read(201, success(error("FIRST", 2), error("SECOND", 2), error("OTHER", 0)))
    assert {index: reason.code for index, reason in answer.rejected.items()} == {2: "first", 0: "other"}


def test_an_error_without_an_array_is_about_the_array_that_was_sent() -> None:
    assert set(read(201, success(error("X1", 1, None)), array="events").rejected) == {1}


@pytest.mark.parametrize(
    "loose",
    [
        error("EMAIL_BAD_FORMAT"),
        error("EMAIL_BAD_FORMAT", 3),
        error("EMAIL_BAD_FORMAT", -1),
        error("EMAIL_BAD_FORMAT", 0, "events"),
        {"type": "EMAIL_BAD_FORMAT", "input_array": "attributes", "index": "1"},
        {"message": "EMAIL_BAD_FORMAT"},
        "EMAIL_BAD_FORMAT",
    ],
)
def test_f16_an_error_that_names_no_item_casts_doubt_on_all(loose: Any) -> None:
    reason = Reason("email_bad_format", "Braze: EMAIL_BAD_FORMAT")
    assert read(201, success(error("OTHER", 0), loose)) == Answer(Verdict.REFUSED, reason)
    assert read(400, {"message": ALL_BAD, "errors": [loose]}) == Answer(Verdict.REFUSED, reason)


@pytest.mark.parametrize("errors", ["EMAIL_BAD_FORMAT", {"type": "EMAIL_BAD_FORMAT"}])
def test_errors_that_are_no_list_cast_doubt_on_all(errors: Any) -> None:
    reason = Reason("email_bad_format", "Braze: EMAIL_BAD_FORMAT")
    assert read(201, {"message": "success", "errors": errors}) == Answer(Verdict.REFUSED, reason)


def test_f16_where_all_items_are_named_as_bad_each_has_its_reason() -> None:
    answer = read(400, {"message": ALL_BAD, "errors": [error("A1", 0), error("B1", 1), error("C1", 2)]})
    assert answer.verdict is Verdict.ACCEPTED
    assert {index: reason.code for index, reason in answer.rejected.items()} == {0: "a1", 1: "b1", 2: "c1"}


def test_a_refusal_that_names_only_some_items_is_halved() -> None:
    answer = read(400, {"message": "no", "errors": [error("A1", 0)]})
    assert answer == Answer(Verdict.REFUSED, Reason("refused_400", "Braze answered 400: no"))


def test_a_single_item_that_is_refused_takes_the_best_reason_there_is() -> None:
    assert read(400, {"message": ALL_BAD, "errors": [error("A1", 0)]}, count=1).rejected[0].code == "a1"
    assert read(400, {"message": ALL_BAD, "errors": [error("A1")]}, count=1).reason.code == "a1"
    assert read(400, {"message": ALL_BAD, "errors": [error("A1", 0), error("B1")]}, count=1).reason.code == "a1"
    assert read(400, {"message": ALL_BAD}, count=1).reason == Reason("refused_400", f"Braze answered 400: {ALL_BAD}")


@pytest.mark.parametrize(
    ("status", "body", "text"),
    [
        (400, {"message": "Max Input Length Exceeded"}, "Braze answered 400: Max Input Length Exceeded"),
        (
            400,
            {"error": "Error while parsing request body. Please check your syntax."},
            "Braze answered 400: Error while parsing request body. Please check your syntax.",
        ),
        (413, {"message": "Request Entity Too Large"}, "Braze answered 413: Request Entity Too Large"),
        (413, HTML, "Braze answered 413."),
        (413, b"", "Braze answered 413."),
    ],
)
def test_refused_as_a_whole(status: int, body: Any, text: str) -> None:
    too_many = "Max" in text
    assert read(status, body) == Answer(Verdict.REFUSED, Reason(f"refused_{status}", text), too_many=too_many)
    assert not read(status, body, count=1).too_many


@pytest.mark.parametrize(
    ("status", "body", "text"),
    [
        (500, {"message": "Internal Server Error"}, "Braze answered 500: Internal Server Error"),
        (500, b"", "Braze answered 500."),
        (502, HTML, "Braze answered 502."),
        (503, HTML, "Braze answered 503."),
        (504, HTML, "Braze answered 504."),
        (599, HTML, "Braze answered 599."),
        (408, HTML, "Braze answered 408."),
        (500, b"\xff\xfe", "Braze answered 500."),
        (500, ["list"], "Braze answered 500."),
    ],
)
def test_f17_what_may_succeed_later(status: int, body: Any, text: str) -> None:
    unknown = status in (408, 502, 504)  # a gateway gave up; Braze itself may have taken the request
    assert read(status, body) == Answer(Verdict.FAILED, Reason("server_error", text), unknown=unknown)


@pytest.mark.parametrize(
    ("body", "said"),
    [({"message": "maybe"}, "'maybe'"), ({}, "''"), ({"attributes_processed": 3}, "''"), ({"message": None}, "''")],
)
def test_a_2xx_that_does_not_say_success_is_a_failure(body: Any, said: str) -> None:
    assert read(201, body) == Answer(Verdict.FAILED, Reason("no_success", f"Braze answered 201 but said {said}."))


@pytest.mark.parametrize("body", [{"message": "Rate limited"}, HTML, b""])
def test_f17_too_early(body: Any) -> None:
    answer = read(429, body, headers={"X-Ratelimit-Retry-After": "2"})
    assert answer.verdict is Verdict.LIMITED
    assert answer.reason.code == "rate_limited"
    assert answer.rate is not None
    assert answer.rate.retry_after == 2


@pytest.mark.parametrize(
    ("status", "body", "problem", "fix"),
    [
        (
            401,
            {"message": f"Invalid API key: {SECRET}"},
            "Braze refused the API key with 401 (Invalid API key: ***).",
            "Check that the connection's key is complete and belongs to the workspace and instance of its host.",
        ),
        (
            403,
            {"message": "Access Denied"},
            "Braze forbids the call with 403 (Access Denied).",
            "Give the API key the permission users.track; the connection's host must have no path.",
        ),
        *(
            (status, body, f"The Braze connection's host does not know the call: {status}{said}.", REST)
            for status, body, said in (
                (404, {"message": "Not Found"}, " (Not Found)"),
                (404, {}, ""),
                (415, {"message": "Unsupported Media Type"}, " (Unsupported Media Type)"),
                (302, {}, ""),
            )
        ),
        *(
            (
                status,
                HTML,
                f"The Braze connection's host answered {status} with something that is not JSON; "
                "it does not look like Braze's REST API.",
                REST,
            )
            for status in (200, 201, 301, 401, 403, 404)
        ),
    ],
)
def test_what_a_person_must_mend(status: int, body: Any, problem: str, fix: str) -> None:
    answer = read(status, body)
    assert answer.verdict is Verdict.FATAL
    assert isinstance(answer.error, ConfigurationError)
    assert (answer.error.problem, answer.error.fix) == (problem, fix)
    assert str(answer.error) == f"{problem} Fix: {fix}"


@pytest.mark.parametrize("status", [200, 201, 202, 301, 400, 401, 403, 404, 408, 413, 415, 429, 500, 502])
@pytest.mark.parametrize("place", ["message", "error", "errors", "named", "text"])
def test_f27_the_key_is_in_no_text_of_any_answer(status: int, place: str) -> None:
    echo = f"Invalid API key: {SECRET} {SECRET}"
    bodies: dict[str, Any] = {
        "message": {"message": echo},
        "error": {"error": {"deep": [echo]}},
        "errors": {"message": "success", "errors": [echo, {"type": echo}, {"message": echo}]},
        "named": {"message": "success", "errors": [error(echo, 0)]},
        "text": echo.encode(),
    }
    answer = read(status, bodies[place])
    shown = [repr(answer), str(answer.error), repr(answer.error), *map(repr, answer.rejected.values())]
    assert not [text for text in shown if SECRET in text]
    assert SECRET.encode() not in pickle.dumps(answer)
    assert str(copy.copy(answer.error)) == str(answer.error), "copying goes the way of pickling"


def test_a_long_text_is_cut() -> None:
    answer = read(400, {"message": "x" * 10_000, "errors": [error("y" * 10_000)]})
    assert answer.reason.message == "Braze: " + "y" * 500
    assert read(500, {"message": "x" * 10_000}).reason.message == "Braze answered 500: " + "x" * 500
