"""What is served: names and order of the columns, who may read them, and the states of coverage."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa

from bist_pipeline.core.errors import StorageError
from bist_pipeline.pipeline.contracts import contracts
from bist_pipeline.storage.database import Database
from bist_pipeline.storage.url import DatabaseUrl
from bist_pipeline.storage.views import NOT_FOR_ALL
from bist_pipeline_tests.kept import database_url, kept_url  # noqa: F401 - fixtures

# As promised to consumers (docs of the design, §1): columns are only ever appended behind these.
PROMISED = {
    "prices_v1": (
        "symbol session_date open_try high_try low_try close_try volume_shares adjustment_factor total_return_factor "
        "basis is_final grade source as_of updated_at"
    ),
    "pattern_events_v1": (
        "event_id symbol session_date pattern kind direction state strength known_at details publish_id"
    ),
    "signals_v1": (
        "symbol session_date score action confidence terms close_try is_final known_at origin data_version publish_id"
    ),
    "indicators_v1": "symbol session_date is_final updated_at",
    "coverage_v1": "symbol session_date state",
    "watermark": "publish_id published_at last_session last_final_session",
}
# Named in the same place, wherever they stand among the others.
INDICATORS = (
    "sma_5 sma_200 ema_5 ema_200 rsi_14 macd_12_26_9 macd_signal_12_26_9 macd_hist_12_26_9 bb_upper_20_2 "
    "bb_middle_20_2 bb_lower_20_2 atr_14 adx_14 plus_di_14 minus_di_14 stoch_k_14_3_3 stoch_d_14_3_3 cci_20 mfi_14 "
    "willr_14 roc_10 obv ad cmf_20 aroon_up_25 aroon_down_25 sar trix_15 kc_upper_20_2 donchian_upper_20 "
    "supertrend_10_3 high_252_distance low_252_distance"
)
SERVED = {*PROMISED, "pattern_reliability_v1", "signals", "pattern_events", "publishes", "signal_models"}


@pytest.fixture
def reader(database: Database) -> Iterator[Database]:
    """The same database, as `bist_reader`."""
    reader = Database(DatabaseUrl(database.url.url.set(username="bist_reader")))
    yield reader
    reader.close()


def relations(database: Database, *, served: bool) -> list[str]:
    return [
        row.name
        for row in database.rows(
            """SELECT format('%I.%I', table_schema, table_name) AS name FROM information_schema.tables
            WHERE table_schema IN ('reference', 'market', 'analytics', 'serving')
            AND (table_schema = 'serving') = :served""",
            {"served": served},
        )
    ]


def columns(database: Database, name: str) -> list[str]:
    frame = database.frame(f"SELECT * FROM serving.{name} LIMIT 0")
    return list(frame.columns)


@pytest.mark.parametrize("view", PROMISED)
def test_a_view_starts_with_the_promised_columns_in_their_order(database, view):
    promised = PROMISED[view].split()
    assert columns(database, view)[: len(promised)] == promised


def test_the_indicators_view_serves_every_column_of_the_contract(database):
    served = columns(database, "indicators_v1")
    assert set(INDICATORS.split()) <= set(served)
    assert sorted(served) == sorted(contracts().indicators.columns)


def test_signals_as_of_answers_in_the_columns_of_the_view(database):
    frame = database.frame("SELECT * FROM serving.signals_as_of(now())")
    assert list(frame.columns) == columns(database, "signals_v1")


def test_everything_promised_is_there(database):
    assert {f"serving.{name}" for name in SERVED} <= set(relations(database, served=True))


def test_the_reader_reads_everything_that_is_served(database, reader):
    for name in relations(database, served=True):
        assert reader.rows(f"SELECT count(*) FROM {name}")
    assert reader.rows("SELECT count(*) FROM serving.signals_as_of(now())")[0][0] == 0


def test_the_reader_reads_nothing_else(database, reader):
    hidden = relations(database, served=False)
    assert len(hidden) >= 11
    for name in hidden:
        with pytest.raises(StorageError, match="permission denied"):
            reader.rows(f"SELECT 1 FROM {name}")


@pytest.mark.parametrize("is_careless", [True, False])
@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO serving.signal_models SELECT * FROM serving.signal_models",
        "UPDATE serving.signals SET score = 0",
        "UPDATE serving.signals_v1 SET score = 0",
        "UPDATE serving.prices_v1 SET close_try = 0",
        "DELETE FROM serving.publishes",
        "TRUNCATE serving.pattern_events",
        "DROP VIEW serving.prices_v1",
        "CREATE TABLE serving.mine (x int)",
        "CREATE TABLE public.mine (x int)",
        "CREATE SCHEMA mine",
        "ALTER ROLE bist_reader CREATEROLE",
        "SELECT lo_create(0)",
        "SELECT lo_from_bytea(0, 'mine')",
        "SELECT lo_unlink(1)",
    ],
)
def test_the_reader_changes_nothing(reader, statement, is_careless):
    # Read-only by default saves a careless person; the privileges stop one who switches that off.
    with pytest.raises(StorageError, match=r"read-only|permission denied|must be owner|cannot update view"):
        change(reader, statement, is_careless=is_careless)


def test_the_reader_makes_no_temporary_table_whoever_made_the_role(database, reader):
    # The role belongs to the server and this right to each database; a copy of a database starts without it.
    database.run_alone(f"GRANT TEMPORARY ON DATABASE {database.url.database} TO PUBLIC")
    change(database, NOT_FOR_ALL, is_careless=True)
    with pytest.raises(StorageError, match="permission denied to create temporary tables"):
        change(reader, "CREATE TEMPORARY TABLE mine (x int)", is_careless=False)


def change(database: Database, statement: str, *, is_careless: bool) -> None:
    with database.transaction() as connection:
        if not is_careless:
            connection.execute(sa.text("SET TRANSACTION READ WRITE"))
        connection.execute(sa.text(statement))


# ── the census of chart patterns ──


def test_the_census_counts_candidates_by_session_pattern_and_outcome(database):
    rows = [
        ("ONE", 2, ["double_top.valley_deep", "double_top.valley_deep", "rectangle.kept"]),
        ("TWO", 2, ["double_top.kept", "double_top.valley_deep"]),
        ("ONE", 3, ["double_top.same_structure"]),
        ("TWO", 3, []),
    ]
    with database.statements("filling") as connection:
        connection.run(
            """INSERT INTO analytics.chart_candidates (symbol, session_date, candidates, outcomes)
            VALUES (:symbol, :day, :count, :outcomes)""",
            [
                {"symbol": symbol, "day": date(2024, 1, day), "count": len(told), "outcomes": json.dumps(told)}
                for symbol, day, told in rows
            ],
        )
    served = database.rows("SELECT * FROM serving.pattern_census_v1 ORDER BY 1, 2, 3")
    assert [tuple(row) for row in served] == [
        (date(2024, 1, 2), "double_top", "kept", 1),
        (date(2024, 1, 2), "double_top", "valley_deep", 3),
        (date(2024, 1, 2), "rectangle", "kept", 1),
        (date(2024, 1, 3), "double_top", "same_structure", 1),
    ]
    assert columns(database, "pattern_census_v1") == ["session_date", "pattern", "outcome", "candidates"]


# ── coverage ──

DAYS = [date(2024, 1, 2), date(2024, 1, 3), date(2024, 1, 4), date(2024, 1, 5)]


def fill(database: Database) -> None:
    """Four past sessions, a closed day, a session to come; one symbol per kind of trouble."""
    moment = datetime(2024, 1, 2, 15, 10, tzinfo=UTC)
    future = datetime.now(UTC) + timedelta(days=300)
    ledger = """INSERT INTO market.fetch_ledger (symbol, provider, status, reason, version, payload_hash, rows,
        first_session, last_session, basis, recognised, fetched_at, cleaned_hash, states_actions,
        strikes, dirty_because)
        VALUES (:symbol, 'archive', :status, '', '', '', 0, :first, :last, '', '{}', now(), '', false, 0, '')"""
    price = """INSERT INTO market.daily_prices (symbol, session_date, open_try, high_try, low_try, close_try,
        volume_shares, adjustment_factor, total_return_factor, basis, is_final, grade, filled, repaired, source, as_of)
        VALUES (:symbol, :day, 1, 1, 1, 1, :volume, 1, 1, 'as_traded', true, 'A', '', '', 'test', now())"""
    quarantine = """INSERT INTO market.quarantine (symbol, session_date, occurrence, rule, reason, basis, source,
        source_row, payload_hash) VALUES (:symbol, :day, :occurrence, 'no_close', '', 'as_traded', 'test', 2, '')"""
    stock = """INSERT INTO reference.stocks
        (symbol, name, sector, kind, in_xu030, in_xu050, in_xu100, origin, is_active)
        VALUES (:symbol, '', '', :kind, false, false, false, 'packaged', :is_active)"""
    session = """INSERT INTO reference.sessions (session_date, is_session, is_half_day, final_at, note)
        VALUES (:day, :is_session, false, :final_at, '')"""
    quote = """INSERT INTO market.quotes (symbol, fetched_at, session_date, state, reason, provider, payload_hash,
        run_id) VALUES (:symbol, :at, :day, :state, '', 'test', '', 'test')"""
    whole = {"status": "answered", "first": DAYS[0], "last": DAYS[-1]}
    with database.statements("filling") as connection:
        finals = [{"day": day, "is_session": True, "final_at": moment + (day - DAYS[0])} for day in DAYS]
        connection.run(session, finals)
        connection.run(session, {"day": date(2024, 1, 8), "is_session": False, "final_at": None})
        connection.run(session, {"day": future.date(), "is_session": True, "final_at": future})
        symbols = ("GOOD", "QUIET", "IDX", "BAD", "NEW", "FAILED", "NEVER", "SILENT", "UNSEEN", "GONE", "LIVE")
        connection.run(
            stock, [{"symbol": s, "kind": "index" if s == "IDX" else "share", "is_active": True} for s in symbols]
        )
        connection.run(stock, {"symbol": "LEFT", "kind": "share", "is_active": False})
        connection.run(ledger, [{"symbol": s, **whole} for s in ("GOOD", "QUIET", "IDX", "BAD", "LEFT")])
        connection.run(ledger, {"symbol": "NEW", **whole, "first": DAYS[2]})
        connection.run(ledger, {"symbol": "FAILED", "status": "failed", "first": DAYS[0], "last": DAYS[1]})
        connection.run(ledger, {"symbol": "NEVER", "status": "failed", "first": None, "last": None})
        connection.run(ledger, {"symbol": "SILENT", "status": "missing", "first": None, "last": None})
        connection.run(ledger, {"symbol": "GONE", "status": "missing", "first": DAYS[0], "last": DAYS[1]})
        connection.run("UPDATE market.fetch_ledger SET strikes = 3 WHERE symbol = 'GONE'")
        connection.run(ledger, {"symbol": "LIVE", **whole})
        # The newest one counts: it halted after it had not traded yet, and the other way round.
        told = [(2, 1, "halted"), (2, 0, "no_trade_yet"), (3, 1, "no_trade_yet"), (3, 0, "halted")]
        quotes = [
            {"symbol": "LIVE", "day": DAYS[n], "at": moment + timedelta(days=n, hours=h), "state": s}
            for n, h, s in told
        ]
        connection.run(quote, quotes)
        traded = [{"symbol": s, "day": day, "volume": 5.0} for s in ("GOOD", "LEFT") for day in DAYS]
        zero = [{"symbol": s, "day": day, "volume": 0.0} for s in ("QUIET", "IDX") for day in DAYS]
        some = [{"symbol": "NEW", "day": day, "volume": 5.0} for day in DAYS[2:]]
        some += [{"symbol": "FAILED", "day": DAYS[0], "volume": 5.0}]
        connection.run(price, traded + zero + some)
        connection.run(quarantine, [{"symbol": "BAD", "day": DAYS[1], "occurrence": n} for n in (0, 1)])


def test_every_symbol_session_has_exactly_one_state(database):
    fill(database)
    rows = database.rows("SELECT symbol, session_date, state FROM serving.coverage_v1")
    assert len(rows) == len({(row.symbol, row.session_date) for row in rows}) == 11 * 5
    states = {row.symbol: Counter() for row in rows}
    for row in rows:
        states[row.symbol][row.state] += 1
    due = {symbol: found - Counter(not_yet_due=1) for symbol, found in states.items()}
    assert due == {
        "GOOD": Counter(traded=4),
        "QUIET": Counter(no_trade=4),
        "IDX": Counter(traded=4),
        "BAD": Counter(quarantined=1, provider_silent=3),
        "NEW": Counter(not_listed_yet=2, traded=2),
        "FAILED": Counter(traded=1, provider_silent=1, provider_failed=2),
        "NEVER": Counter(provider_failed=4),
        "SILENT": Counter(provider_silent=4),
        "UNSEEN": Counter(not_fetched=4),
        "GONE": Counter(provider_silent=2, delisted_or_renamed=2),
        "LIVE": Counter(provider_silent=2, halted=1, no_trade=1),
    }
