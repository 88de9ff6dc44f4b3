"""Writing many rows at once: one transaction, one lock, only what differs."""

import threading
from collections.abc import Iterator
from dataclasses import replace as changed_record
from datetime import UTC, date, datetime

import numpy as np
import pandas as pd
import pytest

from bist_pipeline.core.errors import ContractError, StorageError
from bist_pipeline.pipeline.contracts import contracts
from bist_pipeline.storage.bars import read_bars
from bist_pipeline.storage.bulk import Scope, WriteCounts
from bist_pipeline.storage.database import Database
from bist_pipeline.storage.embedded.waiting import wait_until
from bist_pipeline_tests.kept import database_url, kept_url  # noqa: F401 - fixtures
from bist_pipeline_tests.market_maker import make_bar_frame
from bist_pipeline_tests.storage.rows import (
    CANDLES,
    EVENTS,
    EVERYTHING,
    MOMENT,
    RAW,
    SESSIONS,
    insert,
    make_frame,
    replace,
    stored,
)

LATER = datetime(2024, 6, 1, tzinfo=UTC)
PRICES = contracts().daily_prices


def test_stamps_do_not_make_a_difference_and_travel_with_one(database):
    stamps = ("payload_hash", "as_of", "fetched_at")
    first = [{"occurrence": n} for n in (0, 1)]
    replace(database, RAW, first)
    newer = [{**row, "payload_hash": "two", "as_of": LATER, "fetched_at": LATER} for row in first]
    assert replace(database, RAW, newer) == WriteCounts(unchanged=2)
    assert set(stored(database, RAW, stamps).values()) == {("one", MOMENT, MOMENT)}
    newer[1]["close_raw"] = 2.0
    assert replace(database, RAW, newer) == WriteCounts(updated=1, unchanged=1)
    assert list(stored(database, RAW, stamps).values()) == [("one", MOMENT, MOMENT), ("two", LATER, LATER)]


def test_a_null_that_becomes_a_value_and_a_value_that_becomes_null_are_changes(database):
    replace(database, CANDLES, [{"trend_slope_atr": None}, {"pattern": "doji", "trend_slope_atr": 0.5}])
    counts = replace(database, CANDLES, [{"trend_slope_atr": 0.5}, {"pattern": "doji", "trend_slope_atr": None}])
    assert counts == WriteCounts(updated=2)


def test_json_is_compared_as_json(database):
    replace(database, EVENTS, [{"details": '{"a": 1, "b": [2.50]}'}])
    assert replace(database, EVENTS, [{"details": '{"b":[2.5],"a":1}'}]) == WriteCounts(unchanged=1)
    assert replace(database, EVENTS, [{"details": '{"a": 1}'}]) == WriteCounts(updated=1)
    assert replace(database, EVENTS, [{"details": None}]) == WriteCounts(updated=1)
    assert stored(database, EVENTS, ["details"]).popitem()[1] == (None,)


def test_a_change_in_json_is_seen_before_the_merge(database):
    replace(database, EVENTS, [{"details": '{"a": 1}'}])
    for details, symbols in (('{"a":1}', []), ('{"a": 2}', ["ZZAAA"])):
        with database.bulk("comparing") as bulk:
            stage = bulk.stage(EVENTS, [make_frame(EVENTS, [{"details": details}])])
            assert bulk.changed(EVENTS, stage, EVERYTHING)["symbol"].tolist() == symbols


def test_text_that_is_no_json_is_refused(database):
    with pytest.raises(StorageError, match="invalid input syntax for type json"):
        replace(database, EVENTS, [{"details": "{"}])
    assert stored(database, EVENTS, []) == {}


@pytest.mark.parametrize("blocks", [[], [[]], [[], []]])
def test_nothing_delivered_empties_the_scope_and_nothing_else(database, blocks):
    days = [date(2024, 1, day) for day in (2, 3, 4)]
    insert(database, CANDLES, [{"symbol": s, "session_date": day} for s in ("ZZAAA", "ZZAAB") for day in days])
    counts = replace(database, CANDLES, *blocks, scope=Scope(days[1], days[2], ("ZZAAA", "ZZZZZ")))
    assert counts == WriteCounts(deleted=2)
    left = {key[:2] for key in stored(database, CANDLES, [])}
    assert left == {("ZZAAA", days[0]), *(("ZZAAB", day) for day in days)}


def test_a_scope_of_no_symbols_touches_nothing(database):
    insert(database, CANDLES, [{}])
    assert replace(database, CANDLES, scope=Scope(symbols=())) == WriteCounts()


def test_a_symbol_is_data_and_never_sql(database):
    insert(database, CANDLES, [{}])
    assert replace(database, CANDLES, scope=Scope(symbols=("x'; DROP TABLE market.daily_prices; --",))) == WriteCounts()
    assert len(stored(database, CANDLES, [])) == 1


def test_counts_add_up():
    total = WriteCounts(1, 2, 3, 4) + WriteCounts(10, 20, 30, 40)
    assert total == WriteCounts(11, 22, 33, 44)
    assert total.delivered == 66
    assert total.as_dict() == {"inserted": 11, "updated": 22, "unchanged": 33, "deleted": 44}


# ── all or nothing ──


def spoiling_blocks() -> Iterator[pd.DataFrame]:
    yield make_frame(CANDLES, [{"strength": 1}])
    raise OSError("the source broke off")


@pytest.mark.parametrize("is_stored", [False, True])
@pytest.mark.parametrize(
    ("rows", "error"),
    [
        ([{"strength": 1}, {"strength": 2}], StorageError),  # one key twice
        ([{"strength": 1}, {"pattern": None}], StorageError),  # no key
        ([{"strength": 1}, {"pattern": "nul\0"}], StorageError),
    ],
)
def test_rows_that_the_database_refuses_leave_everything_as_it_was(database, is_stored, rows, error):
    before = prepare(database, is_stored=is_stored)
    with pytest.raises(error, match=r"^writing analytics\.candlestick_patterns: [^\n]+$"):
        replace(database, CANDLES, rows)
    assert stored(database, CANDLES, CANDLES.columns) == before


@pytest.mark.parametrize("is_stored", [False, True])
def test_a_source_that_breaks_off_leaves_everything_as_it_was(database, is_stored):
    before = prepare(database, is_stored=is_stored)
    with pytest.raises(OSError, match="broke off"), database.bulk("writing") as bulk:
        bulk.replace(CANDLES, spoiling_blocks(), EVERYTHING)
    assert stored(database, CANDLES, CANDLES.columns) == before


@pytest.mark.parametrize("is_stored", [False, True])
def test_a_later_block_that_breaks_the_contract_leaves_everything_as_it_was(database, is_stored):
    before = prepare(database, is_stored=is_stored)
    good = make_frame(CANDLES, [{"strength": 1}])
    for bad, complaint in (
        (good.drop(columns="direction"), r"analytics\.candlestick_patterns: the frame lacks direction"),
        (good.assign(strength="strong"), r"analytics\.candlestick_patterns\.strength: "),
    ):
        with pytest.raises(ContractError, match=complaint), database.bulk("writing") as bulk:
            bulk.replace(CANDLES, [good, bad], EVERYTHING)
        assert stored(database, CANDLES, CANDLES.columns) == before


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, GeneratorExit])
def test_an_error_after_the_write_undoes_it(database, error):
    before = prepare(database, is_stored=True)

    def write_and_fail() -> None:
        with database.bulk("writing") as bulk:
            bulk.replace(CANDLES, [make_frame(CANDLES, [{"pattern": "doji"}])], EVERYTHING)
            raise error

    with pytest.raises(error):
        write_and_fail()
    assert stored(database, CANDLES, CANDLES.columns) == before


def test_nobody_sees_a_write_before_it_is_committed(database):
    with database.bulk("writing") as bulk:
        bulk.replace(CANDLES, [make_frame(CANDLES, [{}])], EVERYTHING)
        assert stored(database, CANDLES, []) == {}
    assert len(stored(database, CANDLES, [])) == 1


def prepare(database: Database, *, is_stored: bool) -> dict:
    if is_stored:
        insert(database, CANDLES, [{}, {"symbol": "ZZAAB"}])
    return stored(database, CANDLES, CANDLES.columns)


# ── the lock ──


def waits_for_lock(database: Database) -> bool:
    sql = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND database = " + (
        "(SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    return database.rows(sql)[0][0] > 0


def test_two_writers_of_one_table_take_turns(database):
    second: list[WriteCounts] = []
    writer = threading.Thread(target=lambda: second.append(replace(database, CANDLES, [{"strength": 2}])))
    with database.bulk("writing") as bulk:
        first = bulk.replace(CANDLES, [make_frame(CANDLES, [{"strength": 1}])], EVERYTHING)
        writer.start()
        assert wait_until(lambda: waits_for_lock(database), 20)
        assert not second
    writer.join(20)
    assert (first, second) == (WriteCounts(inserted=1), [WriteCounts(updated=1)])


def test_writers_of_two_tables_do_not_wait_for_each_other(database):
    with database.bulk("writing") as bulk:
        bulk.replace(CANDLES, [make_frame(CANDLES, [{}])], EVERYTHING)
        assert replace(database, RAW, [{}]) == WriteCounts(inserted=1)


def test_many_writers_of_one_scope_never_meet(database):
    rows = [{"occurrence": n} for n in range(50)]
    done: list[WriteCounts] = []
    writers = [threading.Thread(target=lambda: done.append(replace(database, RAW, rows))) for _ in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(30)
    assert sum(done, WriteCounts()) == WriteCounts(inserted=50, unchanged=150)


# ── size ──


def test_two_hundred_thousand_rows_are_written_compared_and_changed(database):
    bars = make_bar_frame(symbols=160, sessions=1250)
    prices = bars.assign(
        adjustment_factor=1.0,
        total_return_factor=1.0,
        basis="as_traded",
        grade="A",
        filled="",
        repaired="",
        source="test",
    ).assign(as_of=pd.Timestamp(MOMENT).as_unit("us"))
    blocks = [prices.iloc[:150_000], prices.iloc[150_000:]]

    def write(blocks: list[pd.DataFrame]) -> WriteCounts:
        with database.bulk("writing") as bulk:
            return bulk.replace(PRICES, blocks, EVERYTHING)

    assert write(blocks) == WriteCounts(inserted=200_000)
    assert write(blocks) == WriteCounts(unchanged=200_000)
    nudged = prices.assign(close_try=np.where(np.arange(200_000) % 1000 == 0, 1e9, prices["close_try"]))
    assert write([nudged.iloc[1:]]) == WriteCounts(updated=199, unchanged=199_800, deleted=1)
    read = read_bars(database, date(2030, 1, 1))
    pd.testing.assert_frame_equal(
        read.frame, nudged.iloc[1:][list(read.frame.columns)].reset_index(drop=True).astype({"symbol": "str"})
    )


def test_bars_are_read_up_to_a_session_and_for_some_symbols(database):
    prices = [(s, date(2024, 1, day)) for s in ("ZZAAA", "ZZAAB", "ZZAAC") for day in (4, 2, 3)]
    with database.statements("filling") as connection:
        connection.run(
            """INSERT INTO market.daily_prices (symbol, session_date, open_try, high_try, low_try, close_try,
            volume_shares, adjustment_factor, total_return_factor, basis, is_final, grade, filled, repaired, source,
            as_of) VALUES (:symbol, :day, 1, 1, 1, 1, 0, 1, 1, 'as_traded', true, 'A', '', '', 'test', now())""",
            [{"symbol": symbol, "day": day} for symbol, day in prices],
        )
    some = read_bars(database, date(2024, 1, 3), ["ZZAAC", "ZZAAA"]).frame
    assert list(zip(some["symbol"], some["session_date"].dt.day, strict=True)) == [
        ("ZZAAA", 2),
        ("ZZAAA", 3),
        ("ZZAAC", 2),
        ("ZZAAC", 3),
    ]
    assert len(read_bars(database, date(2024, 1, 4))) == 9
    assert len(read_bars(database, date(2024, 1, 4), [])) == 0
    assert len(read_bars(database, date(2010, 1, 4))) == 0


# ── what else a bulk transaction does ──


def test_a_frame_of_any_shape_can_be_staged_and_joined(database):
    insert(database, CANDLES, [{}, {"symbol": "ZZAAB"}])
    with database.bulk("comparing") as bulk:
        stage = bulk.stage_frame(pd.DataFrame({"symbol": ["ZZAAB"], "mark": ["Şişe"]}))
        found = bulk.frame(f"SELECT symbol, mark FROM {CANDLES.name} JOIN {stage} USING (symbol)")
    assert found.to_dict("records") == [{"symbol": "ZZAAB", "mark": "Şişe"}]


def test_a_scope_tells_whether_it_holds_rows(database):
    insert(database, CANDLES, [{}])
    with database.bulk("asking") as bulk:
        assert bulk.holds_rows(CANDLES, Scope(symbols=("ZZAAA",)))
        assert not bulk.holds_rows(CANDLES, Scope(first=date(2024, 1, 3)))
        assert not bulk.holds_rows(CANDLES, Scope(symbols=("ZZAAB",)))


def test_a_table_of_keys_and_stamps_alone_is_never_updated(database):
    keys_alone = changed_record(SESSIONS, stamps=tuple(n for n in SESSIONS.columns if n != "session_date"))
    replace(database, SESSIONS, [{"note": "old"}])
    with database.bulk("writing") as bulk:
        frame = make_frame(SESSIONS, [{"note": "new"}, {"session_date": date(2024, 1, 3)}])
        assert bulk.replace(keys_alone, [frame], EVERYTHING) == WriteCounts(inserted=1, unchanged=1)
    assert set(stored(database, SESSIONS, ["note"]).values()) == {("old",), ("",)}


def test_statements_count_the_rows_they_touch(database):
    with database.statements("filling") as connection:
        sql = "INSERT INTO reference.sessions VALUES (:day, true, false, NULL, NULL, NULL, '')"
        assert connection.run(sql, [{"day": date(2024, 1, 2)}, {"day": date(2024, 1, 3)}]) == 2
        assert (
            connection.run("DELETE FROM reference.sessions WHERE session_date = :day", {"day": date(2024, 1, 3)}) == 1
        )
        assert connection.rows("SELECT session_date AS day FROM reference.sessions") == [{"day": date(2024, 1, 2)}]
