"""Histories for the tests of the analysis: quoted, or SIMULATED on the grid. Does not belong here: expectations."""

import dataclasses

import numpy as np
import pandas as pd

from bist_pipeline.core.ticks import snap
from bist_pipeline.quality.breaks.contract import SymbolHistory
from bist_pipeline.quality.contract import CheckInput

FIRST = np.datetime64("2024-02-05")


def quoted(text, basis="fully_adjusted", **columns):
    """A history of lines `day open high low close volume`; every day in it is a neighbour of the one before."""
    cells = [line.split() for line in text.strip().splitlines()]
    day = np.array([row[0] for row in cells], dtype="datetime64[D]")
    values = np.array([row[1:] for row in cells], dtype=np.float64).T
    return history(day, values, basis, **columns)


def quoted_values(values, basis="as_traded"):
    """A history of rows of open, high, low, close and volume on neighbouring days."""
    return history(np.busday_offset(FIRST, np.arange(values.shape[1])), values, basis)


def simulated(count, seed=0, level=30.0, basis="as_traded", volume=1e6):
    """A SIMULATED share on the grid that moves by up to 3 % a session."""
    random = np.random.default_rng(seed)
    day = np.busday_offset(FIRST, np.arange(count))
    close = snap(level * np.exp(np.cumsum(random.uniform(-0.03, 0.03, count))), day)[0]
    open_ = snap(close * np.exp(random.uniform(-0.02, 0.02, count)), day)[0]
    high = snap(np.maximum(open_, close) * np.exp(random.uniform(0, 0.02, count)), day)[0]
    low = snap(np.minimum(open_, close) * np.exp(random.uniform(-0.02, 0, count)), day)[0]
    volumes = volume * random.uniform(0.8, 1.2, count)
    return history(day, np.array([open_, high, low, close, volumes]), basis)


def history(day, values, basis, **columns):
    """A history of rows of open, high, low, close and volume."""
    count = len(day)
    nothing = {"adj_close": np.full(count, np.nan), "dividend": np.zeros(count), "split": np.ones(count)}
    return SymbolHistory(
        "SHARE",
        day,
        *values,
        gap=np.ones(count, dtype=np.int64),
        basis=basis,
        actions=actions(),
        **nothing | {name: np.asarray(column, dtype=np.float64) for name, column in columns.items()},
    )


def actions(*rows):
    """Known actions, each `(ex_date, price factor, shares after per share before)`."""
    known = CheckInput(pd.DataFrame(), pd.DataFrame(), pd.DataFrame()).actions
    table = {
        "ex_date": pd.to_datetime([row[0] for row in rows]),
        "price_factor": [float(row[1]) for row in rows],
        "share_ratio": [float(row[2]) for row in rows],
    }
    return pd.DataFrame(table).reindex(columns=known.columns) if rows else known


def times(one, start, stop, factor, *, on_grid=False):
    """The same with the prices of some bars multiplied, and snapped again where they are to be prices."""
    part = slice(start, stop)
    prices = {name: getattr(one, name).copy() for name in ("open", "high", "low", "close")}
    for values in prices.values():
        values[part] *= factor
        if on_grid:
            values[part] = snap(values[part], one.day[part])[0]
    return dataclasses.replace(one, **prices)


def until(one, stop):
    """The same with its first bars only."""
    names = {field.name for field in dataclasses.fields(one)} - {"symbol", "basis", "actions"}
    return dataclasses.replace(one, **{name: getattr(one, name)[:stop] for name in names})


def changed(one, bar, **values):
    """The same with single values of one bar changed."""
    columns = {name: getattr(one, name).copy() for name in values}
    for name, value in values.items():
        columns[name][bar] = value
    return dataclasses.replace(one, **columns)


def told(breaks):
    """The verdicts as texts: day, rule, effect, kind."""
    rows = breaks.verdicts
    days = rows["session_date"].dt.strftime("%Y-%m-%d")
    return list(zip(days, rows["rule"], rows["effect"], rows["kind"], strict=True))


def healed(one, breaks):
    """The closes after the repairs, in the shares of the last session."""
    close = one.close.copy()
    day = one.day.astype("datetime64[us]")
    for row in breaks.repairs.itertuples():
        inside = (day >= np.datetime64(row.first_session)) & (day <= np.datetime64(row.last_session))
        close[inside] *= row.price_factor
    for row in breaks.residuals.itertuples():
        close[day < np.datetime64(row.ex_date)] *= row.price_factor
    return close
