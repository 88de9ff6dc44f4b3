"""What holds for every delivery: each row is in exactly one frame, for the reason that a slow reading of it finds."""

import math
from datetime import date

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from bist_pipeline.market.cleaning import clean
from bist_pipeline.schemas.market import DAILY_PRICES, QUARANTINE
from bist_pipeline_tests.market.raw_rows import VALUES, raw_rows, small_schedule

NAN, INF = float("nan"), float("inf")
NOW = pd.Timestamp("2024-02-01", tz="UTC").as_unit("us")

numbers = st.one_of(
    st.sampled_from([NAN, INF, -INF, 0.0, -1.0, 10.0, 10.0 * (1 - 1e-16), 11.0]), st.floats(9.0, 12.0, allow_nan=False)
)
rows = st.fixed_dictionaries(
    {
        "symbol": st.sampled_from(["THYAO", "AKBNK"]),
        "session_date": st.sampled_from(["2009-12-31", "2024-01-01", "2024-01-03", "2024-01-04", "2024-01-06"]),
        "as_of": st.sampled_from(["2024-01-03T06:00:00Z", "2024-01-03T09:00:00Z", "2024-02-01T00:00:00Z"]),
    },
    optional=dict.fromkeys(VALUES, numbers),
)


def delivered(changes):
    """Rows numbered as a provider's file numbers them."""
    raw = raw_rows(*changes).assign(source_row=range(len(changes)))
    return raw.assign(occurrence=raw.groupby(["symbol", "session_date"]).cumcount())


def slow_verdict(row, of_its_day):
    """The rule that the row breaks, read off one row at a time without any array."""
    day, first = row["session_date"].date(), of_its_day[0]
    opens = pd.Timestamp(day, tz="UTC") + pd.Timedelta(hours=7)
    if day < date(2010, 1, 4):
        return "before_origin"
    if day.weekday() > 4 or day == date(2024, 1, 1):
        return "closed_day"
    if row["as_of"] < opens:
        return "future_session"
    values, first_values = (repr([x[name] + 0.0 for name in VALUES]) for x in (row, first))
    if row["occurrence"] and values == first_values:
        return "duplicate_row"
    if any(repr([x[name] + 0.0 for name in VALUES]) != first_values for x in of_its_day):
        return "conflicting_duplicates"
    return slow_value_verdict(*(row[name] for name in VALUES))


def slow_value_verdict(open_, high, low, close, adj_close, volume):
    prices = [price for price in (open_, high, low, close) if not math.isnan(price)]
    body = [price for price in (open_, close) if not math.isnan(price)]
    faults = {
        "no_close": math.isnan(close),
        "not_finite": any(map(math.isinf, (*prices, adj_close, volume))),
        "not_positive": min(prices, default=1.0) <= 0,
        "negative_volume": volume < 0,
        "high_below_low": low > high * (1 + 1e-9),
        "high_below_body": any(price > high * (1 + 1e-9) for price in body),
        "low_above_body": any(low > price * (1 + 1e-9) for price in body),
    }
    return next((rule for rule, broken in faults.items() if broken), None)


@settings(max_examples=150, deadline=None)
@given(st.lists(rows, max_size=12))
def test_every_row_ends_in_exactly_one_frame_for_the_reason_a_slow_reading_finds(changes):
    raw = delivered(changes)
    cleaned = clean(raw, small_schedule())
    records = raw.to_dict("records")
    expected = {}
    for record in records:
        bar = (record["symbol"], record["session_date"])
        expected[record["source_row"]] = slow_verdict(
            record, [x for x in records if (x["symbol"], x["session_date"]) == bar]
        )
    withheld = {row: rule for row, rule in expected.items() if rule}
    assert dict(zip(cleaned.quarantined["source_row"], cleaned.quarantined["rule"], strict=True)) == withheld
    accepted = [(r["symbol"], r["session_date"]) for r in records if not expected[r["source_row"]]]
    assert list(zip(cleaned.accepted["symbol"], cleaned.accepted["session_date"], strict=True)) == accepted
    assert len(cleaned.accepted) + len(cleaned.quarantined) == len(raw)


@settings(max_examples=60, deadline=None)
@given(st.lists(rows, max_size=12))
def test_whatever_is_delivered_both_frames_meet_their_tables_contracts(changes):
    cleaned = clean(delivered(changes), small_schedule())
    DAILY_PRICES.frame.validate(cleaned.accepted.assign(updated_at=NOW))
    QUARANTINE.frame.validate(cleaned.quarantined.assign(quarantined_at=NOW))


@settings(max_examples=60, deadline=None)
@given(st.lists(rows, max_size=12), st.randoms(use_true_random=False))
def test_a_symbols_bars_depend_on_neither_the_order_of_rows_nor_the_other_symbols(changes, random):
    raw = delivered(changes)
    order = random.sample(range(len(raw)), len(raw))
    whole = clean(raw.iloc[order], small_schedule())
    for frame in ("accepted", "quarantined"):
        alone = getattr(clean(raw[raw["symbol"] == "THYAO"], small_schedule()), frame)
        shuffled = getattr(whole, frame)
        shuffled = shuffled[shuffled["symbol"] == "THYAO"]
        assert keyed(shuffled).equals(keyed(alone))


def keyed(frame):
    return frame.sort_values([name for name in ("session_date", "source_row") if name in frame], ignore_index=True)
