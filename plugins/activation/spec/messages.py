"""What the models refuse -> problems with a place, in the words of a pipeline file's author."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from pydantic_core import ErrorDetails

from activation.spec.cron import PRESETS
from activation.spec.expressions import Braces, FromEnvironment, Templated, environment_names, has_jinja
from activation.spec.grammar import either, fields_marked, fields_of, is_marked, model_at
from activation.spec.invalid import CODE, UP
from activation.spec.located import Located
from activation.spec.problems import Problem
from activation.spec.secrets import is_secret_key
from activation.spec.traps import mismatch, quote
from activation.spec.values import Document, Route
from activation.spec.writing import written

_Told = tuple[str, str]
"""A message and its advice."""

_TO_THE_CONNECTION = (
    "Put it into the Airflow connection and write only the connection's id here. "
    "If this file was shared or committed, replace the secret as well."
)


def tell(errors: Sequence[ErrorDetails], document: Document) -> list[Problem]:
    """Turn the errors of the models into problems; a key that is missing because it is misspelt is told once."""
    meant = {_meant(_place(error["loc"], document)) for error in errors if error["type"] == "extra_forbidden"}
    problems: list[Problem] = []
    for error in errors:
        if error["type"] == "missing" and _place(error["loc"], document).route in meant:
            continue
        problems += [translate(error, document), *_unseen_secrets(error, document)]
    return problems


def translate(error: ErrorDetails, document: Document) -> Problem:
    """Turn one error of the models into a problem with place and advice."""
    context: Mapping[str, Any] = error.get("ctx", {})
    kind, place = error["type"], _place(error["loc"], document)
    if kind == "union_tag_invalid":
        place = Located(document, (*place.route, "type"))
    if kind == "extra_forbidden":
        return place.problem(*_unknown_key(place), at_key=True)
    message, fix = _expression(place) or _told(kind, place, context, error["msg"])
    if place.route == ("id",) and place.route not in document.places:
        return Problem(document.name, 0, 0, "", "The file's name is not a pipeline id.", fix)
    return place.problem(message, fix, at_key=kind == "union_tag_not_found")


def _unseen_secrets(error: ErrorDetails, document: Document) -> list[Problem]:
    """The secrets in a block of unknown ``type``, which no model has looked into; nothing for another error."""
    block = _place(error["loc"], document)
    if not error["type"].startswith("union_tag"):
        return []
    keys = [Located(document, (*block.route, key)) for key in block.value if is_secret_key(str(key))]
    return [key.problem(*_unknown_key(key), at_key=True) for key in keys]


def suggest(given: str, options: Iterable[str]) -> str:
    """``Did you mean …?`` if an option is alike, and the list of all of them."""
    known = list(options)
    near = _nearest(given, known)
    hint = f"Did you mean {near}? " if near else ""
    return f"{hint}Allowed: {', '.join(known)}."


def _and(fields: Sequence[str]) -> str:
    return " and ".join([", ".join(fields[:-1]), fields[-1]])


def _nearest(given: str, options: Iterable[str]) -> str | None:
    return next(iter(difflib.get_close_matches(given.lower(), list(options), n=1, cutoff=0.6)), None)


def _meant(place: Located) -> Route | None:
    """The place that a misspelt key was meant for."""
    near = _nearest(place.key, _keys_of(place.block))
    return (*place.block.route, near) if near else None


def _keys_of(block: Located) -> Iterable[str]:
    model = model_at(block.document.values, block.route)
    return fields_of(model) if model else ()


def _place(location: tuple[str | int, ...], document: Document) -> Located:
    """The place of an error, without the ``type`` that the models put into its location; see :data:`UP`."""
    place, is_type, typed = Located(document, ()), False, True
    for key in location:
        if key == UP:
            place, is_type, typed = place.block, False, False
            continue
        if not is_type:
            place = Located(document, (*place.route, key))
        is_type = typed and not is_type and bool(place.options) and isinstance(place.value, dict)
    return place


def _told(kind: str, place: Located, context: Mapping[str, Any], said: str) -> _Told:
    if kind in _BY_KIND:
        return _BY_KIND[kind](place, context)
    if kind.endswith("_type"):
        required = place.field is not None and place.field.is_required()
        message, fix = mismatch(place.label, place.takes, place.value, required=required)
        # A block is shown whole, and so is whatever there is no other advice for.
        shown = _example(place) if not fix or "a block" in place.takes else ""
        return message, " ".join(filter(None, (fix, shown)))
    return f"{place.label}: {said}.", f"Allowed: {place.takes}."


def _example(place: Located) -> str:
    """``For example key: value``, by the models; of the nearest key around where they have none for the place itself."""
    while place.route and not (place.field and place.field.examples):
        place = place.block
    return f"For example {place.key}: {written(place.field.examples[0])}" if place.field and place.field.examples else ""


def _expression(place: Located) -> _Told | None:
    """Jinja or ``${env:NAME}`` where it is not allowed is told as that, whatever else is wrong with the value."""
    value, label = place.value, place.label
    if not isinstance(value, str):
        return None
    marked = [marker for marker in (Templated, FromEnvironment, Braces) if place.field and is_marked(place.field, marker)]
    if has_jinja(value) and Templated not in marked and Braces not in marked:
        return f"{label} does not take Jinja.", f"Jinja is allowed only in {_and(fields_marked(Templated))}."
    if environment_names(value) and FromEnvironment not in marked:
        return (
            f"{label} does not take ${{env:NAME}}.",
            f"${{env:NAME}} is allowed only in {_and(fields_marked(FromEnvironment))}.",
        )
    return None


def _unknown_key(place: Located) -> _Told:
    if is_secret_key(place.key):
        return f"{place.label} looks like a secret, and secrets never stand in a pipeline file.", _TO_THE_CONNECTION
    where = place.block.label or "a pipeline file"
    return f"{quote(place.key)} is not a key of {where}.", suggest(place.key, _keys_of(place.block))


def _own(place: Located, context: Mapping[str, Any]) -> _Told:
    value, fix = place.value, context["fix"]
    names = environment_names(value) if isinstance(value, str) else ()
    if context["kind"] == "preset" and not names:
        fix = f"{suggest(value, PRESETS)} Or write a cron expression of five fields."
    if names and context["kind"] != "lookup":
        fix = f"The value comes from the environment variable {' and '.join(names)}. {fix}"
    return f"{place.label} {context['problem']}.", fix or _example(place)


def _missing(place: Located, context: Mapping[str, Any]) -> _Told:
    message = f"{place.block.label or 'The pipeline'} needs the key {place.key!r}."
    return message, f"{place.field.description if place.field else ''} {_example(place)}"


def _no_type(place: Located, context: Mapping[str, Any]) -> _Told:
    near = difflib.get_close_matches("type", list(place.value), n=1)
    hint = f"Did you mean type where {near[0]} stands? " if near else ""
    return f"{place.label} needs the key 'type'.", f"{hint}Allowed: {', '.join(place.options)}."


def _unknown_value(place: Located, context: Mapping[str, Any]) -> _Told:
    options = place.options or place.block.options
    if not isinstance(place.value, str):
        message, fix = mismatch(place.label, either(options), place.value)
        return message, fix or f"Write one of them: {place.key}: {options[0]}"
    return f"{place.label} does not know {quote(place.value)}.", suggest(place.value, options)


def _out_of_range(place: Located, context: Mapping[str, Any]) -> _Told:
    return f"{place.label} is out of range.", f"Allowed: {place.takes}."


def _too_long(place: Located, context: Mapping[str, Any]) -> _Told:
    return f"{place.label} is longer than {context['max_length']} characters.", "Shorten it."


def _empty(place: Located, context: Mapping[str, Any]) -> _Told:
    return f"{place.label} is an empty text.", _example(place)


def _wrong_form(place: Located, context: Mapping[str, Any]) -> _Told:
    return f"{place.label} is not written as it must be.", f"Allowed: what matches {context['pattern']}. {_example(place)}"


_BY_KIND: dict[str, Callable[[Located, Mapping[str, Any]], _Told]] = {
    CODE: _own,
    "missing": _missing,
    "union_tag_not_found": _no_type,
    "union_tag_invalid": _unknown_value,
    "literal_error": _unknown_value,
    "greater_than": _out_of_range,
    "greater_than_equal": _out_of_range,
    "finite_number": _out_of_range,
    "less_than_equal": _out_of_range,
    "string_too_long": _too_long,
    "string_too_short": _empty,
    "string_pattern_mismatch": _wrong_form,
}
