"""One database holds one kind of market, whoever comes first and however many come at once."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime

import pytest

from bist_pipeline.core.errors import MarketKindError
from bist_pipeline.pipeline.market_kind import ensure_market_kind, stored_market_kind
from bist_pipeline_tests.archives import simulated_bars, write_archive
from bist_pipeline_tests.pipeline.sites import run

NOW = datetime(2026, 8, 7, 9, 0, tzinfo=UTC)


def noted(database) -> list[tuple]:
    return [tuple(row) for row in database.rows("SELECT kind, detail, noted_at FROM operations.market")]


def test_an_empty_database_holds_no_kind(database):
    assert stored_market_kind(database) is None


def test_the_first_writer_says_it_and_the_same_kind_passes(database):
    ensure_market_kind(database, "simulated", "yahoo_chart at http://127.0.0.1:9001", NOW)
    ensure_market_kind(database, "simulated", "yahoo_quote at http://127.0.0.1:9001", NOW)
    assert noted(database) == [("simulated", "yahoo_chart at http://127.0.0.1:9001", NOW)]
    assert stored_market_kind(database) == "simulated"


@pytest.mark.parametrize(
    ("first", "second"), [("real", "simulated"), ("simulated", "real"), ("replayed", "real"), ("simulated", "replayed")]
)
def test_another_kind_is_refused_with_both_names_and_what_to_do(database, first, second):
    ensure_market_kind(database, first, "the first one", NOW)
    with pytest.raises(MarketKindError) as caught:
        ensure_market_kind(database, second, "the second one", NOW)
    message = str(caught.value)
    assert f"holds a {first} market (the first one), the second one offers a {second} one" in message
    assert "set BIST_HOME or BIST_DATABASE_URL to another place" in message
    assert "\n" not in message
    assert noted(database) == [(first, "the first one", NOW)]


def test_of_many_first_writers_at_once_one_kind_wins(database):
    def offer(kind: str) -> str:
        try:
            ensure_market_kind(database, kind, f"somebody {kind}", NOW)
        except MarketKindError:
            return "refused"
        return kind

    with ThreadPoolExecutor(6) as threads:
        told = list(threads.map(offer, ["real", "simulated", "replayed"] * 4))
    winner = stored_market_kind(database)
    assert winner is not None
    assert Counter(told) == {winner: 4, "refused": 8}
    assert len(noted(database)) == 1


@pytest.fixture
def old(context):
    """A database with prices, from before kinds were noted."""
    write_archive(context.settings.bist_archive_dir, simulated_bars(symbols=2, sessions=30))
    run(context, date(2021, 1, 4), date(2021, 1, 8))
    with context.database.statements("forgetting the kind") as statements:
        statements.run("DELETE FROM operations.market")
    return context.database


def test_prices_from_before_kinds_were_noted_are_real(old):
    assert stored_market_kind(old) == "real"
    with pytest.raises(MarketKindError, match="holds a real market"):
        ensure_market_kind(old, "simulated", "the simulated exchange", NOW)
    assert noted(old) == []
    ensure_market_kind(old, "real", "yahoo_chart", NOW)
    assert noted(old) == [("real", "yahoo_chart", NOW)]
