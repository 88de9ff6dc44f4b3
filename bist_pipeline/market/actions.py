"""Corporate actions in force: the desk's word before the provider's, and both before what prices alone tell.

Belongs here: which statement counts where several are made of one thing, and what a statement must hold. Does not
belong here: the desk's file (`desk_actions.py`), what an action leaves of a price (`theoretical.py`), undoing what a
provider adjusted for (`undo.py`): that rests on what the provider says, whoever is right.

How `resolve` works: statements are of one thing when they are of one symbol and of one sort (shares, cash or name) and
their ex-dates lie at most three sessions apart. Of one thing

1. the desk's rows are in force, and the provider's are overruled;
2. the provider's are in force where the desk says nothing;
3. what was inferred is in force where nobody says anything.

A desk that says a split of ratio 1 or a dividend of 0 says that nothing happened.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from bist_pipeline.core.bars import DayArray
from bist_pipeline.core.errors import BistError
from bist_pipeline.market.splits import Actions, ratios_between

KINDS = ("split", "bonus", "rights", "dividend", "rename")
SORT_OF_KIND = {"split": "shares", "bonus": "shares", "rights": "shares", "dividend": "cash", "rename": "name"}

RESOLVED_TYPES = {
    "symbol": "str",
    "ex_date": "datetime64[us]",
    "kind": "str",
    "ratio": "float64",
    "amount_try": "float64",
    "subscription_try": "float64",
    "new_symbol": "str",
    "origin": "str",
    "reason": "str",
    "source": "str",
    "share_scale": "float64",
}
RESOLVED_COLUMNS = tuple(RESOLVED_TYPES)
REFUSED_COLUMNS = ("symbol", "ex_date", "kind", "reason")

# An ex-date stated or seen some days off is the same event: sources state the day after, or the record date (two
# sessions later); no share has two events of one sort as near as this.
NEARBY_SESSIONS = 3

BoolArray = npt.NDArray[np.bool_]


class CorporateActionError(BistError):
    """A corporate action that a person stated cannot be used; the message names symbol, ex-date, kind and rule."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """What is known of corporate actions, after all were heard.

    Attributes:
        actions: Columns `RESOLVED_COLUMNS`, one row per symbol, ex-date and kind, sorted by them. `share_scale`: how
            many of the shares that `amount_try` is stated in one share of the ex-date has become, so that
            `amount_try × share_scale` lira were paid on a share as traded; 1 but for a provider that divides its
            dividends by later splits.
        refused: Columns `REFUSED_COLUMNS`: statements of providers, or of the analysis, that say nothing usable.
    """

    actions: pd.DataFrame
    refused: pd.DataFrame


def resolve(
    delivered: Actions, desk: pd.DataFrame, inferred: pd.DataFrame, *, sessions: DayArray | None = None
) -> Resolved:
    """Decide which statements are in force.

    Args:
        delivered: What providers say, and of which symbols the dividends are divided by later splits.
        desk: Columns of `RESOLVED_COLUMNS` as far as they apply, `note` for the reason; may be empty.
        inferred: The same, with `reason`; may be empty.
        sessions: Sessions of the exchange, increasing; None counts weekdays.

    Raises:
        CorporateActionError: A row of the desk is unusable, or stated twice.
    """
    stated = _shaped(delivered.frame, "provider")
    stated["share_scale"] = _share_scale(stated, delivered)
    own = _shaped(desk, "desk")
    _require_desk(own)
    others = pd.concat([stated, _shaped(inferred, "inferred")], ignore_index=True)
    fault = faults(others)
    kept = others[fault == ""].drop_duplicates(["origin", "symbol", "ex_date", "kind"], keep="last")
    provider, told = kept[kept["origin"] == "provider"], kept[kept["origin"] == "inferred"]
    known = _overrule(own, provider, sessions)
    known = _overrule(known, told, sessions)
    refused = others.assign(reason=fault).loc[fault != "", list(REFUSED_COLUMNS)]
    actions = known.sort_values(["symbol", "ex_date", "kind"]).reset_index(drop=True)
    return Resolved(actions[list(RESOLVED_COLUMNS)], refused.reset_index(drop=True))


def faults(actions: pd.DataFrame) -> npt.NDArray[np.object_]:
    """Say of each action what makes it unusable, empty where nothing does; shape (n,).

    Args:
        actions: `kind`, `ratio`, `amount_try`, `subscription_try`, `new_symbol`.
    """
    kind = actions["kind"].to_numpy(dtype=object)
    ratio, amount, price = (
        actions[name].to_numpy(dtype=np.float64) for name in ("ratio", "amount_try", "subscription_try")
    )
    of_shares = np.isin(kind, ("split", "bonus", "rights"))
    conditions = [
        ~np.isin(kind, KINDS),
        of_shares & ~((ratio > 0) & np.isfinite(ratio)),
        (kind == "rights") & ~((price >= 0) & np.isfinite(price)),
        (kind == "dividend") & ~((amount >= 0) & np.isfinite(amount)),
        (kind == "rename") & (actions["new_symbol"].to_numpy(dtype=object) == ""),
        actions["ex_date"].isna().to_numpy(),
    ]
    texts = [
        f"kind is none of {', '.join(KINDS)}",
        "ratio must be above 0",
        "a rights issue needs subscription_try, at least 0",
        "a dividend needs amount_try, at least 0",
        "a rename needs new_symbol",
        "it has no ex-date",
    ]
    return np.select(conditions, texts, default="").astype(object)


def _shaped(frame: pd.DataFrame, origin: str) -> pd.DataFrame:
    """Fill the columns that a statement lacks; a desk's note is its reason."""
    absent = {"origin": origin, "share_scale": 1.0, "new_symbol": "", "source": "", "reason": ""}
    columns = {}
    for name, kind in RESOLVED_TYPES.items():
        given = "note" if name == "reason" and "note" in frame else name
        column = frame[given] if given in frame else pd.Series(absent.get(name, np.nan), index=frame.index)
        filled = column.fillna("") if kind == "str" else column
        columns[name] = filled.astype(np.dtype(kind) if kind != "str" else pd.StringDtype(na_value=np.nan))
    return pd.DataFrame(columns).assign(origin=origin).astype({"origin": "str"}).reset_index(drop=True)


# What a provider's rounding may have made of an amount. Yahoo states six decimals of what it divided by later splits,
# so that the same dividend is stated anew, a little off, with every split: half a digit, and as a share of the amount,
# so that what was never divided is the same number.
_HALF_A_DIGIT = 0.5e-6
_ROUNDING = 5e-6


def paid(actions: pd.DataFrame) -> npt.NDArray[np.float64]:
    """Lira per share as traded; of what a provider says, the shortest number that rounding may have made it of.

    A statement that differs from an earlier one by its rounding alone is the same statement.
    """
    amount, scale = (actions[name].to_numpy(np.float64) for name in ("amount_try", "share_scale"))
    is_exact = (actions["origin"] != "provider").to_numpy() | ~np.isfinite(amount)
    cases = zip(amount, scale, is_exact, strict=True)
    return np.array([one * by if exact else _shortest(one, by) for one, by, exact in cases], dtype=np.float64)


def _shortest(amount: float, scale: float) -> float:
    whole = amount * scale
    width = max(_HALF_A_DIGIT * scale if scale != 1 else 0.0, _ROUNDING * abs(whole))
    near = (round(whole, decimals) for decimals in range(13))
    return next((value for value in near if abs(value - whole) <= width), whole)


def _share_scale(stated: pd.DataFrame, delivered: Actions) -> npt.NDArray[np.float64]:
    """Shares of the provider's today per share held before the ex-date, its own splits alone: it divided by those."""
    before = stated["ex_date"].to_numpy(dtype="datetime64[D]") - np.timedelta64(1, "D")
    until = np.full(len(stated), np.datetime64(delivered.today, "D"))
    ratio = ratios_between(stated["symbol"], before, until, delivered.of_kind("split")).ratio
    divided = (stated["kind"] == "dividend") & stated["symbol"].isin(delivered.stating)
    return np.where(divided, ratio, 1.0)


def _require_desk(desk: pd.DataFrame) -> None:
    fault = faults(desk)
    twice = desk.duplicated(["symbol", "ex_date", "kind"]).to_numpy()
    for row in np.flatnonzero((fault != "") | twice)[:1]:
        one = desk.iloc[row]
        raise CorporateActionError(
            f"{one['symbol']} {str(one['ex_date'])[:10]} {one['kind']} of the desk ({one['source'] or 'no source'}): "
            f"{fault[row] or 'it is stated twice; keep one row'}"
        )


def _overrule(first: pd.DataFrame, second: pd.DataFrame, sessions: DayArray | None) -> pd.DataFrame:
    """Keep all of `first` and of `second` what is of nothing that `first` speaks of; say so in the reason."""
    upper, lower = _placed(first, sessions), _placed(second, sessions)
    pairs = lower.merge(upper, on=["symbol", "sort"], suffixes=("", "_first"))
    pairs = pairs[(pairs["place"] - pairs["place_first"]).abs() <= NEARBY_SESSIONS]
    kept = second.drop(index=second.index[pairs["row"].unique()])
    if not len(pairs):
        return pd.concat([first, kept], ignore_index=True)
    reasons = first["reason"].to_numpy(dtype=object, copy=True)
    for place, own in pairs.drop_duplicates(["row", "row_first"]).groupby("row_first"):
        told = "; ".join(_told(second.iloc[row]) for row in own["row"])
        reasons[place] = "; ".join(filter(None, (reasons[place], f"overrules {told}")))
    return pd.concat([first.assign(reason=pd.array(reasons, dtype="str")), kept], ignore_index=True)


def _placed(actions: pd.DataFrame, sessions: DayArray | None) -> pd.DataFrame:
    days = actions["ex_date"].to_numpy(dtype="datetime64[D]")
    if sessions is None:
        place = np.busday_count(np.datetime64("1970-01-01"), days)
    else:
        place = np.searchsorted(np.asarray(sessions, dtype="datetime64[D]"), days)
    sort = actions["kind"].map(SORT_OF_KIND).astype("str")
    return pd.DataFrame({"symbol": actions["symbol"], "sort": sort, "place": place, "row": np.arange(len(days))})


def _told(row: pd.Series) -> str:
    value = row["amount_try"] if row["kind"] == "dividend" else row["ratio"]
    number = row["new_symbol"] if row["kind"] == "rename" else f"{value:.10g}"
    who = row["source"] or row["origin"]
    because = f" ({row['reason']})" if row["reason"] else ""
    return f"{row['kind']} {number} of {str(row['ex_date'])[:10]} by {who}{because}"
