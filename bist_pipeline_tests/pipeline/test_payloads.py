"""What was received can be read again, byte for byte, for as long as it is kept."""

import hashlib
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bist_pipeline.core.clock import FixedClock
from bist_pipeline.core.errors import StorageError
from bist_pipeline.pipeline.ingest import ingest
from bist_pipeline.pipeline.payloads import prune_payloads, read_payload
from bist_pipeline.pipeline.sources import open_sources
from bist_pipeline.providers.registry import build_providers
from bist_pipeline.simulator.market import invent_market
from bist_pipeline_tests.archives import simulated_bars, write_archive
from bist_pipeline_tests.pipeline.exchanges import asking, moment, play_faults, standing
from bist_pipeline_tests.pipeline.sites import count, execute, ledger

BARS = simulated_bars(symbols=2, sessions=30)
SYMBOLS = ["ZZAAA", "ZZAAB"]
EVENING = datetime(2026, 8, 7, 20, 0, tzinfo=UTC)
TABLE = "market.payloads"


@pytest.fixture
def archive(tmp_path):
    return write_archive(tmp_path / "archive", BARS)


@pytest.fixture
def context(sites, archive):
    made = sites.emptied(archive, bist_payload_days=14)
    fetch(made)
    return made


def fetch(context, days=0):
    now = FixedClock(EVENING + timedelta(days=days))
    ingest(replace(context, clock=now), build_providers(context.settings), SYMBOLS)


def another_file(context, days, symbol="ZZAAA"):
    """A file with one more space, fetched so many days later; returns the hash of its bytes."""
    place = context.settings.bist_archive_dir / f"{symbol}.csv"
    place.write_bytes(place.read_bytes() + b"\n")
    os.utime(place, (EVENING.timestamp() - 1000 + days,) * 2)
    fetch(context, days)
    return hashlib.sha256(place.read_bytes()).hexdigest()


def test_a_file_is_given_back_as_it_was_received_and_stored_compressed(context, archive):
    for symbol in SYMBOLS:
        payload = read_payload(context.database, symbol, ledger(context, symbol).payload_hash)
        assert payload == (archive / f"{symbol}.csv").read_bytes()
    kept = context.database.rows(f"SELECT *, length(body) AS stored FROM {TABLE} ORDER BY symbol")
    assert [row.size_bytes for row in kept] == [(archive / f"{s}.csv").stat().st_size for s in SYMBOLS]
    assert all(row.stored < row.size_bytes * 0.6 for row in kept)
    assert [(row.source, row.codec, row.fetched_at) for row in kept] == [
        (f"archive:{symbol}.csv", "zstd", EVENING) for symbol in SYMBOLS
    ]


def test_the_same_bytes_are_kept_once(context):
    ingest(context, build_providers(context.settings), SYMBOLS, whatever_is_stored=True)
    assert count(context, TABLE) == 2


def test_every_row_leads_to_its_payload(context):
    another_file(context, 1)
    lost = context.database.rows(
        f"""SELECT count(*) AS n FROM market.raw_prices AS r WHERE NOT EXISTS (
            SELECT FROM {TABLE} AS p WHERE p.symbol = r.symbol AND p.payload_hash = r.payload_hash)"""
    )
    assert lost[0].n == 0


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        ("body = set_byte(body, length(body) / 2, get_byte(body, length(body) / 2) # 255)", "is damaged"),
        ("body = substring(body FROM 1 FOR 20)", "cannot be decompressed"),
        ("size_bytes = size_bytes - 1", "is damaged"),
        (
            "body = (SELECT o.body FROM market.payloads AS o WHERE o.symbol = 'ZZAAB'), "
            "size_bytes = (SELECT o.size_bytes FROM market.payloads AS o WHERE o.symbol = 'ZZAAB')",
            "another hash",
        ),
    ],
)
def test_a_damaged_body_is_refused_in_one_line_that_names_symbol_and_hash(context, damage, why):
    mark = ledger(context, "ZZAAA").payload_hash
    execute(context, f"UPDATE {TABLE} SET {damage} WHERE symbol = 'ZZAAA'")
    with pytest.raises(StorageError, match=why) as told:
        read_payload(context.database, "ZZAAA", mark)
    assert f"ZZAAA: the kept payload {mark} is damaged" in str(told.value)
    assert len(str(told.value).splitlines()) == 1


def test_a_payload_that_is_not_kept_says_which_variable_keeps_it(context):
    with pytest.raises(StorageError, match="ZZAAA: no payload abc is kept; BIST_PAYLOAD_DAYS says"):
        read_payload(context.database, "ZZAAA", "abc")


def test_old_payloads_go_and_the_one_that_the_rows_came_in_stays_however_old(context):
    first = ledger(context, "ZZAAA").payload_hash
    second = another_file(context, 10)
    third = another_file(context, 20)
    kept = {
        row.payload_hash for row in context.database.rows(f"SELECT payload_hash FROM {TABLE} WHERE symbol = 'ZZAAA'")
    }
    assert kept == {second, third}
    assert first not in kept
    prune_payloads(replace(context, clock=FixedClock(EVENING + timedelta(days=400))))
    left = {row.payload_hash for row in context.database.rows(f"SELECT payload_hash FROM {TABLE}")}
    assert left == {third, ledger(context, "ZZAAB").payload_hash}


def test_where_an_older_file_comes_back_its_payload_outlives_newer_ones(context):
    first = ledger(context, "ZZAAA").payload_hash
    place = context.settings.bist_archive_dir / "ZZAAA.csv"
    payload = place.read_bytes()
    second = another_file(context, 10)
    place.write_bytes(payload)
    fetch(context, 11)
    assert ledger(context, "ZZAAA").payload_hash == first
    prune_payloads(replace(context, clock=FixedClock(EVENING + timedelta(days=400))))
    kept = {
        row.payload_hash for row in context.database.rows(f"SELECT payload_hash FROM {TABLE} WHERE symbol = 'ZZAAA'")
    }
    assert kept == {first, second}


def test_with_no_days_nothing_is_kept_and_what_was_kept_goes(sites, context, archive):
    none = replace(context, settings=context.settings.model_copy(update={"bist_payload_days": 0}))
    assert count(context, TABLE) == 2
    another_file(none, 1)
    assert count(context, TABLE) == 0


@pytest.mark.parametrize("provider", ["yahoo_chart", "yfinance"])
def test_an_answer_over_http_is_kept_as_its_rows_name_it(sites, provider):
    market = invent_market(symbols=2, seed=3, first=datetime(2026, 5, 4, tzinfo=UTC).date(), last=EVENING.date())
    with standing(market, moment(EVENING.date())) as running:
        context = asking(sites, running, bist_providers=(provider,))
        ingest(context, open_sources(context).history, SYMBOLS)
        assert {ledger(context, symbol).status for symbol in SYMBOLS} == {"answered"}
        for symbol in SYMBOLS:
            payload = read_payload(context.database, symbol, ledger(context, symbol).payload_hash)
            assert payload.startswith(b'{"chart":')


def test_an_answer_that_was_filled_from_a_second_one_is_kept_as_both(sites):
    market = invent_market(symbols=2, seed=3, first=datetime(2026, 5, 4, tzinfo=UTC).date(), last=EVENING.date())
    with standing(market, moment(EVENING.date())) as running:
        play_faults(running, {"nulls": 0.7})
        context = asking(sites, running)
        ingest(context, open_sources(context).history, SYMBOLS)
        payloads = [read_payload(context.database, s, ledger(context, s).payload_hash) for s in SYMBOLS]
    assert max(payload.count(b'{"chart":') for payload in payloads) > 1
