"""Options that several commands share, and how their texts become values.

Belongs here: click types. A wrong value is wrong usage: exit code 2, one line.
"""

from datetime import date, datetime
from typing import Any

import click


class Session(click.ParamType):
    """A session date, `YYYY-MM-DD`."""

    name = "YYYY-MM-DD"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """Parse the date."""
        if isinstance(value, date):
            return value
        try:
            return date.fromisoformat(value)
        except ValueError:
            return self.fail(f"{value!r} is no date; write it as 2026-08-07", param, ctx)


class Moment(click.ParamType):
    """A moment with its time zone, ISO 8601."""

    name = "TIMESTAMP"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Parse the moment; a time without a zone is refused, since nobody could say which one was meant."""
        try:
            moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
        except ValueError:
            return self.fail(f"{value!r} is no timestamp; write it as 2026-08-07T18:30+03:00", param, ctx)
        if moment.tzinfo is None:
            self.fail(f"{value!r} has no time zone; write it as 2026-08-07T18:30+03:00", param, ctx)
        return moment


def split_symbols(_ctx: click.Context, _param: click.Parameter, value: str | None) -> list[str] | None:
    """Turn `A,B` into a list."""
    return None if value is None else [part.strip() for part in value.split(",") if part.strip()]
