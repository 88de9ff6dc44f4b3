"""The consumers' door: every frame it hands out, as the role that consumers are given."""

import json
from collections.abc import Iterator
from datetime import date, datetime, timedelta, timezone

import pandas as pd
import pytest

from bist_pipeline.client import Client
from bist_pipeline.core.errors import DatabaseUnavailableError, SessionError, SettingsError
from bist_pipeline.pipeline.publish import publish
from bist_pipeline.pipeline.span import Span
from bist_pipeline_tests.kept import database_url, kept_url  # noqa: F401 - fixtures
from bist_pipeline_tests.pipeline.answers import as_reader, server_time, write_candles, write_signals

DAYS = [date(2024, 1, day) for day in (2, 3, 4)]
SYMBOLS = ["ZZAAA", "ZZAAB", "ZZAAC"]
SPAN = Span(DAYS[0], DAYS[-1])
PRICE = """INSERT INTO market.daily_prices (symbol, session_date, open_try, high_try, low_try, close_try, volume_shares,
    adjustment_factor, total_return_factor, basis, is_final, grade, filled, repaired, source, as_of)
    VALUES (:symbol, :day, 1, 3, 0.5, 2, 7, 1, 1, 'as_traded', true, 'A', '', '', 'test', now())"""
INDICATOR = "INSERT INTO analytics.indicators (symbol, session_date, is_final, rsi_14) VALUES (:symbol, :day, true, 55)"
STOCK = """INSERT INTO reference.stocks (symbol, name, sector, kind, in_xu030, in_xu050, in_xu100, origin, is_active)
    VALUES (:symbol, '', '', 'share', false, false, false, 'packaged', true)"""
SESSION = "INSERT INTO reference.sessions (session_date, is_session, is_half_day, note) VALUES (:day, true, false, '')"


@pytest.fixture
def client(database) -> Iterator[Client]:
    """A client of the database, as `bist_reader`."""
    client = Client(as_reader(database.url).libpq)
    yield client
    client.close()


@pytest.fixture
def market(context):
    """Three symbols over three sessions, published once; the last symbol has no signal on the last session."""
    places = [{"symbol": symbol, "day": day} for symbol in reversed(SYMBOLS) for day in reversed(DAYS)]
    with context.database.statements("filling") as connection:
        connection.run(PRICE, places)
        connection.run(INDICATOR, places)
        connection.run(STOCK, [{"symbol": symbol} for symbol in SYMBOLS])
        connection.run(SESSION, [{"day": day} for day in DAYS])
    write_signals(context.database, scores(0.25))
    write_candles(context.database, {("ZZAAB", DAYS[1], "hammer"): 100, ("ZZAAA", DAYS[1], "doji"): -100})
    publish(context, SPAN)
    return context


def scores(value: float) -> dict[tuple[str, date], float]:
    return {(s, day): value for s in SYMBOLS for day in DAYS if (s, day) != ("ZZAAC", DAYS[-1])}


def places(frame: pd.DataFrame) -> list[tuple[str, date]]:
    return list(zip(frame["symbol"], frame["session_date"].dt.date, strict=True))


def test_before_the_first_publish_every_frame_is_empty_and_has_its_columns(client):
    frames = [
        client.watermark(),
        client.signals(),
        client.signals(DAYS[0]),
        client.signals(as_of=datetime.now().astimezone()),
        client.prices(DAYS[0], DAYS[-1]),
        client.indicators(DAYS[0], DAYS[-1]),
        client.pattern_events(DAYS[0], DAYS[-1]),
        client.coverage(DAYS[0], DAYS[-1]),
    ]
    assert [len(frame) for frame in frames] == [0] * len(frames)
    assert all(len(frame.columns) >= 3 for frame in frames)
    assert str(frames[1]["session_date"].dtype) == "datetime64[us]"


def test_without_a_session_the_newest_signals_are_meant(client, market):
    assert places(client.signals()) == [("ZZAAA", DAYS[2]), ("ZZAAB", DAYS[2])]


def test_the_newest_session_is_the_newest_of_all_symbols(client, market):
    assert places(client.signals(symbols=["ZZAAC"])) == []


def test_one_session_or_a_range_is_sorted_by_session_and_symbol(client, market):
    assert places(client.signals(DAYS[1])) == [(symbol, DAYS[1]) for symbol in SYMBOLS]
    both = client.signals(DAYS[0], last=DAYS[1])
    assert places(both) == [(symbol, day) for day in DAYS[:2] for symbol in SYMBOLS]


def test_a_session_without_signals_and_a_reversed_range_are_empty(client, market):
    assert len(client.signals(date(2024, 1, 5))) == 0
    assert len(client.signals(DAYS[1], last=DAYS[0])) == 0


@pytest.mark.parametrize("symbols", [["ZZAAB", "ZZAAA"], ("ZZAAA", "ZZAAB", "NOSUCH")])
def test_only_the_named_symbols_are_read(client, market, symbols):
    assert places(client.signals(DAYS[1], symbols=symbols)) == [("ZZAAA", DAYS[1]), ("ZZAAB", DAYS[1])]
    for read in (client.prices, client.indicators, client.coverage):
        assert set(read(DAYS[0], DAYS[-1], symbols)["symbol"]) == {"ZZAAA", "ZZAAB"}


def test_no_symbols_are_none_and_not_all(client, market):
    assert len(client.signals(DAYS[1], symbols=[])) == 0
    assert len(client.prices(DAYS[0], DAYS[-1], [])) == 0


def test_a_signal_arrives_with_the_types_of_its_columns(client, market):
    frame = client.signals(DAYS[0], symbols=["ZZAAA"])
    row = frame.iloc[0]
    assert (row["score"], row["action"], row["close_try"], row["publish_id"]) == (0.25, "hold", 10.0, 1)
    assert row["data_version"] == -(2**62) - 1
    assert json.loads(row["terms"])["trend"]["value"] is None
    assert row["known_at"] == pd.Timestamp(2024, 1, 2, 15, tz="UTC")
    assert str(frame["is_final"].dtype) == "bool"


def test_a_past_moment_shows_what_was_visible_then(client, market):
    then = server_time(market.database)
    write_signals(market.database, scores(0.5) | {("ZZAAC", DAYS[-1]): 0.5})
    publish(market, SPAN)
    assert set(client.signals(DAYS[0])["score"]) == {0.5}
    assert set(client.signals(DAYS[0], as_of=then)["score"]) == {0.25}
    # The newest session is looked up as of then, too, and any zone names the same moment.
    istanbul = then.astimezone(timezone(timedelta(hours=3)))
    assert places(client.signals(as_of=istanbul)) == [("ZZAAA", DAYS[2]), ("ZZAAB", DAYS[2])]
    assert places(client.signals(as_of=istanbul, symbols=["ZZAAB"])) == [("ZZAAB", DAYS[2])]
    assert len(client.signals()) == 3
    assert len(client.signals(as_of=datetime(2020, 1, 1).astimezone())) == 0


def test_a_moment_without_a_time_zone_is_refused(client):
    with pytest.raises(SessionError, match="has no time zone: pass an aware datetime"):
        client.signals(as_of=datetime(2024, 1, 2))  # noqa: DTZ001 - the fault under test


def test_the_watermark_says_how_far_publishing_has_come(client, market):
    mark = client.watermark().iloc[0]
    assert (mark["publish_id"], mark["last_session"].date(), mark["last_final_session"].date()) == (1, DAYS[2], DAYS[2])
    assert mark["published_at"] <= pd.Timestamp(server_time(market.database))


def test_prices_indicators_and_coverage_are_read_for_a_range(client, market):
    wanted = [(symbol, day) for day in DAYS[1:] for symbol in SYMBOLS]
    assert places(client.prices(DAYS[1], DAYS[2])) == wanted
    assert set(client.prices(DAYS[1], DAYS[2])["high_try"]) == {3.0}
    indicators = client.indicators(DAYS[1], DAYS[2])
    assert places(indicators) == wanted
    assert set(indicators["rsi_14"]) == {55.0}
    assert indicators["sma_200"].isna().all()
    assert places(client.coverage(DAYS[1], DAYS[2])) == wanted
    assert set(client.coverage(DAYS[1], DAYS[2])["state"]) == {"traded"}


def test_pattern_events_are_read_for_a_range(client, market):
    events = client.pattern_events(DAYS[0], DAYS[2])
    assert places(events) == [("ZZAAA", DAYS[1]), ("ZZAAB", DAYS[1])]
    assert events["pattern"].tolist() == ["doji", "hammer"]
    told = ("trend_before", "trend_slope_atr", "fits_trend", "level_distance_atr", "is_locked")
    assert json.loads(events["details"].iloc[0]) == dict.fromkeys(told)
    assert len(client.pattern_events(DAYS[2], DAYS[2])) == 0


def test_a_wrong_address_is_refused_without_repeating_it():
    with pytest.raises(SettingsError, match=r"^url: expected postgresql://") as caught:
        Client("mysql://desk:s3cret@host/bist")
    assert "s3cret" not in str(caught.value)


def test_an_absent_server_is_an_error_of_ours():
    client = Client("postgresql://bist_reader@127.0.0.1:1/bist")
    with pytest.raises(DatabaseUnavailableError):
        client.signals()
    client.close()


@pytest.mark.parametrize("kind", ["real", "simulated", "replayed"])
def test_every_frame_says_which_kind_of_market_it_is_of(client, market, kind):
    with market.database.statements("noting") as connection:
        connection.run(
            "INSERT INTO operations.market (kind, detail, noted_at) VALUES (:kind, 'test', now())", {"kind": kind}
        )
    assert client.market_kind() == kind
    assert client.signals().attrs["market"] == client.prices(DAYS[0], DAYS[0]).attrs["market"] == kind
