"""Publishing: versions that are never changed, one publish at a time, everybody told."""

import json
import select
import threading
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pandas as pd
import psycopg2
import pytest

from bist_pipeline.core.errors import StorageError
from bist_pipeline.pipeline.contracts import contracts
from bist_pipeline.pipeline.models import prepare
from bist_pipeline.pipeline.publish import CHANNEL, PublishReport, publish
from bist_pipeline.pipeline.span import Span
from bist_pipeline.signals.contract import SUB_SIGNALS
from bist_pipeline.signals.explain import terms_json, weights_table
from bist_pipeline.signals.registry import registered_terms
from bist_pipeline.signals.score import score_signals
from bist_pipeline.storage.embedded.waiting import wait_until
from bist_pipeline.storage.migrate import current_fingerprint
from bist_pipeline_tests.kept import database_url, kept_url  # noqa: F401 - fixtures
from bist_pipeline_tests.pipeline.answers import (
    keys_of,
    scores_as_of,
    served_scores,
    served_strengths,
    server_time,
    write,
    write_candles,
    write_chart,
    write_signals,
)
from bist_pipeline_tests.signals.rows import make_events, make_frames, make_inputs

DAY, NEXT, THIRD = date(2024, 1, 2), date(2024, 1, 3), date(2024, 1, 4)
SPAN = Span(DAY, NEXT)
A, B = ("ZZAAA", DAY), ("ZZAAB", NEXT)


def versions(context):
    rows = context.database.rows(
        "SELECT symbol, session_date, score, publish_id, superseded_by FROM serving.signals ORDER BY 1, 2, publish_id"
    )
    return [tuple(row) for row in rows]


def counts(report: PublishReport) -> tuple[int, int, int, int]:
    return report.signals, report.signals_superseded, report.events, report.events_superseded


def test_the_first_publish_makes_what_was_derived_visible(context):
    write_signals(context.database, {A: 0.25, B: -0.5, ("ZZAAA", THIRD): 0.75})
    write_candles(context.database, {(*A, "hammer"): 100, (*A, "doji"): -100, ("ZZAAA", THIRD, "doji"): 100})
    report = publish(context, SPAN)
    assert (report.publish_id, *counts(report), report.symbols) == (1, 2, 0, 2, 0, 2)
    assert report.last_final_session == NEXT
    assert served_scores(context.database) == {A: 0.25, B: -0.5}
    assert served_strengths(context.database) == {(*A, "hammer"): 100, (*A, "doji"): -100}


def test_the_publish_row_says_what_was_done(context):
    write_signals(context.database, {A: 0.25})
    publish(context, SPAN)
    write_signals(context.database, {A: 0.5})
    live = replace(context, origin="live", run_id="run-2")
    before = server_time(context.database)
    report = publish(live, SPAN)
    row = context.database.rows("SELECT * FROM serving.publishes WHERE publish_id = 2")[0]._mapping
    assert before <= row["published_at"] <= server_time(context.database)
    assert {name: row[name] for name in row if name != "published_at"} == {
        "publish_id": 2,
        "origin": "live",
        "run_id": "run-2",
        "first_session": DAY,
        "last_session": NEXT,
        "last_final_session": DAY,
        "signals": 1,
        "signals_superseded": 1,
        "events": 0,
        "events_superseded": 0,
        "symbols": 1,
    }
    assert row["signals"] == report.signals
    origins = context.database.rows("SELECT publish_id, origin FROM serving.signals ORDER BY 1")
    assert [tuple(origin) for origin in origins] == [(1, "backfill"), (2, "live")]


def test_a_different_answer_is_a_new_version_and_the_old_one_stays(context):
    write_signals(context.database, {A: 0.25, B: -0.5})
    publish(context, SPAN)
    write_signals(context.database, {A: 0.5, B: -0.5})
    assert counts(publish(context, SPAN)) == (1, 1, 0, 0)
    assert versions(context) == [(*A, 0.25, 1, 2), (*A, 0.5, 2, None), (*B, -0.5, 1, None)]
    assert served_scores(context.database) == {A: 0.5, B: -0.5}


def test_an_unchanged_answer_is_left_alone(context):
    write_signals(context.database, {A: 0.25})
    write_candles(context.database, {(*A, "hammer"): 100})
    publish(context, SPAN)
    places = "SELECT xmin::text, ctid::text FROM serving"
    sql = f"{places}.signals UNION {places}.pattern_events"
    rows = context.database.rows(sql)
    context.database.run_alone("UPDATE analytics.signals SET updated_at = now()")
    context.database.run_alone("UPDATE analytics.candlestick_patterns SET updated_at = now()")
    assert counts(publish(context, SPAN)) == (0, 0, 0, 0)
    assert context.database.rows(sql) == rows


def test_a_vanished_row_is_withdrawn_without_a_successor(context):
    write_signals(context.database, {A: 0.25, B: -0.5})
    write_candles(context.database, {(*A, "hammer"): 100, (*A, "doji"): 100})
    publish(context, SPAN)
    write_signals(context.database, {B: -0.5})
    write_candles(context.database, {(*A, "doji"): 100})
    assert counts(publish(context, SPAN)) == (0, 1, 0, 1)
    assert versions(context) == [(*A, 0.25, 1, 2), (*B, -0.5, 1, None)]
    assert served_strengths(context.database) == {(*A, "doji"): 100}


def test_an_answer_that_comes_back_is_a_third_version(context):
    for score in (0.25, 0.5, 0.25):
        write_signals(context.database, {A: score})
        publish(context, SPAN)
    assert versions(context) == [(*A, 0.25, 1, 2), (*A, 0.5, 2, 3), (*A, 0.25, 3, None)]


def test_what_lies_outside_the_span_is_not_touched(context):
    write_signals(context.database, {A: 0.25, B: -0.5})
    publish(context, SPAN)
    write_signals(context.database, {A: 0.5, ("ZZAAA", THIRD): 0.75})
    assert counts(publish(context, Span(DAY, DAY))) == (1, 1, 0, 0)
    assert served_scores(context.database) == {A: 0.5, B: -0.5}


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("score", "0.25000000000000006"),
        ("trend", "0.1"),
        ("confidence", "0.75"),
        ("term_rsi_from_50", "0.1"),
        ("close_try", "10.01"),
        ("is_final", "false"),
        ("data_version", "7"),
        ("known_at", "known_at + interval '1 microsecond'"),
    ],
)
def test_every_part_of_an_answer_counts(context, column, value):
    name = column if column in contracts().signals.columns else next(iter(registered_terms().values())).column
    write_signals(context.database, {A: 0.25})
    publish(context, SPAN)
    context.database.run_alone(f"UPDATE analytics.signals SET {name} = {value}")
    assert counts(publish(context, SPAN)) == (1, 1, 0, 0)


def test_a_forming_session_is_not_the_last_final_one(context):
    write_signals(context.database, {A: 0.25, B: 0.5})
    context.database.run_alone(f"UPDATE analytics.signals SET is_final = false WHERE session_date = '{NEXT}'")
    assert publish(context, SPAN).last_final_session == DAY
    watermark = context.database.rows("SELECT last_session, last_final_session FROM serving.watermark")[0]
    assert tuple(watermark) == (NEXT, DAY)


def test_a_span_without_rows_is_a_publish_all_the_same(context):
    report = publish(context, SPAN)
    assert (report.publish_id, *counts(report), report.symbols, report.last_final_session) == (1, 0, 0, 0, 0, 0, None)


def test_an_event_keeps_its_name_over_its_versions(context):
    for strength in (100, 200):
        write_candles(context.database, {(*A, "hammer"): strength})
        publish(context, SPAN)
    rows = context.database.rows(
        "SELECT event_id, strength, superseded_by FROM serving.pattern_events ORDER BY publish_id"
    )
    assert [tuple(row) for row in rows] == [("ZZAAA:hammer:2024-01-02", 100, 2), ("ZZAAA:hammer:2024-01-02", 200, None)]


def test_an_event_is_named_the_same_whatever_the_style_of_dates(context):
    write_candles(context.database, {(*A, "hammer"): 100})
    publish(context, SPAN)
    name = context.database.url.database
    context.database.run_alone(f"ALTER DATABASE {name} SET datestyle = 'German, DMY'")
    context.database.close()
    report = publish(context, SPAN)
    context.database.run_alone(f"ALTER DATABASE {name} RESET datestyle")
    assert counts(report) == (0, 0, 0, 0)


def test_an_event_tells_the_trend_before_it(context):
    write_candles(context.database, {(*A, "hammer"): 100})
    context.database.run_alone(
        "UPDATE analytics.candlestick_patterns SET trend_before = 'down', trend_slope_atr = -0.25, fits_trend = true"
    )
    publish(context, SPAN)
    row = context.database.rows(
        "SELECT kind, state, direction, details, known_at, is_final FROM serving.pattern_events_v1"
    )
    unknown = {"level_distance_atr": None, "is_locked": None}
    details = {"trend_before": "down", "trend_slope_atr": -0.25, "fits_trend": True, **unknown}
    known_at = datetime(2024, 1, 2, 15, tzinfo=UTC)
    assert tuple(row[0]) == ("candlestick", "confirmed", "bullish", details, known_at, True)


# ── events of a session in progress ──

MOVING = {
    "analytics.candlestick_patterns": ("known_at = known_at + interval '5 minutes'", "level_distance_atr = 0.5"),
    "analytics.chart_patterns": (
        "known_at = known_at + interval '5 minutes'",
        "shape_confidence = 0.5",
        "confidence_recency = 0.75",
        "volume_last_third = 12345",
        "close_try = close_try * 1.01",
    ),
}
TELLING = {
    "analytics.candlestick_patterns": ("strength = -100", "direction = 'bearish'", "is_locked = true"),
    "analytics.chart_patterns": (
        "state = 'confirmed'",
        "direction = 'bearish'",
        "because = 'told otherwise'",
        "line_try = line_try * 1.01",
        "target_try = 2",
        "stop_try = 2",
        "tape = 'locked'",
        "is_tradeable = false",
        "pivots = '[]'",
        "lines = '[]'",
    ),
}
TABLES_OF_EVENTS = pytest.mark.parametrize("table", list(MOVING))


@pytest.fixture
def forming(context):
    """A candlestick and a chart pattern of a session in progress, published once."""
    write_candles(context.database, {(*A, "hammer"): 100})
    write_chart(context.database, A, "double_top")
    for table in MOVING:
        context.database.run_alone(f"UPDATE {table} SET is_final = false")
    assert counts(publish(context, SPAN)) == (0, 0, 2, 0)
    return context


@TABLES_OF_EVENTS
def test_while_a_session_trades_what_moves_with_each_trade_makes_no_version(forming, table):
    for change in MOVING[table] * 2:
        forming.database.run_alone(f"UPDATE {table} SET {change}")
        assert counts(publish(forming, SPAN)) == (0, 0, 0, 0), change


@TABLES_OF_EVENTS
def test_while_a_session_trades_what_an_event_is_makes_one(forming, table):
    for change in TELLING[table]:
        forming.database.run_alone(f"UPDATE {table} SET {change}")
        assert counts(publish(forming, SPAN)) == (0, 0, 1, 1), change
        assert counts(publish(forming, SPAN)) == (0, 0, 0, 0), change


def test_three_refreshes_and_the_end_of_the_session_make_two_versions(forming):
    for _ in range(3):
        for table, changes in MOVING.items():
            forming.database.run_alone(f"UPDATE {table} SET {', '.join(changes)}")
        assert counts(publish(forming, SPAN)) == (0, 0, 0, 0)
    for table in MOVING:
        forming.database.run_alone(f"UPDATE {table} SET is_final = true")
    assert counts(publish(forming, SPAN)) == (0, 0, 2, 2)
    sql = "SELECT kind, is_final, superseded_by FROM serving.pattern_events ORDER BY publish_id, kind"
    assert [tuple(row) for row in forming.database.rows(sql)] == [
        ("candlestick", False, 5),
        ("chart", False, 5),
        ("candlestick", True, None),
        ("chart", True, None),
    ]
    served = {row.kind: row for row in forming.database.rows("SELECT * FROM serving.pattern_events_v1")}
    assert served["chart"].strength == served["chart"].details["confidence_recency"] - 0.25 == 0.5
    assert served["candlestick"].details["level_distance_atr"] == 0.5
    assert served["candlestick"].known_at == datetime(2024, 1, 2, 15, 15, tzinfo=UTC)


@TABLES_OF_EVENTS
def test_of_a_final_event_everything_counts(forming, table):
    forming.database.run_alone(f"UPDATE {table} SET is_final = true")
    publish(forming, SPAN)
    for change in (change for change in MOVING[table] if "close_try" not in change):  # the close is not served
        forming.database.run_alone(f"UPDATE {table} SET {change}")
        assert counts(publish(forming, SPAN)) == (0, 0, 1, 1), change


# ── terms ──


def test_the_terms_of_a_served_signal_are_those_that_the_score_explains(context):
    inputs = make_inputs(60, seed=3)
    rng = np.random.default_rng(5)
    for name, values in inputs.items():
        if name != "close_try":
            values[rng.random(60) < 0.25] = np.nan
    for row in range(6):  # whole sub-signals unknown
        for name in inputs:
            if name not in ("close_try", "rsi_14"):
                inputs[name][row] = np.nan
    indicators, closes = make_frames(inputs)
    events = make_events((1, 100, "bullish", True), (9, -100, "bearish", False), (10, 80, "bullish", None))
    scored = score_signals(indicators, events, closes).assign(data_version=1, grade="A")
    known_at = pd.Timestamp(2024, 1, 2, 15, tz="UTC").as_unit("us")
    write(context.database, "signals", scored.assign(known_at=known_at))
    publish(context, SPAN)

    served = context.database.frame("SELECT * FROM serving.signals_v1 ORDER BY symbol")
    assert len(served) == len(scored) > 40
    unknown = 0
    for (_, row), (_, stored) in zip(served.iterrows(), scored.sort_values("symbol").iterrows(), strict=True):
        told, expected = json.loads(row["terms"]), terms_json(stored)
        assert sorted(told) == sorted(SUB_SIGNALS)
        for name in SUB_SIGNALS:
            assert told[name].keys() == expected[name].keys()
            assert told[name]["terms"] == expected[name]["terms"]  # the stored values themselves, to the last bit
            numbers = [("value", stored[name]), ("weight", expected[name]["weight"])]
            numbers += [("contribution", expected[name]["contribution"]), ("value", expected[name]["value"])]
            for part, wanted in numbers:
                known = None if wanted is None or np.isnan(wanted) else pytest.approx(wanted, abs=1e-12)
                assert told[name][part] == known
                unknown += known is None
        assert sum(part["contribution"] for part in told.values()) == pytest.approx(row["score"], abs=1e-12)
        assert sum(part["weight"] for part in told.values()) == pytest.approx(1, abs=1e-12)
    assert unknown > 10


def test_the_weights_that_made_the_scores_are_served(context):
    publish(context, SPAN)
    publish(context, SPAN)
    stored = context.database.frame("SELECT * FROM serving.signal_models")
    order = ["model_version", "term"]
    pd.testing.assert_frame_equal(
        stored.sort_values(order).reset_index(drop=True),
        weights_table()
        .astype(dict.fromkeys(("model_version", "term", "sub_signal", "description"), "str"))
        .sort_values(order)
        .reset_index(drop=True),
    )


def test_other_weights_under_the_same_version_are_refused_and_nothing_is_published(context):
    write_signals(context.database, {A: 0.25})
    publish(context, SPAN)
    context.database.run_alone("UPDATE serving.signal_models SET term_weight = term_weight / 2")
    write_signals(context.database, {A: 0.5})
    with pytest.raises(StorageError, match=r"is stored with other weights: raise MODEL\.version in signals/model\.py$"):
        publish(context, SPAN)
    assert versions(context) == [(*A, 0.25, 1, None)]
    assert context.database.rows("SELECT count(*) FROM serving.publishes")[0][0] == 1


def test_other_weights_under_the_same_version_are_refused_before_anything_is_prepared(context):
    publish(context, SPAN)
    stored = current_fingerprint(context.database)
    context.database.run_alone("UPDATE serving.signal_models SET term_weight = term_weight / 2")
    context.database.run_alone("COMMENT ON SCHEMA serving IS 'bist_pipeline 0123'")  # as after a term was added
    with pytest.raises(StorageError, match=r"is stored with other weights: raise MODEL\.version in signals/model\.py$"):
        prepare(context.database)
    assert current_fingerprint(context.database) == "bist_pipeline 0123"
    context.database.run_alone("UPDATE serving.signal_models SET term_weight = term_weight * 2")
    prepare(context.database)
    assert current_fingerprint(context.database) == stored


def test_another_wording_of_a_term_is_no_other_weight(context):
    publish(context, SPAN)
    context.database.run_alone("UPDATE serving.signal_models SET description = 'reworded'")
    assert publish(context, SPAN).publish_id == 2


# ── time ──


def test_nothing_was_visible_before_the_first_publish(context):
    before = server_time(context.database)
    write_signals(context.database, {A: 0.25})
    assert scores_as_of(context.database, before) == {}
    publish(context, SPAN)
    assert scores_as_of(context.database, before) == {}
    assert scores_as_of(context.database, server_time(context.database)) == {A: 0.25}


def test_the_moment_of_a_publish_belongs_to_it(context):
    write_signals(context.database, {A: 0.25})
    publish(context, SPAN)
    moment = context.database.rows("SELECT published_at FROM serving.publishes")[0][0]
    assert scores_as_of(context.database, moment) == {A: 0.25}
    assert scores_as_of(context.database, moment - timedelta(microseconds=1)) == {}


def test_a_publish_alone_makes_nobody_clean(context):
    with context.database.statements("filling") as connection:
        connection.run(
            """INSERT INTO market.fetch_ledger (symbol, provider, status, reason, version, payload_hash, rows,
            basis, recognised, fetched_at, cleaned_hash, states_actions, strikes, dirty_from, dirty_because)
            VALUES ('ZZAAA', 'archive', 'answered', '', '', '', 0, '', '{}', now(), '', false, 0, :day, 'bars')""",
            {"day": DAY},
        )
    publish(context, SPAN)
    assert context.database.rows("SELECT dirty_from FROM market.fetch_ledger")[0][0] == DAY


def test_the_time_of_a_publish_never_goes_back(context):
    publish(context, SPAN)
    context.database.run_alone("UPDATE serving.publishes SET published_at = now() + interval '1 day'")
    publish(context, SPAN)
    times = [row[0] for row in context.database.rows("SELECT published_at FROM serving.publishes ORDER BY publish_id")]
    assert times == sorted(times)


# ── listeners and rivals ──


def test_listeners_are_told_once_it_is_visible(context):
    with closing(psycopg2.connect(context.database.url.libpq)) as listener:
        listener.autocommit = True
        with listener.cursor() as cursor:
            cursor.execute(f"LISTEN {CHANNEL}")
            publish(context, SPAN)
            select.select([listener], [], [], 20)
            listener.poll()
            assert [json.loads(note.payload) for note in listener.notifies] == [
                {"publish_id": 1, "first": "2024-01-02", "last": "2024-01-03"}
            ]
            cursor.execute("SELECT count(*) FROM serving.publishes")
            assert cursor.fetchone() == (1,)


def test_a_publish_that_fails_tells_nobody(context):
    publish(context, SPAN)
    context.database.run_alone("UPDATE serving.signal_models SET term_weight = 0")
    with closing(psycopg2.connect(context.database.url.libpq)) as listener:
        listener.autocommit = True
        with listener.cursor() as cursor:
            cursor.execute(f"LISTEN {CHANNEL}")
            with pytest.raises(StorageError):
                publish(context, SPAN)
            cursor.execute("SELECT 1")
            assert listener.notifies == []


def test_publishes_at_the_same_time_take_turns(context):
    write_signals(context.database, {A: 0.25, B: -0.5})
    spans = [Span(DAY, DAY), Span(NEXT, NEXT), SPAN]
    reports: list[PublishReport] = []
    rivals = [threading.Thread(target=lambda span=span: reports.append(publish(context, span))) for span in spans]
    waiting = """SELECT count(*) FROM pg_locks JOIN pg_database AS d ON d.oid = database
        WHERE locktype = 'advisory' AND NOT granted AND datname = current_database()"""
    with context.database.statements("holding the lock") as connection:
        connection.run("SELECT pg_advisory_xact_lock(hashtextextended('bist_pipeline:serving', 0))")
        for rival in rivals:
            rival.start()
        assert wait_until(lambda: context.database.rows(waiting)[0][0] == 3, 20)
        assert reports == []
    for rival in rivals:
        rival.join(20)
    assert sorted(report.publish_id for report in reports) == [1, 2, 3]
    assert sum(report.signals for report in reports) == 2
    moments = context.database.rows("SELECT published_at FROM serving.publishes ORDER BY publish_id")
    assert [row[0] for row in moments] == sorted(row[0] for row in moments)
    assert served_scores(context.database) == {A: 0.25, B: -0.5}


def test_a_rival_version_is_refused_by_the_database_itself(context):
    write_signals(context.database, {A: 0.25})
    publish(context, SPAN)
    names = ", ".join(n for n in contracts().served_signals.columns if n != "publish_id")
    with pytest.raises(StorageError, match="signals_current"):
        context.database.run_alone(
            f"INSERT INTO serving.signals ({names}, publish_id) SELECT {names}, 2 FROM serving.signals"
        )


def test_keys_of_no_place_are_an_empty_frame(context):
    assert len(keys_of([])) == 0
    write_signals(context.database, {})
    assert publish(context, SPAN).signals == 0
