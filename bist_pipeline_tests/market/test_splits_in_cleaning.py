"""Cleaning rows whose splits can be undone, the factors that readers multiply with, and live bars."""

import numpy as np
import pandas as pd
import pytest

from bist_pipeline.market.actions import resolve
from bist_pipeline.market.cleaning import clean, clean_forming
from bist_pipeline.market.factors import CLOSE_COLUMNS, with_action_factors, with_residuals
from bist_pipeline.market.theoretical import action_factors
from bist_pipeline.schemas.market import DAILY_PRICES, QUARANTINE
from bist_pipeline_tests.market.raw_rows import raw_rows, small_schedule
from bist_pipeline_tests.market.splitting import actions, dividend, split, yahoo_rows

DAYS = {"2024-01-03": (6.17, 2000.0), "2024-01-04": (12.34, 1000.0)}
NOW = pd.Timestamp("2024-02-01", tz="UTC").as_unit("us")
NO_CLOSES = pd.DataFrame({"symbol": [], "session_date": [], "close_try": []})


def test_split_adjusted_rows_are_accepted_as_traded():
    bars = clean(yahoo_rows(DAYS), small_schedule(), actions(split("2024-01-04", 2.0))).accepted
    assert bars["close_try"].tolist() == [12.34, 12.34]
    assert bars["volume_shares"].tolist() == [1000.0, 1000.0]
    assert set(bars["basis"]) == {"as_traded"}
    assert set(bars["grade"]) == {"A"}


def test_without_its_splits_a_row_stays_on_its_basis():
    bars = clean(yahoo_rows(DAYS), small_schedule(), actions(split("2024-01-04", 2.0), stating=())).accepted
    assert bars["close_try"].tolist() == [6.17, 12.34]
    assert set(bars["basis"]) == {"split_adjusted"}


def test_rows_of_both_kinds_are_told_apart():
    others = raw_rows({"symbol": "AKBNK", "close_raw": 250.123}).assign(fetched_at=NOW)
    raw = pd.concat([others, yahoo_rows(DAYS)], ignore_index=True)
    bars = clean(raw, small_schedule(), actions(split("2024-01-04", 2.0))).accepted
    assert bars["close_try"].tolist() == [250.123, 12.34, 12.34]
    assert bars["basis"].tolist() == ["as_traded"] * 3
    assert bars["grade"].tolist() == ["A", "A", "A"]


def test_a_bar_off_the_grid_is_graded_doubtful_even_where_something_was_filled():
    raw = yahoo_rows({"2024-01-03": (6.1732, 2000.0)}).assign(open_raw=np.nan)
    bar = clean(raw, small_schedule(), actions(split("2024-01-04", 2.0))).accepted.iloc[0]
    assert (bar["grade"], bar["filled"], bar["open_try"]) == ("C", "open_try", 6.1732 * 2.0)


def test_a_withheld_row_shows_the_providers_own_values():
    raw = yahoo_rows(DAYS).assign(low_raw=[7.0, 12.34])
    withheld = clean(raw, small_schedule(), actions(split("2024-01-04", 2.0))).quarantined
    assert withheld["rule"].tolist() == ["high_below_low"]
    assert withheld[["high_raw", "low_raw", "basis"]].iloc[0].tolist() == [6.17, 7.0, "split_adjusted"]
    assert "the high 6.17 is below the low 7.0" in withheld["reason"].item()


def test_both_frames_meet_their_contracts():
    raw = yahoo_rows(DAYS | {"2024-01-06": (1.0, 1.0)})
    cleaned = clean(raw, small_schedule(), actions(split("2024-01-04", 2.0), dividend("2024-01-04", 1.0)))
    bars = filled(cleaned.accepted, actions(split("2024-01-04", 2.0)))
    DAILY_PRICES.frame.validate(bars.assign(updated_at=NOW))
    QUARANTINE.frame.validate(cleaned.quarantined.assign(quarantined_at=NOW))


def filled(bars, known, closes=NO_CLOSES):
    """The bars with the factors of what a provider says."""
    traded = bars.loc[bars["basis"] == "as_traded", list(CLOSE_COLUMNS)]
    every = pd.concat([closes.astype(traded.dtypes.to_dict()), traded], ignore_index=True)
    nothing = known.frame.iloc[:0]
    told = action_factors(resolve(known, nothing, nothing).actions, every, known.today)
    return with_action_factors(bars, told.factors)


def factors(bars, known, closes=NO_CLOSES):
    made = filled(bars, known, closes)
    return made["adjustment_factor"].tolist(), made["total_return_factor"].tolist()


def bars_of(closes, basis="as_traded"):
    days = pd.Series(pd.to_datetime(list(closes))).dt.as_unit("us")
    return pd.DataFrame(
        {
            "symbol": pd.array(["THYAO"] * len(days), dtype="str"),
            "session_date": days,
            "close_try": list(closes.values()),
            "basis": basis,
            "adjustment_factor": 1.0,
            "total_return_factor": 1.0,
        }
    )


def test_a_later_split_is_in_both_factors_of_the_bars_before_it():
    bars = bars_of({"2024-01-03": 12.34, "2024-01-04": 6.20, "2024-01-05": 3.0})
    assert factors(bars, actions(split("2024-01-04", 2.0), split("2024-01-05", 2.0))) == ([0.25, 0.5, 1.0],) * 2


def test_a_dividend_leaves_the_share_of_the_last_close_that_was_not_paid_out():
    bars = bars_of({"2024-01-03": 10.0, "2024-01-04": 20.0, "2024-01-05": 19.0})
    assert factors(bars, actions(dividend("2024-01-05", 5.0))) == ([1.0] * 3, [0.75, 0.75, 1.0])


def test_a_dividend_before_a_split_is_stated_in_todays_shares():
    bars = bars_of({"2024-01-03": 20.0, "2024-01-04": 18.0, "2024-01-05": 9.0})
    known = dividend("2024-01-04", 1.0), split("2024-01-05", 2.0)  # 2 lira were paid on 20
    assert factors(bars, actions(*known)) == ([0.5, 0.5, 1.0], [0.45, 0.5, 1.0])


def test_an_archive_as_traded_states_what_was_paid_in_the_shares_of_that_day():
    bars = bars_of({"2024-01-03": 20.0, "2024-01-04": 18.0, "2024-01-05": 9.0})
    known = dividend("2024-01-04", 2.0), split("2024-01-05", 2.0)
    assert factors(bars, actions(*known, stating=())) == ([0.5, 0.5, 1.0], [0.45, 0.5, 1.0])


def test_a_dividend_after_the_bars_needs_the_stored_close_before_it():
    bars = bars_of({"2024-01-03": 10.0})
    stored = bars_of({"2024-01-08": 40.0})[["symbol", "session_date", "close_try"]]
    assert factors(bars, actions(dividend("2024-01-09", 10.0)), stored) == ([1.0], [0.75])


@pytest.mark.parametrize(
    "known",
    [dividend("2024-01-03", 1.0), dividend("2024-01-04", 99.0), split("2027-01-04", 2.0), dividend("2027-01-04", 1.0)],
    ids=["the first bar's own", "more than the price", "a split to come", "a dividend to come"],
)
def test_what_changes_nothing_leaves_the_factors_at_one(known):
    bars = bars_of({"2024-01-03": 10.0, "2024-01-04": 20.0})
    assert factors(bars, actions(known)) == ([1.0, 1.0], [1.0, 1.0])


def test_bars_on_another_basis_have_the_factors_that_adjusting_them_lacks_and_no_others():
    bars = bars_of({"2024-01-03": 10.0, "2024-01-04": 20.0}, basis="fully_adjusted")
    known = actions(split("2024-01-04", 2.0))
    nothing = known.frame.iloc[:0]
    stated = action_factors(resolve(known, nothing, nothing).actions, bars, known.today).factors
    assert stated["split_factor"].tolist() == [0.5]
    none = pd.DataFrame(columns=["symbol", "ex_date", "price_factor", "share_ratio"])
    kept = with_action_factors(bars, with_residuals(stated, none, traded=set()))
    assert kept["adjustment_factor"].tolist() == [1.0, 1.0]
    left = pd.DataFrame(
        [["THYAO", pd.Timestamp("2024-01-04"), 0.8, 1.25]], columns=["symbol", "ex_date", "price_factor", "share_ratio"]
    )
    made = with_action_factors(bars, with_residuals(stated, left, traded=set()))
    assert made["adjustment_factor"].tolist() == made["total_return_factor"].tolist() == [0.8, 1.0]
    as_traded = with_residuals(stated, left, traded={"THYAO"})  # there the action itself says all of it
    assert as_traded["kinds"].tolist() == ["split"]


def live(**changes):
    return raw_rows({"source": "yahoo_quote", "source_row": 0} | changes).assign(fetched_at=NOW)


def test_a_live_bar_is_never_final_however_late_it_is():
    cleaned = clean_forming(live(as_of="2024-01-05T00:00:00Z"), small_schedule(), actions())
    assert cleaned.accepted["is_final"].tolist() == [False]
    DAILY_PRICES.frame.validate(cleaned.accepted.assign(updated_at=NOW))


def test_a_live_bar_is_put_on_the_grid_and_doubted_off_it():
    shown = [float(np.float32(price)) for price in (252.10, 255.5, 248.2, 252.1)]
    names = ("open_raw", "high_raw", "low_raw", "close_raw")
    on_old_grid = live(session_date="2023-11-03", **dict(zip(names, shown, strict=True)))
    schedule = small_schedule().assign(session_date=lambda rows: rows["session_date"] - pd.Timedelta(days=61))
    bar = clean_forming(on_old_grid, schedule, actions()).accepted.iloc[0]
    assert bar[["open_try", "high_try", "low_try", "close_try", "grade"]].tolist() == [252.1, 255.5, 248.2, 252.1, "A"]
    bar = clean_forming(live(close_raw=252.1), small_schedule(), actions()).accepted.iloc[0]
    assert (bar["close_try"], bar["grade"]) == (252.1, "C")


def test_a_live_bar_on_another_basis_is_taken_as_it_is():
    bar = clean_forming(live(close_raw=252.123, basis="fully_adjusted"), small_schedule(), actions()).accepted.iloc[0]
    assert (bar["close_try"], bar["grade"], bar["basis"]) == (252.123, "A", "fully_adjusted")


def test_a_live_answer_keeps_to_the_same_rules():
    withheld = clean_forming(live(low_raw=300.0), small_schedule(), actions()).quarantined
    assert withheld["rule"].tolist() == ["high_below_low"]
