"""Frames to Arrow, PostgreSQL and back: the same bits, and nothing taken for what it is not."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bist_pipeline.core.errors import ContractError
from bist_pipeline.pipeline.contracts import contracts
from bist_pipeline.schemas.validation import violations
from bist_pipeline.storage.arrow import to_arrow
from bist_pipeline_tests.kept import database_url, kept_url  # noqa: F401 - fixtures
from bist_pipeline_tests.storage.rows import (
    CANDLES,
    EVENTS,
    EVERYTHING,
    MOMENT,
    RAW,
    SESSIONS,
    dtype_of,
    empty,
    make_frame,
    replace,
)

EDGES = [
    0.0,
    -0.0,
    5e-324,
    -5e-324,
    2.2250738585072014e-308,
    1.7976931348623157e308,
    -1.7976931348623157e308,
    0.1,
    1e-9,
]
TURKISH = "Şişe ve Cam İIıi ĞğÜüÖöÇç − 'tek' \"çift\" \\ % \t\n€𝛑"


def back(database, contract):
    keys = ", ".join(contract.key)
    return database.frame(f"SELECT {', '.join(contract.columns)} FROM {contract.name} ORDER BY {keys}")


def bits(values: pd.Series) -> list[int]:
    return values.to_numpy(dtype=np.float64).view(np.int64).tolist()


@pytest.mark.parametrize("is_staged", [False, True])
def test_every_edge_of_double_precision_keeps_its_bits(database, is_staged):
    rows = [{"occurrence": n, "open_raw": value, "volume_raw": -value} for n, value in enumerate(EDGES)]
    if is_staged:
        replace(database, RAW, [{"symbol": "ZZZZZ"}])
    replace(database, RAW, rows)
    found = back(database, RAW)
    assert bits(found["open_raw"]) == bits(pd.Series(EDGES))
    assert bits(found["volume_raw"]) == bits(-pd.Series(EDGES))


days = st.dates(date(2010, 1, 1), date(2027, 12, 31))
moments = st.datetimes(datetime(2010, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis
numbers = st.none() | st.floats(allow_nan=False, allow_infinity=False, allow_subnormal=True)
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12) | st.just(TURKISH)
candle_rows = st.fixed_dictionaries(
    {
        "symbol": st.sampled_from(["ZZAAA", "ZZAAB"]),
        "session_date": days,
        "pattern": texts,
        "strength": st.integers(-(2**63), 2**63 - 1),
        "trend_slope_atr": numbers,
        "trend_before": st.none() | texts,
        "fits_trend": st.none() | st.booleans(),
        "is_final": st.booleans(),
        "known_at": moments,
        "level_distance_atr": numbers,
        "is_locked": st.none() | st.booleans(),
    }
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(
        candle_rows, min_size=1, max_size=8, unique_by=lambda r: (r["symbol"], r["session_date"], r["pattern"])
    )
)
def test_any_row_comes_back_as_it_went(database, rows):
    empty(database, CANDLES)
    replace(database, CANDLES, rows)
    keys = list(CANDLES.key)
    sent, found = make_frame(CANDLES, rows), back(database, CANDLES).drop(columns="updated_at")
    found = found.astype({"fits_trend": "boolean", "is_locked": "boolean"})
    sent, found = (frame.set_index(keys).sort_index() for frame in (sent, found))
    pd.testing.assert_frame_equal(found, sent, check_exact=True)
    assert bits(found["trend_slope_atr"].fillna(7.0)) == bits(sent["trend_slope_atr"].fillna(7.0))


def test_every_dtype_is_the_one_that_the_contract_names(database):
    replace(database, EVENTS, [{"details": '{"a": 1}', "superseded_by": 7}, {"event_id": "other"}])
    replace(database, CANDLES, [{"fits_trend": True, "is_locked": False}, {"pattern": "doji"}])
    for contract in (EVENTS, CANDLES):
        found = back(database, contract)
        wanted = {n: dtype_of(contract, n) for n in contract.columns if n != "details"}
        assert {n: str(found[n].dtype) for n in wanted} == wanted


def test_whole_numbers_beside_nulls_are_exact(database):
    beyond = 2**53 + 1
    replace(database, EVENTS, [{"superseded_by": beyond}, {"event_id": "other"}])
    assert back(database, EVENTS)["superseded_by"].dropna().tolist() == [beyond]


def test_microseconds_and_time_zones_keep_the_moment(database):
    moment = datetime(2024, 1, 2, 18, 10, 0, 123456, tzinfo=UTC)
    frame = make_frame(SESSIONS, [{"open_at": moment}])
    frame["open_at"] = frame["open_at"].dt.tz_convert("Europe/Istanbul")
    with database.bulk("writing") as bulk:
        bulk.replace(SESSIONS, [frame], EVERYTHING)
    assert back(database, SESSIONS)["open_at"].tolist() == [pd.Timestamp(moment)]


@pytest.mark.parametrize("is_staged", [False, True])
def test_nan_never_reaches_the_database(database, is_staged):
    if is_staged:
        replace(database, RAW, [{"symbol": "ZZZZZ"}])
    replace(database, RAW, [{"open_raw": np.nan, "close_raw": None}])
    row = database.rows("SELECT open_raw, close_raw FROM market.raw_prices")[0]
    assert tuple(row) == (None, None)
    assert database.rows("SELECT count(*) FROM market.raw_prices WHERE 'NaN' IN (open_raw, close_raw)")[0][0] == 0


def test_a_masked_not_a_number_is_null_too(database):
    zero = pd.Series([0.0], dtype="Float64")
    frame = make_frame(RAW, [{}]).assign(open_raw=zero / zero)
    with database.bulk("writing") as bulk:
        bulk.replace(RAW, [frame], EVERYTHING)
    assert database.rows("SELECT open_raw FROM market.raw_prices")[0][0] is None


def test_infinity_is_a_value_and_stays_one(database):
    replace(database, RAW, [{"open_raw": np.inf, "close_raw": -np.inf}])
    assert tuple(database.rows("SELECT open_raw, close_raw FROM market.raw_prices")[0]) == (np.inf, -np.inf)
    found = back(database, RAW)
    assert (found["open_raw"][0], found["close_raw"][0]) == (np.inf, -np.inf)


def test_a_price_that_is_infinite_breaks_its_contract():
    prices = contracts().daily_prices
    row = dict.fromkeys(prices.columns, 1.0)
    found = violations(prices, pd.DataFrame([row | {"close_try": np.inf}]))
    assert ("close_try", "finite") in set(zip(found.by_rule["column"], found.by_rule["rule"], strict=True))


def session_frame(**values: Any) -> pd.DataFrame:
    return make_frame(SESSIONS, [{}]).assign(**values)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("session_date", "2024-01-02"),
        ("session_date", pd.Timestamp(2024, 1, 2, 13)),
        ("session_date", pd.Timestamp("2024-01-02", tz="Europe/Istanbul")),
        ("session_date", 19724),
        ("is_session", 1),
        ("is_session", "true"),
        ("open_at", "2024-01-02 07:00Z"),
        ("open_at", pd.Timestamp(2024, 1, 2, 7)),
        ("open_at", pd.Timestamp("2024-01-02 07:00:00.000000001", tz="UTC")),
        ("note", 5),
        ("note", pd.Series([object()], dtype=object)),
        ("note", pd.Series(["\ud800"], dtype=object)),
    ],
)
def test_a_value_of_another_type_is_refused_by_table_and_column(column, value):
    with pytest.raises(ContractError, match=rf"^reference\.sessions\.{column}: [^\n]+$"):
        to_arrow(SESSIONS, session_frame(**{column: value}))


@pytest.mark.parametrize(
    ("column", "value"),
    [("open_raw", "12,5"), ("open_raw", "12.5"), ("open_raw", True), ("open_raw", 2**60 + 1), ("occurrence", 0.5)],
)
def test_a_number_is_neither_read_out_of_text_nor_rounded(column, value):
    with pytest.raises(ContractError, match=rf"^market\.raw_prices\.{column}: [^\n]+$"):
        to_arrow(RAW, make_frame(RAW, [{}]).assign(**{column: value}))


@pytest.mark.parametrize(
    ("column", "value", "stored"),
    [
        ("session_date", pd.Series([date(2024, 1, 2)], dtype=object), date(2024, 1, 2)),
        ("session_date", pd.Series([np.datetime64("2024-01-02", "ns")]), date(2024, 1, 2)),
        ("open_at", pd.Series([pd.Timestamp(MOMENT).as_unit("ns")]), MOMENT),
        ("open_at", None, None),
        ("open_at", pd.NaT, None),
        ("note", pd.Series(["iki"], dtype=object), "iki"),
        ("note", pd.Series(["iki"], dtype="category"), "iki"),
    ],
)
def test_the_same_value_in_another_dress_is_taken(column, value, stored):
    assert to_arrow(SESSIONS, session_frame(**{column: value}))[column].to_pylist() == [stored]


def test_a_column_that_is_missing_is_named():
    with pytest.raises(ContractError, match=r"^reference\.sessions: the frame lacks is_half_day, note$"):
        to_arrow(SESSIONS, session_frame().drop(columns=["note", "is_half_day"]))


def test_stamps_of_the_server_may_be_left_out_and_strangers_are_ignored():
    table = to_arrow(CANDLES, make_frame(CANDLES, [{}]).assign(stranger=1))
    assert table.column_names == [name for name in CANDLES.columns if name != "updated_at"]


def test_an_empty_frame_has_all_columns():
    table = to_arrow(RAW, make_frame(RAW, []))
    assert (table.num_rows, table.column_names) == (0, list(RAW.columns))


def test_query_parameters_travel_with_their_types(database):
    values = [date(2024, 1, 2), "Şişe'cam", 2**62, 0.1, True, MOMENT + timedelta(microseconds=1)]
    sql = (
        "SELECT $1::date AS a, $2::text AS b, $3::bigint AS c, $4::float8 AS d, $5::boolean AS e, $6::timestamptz AS f"
    )
    found = database.frame(sql, values).iloc[0].tolist()
    assert [found[0].date(), *found[1:5], found[5].to_pydatetime()] == values


@pytest.mark.parametrize("zone", [UTC, ZoneInfo("Europe/Istanbul"), timezone(timedelta(hours=-5))])
def test_a_moment_is_the_same_in_whatever_zone_it_is_asked_for(database, zone):
    sql = "SELECT extract(epoch FROM $1::timestamptz)::bigint AS seconds"
    moment = MOMENT.astimezone(zone)
    assert database.frame(sql, [moment])["seconds"].tolist() == [MOMENT.timestamp()]
    with database.bulk("asking") as bulk:
        assert bulk.execute(sql, [moment]) == [(MOMENT.timestamp(),)]
        assert bulk.frame(sql, [pd.Timestamp(moment)])["seconds"].tolist() == [MOMENT.timestamp()]
