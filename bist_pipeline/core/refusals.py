"""How a setting is refused, in words.

Belongs here: turning what pydantic says into one line that names the variable, the value and the legal values. Does not
belong here: any variable (`settings.py`).
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, get_args

from bist_pipeline.core.errors import SettingsError


def told(read: Callable[..., Any], *values: Any) -> Any:
    """Turn an error of ours into one that pydantic collects with the others."""
    try:
        return read(*values)
    except SettingsError as error:
        raise ValueError(str(error)) from error


def absolute(path: Path) -> Path:
    """Return the path from the root on, `~` resolved."""
    try:
        return path.expanduser().absolute()
    except RuntimeError as error:
        raise ValueError(f"the user of {path.parts[0]} has no home directory") from error


def explain(detail: Any, fields: Mapping[str, Any]) -> str:
    """Say what is wrong with one setting; `fields` are the declared ones, by name."""
    if not detail["loc"]:  # about several of them together
        return detail["msg"].removeprefix("Value error, ")
    name = str(detail["loc"][0]).lower()
    # Where an @ is, a password may stand before it.
    value = "(hidden)" if name == "bist_database_url" or "@" in repr(detail.get("input")) else repr(detail.get("input"))
    legal = _legal_values(name, fields)
    return f"{name.upper()} = {value}: {detail['msg'].removeprefix('Value error, ')}" + (
        f" (legal: {legal})" if legal else ""
    )


def _legal_values(name: str, fields: Mapping[str, Any]) -> str:
    field = fields.get(name)
    choices = get_args(field.annotation) if field else ()
    return ", ".join(choices) if choices and all(isinstance(choice, str) for choice in choices) else ""
