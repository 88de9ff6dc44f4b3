"""Whom the pipeline follows: symbols come, leave and return."""

import pytest

from bist_pipeline.core.errors import SymbolError, UniverseError
from bist_pipeline.pipeline.universe import active_symbols, ensure_universe, refresh_universe
from bist_pipeline_tests.archives import simulated_bars, write_archive
from bist_pipeline_tests.pipeline.sites import contents, count, run
from bist_pipeline_tests.pipeline.stand_ins import watched


@pytest.fixture
def archive(tmp_path):
    return write_archive(tmp_path / "archive", simulated_bars(symbols=3, sessions=30))


@pytest.fixture
def context(sites, archive):
    return sites.emptied(archive, bist_universe="packaged")


def following(context, place, *symbols):
    place.write_text("symbol,name\n" + "".join(f"{symbol},\n" for symbol in symbols))
    settings = context.settings.model_copy(update={"bist_universe": str(place)})
    return type(context)(settings, context.database, context.calendar, context.clock, context.run_id)


def test_the_packaged_list_is_followed_with_what_the_archive_adds(context, archive):
    refresh_universe(context, [watched(archive)])
    stocks = contents(context, "reference.stocks").set_index("symbol")
    assert len(stocks) > 500
    assert stocks.loc["ZZAAA", "origin"] == "archive"
    assert (stocks.loc["THYAO", "origin"], stocks.loc["XU100", "kind"]) == ("packaged", "index")
    assert stocks["is_active"].all()


def test_a_symbol_that_leaves_stays_inactive_with_its_history_and_is_active_when_it_returns(context, archive, tmp_path):
    place = tmp_path / "followed.csv"
    three = following(context, place, "ZZAAA", "ZZAAB", "ZZAAC")
    run(three, "2021-01-04", "2021-02-26")
    two = following(context, place, "ZZAAA", "zzaac.is")
    report = run(two, "2021-01-04", "2021-02-26")
    assert report.ingested.summary()["symbols_asked"] == 2
    assert active_symbols(two) == ["ZZAAA", "ZZAAC"]
    assert count(two, "reference.stocks", "NOT is_active") == 1
    assert count(two, "serving.prices_v1", "symbol = 'ZZAAB'") == 30
    assert count(two, "serving.coverage_v1", "symbol = 'ZZAAB'") == 0
    with pytest.raises(UniverseError, match="ZZAAB"):
        active_symbols(two, ["ZZAAB"])
    again = following(context, place, "ZZAAA", "ZZAAB", "ZZAAC")
    refresh_universe(again, [watched(archive)])
    assert active_symbols(again) == ["ZZAAA", "ZZAAB", "ZZAAC"]
    stocks = contents(again, "reference.stocks")
    assert (len(stocks), stocks["is_active"].all()) == (3, True)


def test_refreshing_again_changes_nothing(context, archive):
    refresh_universe(context, [watched(archive)])
    counts = refresh_universe(context, [watched(archive)])
    assert (counts.inserted, counts.updated, counts.deleted) == (0, 0, 0)


def test_a_universe_is_written_only_where_there_is_none(context, archive, tmp_path):
    ensure_universe(following(context, tmp_path / "one.csv", "ZZAAA"), [watched(archive)])
    ensure_universe(following(context, tmp_path / "two.csv", "ZZAAB"), [watched(archive)])
    assert active_symbols(context) == ["ZZAAA"]


def test_every_weekday_from_the_origin_is_in_the_sessions(context, archive):
    refresh_universe(context, [watched(archive)])
    sessions = contents(context, "reference.sessions").set_index("session_date")
    assert len(sessions) == len(context.calendar.days)
    assert not sessions.loc["2023-02-08", "is_session"]
    assert "earthquake" in str(sessions.loc["2023-02-08", "note"])
    assert sessions.loc["2024-10-28", "is_half_day"]


@pytest.mark.parametrize(
    ("wanted", "error", "told"),
    [
        (["ZZAAA", "THYAO"], UniverseError, r"not in the universe .*followed.csv.*: THYAO"),
        (["ZZ"], SymbolError, "'ZZ' has 2 characters"),
        (["ZZAAA", "AET-L"], SymbolError, "AET-L"),
    ],
)
def test_a_symbol_that_is_not_followed_stops_a_backfill_before_anything_is_fetched(
    context, archive, tmp_path, wanted, error, told
):
    own = following(context, tmp_path / "followed.csv", "ZZAAA", "ZZAAB")
    with pytest.raises(error, match=told):
        run(own, "2021-01-04", "2021-02-26", symbols=wanted)
    assert count(own, "market.fetch_ledger") == 0


def test_a_broken_universe_file_is_one_line_and_leaves_the_stored_one(context, archive, tmp_path):
    place = tmp_path / "followed.csv"
    own = following(context, place, "ZZAAA")
    refresh_universe(own, [watched(archive)])
    place.write_text("sembol\nZZAAB\n")
    with pytest.raises(UniverseError, match="no single column `symbol`"):
        refresh_universe(own, [watched(archive)])
    assert active_symbols(own) == ["ZZAAA"]
