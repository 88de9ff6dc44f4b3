"""Cleaning what is stored: the calendar changes, a person changes a row, a file changes its past."""

import os
import shutil
from datetime import date

import pytest

from bist_pipeline.core.calendar import OVERRIDES_FILE
from bist_pipeline.pipeline.cleaning import clean_prices
from bist_pipeline.pipeline.span import Span
from bist_pipeline_tests.archives import simulated_bars, write_archive
from bist_pipeline_tests.pipeline.sites import (
    DERIVED,
    SERVED,
    all_contents,
    assert_same_bits,
    contents,
    count,
    execute,
    ledger,
    run,
    with_calendar_of_home,
)
from bist_pipeline_tests.pipeline.spoiled import lines_of, write_lines

BARS = simulated_bars(symbols=4, sessions=60)
DAYS = sorted({day.date() for day in BARS["session_date"]})
FIRST, PAST, MIDDLE, LAST = DAYS[0], DAYS[20], DAYS[40], DAYS[-1]
ORIGIN_LATER = DAYS[5]


@pytest.fixture(scope="module")
def origin(sites, tmp_path_factory):
    """A market that lacks its first five sessions, backfilled."""
    archive = write_archive(
        tmp_path_factory.mktemp("origin") / "archive", BARS[BARS["session_date"] >= str(ORIGIN_LATER)]
    )
    context = sites.make(archive)
    run(context, FIRST, LAST)
    return context


@pytest.fixture
def desk(sites, origin, tmp_path):
    """A copy of it, database and archive, that may be changed."""
    archive = shutil.copytree(origin.settings.bist_archive_dir, tmp_path / "archive")
    return sites.make(archive, copy_of=origin)


def lines(symbol="ZZAAB"):
    return lines_of(BARS[(BARS["symbol"] == symbol) & (BARS["session_date"] >= str(ORIGIN_LATER))])


def rewrite(context, changed, symbol="ZZAAB"):
    place = write_lines(context.settings.bist_archive_dir, symbol, changed)
    later = place.stat().st_mtime + 5
    os.utime(place, (later, later))


def assert_as_if_new(sites, context, tables=(*DERIVED, *SERVED)):
    """The tables are those of a database that has never seen anything else."""
    new = sites.make(context.settings.bist_archive_dir)
    run(new, FIRST, LAST)
    one, other = all_contents(context, tables), all_contents(new, tables)
    for table in tables:
        assert_same_bits(one[table], other[table], table)


# The calendar.


def test_a_closure_that_is_told_later_moves_its_bars_to_the_quarantine_and_back(desk):
    before = all_contents(desk)
    overrides = desk.settings.bist_home / OVERRIDES_FILE
    overrides.write_text(f"session_date,kind,reason\n{PAST},closed,Snow over Istanbul\n")
    closed = with_calendar_of_home(desk)
    report = clean_prices(closed, Span(LAST, LAST))  # whatever range is asked
    assert (report.prices.deleted, report.quarantine.inserted, report.symbols_cleaned) == (4, 4, 4)
    assert ledger(desk, "ZZAAC").dirty_from == PAST
    run(closed, FIRST, LAST)
    on_day = f"session_date = DATE '{PAST}'"
    for table in (*DERIVED, *SERVED):
        assert count(desk, table, on_day) == 0
    withheld = contents(desk, "market.quarantine", on_day)
    assert (len(withheld), set(withheld["rule"])) == (4, {"closed_day"})
    assert withheld["reason"].str.contains("Snow over Istanbul").all()
    assert ledger(desk, "ZZAAC").dirty_from is None

    overrides.unlink()
    run(with_calendar_of_home(desk), FIRST, LAST)
    after = all_contents(desk)
    for table, rows in before.items():
        assert_same_bits(after[table], rows, table)


def test_a_session_cut_short_changes_when_its_rows_could_be_known_and_no_number(desk):
    (desk.settings.bist_home / OVERRIDES_FILE).write_text(f"session_date,kind,reason\n{PAST},half_day,Snow\n")
    before = contents(desk, "analytics.signals").drop(columns="known_at")
    run(with_calendar_of_home(desk), FIRST, LAST)
    assert_same_bits(contents(desk, "analytics.signals").drop(columns="known_at"), before)
    known = desk.database.frame(f"SELECT DISTINCT known_at FROM serving.signals_v1 WHERE session_date = DATE '{PAST}'")[
        "known_at"
    ]
    assert [f"{moment:%H:%M}" for moment in known.dt.tz_convert("Europe/Istanbul")] == ["12:55"]


# A person with psql.


@pytest.mark.parametrize(
    "by_hand",
    [
        "UPDATE market.daily_prices SET close_try = close_try * 2, high_try = high_try * 2 WHERE {there}",
        "UPDATE market.daily_prices SET is_final = false WHERE {there}",
        "DELETE FROM market.daily_prices WHERE {there}",
        "INSERT INTO market.quarantine (symbol, session_date, occurrence, rule, reason, basis, source, source_row, "
        "payload_hash) SELECT symbol, session_date, 0, 'whim', 'a whim', basis, source, 1, '' "
        "FROM market.daily_prices WHERE {there}",
    ],
)
def test_what_a_person_did_to_a_session_is_undone_when_that_session_is_cleaned_again(desk, by_hand):
    before = all_contents(desk, ("market.daily_prices", "market.quarantine"))
    execute(desk, by_hand.format(there=f"symbol = 'ZZAAB' AND session_date = DATE '{MIDDLE}'"))
    clean_prices(desk, Span(LAST, LAST))
    assert any(not contents(desk, table).equals(rows) for table, rows in before.items()), (
        "only the sessions asked are cleaned again"
    )
    clean_prices(desk, Span(MIDDLE, MIDDLE))
    after = all_contents(desk, tuple(before))
    for table, rows in before.items():
        assert_same_bits(after[table], rows, table)


def test_a_bar_repaired_from_a_persons_hand_leaves_its_symbol_dirty_until_it_is_derived_again(sites, desk):
    execute(desk, f"UPDATE market.daily_prices SET close_try = low_try WHERE session_date = DATE '{MIDDLE}'")
    clean_prices(desk, Span(MIDDLE, LAST))
    assert ledger(desk, "ZZAAB").dirty_from == MIDDLE
    run(desk, MIDDLE, LAST)
    assert ledger(desk, "ZZAAB").dirty_from is None
    assert_as_if_new(sites, desk)


# A file with another past.


def another_past(context):
    changed = lines()
    changed[DAYS.index(PAST) - 5]["Volume"] = "777"
    rewrite(context, changed)
    return PAST


def a_past_without_a_bar(context):
    changed = lines()
    del changed[DAYS.index(PAST) - 5]
    rewrite(context, changed)
    return PAST


def an_earlier_origin(context):
    rewrite(context, lines_of(BARS[BARS["symbol"] == "ZZAAB"]))
    return FIRST


@pytest.mark.parametrize("change", [another_past, a_past_without_a_bar, an_earlier_origin])
def test_a_changed_past_is_marked_from_its_first_change_on_and_cleared_by_the_publish_that_covers_it(
    sites, desk, change
):
    changed_from = change(desk)
    report = run(desk, LAST, LAST)
    assert report.cleaned.symbols_cleaned == 1
    assert ledger(desk, "ZZAAB").dirty_from == changed_from
    assert {ledger(desk, s).dirty_from for s in ("ZZAAA", "ZZAAC", "ZZAAD")} == {None}
    run(desk, changed_from, MIDDLE)
    assert ledger(desk, "ZZAAB").dirty_from is not None
    run(desk, FIRST, LAST, symbols=["ZZAAC"])
    assert ledger(desk, "ZZAAB").dirty_from is not None, "nobody derived it"
    run(desk, FIRST, LAST, symbols=["ZZAAB"])
    assert ledger(desk, "ZZAAB").dirty_from is None
    assert_as_if_new(sites, desk)


def test_a_stray_row_of_a_far_day_does_not_keep_a_symbol_dirty(desk):
    changed = lines()
    changed[10]["Volume"] = "888"
    rewrite(desk, [*changed, changed[-1] | {"Date": "2099-01-05"}])
    clean_after_fetch(desk)
    assert ledger(desk, "ZZAAB").dirty_from == DAYS[15]
    run(desk, FIRST, LAST)
    assert ledger(desk, "ZZAAB").dirty_from is None


def test_a_symbol_whose_last_bars_vanish_stays_dirty_while_rows_of_them_are_left(sites, desk):
    rewrite(desk, lines()[:-5])
    run(desk, DAYS[-5], DAYS[-3], accept_shorter=["ZZAAB"])
    assert count(desk, "analytics.signals", f"symbol = 'ZZAAB' AND session_date = DATE '{LAST}'") == 1
    assert ledger(desk, "ZZAAB").dirty_from is not None
    run(desk, DAYS[-5], LAST)
    assert ledger(desk, "ZZAAB").dirty_from is None
    assert_as_if_new(sites, desk)


def test_two_changes_are_marked_from_the_earlier_one_on(desk):
    later, both = lines(), lines()
    later[30]["Volume"] = both[30]["Volume"] = "777"
    both[10]["Volume"] = "888"
    rewrite(desk, later)
    clean_after_fetch(desk)
    assert ledger(desk, "ZZAAB").dirty_from == DAYS[35]
    rewrite(desk, both)
    clean_after_fetch(desk)
    assert ledger(desk, "ZZAAB").dirty_from == DAYS[15]


def clean_after_fetch(context):
    run(context, date(2010, 1, 4), date(2010, 1, 4))  # derives a session without bars


def test_an_appended_bar_is_no_changed_past(sites, tmp_path):
    archive = write_archive(tmp_path / "archive", BARS[BARS["session_date"] < str(LAST)])
    context = sites.make(archive)
    run(context, FIRST, LAST)
    write_archive(archive, BARS)
    clean_after_fetch(context)
    assert count(context, "market.daily_prices", f"session_date = DATE '{LAST}'") == 4
    assert count(context, "market.fetch_ledger", "dirty_from IS NOT NULL") == 0
