"""What a desk says of listings, delistings and renames, from its file to the states of coverage. SIMULATED codes."""

from datetime import date

import pytest

from bist_pipeline.core.errors import UniverseError
from bist_pipeline.core.listings_file import LISTINGS_FILE, Listing, read_listings
from bist_pipeline.pipeline.cleaning import clean_prices
from bist_pipeline.pipeline.gaps import update_gaps
from bist_pipeline.pipeline.ingest import ingest
from bist_pipeline.pipeline.listings import listings_problem, refresh_listings
from bist_pipeline.pipeline.span import Span
from bist_pipeline.pipeline.status import read_status
from bist_pipeline.pipeline.universe import refresh_universe
from bist_pipeline.providers.registry import build_providers
from bist_pipeline.storage.bulk import WriteCounts
from bist_pipeline_tests.archives import simulated_bars, write_archive
from bist_pipeline_tests.pipeline.sites import count, execute, run

HEADER = "symbol,listed_on,delisted_on,renamed_on,renamed_to"
BARS = simulated_bars(symbols=3, sessions=30)
DAYS = sorted({day.date() for day in BARS["session_date"]})


def written(tmp_path, *lines, header=HEADER, encoding="utf-8"):
    path = tmp_path / LISTINGS_FILE
    path.write_text("\n".join([header, *lines, ""]), encoding=encoding)
    return path


def test_a_file_is_read_with_the_lines_on_which_things_stand(tmp_path):
    path = written(tmp_path, "zzaaa.is,2021-01-04,,,", "", "ZZAAB,,2024-05-02,,", "ZZAAC,,,2025-03-17,ZYAAC")
    assert read_listings(path) == [
        Listing("ZZAAA", 2, listed_on=date(2021, 1, 4)),
        Listing("ZZAAB", 4, delisted_on=date(2024, 5, 2)),
        Listing("ZZAAC", 5, renamed_on=date(2025, 3, 17), renamed_to="ZYAAC"),
    ]


def test_semicolons_another_encoding_and_fewer_columns_are_understood(tmp_path):
    path = written(tmp_path, "ZZAAA;2021-01-04", header="symbol;listed_on", encoding="utf-8-sig")
    assert read_listings(path) == [Listing("ZZAAA", 2, listed_on=date(2021, 1, 4))]


def test_an_absent_file_says_nothing(tmp_path):
    assert read_listings(tmp_path / LISTINGS_FILE) == []


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("ZZ,2021-01-04,,,", "line 2: not a Borsa Istanbul symbol"),
        ("ZZAAA,04.01.2021,,,", "line 2: listed_on = '04.01.2021' is no day like 2025-03-17"),
        ("ZZAAA,,,,", "line 2: ZZAAA states no day"),
        ("ZZAAA,2021-01-04,,,ZZAAB", "line 2: ZZAAA is renamed to ZZAAB on no day"),
        ("ZZAAA,,,2021-01-04,ZZAAA", "line 2: ZZAAA is renamed to itself"),
        ("ZZAAA,2021-01-04,2021-01-04,,", "ZZAAA has delisted_on 2021-01-04, which is not after listed_on 2021-01-04"),
        ("ZZAAA,2021-01-04,,,,,7", "line 2: more fields than column names"),
        ("ZZAAA,2021-01-04,,,\nZZAAA,2021-01-05,,,", "line 3: ZZAAA is already on line 2"),
    ],
)
def test_a_wrong_line_is_refused_by_its_number(tmp_path, line, reason):
    with pytest.raises(UniverseError) as refused:
        read_listings(written(tmp_path, line))
    assert reason in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1


@pytest.mark.parametrize("header", ["code,listed_on", "symbol,symbol", "symbol,ipo", ""])
def test_a_wrong_header_is_refused(tmp_path, header):
    with pytest.raises(UniverseError, match="line 1: "):
        read_listings(written(tmp_path, "ZZAAA,2021-01-04", header=header))


@pytest.fixture
def context(sites, tmp_path):
    made = sites.emptied(write_archive(tmp_path / "archive", BARS))
    providers = build_providers(made.settings)
    refresh_universe(made, providers)
    ingest(made, providers, ["ZZAAA", "ZZAAB", "ZZAAC"])
    clean_prices(made, Span(DAYS[0], DAYS[-1]))
    return made


def states(context, symbol, *days):
    rows = context.database.rows(
        "SELECT session_date, state, reason FROM serving.coverage_v1 WHERE symbol = :symbol", {"symbol": symbol}
    )
    return [{row.session_date: (row.state, row.reason) for row in rows}[day] for day in days]


def test_the_file_becomes_the_table_and_costs_no_write_where_it_did_not_change(context):
    home = context.settings.bist_home
    written(home, "ZZAAA,2021-01-04,,,", "ZZAAB,,,2021-02-01,ZYAAB")
    assert refresh_listings(context) == WriteCounts(inserted=2)
    assert refresh_listings(context) == WriteCounts(unchanged=2)
    written(home, "ZZAAA,2021-01-05,,,")
    assert refresh_listings(context) == WriteCounts(updated=1, deleted=1)
    (home / LISTINGS_FILE).unlink()
    assert refresh_listings(context) == WriteCounts(deleted=1)


@pytest.mark.parametrize("fault", ["ZZAAA,2021-13-01,,,", "ZZAAA", "\0"])
def test_a_file_that_cannot_be_read_changes_nothing_of_what_it_said_before(context, fault):
    home = context.settings.bist_home
    execute(
        context,
        """INSERT INTO reference.corporate_actions (symbol, ex_date, kind, new_symbol, origin, reason, source)
        VALUES ('ZZAAA', '2021-02-02', 'rename', 'ZYAAX', 'desk', '', 'actions.csv, line 7')""",
    )
    written(home, "ZZAAA,2021-01-04,,,", "ZZAAB,,,2021-02-01,ZYAAB")
    refresh_listings(context)
    assert listings_problem(context.settings) == ""
    written(home, fault)
    assert refresh_listings(context) == WriteCounts(unchanged=2)
    assert LISTINGS_FILE in listings_problem(context.settings)
    assert read_status(context).listings_problem == listings_problem(context.settings)
    # A rename that was an action's goes with it, whatever the file says.
    execute(context, "DELETE FROM reference.corporate_actions")
    refresh_listings(context)
    rows = context.database.rows("SELECT symbol, renamed_to, source FROM reference.listings ORDER BY symbol")
    assert [tuple(row) for row in rows] == [
        ("ZZAAA", "", "listings.csv, line 2"),
        ("ZZAAB", "ZYAAB", "listings.csv, line 3"),
    ]


def test_a_typo_in_the_file_stops_the_bars_of_nobody(sites, tmp_path):
    archive = write_archive(tmp_path / "archive", BARS[BARS["session_date"].dt.date < DAYS[-1]])
    context = sites.make(archive)
    run(context, DAYS[0], DAYS[-2])
    written(context.settings.bist_home, "ZZAAA,2021-13-01,,,")
    write_archive(archive, BARS)
    run(context, DAYS[0], DAYS[-1])
    assert count(context, "market.daily_prices", f"session_date = '{DAYS[-1]}'") == 3
    assert count(context, "serving.signals_v1", f"session_date = '{DAYS[-1]}'") == 3


def test_a_rename_among_the_actions_counts_where_the_desk_says_nothing_of_one(context):
    for symbol in ("ZZAAA", "ZZAAB", "ZZAAC"):
        execute(
            context,
            f"""INSERT INTO reference.corporate_actions (symbol, ex_date, kind, new_symbol, origin, reason, source)
            VALUES ('{symbol}', '2021-02-02', 'rename', 'ZYAAX', 'desk', '', 'actions.csv, line 7')""",
        )
    written(context.settings.bist_home, "ZZAAA,2021-01-04,,,", "ZZAAB,,,2021-02-01,ZYAAB")
    refresh_listings(context)
    rows = context.database.rows("SELECT * FROM reference.listings ORDER BY symbol")
    assert [(r.symbol, r.listed_on, r.renamed_on, r.renamed_to, r.source) for r in rows] == [
        ("ZZAAA", DAYS[0], date(2021, 2, 2), "ZYAAX", "listings.csv, line 2; actions.csv, line 7"),
        ("ZZAAB", None, date(2021, 2, 1), "ZYAAB", "listings.csv, line 3"),
        ("ZZAAC", None, date(2021, 2, 2), "ZYAAX", "actions.csv, line 7"),
    ]


def test_what_the_desk_says_decides_where_no_bar_speaks_against_it(context):
    early, late = date(2020, 12, 29), date(2021, 6, 1)
    assert states(context, "ZZAAA", early) == [("not_listed_yet", f"the provider tells of it from {DAYS[0]} on")]
    written(
        context.settings.bist_home,
        f"ZZAAA,{early},,,",
        f"ZZAAB,,{DAYS[20]},,",
        f"ZZAAC,,,{late},ZYAAC",
    )
    refresh_listings(context)
    assert states(context, "ZZAAA", date(2020, 12, 28), early) == [
        ("not_listed_yet", f"listed on {early} (listings.csv, line 2)"),
        ("provider_silent", f"its history begins on {DAYS[0]}"),
    ]
    # A bar that is there is a fact, whatever the file says.
    assert states(context, "ZZAAB", DAYS[20], late) == [
        ("traded", ""),
        ("delisted_or_renamed", f"delisted on {DAYS[20]} (listings.csv, line 3)"),
    ]
    day_before = context.calendar.sessions(DAYS[-1], date(2021, 5, 31))[-1].astype(date)
    assert states(context, "ZZAAC", day_before, late) == [
        ("provider_silent", f"its history ends on {DAYS[-1]}"),
        ("delisted_or_renamed", f"renamed on {late} to ZYAAC (listings.csv, line 4)"),
    ]
    update_gaps(context)
    gaps = {row.symbol: row.last_session for row in context.database.rows("SELECT * FROM market.gaps ORDER BY 1, 2")}
    assert gaps["ZZAAC"] == day_before
