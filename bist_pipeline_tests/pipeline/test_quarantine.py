"""Quarantine by symbol: one bad bar is withheld with its reason, everybody else publishes, a corrected row flows on."""

import os

import numpy as np
import pandas as pd
import pytest

from bist_pipeline.client import Client
from bist_pipeline_tests.archives import sessions_from, simulated_bars, write_archive
from bist_pipeline_tests.pipeline.sites import DERIVED, SERVED, assert_same_bits, contents, count, execute, run
from bist_pipeline_tests.pipeline.spoiled import lines_of, write_lines

BARS = simulated_bars(symbols=4, sessions=120)
DAYS = sorted({day.date() for day in BARS["session_date"]})
FIRST, LAST = DAYS[0], DAYS[-1]
SICK, WELL = "ZZAAB", ("ZZAAA", "ZZAAC", "ZZAAD")
PRICES = ["open_raw", "high_raw", "low_raw", "close_raw"]


def a_hundred_times(day):
    """The sick symbol's bars with one of them in kuruş."""
    own = BARS[BARS["symbol"] == SICK].copy()
    columns = [c for c in own.columns if c.startswith(("open", "high", "low", "close"))]
    own.loc[own["session_date"] == str(day), columns] *= 100
    return own


def write(context, bars):
    place = write_lines(context.settings.bist_archive_dir, SICK, lines_of(bars))
    later = place.stat().st_mtime + 5
    os.utime(place, (later, later))


@pytest.fixture(scope="module")
def healthy(sites, tmp_path_factory):
    """The market as it was, backfilled."""
    context = sites.make(write_archive(tmp_path_factory.mktemp("well") / "a", BARS), bist_archive_basis="as_traded")
    run(context, FIRST, LAST)
    return context


@pytest.fixture
def spoiled(sites, tmp_path):
    """The same with the newest bar of one symbol a hundred times too dear."""
    context = sites.make(write_archive(tmp_path / "a", BARS), bist_archive_basis="as_traded")
    write(context, a_hundred_times(LAST))
    run(context, FIRST, LAST)
    return context


def of_others(frame):
    return frame[frame["symbol"] != SICK].reset_index(drop=True)


def latest(context, day=LAST, at="23:00"):
    """The newest signals, asked for at a time of a day in Istanbul."""
    execute(
        context,
        "UPDATE operations.market SET clock_offset_seconds = "
        f"extract(epoch FROM TIMESTAMP '{day} {at}' AT TIME ZONE 'Europe/Istanbul' - now())",
    )
    client = Client(context.database.url.libpq)
    try:
        return client.latest_signals().set_index("symbol")
    finally:
        client.close()


def test_one_bar_is_withheld_with_its_raw_values_and_everybody_else_publishes(spoiled, healthy):
    withheld = contents(spoiled, "market.quarantine")
    assert withheld[["symbol", "session_date"]].astype(str).to_numpy().tolist() == [[SICK, str(LAST)]]
    raw = a_hundred_times(LAST)
    close = raw.loc[raw["session_date"] == str(LAST)].filter(like="close").iloc[0, 0]
    assert withheld.loc[0, "close_raw"] == pytest.approx(close)
    assert SICK in withheld.loc[0, "reason"]
    assert str(LAST) in withheld.loc[0, "reason"]
    for table in (*DERIVED, *SERVED):
        assert_same_bits(of_others(contents(spoiled, table)), of_others(contents(healthy, table)), table)


def test_the_last_good_signal_stays_and_says_why_it_is_stale(spoiled, healthy):
    told = latest(spoiled)
    assert told["is_stale"].to_dict() == {SICK: True} | dict.fromkeys(WELL, False)
    assert told.loc[SICK, "session_date"] == pd.Timestamp(DAYS[-2])
    assert told.loc[SICK, "stale_since"] == pd.Timestamp(LAST)
    assert f"{SICK} on {LAST} breaks" in told.loc[SICK, "stale_because"]
    assert told.loc[list(WELL), ["stale_since", "stale_because"]].isna().all(axis=None)
    before = contents(healthy, "serving.signals_v1").set_index(["symbol", "session_date"])["score"]
    assert told.loc[SICK, "score"] == before[(SICK, pd.Timestamp(DAYS[-2]))]
    assert not latest(healthy)["is_stale"].any()


def test_an_outage_of_everything_is_told_two_hours_after_the_session_that_nobody_has(spoiled, healthy):
    """Sessions over, and no bar of anybody: no symbol is better than another, and all are late."""
    missing, second = (day.date() for day in sessions_from(FIRST, 122).astype("datetime64[us]").astype(object)[-2:])
    final_at = healthy.database.rows("SELECT final_at FROM reference.sessions WHERE session_date = :d", {"d": missing})
    due = pd.Timestamp(final_at[0].final_at).tz_convert("Europe/Istanbul") + pd.Timedelta(hours=2)
    before, after = (f"{due + pd.Timedelta(seconds=s):%H:%M:%S}" for s in (-60, 60))
    assert not latest(healthy, missing, before)["is_stale"].any()
    told = latest(healthy, missing, after)
    assert told["is_stale"].all()
    assert set(told["session_date"]) == {pd.Timestamp(LAST)}
    assert set(told["stale_since"]) == {pd.Timestamp(missing)}
    later = latest(healthy, second)
    assert set(later["stale_since"]) == {pd.Timestamp(missing)}
    assert later["stale_because"].str.startswith(f"provider_silent: its history ends on {LAST}").all()
    # What was withheld on an earlier session is not why the newest one is lacking.
    assert latest(spoiled, second)["stale_because"].equals(
        later["stale_because"].where(later.index != SICK, later.loc[SICK, "stale_because"])
    )


def test_a_signal_that_an_outage_left_forming_is_stale_two_hours_after_its_session(sites, healthy, tmp_path):
    """Nobody tells the closing auction: the score of the afternoon must not pass for the day's for ever."""
    context = sites.make(tmp_path, copy_of=healthy)
    execute(context, f"UPDATE serving.signals SET is_final = false WHERE symbol = '{SICK}' AND session_date = '{LAST}'")
    final_at = healthy.database.rows("SELECT final_at FROM reference.sessions WHERE session_date = :d", {"d": LAST})
    due = pd.Timestamp(final_at[0].final_at).tz_convert("Europe/Istanbul") + pd.Timedelta(hours=2)
    before, after = (f"{due + pd.Timedelta(seconds=s):%H:%M:%S}" for s in (-60, 60))
    assert not latest(context, LAST, before)["is_stale"].any()
    told = latest(context, LAST, after)
    assert told["is_stale"].to_dict() == {SICK: True} | dict.fromkeys(WELL, False)
    assert told.loc[SICK, "stale_because"] == "its session is over, and its bar was not told to the end"
    assert told.loc[list(WELL), ["stale_since", "stale_because"]].isna().all(axis=None)
    # When the next session is over too, everybody is late; what was left forming has been so since its own session.
    missing = sessions_from(FIRST, 121).astype("datetime64[us]").astype(object)[-1].date()
    later = latest(context, missing)
    assert later["stale_since"].to_dict() == {SICK: pd.Timestamp(LAST)} | dict.fromkeys(WELL, pd.Timestamp(missing))
    assert later["stale_because"].str.startswith("provider_silent").all()


def test_a_bar_whose_signal_is_not_published_yet_is_said_to_be_there(sites, healthy, tmp_path):
    context = sites.make(tmp_path, copy_of=healthy)
    execute(context, f"DELETE FROM serving.signals WHERE symbol = '{SICK}' AND session_date = '{LAST}'")
    told = latest(context)
    assert told["is_stale"].to_dict() == {SICK: True} | dict.fromkeys(WELL, False)
    assert told.loc[SICK, "stale_because"] == "no signal is published yet"


def test_a_corrected_row_flows_on_by_itself(spoiled, healthy):
    write(spoiled, BARS[BARS["symbol"] == SICK])
    run(spoiled, FIRST, LAST)
    assert count(spoiled, "market.quarantine") == 0
    assert not latest(spoiled)["is_stale"].any()
    for table in (*DERIVED, *SERVED):
        assert_same_bits(contents(spoiled, table), contents(healthy, table), table)


def test_a_bar_that_the_next_session_proves_wrong_is_withheld_and_what_rested_on_it_is_restated(
    sites, healthy, tmp_path
):
    day = DAYS[-6]
    context = sites.make(
        write_archive(tmp_path / "a", BARS[BARS["session_date"] <= str(day)]), bist_archive_basis="as_traded"
    )
    run(context, FIRST, day)
    write(context, a_hundred_times(day).loc[lambda f: f["session_date"] <= str(LAST)])
    run(context, FIRST, LAST)
    assert contents(context, "market.quarantine")["session_date"].astype(str).tolist() == [str(day)]
    assert count(context, "serving.signals_v1", f"symbol = '{SICK}' AND session_date = '{day}'") == 0
    assert (
        count(context, "serving.signals", f"symbol = '{SICK}' AND session_date = '{day}'") == 1
    )  # superseded, readable


def test_the_grade_of_a_bar_reaches_prices_and_signals(sites, tmp_path):
    own = BARS[BARS["symbol"] == SICK].copy()
    high = next(c for c in own.columns if c.startswith("high"))
    own.loc[own["session_date"] == str(DAYS[-3]), high] = float("nan")
    context = sites.make(write_archive(tmp_path / "a", BARS), bist_archive_basis="as_traded")
    write(context, own)
    run(context, FIRST, LAST)
    for view in ("serving.prices_v1", "serving.signals_v1"):
        told = contents(context, view)
        graded = told[told["grade"] != "A"]
        assert graded[["symbol", "session_date", "grade"]].astype(str).to_numpy().tolist() == [
            [SICK, str(DAYS[-3]), "B"]
        ]


def with_splits(context, bars, **stated):
    """Write the sick symbol's file with a column of splits, by session."""
    rows = lines_of(bars)
    text = [",".join([*rows[0], "Stock Splits"])]
    text += [",".join([*row.values(), str(stated.get(row["Date"], 0.0))]) for row in rows]
    (context.settings.bist_archive_dir / f"{SICK}.csv").write_text("\n".join(text) + "\n")


@pytest.mark.parametrize("late", [-1, 0, 2, 8])
def test_a_split_stated_on_the_wrong_day_counts_on_the_day_that_the_prices_show(sites, tmp_path, late):
    own = BARS[BARS["symbol"] == SICK].copy()
    right = DAYS[60]
    after = own["session_date"] >= str(right)
    for name in ("open_try", "high_try", "low_try", "close_try"):
        own.loc[after, name] = (own.loc[after, name] / 2).round(2)
    context = sites.make(write_archive(tmp_path / "a", BARS), bist_archive_basis="as_traded")
    with_splits(context, own, **{str(DAYS[60 + late]): 2.0})
    run(context, FIRST, LAST)
    known = contents(context, "reference.corporate_actions", f"symbol = '{SICK}'")
    assert known[["ex_date", "ratio"]].astype(str).to_numpy().tolist() == [[str(right), "2.0"]]
    factors = contents(context, "market.daily_prices", f"symbol = '{SICK}'").set_index("session_date")[
        "adjustment_factor"
    ]
    assert set(factors[: str(DAYS[59])]) == {0.5}
    assert set(factors[str(right) :]) == {1.0}
    told = contents(context, "market.verdicts", f"symbol = '{SICK}'")
    assert (str(DAYS[60 + late]) in told["session_date"].astype(str).tolist()) == (late != 0)


def test_the_order_in_which_files_arrive_and_are_corrected_does_not_matter(sites, tmp_path):
    many = simulated_bars(symbols=12, sessions=60, seed=3)
    days = sorted({day.date() for day in many["session_date"]})
    copied = many.copy()
    there = ((copied["symbol"] == SICK) & (copied["session_date"] == str(days[40]))).to_numpy()
    columns = ["open_try", "high_try", "low_try", "close_try", "volume_shares"]
    copied.loc[there, columns] = copied.loc[np.roll(there, -1), columns].to_numpy()
    context = sites.make(write_archive(tmp_path / "a", copied), bist_archive_basis="as_traded")
    run(context, days[0], days[-1])
    assert count(context, "market.daily_prices", "grade = 'C'") == 1
    write(context, many[many["symbol"] == SICK])
    run(context, days[0], days[-1])
    assert count(context, "market.daily_prices", "grade = 'C'") == 0
    write(context, copied[copied["symbol"] == SICK])
    os.utime(tmp_path / "a" / f"{SICK}.csv", (2e9, 2e9))
    run(context, days[0], days[-1])
    assert count(context, "market.daily_prices", "grade = 'C'") == 1
