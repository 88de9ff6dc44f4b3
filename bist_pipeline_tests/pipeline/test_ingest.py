"""Fetching: what is asked again and what is not, and what a failure leaves behind."""

import os
from datetime import UTC, date, datetime
from unittest import mock

import pytest
from click.testing import CliRunner

from bist_pipeline.cli.root import main
from bist_pipeline.core.errors import (
    BadPayloadError,
    CircuitOpenError,
    ContractError,
    TransientProviderError,
    UnknownSymbolError,
)
from bist_pipeline.pipeline.cleaning import clean_prices
from bist_pipeline.pipeline.ingest import MOST_FURTHER_ROUNDS, ingest
from bist_pipeline.pipeline.ledger import read_ledger
from bist_pipeline.pipeline.span import Span
from bist_pipeline_tests.archives import simulated_bars, write_archive
from bist_pipeline_tests.pipeline.sites import contents, count, execute, ledger, run
from bist_pipeline_tests.pipeline.spoiled import lines_of, write_lines
from bist_pipeline_tests.pipeline.stand_ins import watched

BARS = simulated_bars(symbols=6, sessions=40)
SYMBOLS = sorted(BARS["symbol"].unique())


@pytest.fixture
def archive(tmp_path):
    return write_archive(tmp_path / "archive", BARS)


@pytest.fixture
def context(sites, archive):
    return sites.emptied(archive)


def rewrite(archive, symbol, lines):
    """Write other lines, with a time stamp of its own however coarse the disk's clock is."""
    place = archive / f"{symbol}.csv"
    later = place.stat().st_mtime + 5 if place.exists() else None
    write_lines(archive, symbol, lines)
    if later is not None:
        os.utime(place, (later, later))


def lines(symbol):
    return lines_of(BARS[BARS["symbol"] == symbol])


def statuses(report):
    return dict(zip(report.outcomes["symbol"], report.outcomes["status"], strict=True))


def test_a_file_that_has_not_changed_is_not_read_again(context, archive):
    provider = watched(archive)
    first = ingest(context, [provider], SYMBOLS)
    assert provider.forget() == SYMBOLS
    assert first.counts.inserted == len(BARS)
    assert first.summary() == {
        "symbols_asked": 6,
        "symbols_answered": 6,
        "symbols_failed": 0,
        "symbols_missing": 0,
        "symbols_fetched": 6,
    }
    second = ingest(context, [provider], SYMBOLS)
    assert provider.forget() == []
    assert second.summary()["symbols_fetched"] == 0
    assert set(statuses(second).values()) == {"answered"}
    assert second.counts.delivered == 0


def test_a_changed_file_is_read_again_and_no_other(context, archive):
    provider = watched(archive)
    ingest(context, [provider], SYMBOLS)
    provider.forget()
    changed = lines("ZZAAB")
    changed[7]["Close"] = repr(float(changed[7]["Close"]) + 0.01)
    rewrite(archive, "ZZAAB", changed)
    report = ingest(context, [provider], SYMBOLS)
    assert provider.forget() == ["ZZAAB"]
    assert (report.counts.updated, report.counts.unchanged) == (1, 39)


def test_a_file_that_was_only_touched_changes_no_row(context, archive):
    provider = watched(archive)
    ingest(context, [provider], SYMBOLS)
    rewrite(archive, "ZZAAB", lines("ZZAAB"))
    report = ingest(context, [provider], SYMBOLS)
    assert (report.counts.inserted, report.counts.updated, report.counts.unchanged) == (0, 0, 40)
    provider.forget()
    ingest(context, [provider], SYMBOLS)
    assert provider.forget() == []


def test_a_provider_without_version_marks_is_asked_every_time_and_changes_nothing(context, archive):
    provider = watched(archive, tells_versions=False)
    ingest(context, [provider], SYMBOLS)
    provider.forget()
    report = ingest(context, [provider], SYMBOLS)
    assert provider.forget() == SYMBOLS
    assert (report.counts.inserted, report.counts.updated, report.counts.deleted) == (0, 0, 0)


@pytest.mark.parametrize(("kept", "status"), [(19, "failed"), (20, "answered")])
def test_a_file_cut_to_less_than_half_of_its_rows_is_refused_and_the_stored_rows_stay(context, archive, kept, status):
    provider = watched(archive)
    ingest(context, [provider], SYMBOLS)
    before = contents(context, "market.raw_prices", "symbol = 'ZZAAC'")
    rewrite(archive, "ZZAAC", lines("ZZAAC")[:kept])
    report = ingest(context, [provider], SYMBOLS)
    assert statuses(report)["ZZAAC"] == status
    entry = ledger(context, "ZZAAC")
    if status == "failed":
        assert contents(context, "market.raw_prices", "symbol = 'ZZAAC'").equals(before)
        assert (entry.rows, str(entry.last_session)) == (40, str(BARS["session_date"].max())[:10])
        assert entry.reason.startswith("ZZAAC: archive:ZZAAC.csv has 19 rows up to ")
        assert "where 40 up to" in entry.reason
        rewrite(archive, "ZZAAC", lines("ZZAAC"))
        assert statuses(ingest(context, [provider], SYMBOLS))["ZZAAC"] == "answered"
        assert ledger(context, "ZZAAC").reason == ""
    else:
        assert entry.rows == count(context, "market.raw_prices", "symbol = 'ZZAAC'") == 20


def test_a_file_that_lacks_the_newest_accepted_session_is_refused_until_a_person_accepts_it(context, archive):
    provider = watched(archive)
    ingest(context, [provider], SYMBOLS)
    clean_prices(context, Span(date(2010, 1, 4), date(2010, 1, 4)))
    rewrite(archive, "ZZAAC", lines("ZZAAC")[:-1])
    assert statuses(ingest(context, [provider], SYMBOLS))["ZZAAC"] == "failed"
    assert ledger(context, "ZZAAC").rows == 40
    assert "--accept-shorter ZZAAC" in ledger(context, "ZZAAC").reason
    report = ingest(context, [provider], SYMBOLS, accept_shorter=["ZZAAC"])
    assert statuses(report)["ZZAAC"] == "answered"
    assert ledger(context, "ZZAAC").rows == 39


def test_what_cleaning_notes_while_a_file_is_being_read_is_kept(context, archive):
    provider = watched(archive)
    ingest(context, [provider], SYMBOLS)
    stale = read_ledger(context.database)
    context.database.run_alone("UPDATE market.fetch_ledger SET dirty_from = '2021-02-10', cleaned_hash = 'later'")
    rewrite(archive, "ZZAAC", [dict(line, Volume="7") for line in lines("ZZAAC")])
    with mock.patch("bist_pipeline.pipeline.ingest.read_ledger", return_value=stale):
        ingest(context, [provider], SYMBOLS)
    entry = ledger(context, "ZZAAC")
    assert (str(entry.dirty_from), entry.cleaned_hash) == ("2021-02-10", "later")


def test_a_text_in_a_price_column_fails_that_symbol_alone(context, archive):
    spoiled = lines("ZZAAD")
    spoiled[3]["High"] = "yüksek"
    rewrite(archive, "ZZAAD", spoiled)
    report = ingest(context, [watched(archive)], SYMBOLS)
    assert statuses(report) == dict.fromkeys(SYMBOLS, "answered") | {"ZZAAD": "failed"}
    entry = ledger(context, "ZZAAD")
    for told in ("ZZAAD", "ZZAAD.csv", "yüksek", "5", "High"):  # the header is line 1
        assert told in entry.reason
    assert (entry.rows, entry.first_session) == (0, None)
    assert count(context, "market.raw_prices") == 5 * 40


def test_a_symbol_that_failed_is_asked_again_and_keeps_what_it_had(context, archive):
    provider = watched(archive)
    ingest(context, [provider], SYMBOLS)
    spoiled = lines("ZZAAD")
    spoiled[3]["High"] = "?!"
    rewrite(archive, "ZZAAD", spoiled)
    ingest(context, [provider], SYMBOLS)
    provider.forget()
    ingest(context, [provider], SYMBOLS)
    assert provider.forget() == ["ZZAAD"]
    assert ledger(context, "ZZAAD").rows == count(context, "market.raw_prices", "symbol = 'ZZAAD'") == 40


def test_the_command_ends_with_one_line_and_exit_code_1_when_a_symbol_failed(context, archive):
    spoiled = lines("ZZAAD")
    spoiled[3]["High"] = "n/a n/a"
    rewrite(archive, "ZZAAD", spoiled)
    environment = {
        "BIST_DATABASE_URL": context.settings.bist_database_url.get_secret_value(),
        "BIST_ARCHIVE_DIR": str(archive),
        "BIST_UNIVERSE": context.settings.bist_universe,
    }
    done = CliRunner().invoke(main, ["backfill", "--start", "2021-01-04", "--end", "2021-02-26"], env=environment)
    assert done.exit_code == 1
    assert "5 answered (6 asked now), 1 failed" in done.stdout
    complaint = done.stderr.splitlines()[-1]
    assert complaint.startswith("bist-pipeline: 1 of 6 symbols failed: ZZAAD")
    assert "Traceback" not in done.output


def test_a_backfill_stops_when_more_than_a_fifth_of_the_symbols_fail(context, archive):
    for symbol in SYMBOLS[:2]:
        (archive / f"{symbol}.csv").write_text("not a table\n")
    with pytest.raises(ContractError, match=r"symbols_answering stops the run: 4 of 6 .* 2 failed .*33\.3%"):
        run(context, "2021-01-04", "2021-02-26")
    assert count(context, "market.raw_prices") == 4 * 40  # what arrived stays; nothing is derived from it
    assert count(context, "analytics.indicators") == count(context, "serving.publishes") == 0


def test_rows_deleted_by_hand_are_fetched_again(context, archive):
    provider = watched(archive)
    ingest(context, [provider], SYMBOLS)
    before = contents(context, "market.raw_prices")
    provider.forget()
    execute(context, "DELETE FROM market.raw_prices WHERE symbol = 'ZZAAE' AND session_date > DATE '2021-02-10'")
    ingest(context, [provider], SYMBOLS)
    assert provider.forget() == ["ZZAAE"]
    assert contents(context, "market.raw_prices").equals(before)


def test_another_basis_is_read_again(context, archive):
    ingest(context, [watched(archive)], SYMBOLS)
    traded = watched(archive, "as_traded")
    report = ingest(context, [traded], SYMBOLS)
    assert traded.forget() == SYMBOLS
    assert report.counts.updated == len(BARS)
    assert set(contents(context, "market.raw_prices")["basis"]) == {ledger(context, "ZZAAA").basis} == {"as_traded"}


def test_a_symbol_without_a_file_is_missing_until_the_file_comes(context, archive):
    provider = watched(archive)
    asked = [*SYMBOLS, "THYAO"]
    assert statuses(ingest(context, [provider], asked))["THYAO"] == "missing"
    assert "THYAO: no file in the archive" in ledger(context, "THYAO").reason
    provider.forget()
    assert statuses(ingest(context, [provider], asked))["THYAO"] == "missing"
    assert provider.forget() == []
    write_lines(archive, "THYAO", lines("ZZAAA"))
    assert statuses(ingest(context, [provider], asked))["THYAO"] == "answered"
    assert provider.forget() == ["THYAO"]


def test_a_file_that_leaves_the_archive_leaves_its_rows(context, archive):
    provider = watched(archive)
    ingest(context, [provider], SYMBOLS)
    (archive / "ZZAAF.csv").unlink()
    assert statuses(ingest(context, [provider], SYMBOLS))["ZZAAF"] == "missing"
    assert count(context, "market.raw_prices", "symbol = 'ZZAAF'") == ledger(context, "ZZAAF").rows == 40
    rewrite(archive, "ZZAAF", lines("ZZAAF"))
    provider.forget()
    assert statuses(ingest(context, [provider], SYMBOLS))["ZZAAF"] == "answered"
    assert provider.forget() == ["ZZAAF"]


@pytest.mark.parametrize(
    "fault",
    [UnknownSymbolError("ZZAAA: gone"), BadPayloadError("ZZAAA: no table"), TransientProviderError("ZZAAA: busy")],
)
def test_the_next_provider_is_asked_where_one_does_not_deliver(context, archive, tmp_path, fault):
    other = write_archive(tmp_path / "other", BARS[BARS["symbol"] == "ZZAAA"].head(30))
    first = watched(archive, name="first", faults={"ZZAAA": fault})
    second = watched(other, "as_traded", name="second")
    report = ingest(context, [first, second], SYMBOLS)
    assert set(statuses(report).values()) == {"answered"}
    assert second.forget() == ["ZZAAA"]
    fallen_back, straight = ledger(context, "ZZAAA"), ledger(context, "ZZAAB")
    assert (fallen_back.provider, fallen_back.basis, fallen_back.rows) == ("second", "as_traded", 30)
    assert (straight.provider, straight.basis, straight.rows) == ("first", "fully_adjusted", 40)


def test_a_provider_that_failed_is_asked_again_although_another_one_answered(context, archive, tmp_path):
    other = write_archive(tmp_path / "other", BARS)
    first = watched(archive, name="first", faults={"ZZAAA": TransientProviderError("ZZAAA: busy")})
    second = watched(other, "as_traded", name="second")
    ingest(context, [first, second], SYMBOLS)
    assert ledger(context, "ZZAAA").provider == "second"
    first.forget()
    first.faults = {}
    ingest(context, [first, second], SYMBOLS)
    assert first.forget() == ["ZZAAA"]
    assert ledger(context, "ZZAAA").provider == "first"


def test_when_no_provider_delivers_every_reason_is_told(context, archive):
    first = watched(archive, name="first", faults={"ZZAAA": UnknownSymbolError("first does not know it")})
    second = watched(archive, name="second", faults={"ZZAAA": TransientProviderError("second is busy")})
    third = watched(archive, name="third", faults={"ZZAAA": UnknownSymbolError("third does not know it either")})
    ingest(context, [first, second, third], SYMBOLS)
    entry = ledger(context, "ZZAAA")
    assert entry.status == "failed"
    assert entry.reason == "first does not know it; second is busy; third does not know it either"


def test_dividends_and_splits_land_among_the_corporate_actions_and_leave_when_the_file_corrects_them(context, archive):
    place, rows = archive / "ZZAAA.csv", lines("ZZAAA")

    def with_actions(dividend, split):
        text = ["Date,Open,High,Low,Close,Volume,Dividends,Stock Splits"]
        for number, row in enumerate(rows):
            actions = (dividend if number == 5 else "0.0", split if number == 9 else "0.0")
            text.append(",".join([*row.values(), *actions]))
        place.write_text("\n".join(text) + "\n")

    with_actions("1.25", "2.5")
    ingest(context, [watched(archive)], SYMBOLS)
    found = contents(context, "market.delivered_actions").set_index("kind")
    assert list(found["symbol"]) == ["ZZAAA", "ZZAAA"]
    assert f"{found.loc['dividend', 'ex_date']:%Y-%m-%d}" == rows[5]["Date"]
    assert f"{found.loc['split', 'ex_date']:%Y-%m-%d}" == rows[9]["Date"]
    assert (found.loc["dividend", "amount_try"], found.loc["split", "ratio"]) == (1.25, 2.5)
    with_actions("1.5", "0.0")
    ingest(context, [watched(archive)], SYMBOLS)
    left = contents(context, "market.delivered_actions")
    assert (list(left["kind"]), list(left["amount_try"])) == (["dividend"], [1.5])


def test_batches_of_any_size_store_the_same_rows(sites, archive):
    found = []
    for size in (1, 4, 100):
        context = sites.emptied(archive, collector_batch_size=size)
        ingest(context, [watched(archive)], SYMBOLS)
        found.append(contents(context, "market.raw_prices"))
    assert len(found[0]) == len(BARS)
    assert found[0].equals(found[1])
    assert found[0].equals(found[2])


# Further rounds, circuits, families.

SHUT = CircuitOpenError("yahoo: circuit open until 12:00", until=datetime(2026, 8, 8, 9, 0, tzinfo=UTC))


class Recovering(dict):
    """Faults that pass: each symbol fails so many times and then no more."""

    def __init__(self, times):
        super().__init__()
        self.left = dict(times)

    def __contains__(self, symbol):
        self.left[symbol] = self.left.get(symbol, 0) - 1
        return self.left[symbol] >= 0

    def __getitem__(self, symbol):
        return TransientProviderError(f"{symbol}: busy")


def test_symbols_that_failed_for_a_passing_reason_are_asked_again_when_the_others_are_through(context, archive):
    provider = watched(archive, faults=Recovering({"ZZAAA": 1, "ZZAAB": MOST_FURTHER_ROUNDS}))
    report = ingest(context, [provider], SYMBOLS)
    assert set(statuses(report).values()) == {"answered"}
    assert sorted(provider.asked[:6]) == SYMBOLS
    assert sorted(provider.asked[6:]) == ["ZZAAA", "ZZAAB", "ZZAAB"]
    assert len(report.outcomes) == len(SYMBOLS)
    assert report.counts.inserted == len(BARS)


def test_a_symbol_that_goes_on_failing_is_given_up_after_the_further_rounds(context, archive):
    provider = watched(archive, faults={"ZZAAA": TransientProviderError("ZZAAA: busy")})
    report = ingest(context, [provider], SYMBOLS)
    assert statuses(report)["ZZAAA"] == "failed"
    assert provider.asked.count("ZZAAA") == 1 + MOST_FURTHER_ROUNDS
    assert ledger(context, "ZZAAA").version == ""  # it is asked again at the next occasion


def test_a_symbol_that_failed_for_good_is_not_asked_again(context, archive):
    provider = watched(archive, faults={"ZZAAA": BadPayloadError("ZZAAA: no table")})
    assert statuses(ingest(context, [provider], SYMBOLS))["ZZAAA"] == "failed"
    assert provider.forget() == SYMBOLS


def test_an_open_circuit_ends_the_asking_and_what_arrived_stays(sites, archive):
    context = sites.emptied(archive, collector_max_workers=1, collector_batch_size=2)
    provider = watched(archive, faults={"ZZAAD": SHUT})
    report = ingest(context, [provider], SYMBOLS)
    assert provider.asked == ["ZZAAA", "ZZAAB", "ZZAAC", "ZZAAD"]
    told = statuses(report)
    assert [told[symbol] for symbol in SYMBOLS] == ["answered"] * 3 + ["failed"] * 3
    assert {ledger(context, symbol).reason for symbol in SYMBOLS[3:]} == {"yahoo: circuit open until 12:00"}
    assert count(context, "market.raw_prices") == 3 * 40
    provider.faults = {}
    provider.forget()
    assert set(statuses(ingest(context, [provider], SYMBOLS)).values()) == {"answered"}
    assert provider.forget() == SYMBOLS[3:]


def test_an_open_circuit_leaves_the_stored_rows_and_marks_alone(context, archive):
    provider = watched(archive, tells_versions=False)
    ingest(context, [provider], SYMBOLS)
    before = contents(context, "market.raw_prices")
    provider.faults = dict.fromkeys(SYMBOLS, SHUT)
    ingest(context, [provider], SYMBOLS)
    assert contents(context, "market.raw_prices").equals(before)
    assert {ledger(context, symbol).rows for symbol in SYMBOLS} == {40}
    assert {ledger(context, symbol).strikes for symbol in SYMBOLS} == {0}


def test_a_familys_word_that_there_is_no_such_symbol_is_not_doubted_by_its_next_provider(context, archive, tmp_path):
    other = write_archive(tmp_path / "other", BARS)
    unknown = {"ZZAAA": UnknownSymbolError("ZZAAA: no such symbol")}
    first = watched(archive, name="first", faults=unknown, kin="yahoo")
    second = watched(other, name="second", kin="yahoo")
    third = watched(other, name="third", kin="somebody else")
    assert statuses(ingest(context, [first, second], SYMBOLS))["ZZAAA"] == "missing"
    assert second.asked == []
    report = ingest(context, [first, second, third], SYMBOLS, whatever_is_stored=True)
    assert statuses(report)["ZZAAA"] == "answered"
    assert (second.asked, third.asked) == ([], ["ZZAAA"])
