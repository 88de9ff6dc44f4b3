"""How an answer travels inside the process, and the bodies that Yahoo really sent with errors.

Belongs here: answers that need no market, numbers as Yahoo writes them. The bodies are copied from recordings.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bist_pipeline.core.bars import FloatArray

JSON = "application/json;charset=utf-8"
PLAIN = "text/plain;charset=utf-8"
HTML = "text/html; charset=UTF-8"
YAHOO_SUFFIX = ".IS"


@dataclass(frozen=True, slots=True)
class Answer:
    """A status, a body and its kind."""

    status: int
    body: bytes
    content_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)


def json_answer(content: Any, status: int = 200) -> Answer:
    """Return JSON without blanks, as Yahoo writes it."""
    return Answer(status, json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode())


def error_answer(status: int, envelope: str, code: str, description: str) -> Answer:
    """Return Yahoo's error: `envelope` is chart, finance, spark or quoteResponse."""
    return json_answer({envelope: {"result": None, "error": {"code": code, "description": description}}}, status)


def not_found(envelope: str = "chart") -> Answer:
    """Return what Yahoo says of a symbol it does not know."""
    return error_answer(404, envelope, "Not Found", "No data found, symbol may be delisted")


def invalid_crumb() -> Answer:
    """Return what Yahoo says where cookie and crumb are needed and wrong."""
    return error_answer(401, "finance", "Unauthorized", "Invalid Crumb")


def too_many_requests() -> Answer:
    """Return the throttle: 19 characters of plain text, which has been mistaken for a crumb."""
    return Answer(429, b"Too Many Requests\r\n", PLAIN)


def html_page(status: int, title: str) -> Answer:
    """Return the page that a proxy sends when what is behind it does not answer."""
    page = (
        f'<!DOCTYPE html>\n<html lang="en-us"><head>\n<meta http-equiv="content-type" content="text/html; '
        f'charset=UTF-8">\n<meta charset="utf-8">\n<title>Yahoo</title></head>\n<body><h1>{title}</h1>'
        f"<p>Our engineers are working quickly to resolve the issue.</p></body></html>\n"
    )
    return Answer(status, page.encode(), HTML)


def number(value: float) -> float | int | None:
    """Return a number as Yahoo writes it: null where missing, without a decimal point where whole."""
    if value != value:  # noqa: PLR0124 - only NaN differs from itself
        return None
    return int(value) if float(value).is_integer() else float(value)


def numbers(values: FloatArray) -> Sequence[float | int | None]:
    """Return a column of numbers as Yahoo writes them."""
    return [number(value) for value in values.tolist()]


def short(value: float) -> float | int | None:
    """Return a price as quotes write it: the shortest decimal of its single precision, 16.68 and not 16.68000030."""
    return number(float(str(np.float32(value))))
