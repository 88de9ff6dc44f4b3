"""The second source from its setting to its tables: fetched once, never in the first's way, compared and stored."""

import os
from dataclasses import replace
from datetime import date

import pandas as pd
import pytest

from bist_pipeline.core.errors import MarketKindError, SettingsError
from bist_pipeline.pipeline.contracts import contracts
from bist_pipeline.pipeline.ingest import ingest
from bist_pipeline.pipeline.market_kind import ensure_market_kind
from bist_pipeline.pipeline.second_source import (
    compare_with_second,
    open_second,
    read_second,
    read_third,
    second_marks,
    store_comparison,
    take_second,
)
from bist_pipeline.pipeline.status import read_status
from bist_pipeline.providers.registry import build_providers
from bist_pipeline.settings import Settings
from bist_pipeline.storage.bulk import Scope
from bist_pipeline_tests.archives import write_archive
from bist_pipeline_tests.pipeline.sites import contents, count, execute
from bist_pipeline_tests.pipeline.stand_ins import watched
from bist_pipeline_tests.quality.comparison.invented import (
    PRICES,
    adjusted,
    changed,
    day,
    history,
    in_turnover,
    with_stale_close,
    without,
)

BARS = history(symbols=3, sessions=90)
FIRST = without(with_stale_close(BARS, "ZZAAA", 40), "ZZAAC", 20)
SECOND = changed(in_turnover(adjusted(BARS), BARS), "ZZAAB", 50, PRICES, 100.0)
SYMBOLS = ["ZZAAA", "ZZAAB", "ZZAAC"]


@pytest.fixture
def folders(tmp_path):
    return write_archive(tmp_path / "first", FIRST), write_archive(tmp_path / "second", SECOND)


def opened(sites, folders, **further):
    return sites.emptied(
        folders[0],
        bist_archive_basis="as_traded",
        bist_second_provider="second_archive",
        bist_second_archive_dir=folders[1],
        **further,
    )


@pytest.fixture
def context(sites, folders):
    return opened(sites, folders)


def statuses(report):
    return dict(zip(report.outcomes["symbol"], report.outcomes["status"], strict=True))


def test_the_second_source_is_stored_in_its_own_values_and_read_once(context):
    report = take_second(context, SYMBOLS)
    assert report.summary() == {"second_answered": 3, "second_failed": 0, "second_missing": 0, "second_fetched": 3}
    stored = contents(context, "market.second_prices")
    assert len(stored) == len(SECOND)
    assert set(stored["source"]) == {f"second_archive:{symbol}.csv" for symbol in SYMBOLS}
    assert stored["close_raw"].tolist() == SECOND.sort_values(["symbol", "session_date"])["close_try"].tolist()
    again = take_second(context, SYMBOLS)
    assert (again.summary()["second_fetched"], again.counts.delivered) == (0, 0)
    assert statuses(again) == dict.fromkeys(SYMBOLS, "answered")
    assert count(context, "market.raw_prices") == 0


def test_a_changed_file_is_read_again_and_so_are_rows_that_were_lost(context, folders):
    take_second(context, SYMBOLS)
    write_archive(folders[1], SECOND[SECOND["symbol"] == "ZZAAB"].iloc[:-1])
    place = folders[1] / "ZZAAB.csv"
    os.utime(place, (place.stat().st_mtime + 5,) * 2)
    execute(context, "DELETE FROM market.second_prices WHERE symbol = 'ZZAAC' AND session_date > DATE '2021-03-01'")
    report = take_second(context, SYMBOLS)
    fetched = report.outcomes[report.outcomes["fetched"]]["symbol"].tolist()
    assert fetched == ["ZZAAB", "ZZAAC"]
    assert report.counts.deleted == 1
    assert count(context, "market.second_prices") == len(SECOND) - 1


def test_what_fails_is_named_and_counted_and_stops_nobody(context, folders):
    take_second(context, SYMBOLS)
    (folders[1] / "ZZAAA.csv").write_text("Date,Close\nyesterday,?!\n", encoding="utf-8")
    (folders[1] / "ZZAAB.csv").unlink()
    report = take_second(context, SYMBOLS)
    assert statuses(report) == {"ZZAAC": "answered", "ZZAAA": "failed", "ZZAAB": "missing"}
    reasons = dict(zip(report.outcomes["symbol"], report.outcomes["reason"], strict=True))
    assert "ZZAAA.csv" in reasons["ZZAAA"]
    # What was stored of the one that fails stays; the folder says itself that it has none of the other.
    assert set(told_by(context)) == {"ZZAAA", "ZZAAC"}
    assert statuses(ingest(context, build_providers(context.settings), SYMBOLS)) == dict.fromkeys(SYMBOLS, "answered")


def test_no_second_source_is_no_work(sites, folders):
    context = sites.emptied(folders[0])
    assert open_second(context.settings) is None
    assert take_second(context, SYMBOLS).summary()["second_fetched"] == 0


@pytest.mark.parametrize(
    ("name", "told"), [("second_archiv", "legal: archive, second_archive"), ("archive", "no second source")]
)
def test_a_second_source_that_is_none_is_refused_by_the_variable(tmp_path, name, told):
    settings = Settings(bist_archive_dir=tmp_path, bist_second_provider=name)
    with pytest.raises(SettingsError, match=r"^BIST_SECOND_PROVIDER") as refused:
        open_second(settings)
    assert told in str(refused.value)


def test_a_second_source_of_another_kind_of_market_is_refused(context):
    ensure_market_kind(context.database, "simulated", "an exchange", context.clock.now())
    with pytest.raises(MarketKindError, match="simulated"):
        take_second(context, SYMBOLS)


def compared(context):
    """Fetch both, compare, and store what differs."""
    ingest(context, build_providers(context.settings), SYMBOLS)
    take_second(context, SYMBOLS)
    scope = Scope(symbols=tuple(SYMBOLS))
    with context.database.bulk("comparing") as bulk:
        first = bulk.frame("SELECT * FROM market.raw_prices")
        choice = compare_with_second(context, first, read_second(bulk, scope), third=read_third(bulk, SYMBOLS))
        counts = store_comparison(bulk, choice.rows, scope, context.clock.now())
    return choice, counts


@pytest.mark.parametrize(
    ("bar_choice", "chosen"), [("first", ["first"] * 3), ("supported", ["second", "first", "second"])]
)
def test_what_differs_is_stored_with_verdict_and_choice(sites, folders, bar_choice, chosen):
    context = opened(sites, folders, bist_bar_choice=bar_choice)
    choice, counts = compared(context)
    stored = contents(context, "market.source_comparison")
    told = list(zip(stored["symbol"], stored["session_date"].dt.strftime("%Y-%m-%d"), stored["verdict"], strict=True))
    assert told == [
        ("ZZAAA", day(BARS, "ZZAAA", 40), "second_supported"),
        ("ZZAAB", day(BARS, "ZZAAB", 50), "first_supported"),
        ("ZZAAC", day(BARS, "ZZAAC", 20), "only_second"),
    ]
    assert stored["chosen"].tolist() == chosen
    assert len(choice.standing_in) == chosen.count("second")
    assert counts.inserted == 3
    assert compared(context)[1].unchanged == 3
    assert set(choice.standing_in) >= set(contracts().raw_prices.columns)


def test_a_disagreement_that_is_gone_leaves_the_table(context, folders):
    compared(context)
    write_archive(folders[0], BARS)
    for path in folders[0].iterdir():
        os.utime(path, (path.stat().st_mtime + 5,) * 2)
    assert compared(context)[1].deleted == 2
    assert contents(context, "market.source_comparison")["symbol"].tolist() == ["ZZAAB"]


def test_a_second_source_that_is_late_is_no_disagreement(sites, tmp_path):
    late = SECOND[SECOND["session_date"] < BARS["session_date"].iloc[85]]
    folders = write_archive(tmp_path / "first", BARS), write_archive(tmp_path / "second", late)
    choice, _ = compared(opened(sites, folders))
    assert choice.rows["symbol"].tolist() == ["ZZAAB"]


def test_quotes_after_the_close_are_a_third_source(context):
    values = "'trading', '', {at}, {price}, NULL, NULL, NULL, NULL, NULL, 'quote', '', 'run'"
    for minute, at, price in ((1, "2021-03-01T14:00:00Z", 10.0), (2, "2021-03-01T15:07:00Z", 11.0)):
        execute(
            context,
            f"INSERT INTO market.quotes VALUES ('ZZAAA', '2021-03-01T15:0{minute}:00Z', DATE '2021-03-01', "
            + values.format(at=f"'{at}'", price=price)
            + ")",
        )
    with context.database.bulk("reading") as bulk:
        third = read_third(bulk, SYMBOLS)
    assert third.to_dict("list") == {
        "symbol": ["ZZAAA"],
        "session_date": [pd.Timestamp(date(2021, 3, 1))],
        "close_try": [11.0],
    }


def test_status_shows_licence_and_terms_of_every_provider_and_which_are_chosen(context):
    providers = read_status(context).providers.set_index("provider")
    assert list(providers.columns) == ["licence", "terms", "configured"]
    assert providers["configured"].to_dict() == {
        name: name in {"archive", "second_archive"} for name in providers.index
    }
    assert (providers["licence"] != "").all()


def told_by(context):
    """Whose rows are stored, how many, and on which basis."""
    rows = context.database.rows("SELECT symbol, basis, count(*) AS n FROM market.second_prices GROUP BY symbol, basis")
    return {row.symbol: (row.basis, row.n) for row in rows}


def configured(context, **settings):
    return replace(context, settings=context.settings.model_copy(update=settings))


def test_rows_of_another_folder_do_not_pass_for_those_of_the_present_one(context, folders, tmp_path):
    take_second(context, SYMBOLS)
    other = write_archive(tmp_path / "other", SECOND[SECOND["symbol"] != "ZZAAB"])
    (other / "ZZAAC.csv").write_text("Date,Close\nyesterday,?!\n", encoding="utf-8")
    moved = configured(context, bist_second_archive_dir=other)
    assert statuses(take_second(moved, SYMBOLS)) == {"ZZAAA": "answered", "ZZAAB": "missing", "ZZAAC": "failed"}
    assert set(told_by(moved)) == {"ZZAAA"}
    # The same folder by another way is the same folder: what fails keeps its rows, what stays is not read again.
    again = configured(context, bist_second_archive_dir=folders[1] / ".." / "other")
    write_archive(other, SECOND[SECOND["symbol"] == "ZZAAC"])
    assert take_second(again, SYMBOLS).summary()["second_fetched"] == 2
    (other / "ZZAAC.csv").unlink()
    take_second(again, SYMBOLS)
    assert set(told_by(again)) == {"ZZAAA"}


def fail(folder, *symbols):
    for symbol in symbols:
        (folder / f"{symbol}.csv").write_text("Date,Op", encoding="utf-8")  # as one that is being copied


def test_rows_without_a_mark_stay_while_their_symbol_fails(context, folders):
    """The marks lie in the home: a lost file, or another home on the same database, must not cost rows."""
    take_second(context, SYMBOLS)
    before = told_by(context)
    (context.settings.bist_home / "second_source.json").unlink()
    fail(folders[1], *SYMBOLS[:2])
    assert set(statuses(take_second(context, SYMBOLS)).values()) == {"failed", "answered"}
    assert told_by(context) == before
    take_second(context, SYMBOLS)  # the marks that came of the one that answered are nobody else's
    assert told_by(context) == before


def test_marks_of_another_database_say_nothing_of_the_rows_in_this_one(sites, context, folders):
    take_second(context, SYMBOLS)
    other = opened(sites, folders)
    take_second(other, SYMBOLS)
    before = told_by(other)
    marks = (context.settings.bist_home / "second_source.json").read_text(encoding="utf-8")
    (other.settings.bist_home / "second_source.json").write_text(marks, encoding="utf-8")
    fail(folders[1], *SYMBOLS)
    assert set(statuses(take_second(other, SYMBOLS)).values()) == {"failed"}
    assert told_by(other) == before


def test_rows_of_another_folder_are_gone_before_the_first_symbol_of_this_one_is_asked_for(context, folders, tmp_path):
    """A run that breaks off after its first marks must leave none behind whose owner nobody remembers."""
    take_second(context, SYMBOLS)
    moved = configured(context, bist_second_archive_dir=write_archive(tmp_path / "other", SECOND))
    killing = watched(tmp_path / "other", name="second_archive", faults=dict.fromkeys(SYMBOLS, KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        take_second(moved, SYMBOLS, killing)
    assert told_by(moved) == {}


def test_a_folder_without_any_file_is_no_answer_that_it_lacks_the_symbols(context, folders):
    take_second(context, SYMBOLS)
    before = told_by(context)
    for file in folders[1].glob("*.csv"):
        file.unlink()
    with pytest.raises(SettingsError, match="holds no file named after a symbol"):
        take_second(context, SYMBOLS)
    empty = watched(folders[1], name="second_archive")  # emptied after it was opened
    assert set(statuses(take_second(context, SYMBOLS, empty)).values()) == {"missing"}
    assert told_by(context) == before


def test_the_same_files_on_another_basis_are_read_again_and_judged_again(context):
    take_second(context, SYMBOLS)
    before = second_marks(context)
    other = configured(context, bist_second_archive_basis="as_traded")
    assert take_second(other, SYMBOLS).summary()["second_fetched"] == 3
    assert {basis for basis, _ in told_by(other).values()} == {"as_traded"}
    assert all(second_marks(other)[symbol] != before[symbol] for symbol in SYMBOLS)


def test_a_part_of_the_universe_is_asked_for_and_what_this_folder_told_of_the_rest_stays(context):
    take_second(context, SYMBOLS)
    take_second(context, SYMBOLS[:1])
    assert set(told_by(context)) == set(SYMBOLS)


def test_without_a_second_source_its_rows_go_and_come_back_with_it(context):
    take_second(context, SYMBOLS)
    take_second(configured(context, bist_second_provider=""), SYMBOLS)
    assert told_by(context) == {}
    assert take_second(context, SYMBOLS).summary()["second_fetched"] == 3
    assert set(told_by(context)) == set(SYMBOLS)


def test_symbols_that_the_second_does_not_know_compare_to_nothing(context):
    ingest(context, build_providers(context.settings), SYMBOLS)
    first = contents(context, "market.raw_prices").assign(fetched_at=pd.Timestamp("2024-01-01", tz="UTC"))
    choice = compare_with_second(context, first, contents(context, "market.second_prices"))
    assert (len(choice.rows), len(choice.standing_in)) == (0, 0)
