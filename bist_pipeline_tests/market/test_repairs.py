"""Repairs and judgements as cleaning carries them out: what is multiplied, withheld or doubted, and what is said."""

import numpy as np
import pandas as pd
import pytest

from bist_pipeline.market.cleaning import clean
from bist_pipeline.market.judged import VERDICT_COLUMNS, Judged, nothing_judged
from bist_pipeline.market.repairs import REPAIR_COLUMNS, repair
from bist_pipeline_tests.market.raw_rows import raw_grid, small_schedule

DAYS = ["2024-01-02", "2024-01-03", "2024-01-04", "2024-01-05"]


def rows():
    return raw_grid({"AAA": [10.0, 11.0, 12.0, 13.0], "BBB": [20.0, 21.0, 22.0, 23.0]}, DAYS, volume_raw=[1e3] * 4)


def repairs(*changes):
    told = [dict(zip(REPAIR_COLUMNS, change, strict=True)) for change in changes]
    frame = pd.DataFrame(told, columns=list(REPAIR_COLUMNS))
    return frame.assign(**{n: pd.to_datetime(frame[n]) for n in ("first_session", "last_session")})


def verdicts(*changes):
    frame = pd.DataFrame([dict(zip(VERDICT_COLUMNS, c, strict=True)) for c in changes], columns=list(VERDICT_COLUMNS))
    return frame.assign(session_date=pd.to_datetime(frame["session_date"]).astype("datetime64[us]"))


def test_a_run_of_bars_is_multiplied_and_its_neighbours_keep_their_bits():
    given = rows()
    done, told = repair(given, repairs(("AAA", DAYS[1], DAYS[2], 0.5, 2.0, "partial_adjustment")))
    mine = ((given["symbol"] == "AAA") & given["session_date"].between(DAYS[1], DAYS[2])).to_numpy()
    assert done.loc[mine, "close_raw"].tolist() == [5.5, 6.0]
    assert done.loc[mine, "volume_raw"].tolist() == [2000.0, 2000.0]
    assert told[mine].tolist() == ["partial_adjustment: ×0.5"] * 2
    assert (told[~mine] == "").all()
    pd.testing.assert_frame_equal(done[~mine], given[~mine])


def test_nothing_to_repair_hands_the_rows_through():
    given = rows()
    done, told = repair(given, nothing_judged().repairs)
    assert done is given
    assert (told == "").all()


def test_a_repaired_bar_is_of_grade_b_and_says_what_was_done():
    cleaned = clean(
        rows(), small_schedule(), judged=Judged(verdicts(), repairs(("BBB", DAYS[0], DAYS[0], 2, 0.5, "x")))
    )
    told = cleaned.accepted.set_index(["symbol", "session_date"])
    bar = told.loc[("BBB", pd.Timestamp(DAYS[0]))]
    assert (bar["close_try"], bar["volume_shares"], bar["grade"], bar["repaired"]) == (40.0, 500.0, "B", "x: ×2")
    assert (told.drop(index=[("BBB", pd.Timestamp(DAYS[0]))])["grade"] == "A").all()


def test_a_judged_bar_is_withheld_with_every_reason_in_the_providers_own_values():
    judged = Judged(
        verdicts(
            ("AAA", DAYS[1], "unit_error", "withhold", "And more."),
            ("AAA", DAYS[1], "bar_range", "withhold", "a hundred times too wide."),
            ("AAA", DAYS[2], "stale", "doubt", "As the day before."),
            ("BBB", DAYS[2], "break", "none", "An action."),
        ),
        repairs(),
    )
    cleaned = clean(rows(), small_schedule(), judged=judged)
    assert len(cleaned.accepted) + len(cleaned.quarantined) == len(rows())
    row = cleaned.quarantined.iloc[0]
    assert (row["symbol"], row["rule"], row["close_raw"]) == ("AAA", "bar_range", 11.0)
    assert row["reason"] == "AAA on 2024-01-03 breaks bar_range: a hundred times too wide. And more."
    doubtful = cleaned.accepted[cleaned.accepted["grade"] == "C"]
    assert doubtful[["symbol", "repaired"]].to_numpy().tolist() == [["AAA", "stale"]]


def test_a_verdict_about_a_bar_that_is_not_there_does_nothing():
    judged = Judged(
        verdicts(("AAA", "2023-01-02", "x", "withhold", "Gone."), ("CCC", DAYS[0], "x", "doubt", "No.")), repairs()
    )
    cleaned = clean(rows(), small_schedule(), judged=judged)
    plain = clean(rows(), small_schedule())
    pd.testing.assert_frame_equal(cleaned.accepted, plain.accepted)
    assert cleaned.quarantined.empty


def test_a_row_that_breaks_a_rule_of_its_own_keeps_that_reason_and_the_order_of_delivery_stays():
    given = rows()
    given.loc[1, "close_raw"] = np.nan
    judged = Judged(
        verdicts(("AAA", DAYS[0], "x", "withhold", "A."), ("AAA", DAYS[1], "x", "withhold", "B.")), repairs()
    )
    found = clean(given, small_schedule(), judged=judged).quarantined
    assert found[["session_date", "rule"]].astype(str).to_numpy().tolist() == [[DAYS[0], "x"], [DAYS[1], "no_close"]]


@pytest.mark.parametrize("factor", [0.1, 3.0])
def test_repairing_cannot_bring_a_bar_out_of_order(factor):
    given = rows().assign(high_raw=lambda f: f["close_raw"] + 1, low_raw=lambda f: f["close_raw"] - 1)
    done, _ = repair(given, repairs(("AAA", DAYS[0], DAYS[3], factor, 1.0, "x")))
    assert (done["low_raw"] <= done["close_raw"]).all()
    assert (done["high_raw"] >= done["close_raw"]).all()
