"""Telling apart what a provider changed in bars that it had told before.

Belongs here: the class of one difference, and what a price should have become where actions became known. Pure: frames
in, frames out. Does not belong here: finding the differences and keeping them (`pipeline/revisions.py`).

The classes, in the order in which they are tried:
1. `appeared`, `vanished`: one of the two answers lacks the row;
2. `correction`, where it comes from another source or stands on another basis than before, whatever the values;
3. `late_volume`: every price is the same;
4. `split`, `dividend`: every price by the ratio of the actions after that session that are new, changed or gone;
5. `correction`: anything else.
"""

import numpy as np
import numpy.typing as npt
import pandas as pd

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

PRICES = ("open_raw", "high_raw", "low_raw", "close_raw")
VALUES = (*PRICES, "volume_raw")

# How far a price may be from what an action makes of it, relative. Providers round adjusted prices: to single precision
# (6e-8), or to four decimals (5e-5 of a price of one lira).
RATIO_TOLERANCE = 1e-4

# Columns of what `changed_actions` answers: `factor` is what earlier prices are multiplied with because of the change.
ACTION_CHANGES = ("symbol", "ex_date", "kind", "factor", "told")


def classify(changes: pd.DataFrame, actions: pd.DataFrame) -> pd.DataFrame:
    """Name the class of each difference.

    Args:
        changes: One row per bar that differs: `symbol`, `session_date`; `old_*` and `new_*` of `VALUES`, `basis` and
            `source`; `was_told`, `is_told`: whether the old and the new answer have it.
        actions: Columns `ACTION_CHANGES`: what the new answer says of actions that the old one did not.

    Returns:
        `changes` with `revision_class`, `price_ratio` (new close per old close, NaN where one is missing), `detail`.
    """
    old, new = _values(changes, "old"), _values(changes, "new")
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = new[:, :4] / old[:, :4]
    expected, kinds, told = _expected(changes, actions)
    another = (changes["old_basis"] != changes["new_basis"]) | (changes["old_source"] != changes["new_source"])
    was_told, is_told = changes["was_told"].to_numpy(dtype=bool), changes["is_told"].to_numpy(dtype=bool)
    same_prices = _same(old[:, :4], new[:, :4]).all(axis=1)
    by_action = _by(ratios, expected, old, new) & (kinds != "")
    conditions = [~was_told, ~is_told, another.to_numpy(), same_prices, by_action]
    found = np.select(conditions, ["appeared", "vanished", "correction", "late_volume", kinds], "correction")
    detail = np.select(
        conditions,
        [
            _constant(changes, "the provider had not told of this session before"),
            _constant(changes, "the provider no longer tells of this session"),
            _told_otherwise(changes),
            _arrow("volume", changes["old_volume_raw"], changes["new_volume_raw"]),
            told,
        ],
        _arrow("close", changes["old_close_raw"], changes["new_close_raw"]),
    )
    closing = np.where(np.isfinite(ratios[:, 3]), ratios[:, 3], np.nan)
    texts = {"revision_class": pd.array(found.tolist(), dtype="str"), "detail": pd.array(detail.tolist(), dtype="str")}
    return changes.assign(price_ratio=closing, **texts)


def changed_actions(
    old: pd.DataFrame, new: pd.DataFrame, bars: pd.DataFrame, *, symbol: str, basis: str
) -> pd.DataFrame:
    """What the prices of one symbol should have been multiplied with because other actions are told now.

    Args:
        old: What was told: `ex_date`, `kind`, `ratio`, `amount_try`.
        new: What is told now, the same columns.
        bars: All bars that are told now: `session_date`, `close_raw`.
        symbol: Whose.
        basis: Of the new bars. As traded, no action changes them; split-adjusted, no dividend does.

    Returns:
        Columns `ACTION_CHANGES`. A dividend whose effect cannot be told (no close before, larger than the price) is
        left out.
    """
    kinds = {"split_adjusted": ("split",), "fully_adjusted": ("split", "dividend")}.get(basis, ())
    old = old.assign(amount_try=old["amount_try"] * _shares_after(old, old) / _shares_after(old, new))
    both = old.merge(new, on=["ex_date", "kind"], how="outer", suffixes=("_old", "_new"))
    both = both[both["kind"].isin(kinds)]
    before, after = _sizes(both, "old"), _sizes(both, "new")
    with np.errstate(invalid="ignore"):
        alike = np.abs(before - after) <= np.maximum(1e-6, 1e-9 * np.abs(after))  # stated with six decimals
    differ = ~(_same(before, after) | (alike & (both["kind"] == "dividend").to_numpy()))
    both, before, after = both[differ], before[differ], after[differ]
    is_split = (both["kind"] == "split").to_numpy()
    cum = _closes_before(bars, new, both["ex_date"]) if (~is_split).any() else np.ones(len(both))
    with np.errstate(divide="ignore", invalid="ignore"):
        effect = [np.where(is_split, 1 / size, 1 - size / cum) for size in (before, after)]
    factor = np.where(np.isnan(after), 1.0, effect[1]) / np.where(np.isnan(before), 1.0, effect[0])
    told = [
        f"{kind} {_size(was)} → {_size(now)} of {day:%Y-%m-%d}"
        for kind, was, now, day in zip(both["kind"], before, after, both["ex_date"], strict=True)
    ]
    found = both[["ex_date", "kind"]].assign(symbol=symbol, factor=factor, told=pd.array(told, dtype="str"))
    return found.loc[np.isfinite(factor) & (factor > 0), list(ACTION_CHANGES)].reset_index(drop=True)


def _shares_after(rows: pd.DataFrame, told: pd.DataFrame) -> FloatArray:
    """Shares of an answer's own day per share of each ex-date, by the splits that it tells."""
    splits = told[told["kind"] == "split"]
    return np.array([splits.loc[splits["ex_date"] > day, "ratio"].prod() for day in rows["ex_date"]], dtype=np.float64)


def _sizes(both: pd.DataFrame, which: str) -> FloatArray:
    """Ratio of a split, amount of a dividend; NaN where it is not told."""
    ratio, amount = both[f"ratio_{which}"], both[f"amount_try_{which}"]
    return ratio.where(both["kind"] == "split", amount).to_numpy(dtype=np.float64)


def _closes_before(bars: pd.DataFrame, actions: pd.DataFrame, ex_dates: "pd.Series[pd.Timestamp]") -> FloatArray:
    """The last close before each ex-date without the effect of dividends, in today's shares; NaN where there is none.

    From the newest dividend to the oldest: with `a` the adjusted close before it, `d` its amount and `F` the product of
    the factors of all later ones, the close was `a / F + d`, and its own factor is `1 - d / (a / F + d)`.
    """
    told = bars[bars["close_raw"] > 0].sort_values("session_date")
    days, closes = told["session_date"].to_numpy(), told["close_raw"].to_numpy(dtype=np.float64)
    paid = actions[actions["kind"] == "dividend"].sort_values("ex_date", ascending=False)
    edges, factors, running = [np.datetime64("9999-12-31", "us")], [1.0], 1.0
    for day, amount in zip(paid["ex_date"].to_numpy(), paid["amount_try"].tolist(), strict=True):
        row = int(np.searchsorted(days, day)) - 1
        if row >= 0:
            running *= 1 - amount / (closes[row] / running + amount)
        edges.append(day)
        factors.append(running)
    rows = np.searchsorted(days, ex_dates.to_numpy()) - 1
    # Of a day, the factor of all dividends after it: the oldest edge that lies after the day.
    own = np.array(edges, dtype="datetime64[us]")[::-1]
    later = np.array(factors)[::-1][np.searchsorted(own, days[rows], side="right")] if len(days) else np.ones(len(rows))
    return np.where(rows >= 0, closes[rows] / later, np.nan) if len(days) else np.full(len(rows), np.nan)


def _expected(changes: pd.DataFrame, actions: pd.DataFrame) -> tuple[FloatArray, npt.NDArray[np.str_], list[str]]:
    """Per row what its prices should have been multiplied with, by which kind of action, and in words."""
    expected, kinds = np.ones(len(changes)), np.full(len(changes), "", dtype="U8")
    told = np.full(len(changes), "", dtype=object)
    for one in actions.sort_values("ex_date").to_dict("records"):
        rows = ((changes["symbol"] == one["symbol"]) & (changes["session_date"] < one["ex_date"])).to_numpy()
        expected[rows] *= one["factor"]
        told[rows] = told[rows] + np.where(told[rows] == "", "", "; ") + str(one["told"])
        kinds[rows] = np.where((kinds[rows] == "split") | (one["kind"] == "split"), "split", "dividend")
    return expected, kinds, told.tolist()


def _by(ratios: FloatArray, expected: FloatArray, old: FloatArray, new: FloatArray) -> BoolArray:
    """Whether every price that both answers have is by this ratio, and neither lacks one that the other has."""
    both_missing = np.isnan(old[:, :4]) & np.isnan(new[:, :4])
    fits = np.abs(ratios / expected[:, None] - 1) <= RATIO_TOLERANCE
    return np.asarray((fits | both_missing).all(axis=1))


def _same(one: FloatArray, other: FloatArray) -> BoolArray:
    return (one == other) | (np.isnan(one) & np.isnan(other))


def _values(changes: pd.DataFrame, which: str) -> FloatArray:
    return changes[[f"{which}_{name}" for name in VALUES]].to_numpy(dtype=np.float64)


def _constant(changes: pd.DataFrame, text: str) -> npt.NDArray[np.object_]:
    return np.full(len(changes), text, dtype=object)


def _told_otherwise(changes: pd.DataFrame) -> "pd.Series[str]":
    basis = changes["old_basis"] != changes["new_basis"]
    of_basis = "basis " + changes["old_basis"].astype(str) + " → " + changes["new_basis"].astype(str)
    of_source = "source " + changes["old_source"].astype(str) + " → " + changes["new_source"].astype(str)
    return of_basis.where(basis, of_source)


def _arrow(name: str, old: "pd.Series[float]", new: "pd.Series[float]") -> "pd.Series[str]":
    return name + " " + old.map(_size) + " → " + new.map(_size)


def _size(value: float) -> str:
    return "none" if np.isnan(value) else f"{value:.10g}"
