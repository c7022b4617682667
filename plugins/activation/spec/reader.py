"""A file's bytes -> its values and their places. Whatever the bytes are, the answer is a document or a problem with a place."""

from __future__ import annotations

import re
from pathlib import Path

from activation.spec.compose import YamlProblem, compose
from activation.spec.problems import PipelineFileError, Problem, SourceText
from activation.spec.values import Builder, Document

_MOST_BYTES = 256 * 1024
_MOST_DEPTH = 32
# Everything that YAML allows in a file (YAML 1.1, 5.1), turned around.
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def read(path: Path) -> Document:
    """Read one file.

    :returns: its document; an empty one for a file without content.
    :raises PipelineFileError: if the file cannot be read, is not YAML, or its top level is not a block of keys.
    """
    text = _text(path)
    try:
        root = compose(text, most_depth=_MOST_DEPTH)
        document = Document(text.name, texts=(text,))
        if root is None:
            return document
        if root.kind == "scalar" and not root.text:
            return document
        if root.kind != "mapping":
            raise YamlProblem(root.mark.problem("The top level is not a block of keys.", "Begin with keys, like source: …"))
        document.values = Builder(document).mapping(root, ())
    except YamlProblem as stop:
        raise PipelineFileError((stop.problem,)) from None
    return document


def _text(path: Path) -> SourceText:
    name = str(path)
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise PipelineFileError((Problem(name, 0, 0, "", f"The file cannot be read: {reason}."),)) from None
    if len(data) > _MOST_BYTES:
        limit = f"The file is larger than {_MOST_BYTES // 1024} KB, which no pipeline needs."
        raise PipelineFileError((Problem(name, 0, 0, "", limit),))
    try:
        text = SourceText(name, data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        where = SourceText(name, error.object[: error.start].decode()).mark(error.start)
        message = f"The file is not UTF-8: byte 0x{error.object[error.start]:02x} does not belong here."
        raise PipelineFileError((where.problem(message, "Save the file in the encoding UTF-8."),)) from None
    if found := _UNPRINTABLE.search(text.content):
        message = f"The control character U+{ord(found[0]):04X} stands in the file."
        raise PipelineFileError((text.mark(found.start()).problem(message, "Remove it."),))
    return text
