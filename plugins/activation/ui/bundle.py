"""The built React app: files beside this module, made by the Makefile and shipped inside the wheel."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path

from fastapi import HTTPException, Request, Response

STATIC = Path(__file__).parent / "static"
"""Where the build puts them."""

TYPES: Mapping[str, str] = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".map": "application/json",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}
"""What is served, by the end of its name."""

_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")


def served(name: str, request: Request) -> Response:
    """A file of the app; the browser asks each time whether it is still the same one.

    :raises HTTPException: 404 if there is no such file; says so if the app was not built at all.
    """
    path = STATIC / name
    if _NAME.fullmatch(name) is None or path.suffix not in TYPES or not path.is_file():
        built = (STATIC / "main.js").is_file()
        missing = (
            f"The Pipelines page has no file {name}."
            if built
            else "The Pipelines page was not built: run make, or install the wheel."
        )
        raise HTTPException(404, missing)
    content = path.read_bytes()
    tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache", "X-Content-Type-Options": "nosniff"}
    known = {one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")}
    if tag in known:
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=TYPES[path.suffix], headers=headers)
