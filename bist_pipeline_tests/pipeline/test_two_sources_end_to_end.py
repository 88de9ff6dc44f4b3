"""A second source beside the first, from files to what is served: doubted, or stood in for, never in silence."""

import pandas as pd
import pytest

from bist_pipeline_tests.archives import simulated_bars, write_archive
from bist_pipeline_tests.pipeline.sites import assert_same_bits, contents, count, execute, run

BARS = simulated_bars(symbols=3, sessions=120)
DAYS = sorted({day.date() for day in BARS["session_date"]})
FIRST, LAST = DAYS[0], DAYS[-1]
SICK = "ZZAAB"
STALE, GONE = DAYS[80], DAYS[90]


def stale_and_gone(bars):
    """The first source: one close of a symbol is the one of the session before, one session of it is lacking."""
    own = bars.sort_values(["symbol", "session_date"], ignore_index=True)
    there = (own["symbol"] == SICK) & (own["session_date"] == str(STALE))
    before = own.loc[own.index[there][0] - 1, "close_try"]
    own.loc[there, "close_try"] = before
    own.loc[there, "high_try"] = own.loc[there, ["high_try"]].max(axis=1).clip(lower=before)
    own.loc[there, "low_try"] = own.loc[there, ["low_try"]].min(axis=1).clip(upper=before)
    return own[~((own["symbol"] == SICK) & (own["session_date"] == str(GONE)))]


def truth(day):
    own = BARS[(BARS["symbol"] == SICK) & (BARS["session_date"] == str(day))].iloc[0]
    return own["close_try"]


@pytest.fixture
def both(sites, tmp_path):
    """A run with both sources, however the desk chooses."""

    def make(choice):
        context = sites.make(
            write_archive(tmp_path / "first", stale_and_gone(BARS)),
            bist_archive_basis="as_traded",
            bist_second_provider="second_archive",
            bist_second_archive_dir=write_archive(tmp_path / "second", BARS),
            bist_second_archive_basis="as_traded",
            bist_bar_choice=choice,
        )
        run(context, FIRST, LAST)
        return context

    return make


def bar(context, day, view="serving.prices_v1"):
    return contents(context, view, f"symbol = '{SICK}' AND session_date = '{day}'")


def test_the_firsts_bar_stays_and_is_doubted_where_the_desk_trusts_the_first(both):
    context = both("first")
    told = contents(context, "market.source_comparison")
    assert set(told["symbol"]) == {SICK}
    assert set(told["chosen"]) == {"first"}
    served = bar(context, STALE).iloc[0]
    assert served["close_try"] != truth(STALE)
    assert served["grade"] == "C"
    assert bar(context, STALE, "serving.signals_v1")["grade"].tolist() == ["C"]
    assert bar(context, GONE).empty
    assert count(context, "serving.prices_v1", f"grade <> 'A' AND symbol <> '{SICK}'") == 0


def test_the_supported_bar_is_served_with_its_source_and_grade_where_the_desk_says_so(both):
    context = both("supported")
    for day in (STALE, GONE):
        served = bar(context, day).iloc[0]
        assert served["close_try"] == truth(day)
        assert served["grade"] == "B"
        assert served["source"].startswith("second_archive")
        repaired = bar(context, day, "market.daily_prices").loc[0, "repaired"]
        assert repaired.startswith("second_source: close")
    raw = bar(context, STALE, "market.raw_prices").iloc[0]
    assert raw["close_raw"] != truth(STALE)  # what the first delivered stays on file
    run(context, FIRST, LAST)  # nothing has changed: nothing changes
    whole = contents(context, "serving.prices_v1")[["symbol", "session_date", "close_try"]]
    pd.testing.assert_frame_equal(
        whole, BARS[["symbol", "session_date", "close_try"]].reset_index(drop=True), check_dtype=False
    )


def test_changing_the_choice_cleans_again(both):
    context = both("first")
    object.__setattr__(context, "settings", context.settings.model_copy(update={"bist_bar_choice": "supported"}))
    run(context, FIRST, LAST)
    assert bar(context, STALE).loc[0, "close_try"] == truth(STALE)


def test_a_bar_of_the_second_that_somebody_deletes_comes_back_with_its_session(both):
    context = both("supported")
    for sql in ("DELETE FROM", "UPDATE"):
        what = "" if sql.startswith("DELETE") else "SET close_try = 1, low_try = 1, repaired = ''"
        execute(context, f"{sql} market.daily_prices {what} WHERE symbol = '{SICK}' AND session_date = '{GONE}'")
        run(context, GONE, GONE)
        assert bar(context, GONE).loc[0, "close_try"] == truth(GONE)


def test_symbols_that_the_second_source_does_not_have_are_cleaned_without_it(sites, tmp_path):
    second = write_archive(tmp_path / "second", BARS)
    (second / "ZZAAC.csv").unlink()
    # Two symbols at a time: the last batch holds none that the second knows.
    context = sites.make(
        write_archive(tmp_path / "first", stale_and_gone(BARS)),
        bist_archive_basis="as_traded",
        bist_second_provider="second_archive",
        bist_second_archive_dir=second,
        bist_second_archive_basis="as_traded",
        bist_bar_choice="supported",
        collector_batch_size=2,
    )
    run(context, FIRST, LAST)
    assert count(context, "serving.prices_v1", "symbol = 'ZZAAC'") == len(DAYS)
    assert bar(context, GONE).loc[0, "close_try"] == truth(GONE)


def test_taking_the_second_source_away_serves_the_firsts_bars_as_if_it_had_never_been(both, sites, tmp_path):
    context = both("supported")
    alone = sites.make(tmp_path / "first", bist_archive_basis="as_traded")
    run(alone, FIRST, LAST)
    object.__setattr__(context, "settings", context.settings.model_copy(update={"bist_second_provider": ""}))
    run(context, FIRST, LAST)
    for table in ("market.second_prices", "market.source_comparison"):
        assert count(context, table) == 0
    for table in ("market.daily_prices", "market.verdicts", "market.quarantine", "analytics.indicators"):
        assert_same_bits(contents(context, table), contents(alone, table), table)
