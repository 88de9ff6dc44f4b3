"""Day or month first: decided for the column as a whole.

Belongs here: the readings of three numbers as a date and the choice between them. Does not belong here: text. Rules, in
order, each dropping readings that are worse than another:
1. every row is a day of the calendar;
2. points between the numbers: the day is first, because nobody writes `mm.dd.yyyy`;
3. the rows run in one direction;
4. the rows span at most half of what they span otherwise;
5. no row lies on a weekend.
Several readings left: the column is refused. A year of two digits comes last, or first where hyphens part the numbers.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from bist_pipeline.providers.archive._place import Place

Days = npt.NDArray[np.datetime64]

_TWO_DIGIT_PIVOT = 70  # 69 is 2069, 70 is 1970: the exchange opened in 1986
_FIRST_YEAR, _LAST_YEAR = 1900, 2099


def build_days(parts: npt.NDArray[np.int64], order: str) -> tuple[Days, npt.NDArray[np.bool_]]:
    """Read three numbers per row as dates.

    Args:
        parts: Shape (rows, 3).
        order: Which of them is `d`, `m` and `y`.

    Returns:
        Days, and which rows are days of the calendar; the others hold an arbitrary day.
    """
    year, month, day = (parts[:, order.index(letter)] for letter in "ymd")
    year = np.where(year < _TWO_DIGIT_PIVOT, year + 2000, np.where(year < 100, year + 1900, year))
    valid = (month >= 1) & (month <= 12) & (day >= 1) & (day <= 31) & (year >= _FIRST_YEAR) & (year <= _LAST_YEAR)
    months = np.where(valid, (year - 1970) * 12 + month - 1, 0).astype("datetime64[M]")
    days = months.astype("datetime64[D]") + np.where(valid, day - 1, 0).astype("timedelta64[D]")
    return days, valid & (days.astype("datetime64[M]") == months)


def choose_order(
    parts: npt.NDArray[np.int64], separator: str, short_year: bool, column: str, place: Place
) -> tuple[str, str]:
    """Return the order of day, month and year, and the rule that decided.

    Raises:
        BadPayloadError: More than one reading remains.
    """
    orders = ("dmy", "mdy", "ymd") if short_year and separator == "-" else ("dmy", "mdy")
    built = {order: build_days(parts, order) for order in orders}
    left = {order: days for order, (days, valid) in built.items() if valid.all()}
    if len(left) < 2:
        counts = {order: int(valid.sum()) for order, (_, valid) in built.items()}
        return max(counts, key=lambda order: counts[order]), "the only reading in which every row is a date"
    if separator == ".":
        return "dmy", "dates with points have the day first"
    for rule, slack, reason in _RULES:
        scores = {order: rule(days) for order, days in left.items()}
        left = {order: days for order, days in left.items() if scores[order] <= slack * min(scores.values())}
        if _are_one(left):
            return next(iter(left)), reason
    shown = " and ".join(f"{order}: {days[0]}" for order, days in left.items())
    raise place.refuse(f"day and month cannot be told apart ({shown}); write yyyy-mm-dd", column=column)


def _are_one(left: dict[str, Days]) -> bool:
    first, *others = left.values()
    return all(np.array_equal(first, other) for other in others)


def _turns(days: Days) -> int:
    """Return 0 where the rows run in one direction, else 1."""
    steps = np.diff(days).astype(np.int64)
    return int((steps > 0).any() and (steps < 0).any())


def _weekend_days(days: Days) -> int:
    """Return 0 where no row lies on a Saturday or Sunday, else 1."""
    return int((~np.is_busday(days)).any())


def _span(days: Days) -> int:
    return int((days.max() - days.min()).astype(np.int64))


# What is counted, how many times the lowest count is still as good, and what is reported.
_RULES: tuple[tuple[Callable[[Days], int], int, str], ...] = (
    (_turns, 1, "the only reading in which the rows run in one direction"),
    (_span, 2, "the reading with the smallest gaps"),
    (_weekend_days, 1, "the only reading without weekends"),
)
