"""The breaks of five years of 92 shares as Yahoo served them: each found, and called action or fault."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from bist_pipeline.core.calendar import load_calendar
from bist_pipeline.quality import level_breaks, reverting_spikes, unit_errors
from bist_pipeline.quality.breaks import analyse, analyse_all, histories_of
from bist_pipeline.quality.contract import CheckInput
from bist_pipeline_tests.market.raw_rows import recorded_daily
from bist_pipeline_tests.quality.breaks.histories import until

pytestmark = pytest.mark.realdata

# What a person made of them, with the tick grid, calendars of issues and the bars around at hand.
ACTIONS = {
    ("HEKTS", "2022-10-12"): "rights at par; the provider's factor is wrong",
    ("KONTR", "2024-07-19"): "bonus; the provider's factor is wrong",
    ("SKBNK", "2024-06-13"): "rights at par, applied to seven rows",
    ("CCOLA", "2024-08-13"): "bonus of 1000 %, applied to eight rows",
    ("HEKTS", "2024-09-18"): "rights of 233 % at par, applied to seven rows",
    ("KCAER", "2024-11-28"): "bonus; the provider's factor is wrong",
    ("KONTR", "2025-12-09"): "rights of 100 % at par, applied to six rows",
    ("CANTE", "2026-02-03"): "rights of 3 for 7 at par, applied to six rows",
    ("ENTRA", "2026-06-01"): "bonus; the provider's factor is wrong",
}
PARTIAL = {
    *(("SKBNK", "2024-06-04"), ("CCOLA", "2024-08-01"), ("HEKTS", "2024-09-09")),
    *(("KONTR", "2025-12-01"), ("CANTE", "2026-01-26")),
}
# Closes that were not the last ones: the snapshot of 2022-12-16, the half day 2024-04-09, missing closing auctions.
STALE = {
    *((symbol, "2022-12-16") for symbol in ("ARCLK", "DOHOL", "ISCTR", "ISGYO", "TSKB")),
    *((symbol, "2024-04-09") for symbol in ("BINHO", "CANTE", "KCAER")),
    *((symbol, "2022-12-08") for symbol in ("GESAN", "KONTR", "YEOTK")),
    ("BERA", "2022-06-27"),
}
DOUBTED = {
    *((symbol, "2022-12-16") for symbol in ("HALKB", "SKBNK", "VAKBN")),
    *(("DOAS", "2022-11-09"), ("KRDMD", "2022-12-12"), ("VESTL", "2022-11-29")),
}
STRAY = {("ISCTR", "2023-04-06"), ("MGROS", "2023-04-06")}


@pytest.fixture(scope="module")
def given():
    sessions = load_calendar().schedule(date(2021, 8, 10), date(2026, 8, 7))[["session_date", "is_session"]]
    asked = pd.DataFrame(columns=["symbol", "status", "reason"], dtype="str")
    return CheckInput(recorded_daily(), sessions, asked)


@pytest.fixture(scope="module")
def breaks(given):
    return analyse_all(histories_of(given))


def keys(rows, day="session_date"):
    return set(zip(rows["symbol"], rows[day].dt.strftime("%Y-%m-%d"), strict=True))


def of(breaks, *rules, effect=None):
    rows = breaks.verdicts[breaks.verdicts["rule"].isin(rules)]
    return keys(rows if effect is None else rows[rows["effect"] == effect])


def test_every_action_is_found_on_its_day(breaks):
    assert keys(breaks.actions, "ex_date") == set(ACTIONS)
    assert keys(breaks.verdicts[breaks.verdicts["kind"] == "action"]) == set(ACTIONS)


def test_every_fault_is_found_and_nothing_else_is_withheld(breaks):
    assert of(breaks, "partial_adjustment") == PARTIAL
    assert of(breaks, "stale_close", effect="withhold") == STALE
    assert of(breaks, "stale_close", effect="doubt") == DOUBTED
    assert of(breaks, "stray_price", effect="withhold") == STRAY
    faults = breaks.verdicts[breaks.verdicts["kind"] == "fault"]
    assert keys(faults) == PARTIAL | STALE | DOUBTED | STRAY
    assert len(STALE | STRAY) / 107_036 * 10_000 < 1.5


def test_factors_of_rights_at_par_come_out_as_their_terms(breaks):
    reasons = dict(zip(breaks.actions["symbol"], breaks.actions["reason"], strict=True))
    ratio = breaks.actions.set_index(["symbol", "ex_date"])["ratio"]
    assert ratio[("CCOLA", pd.Timestamp("2024-08-13"))] == pytest.approx(11, rel=1e-5)
    # Theoretical price of one new share at 1 lira for each old one at 30.16: 15.58.
    assert ratio[("KONTR", pd.Timestamp("2025-12-09"))] == pytest.approx(30.16 / 15.58, rel=1e-5)
    assert "a rights issue of 0.4286 shares per share at par" in reasons["CANTE"]


def test_after_the_repairs_no_move_at_an_action_is_beyond_the_limit(given, breaks):
    again = []
    for history in histories_of(given):
        mine, left = (frame[frame["symbol"] == history.symbol] for frame in (breaks.repairs, breaks.residuals))
        if mine.empty and left.empty:
            continue
        close = pd.Series(history.close, index=history.day.astype("datetime64[us]"))
        for row in mine.itertuples():
            close.loc[row.first_session : row.last_session] *= row.price_factor
        for row in left.itertuples():
            close.loc[close.index < row.ex_date] *= row.price_factor
        move = close / close.shift() - 1
        days = [
            *mine["first_session"],
            *mine["last_session"],
            *breaks.actions.loc[breaks.actions["symbol"] == history.symbol, "ex_date"],
        ]
        again += [abs(move.iloc[move.index.get_loc(day)]) for day in days]
        again += [abs(move.iloc[min(move.index.get_loc(day) + 1, len(move) - 1)]) for day in days]
    assert len(again) >= 18
    assert max(again) < 0.1011


def test_the_three_checks_tell_the_same_each_its_part(given, breaks):
    parts = [check.CHECK.find(given).rows for check in (level_breaks, reverting_spikes, unit_errors)]
    assert [len(rows) for rows in parts] == [len(breaks.verdicts) - 2, 2, 0]
    assert keys(pd.concat(parts)) == keys(breaks.verdicts)


def test_a_stale_close_is_withheld_once_three_bars_follow_and_no_bar_is_released_again(given):
    for history in histories_of(given):
        for day in [day for symbol, day in STALE if symbol == history.symbol]:
            bar = int(np.searchsorted(history.day, np.datetime64(day)))
            effects = []
            for stop in range(bar + 1, bar + 7):
                rows = analyse(until(history, stop)).verdicts
                effects.append("withhold" in set(rows.loc[rows["session_date"] == pd.Timestamp(day), "effect"]))
            assert effects == [False] * 3 + [True] * 3
        if history.symbol == "ENTRA":
            for stop in range(len(history.day) - 60, len(history.day)):
                assert "withhold" not in set(analyse(until(history, stop)).verdicts["effect"])


def test_a_symbol_alone_is_judged_alike(given, breaks):
    hekts = next(history for history in histories_of(given) if history.symbol == "HEKTS")
    alone = analyse(hekts)
    for name in ("verdicts", "repairs", "actions"):
        whole = getattr(breaks, name)
        pd.testing.assert_frame_equal(getattr(alone, name), whole[whole["symbol"] == "HEKTS"].reset_index(drop=True))
