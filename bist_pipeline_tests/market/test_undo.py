"""Undoing dividends and splits: by hand, against what Yahoo does, and on 32 recorded shares."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bist_pipeline.core.price_limits import limit_on
from bist_pipeline.core.ticks import snap
from bist_pipeline.market.actions import resolve
from bist_pipeline.market.factors import adjusted, total_return
from bist_pipeline.market.splits import TRADED_VALUES
from bist_pipeline.market.theoretical import action_factors
from bist_pipeline.market.undo import plan_undoing, undo_adjustments, with_solved_amounts
from bist_pipeline_tests.market.adjusting import simulated_share, yahoo
from bist_pipeline_tests.market.events import TODAY, recorded_events
from bist_pipeline_tests.market.splitting import actions, dividend, split, yahoo_rows


def undone(rows, known):
    """Prices, doubts and the verdict of one symbol."""
    plan = plan_undoing(rows, known)
    bars, doubtful = undo_adjustments(rows, plan)
    return bars, doubtful, plan.verdicts.iloc[0]


def fully(days):
    return yahoo_rows(days).assign(basis=pd.array(["fully_adjusted"] * len(days), dtype="str"))


def test_a_dividend_gives_back_the_close_before_and_the_same_share_of_every_earlier_price():
    # 20.00 and 10.00 were traded; 1 lira was paid out of 20.00, which left 95 %.
    rows = fully({"2024-01-02": (9.5, 7.0), "2024-01-03": (19.0, 8.0), "2024-01-04": (19.5, 9.0)})
    bars, doubtful, verdict = undone(rows, actions(dividend("2024-01-04", 1.0)))
    assert bars["close_raw"].tolist() == [10.0, 20.0, 19.5]
    assert bars["volume_raw"].tolist() == [7.0, 8.0, 9.0]
    assert set(bars["basis"]) == {"as_traded"}
    assert not doubtful.any()
    assert verdict["state"] == "undone"


def test_dividends_are_undone_newest_first_and_in_the_shares_of_today():
    # As traded 40.00, 36.00 (4 paid), then halved: 18.00, 17.10 (0.90 paid). In shares of today: 20, 18, 18, 17.10.
    left_2, left_1 = 1 - 0.9 / 18.0, 1 - 2.0 / 20.0
    rows = fully(
        {
            "2024-01-02": (20.0 * left_1 * left_2, 2.0),
            "2024-01-03": (18.0 * left_2, 2.0),
            "2024-01-04": (18.0 * left_2, 4.0),
            "2024-01-05": (17.1, 4.0),
        }
    )
    known = dividend("2024-01-03", 2.0), split("2024-01-04", 2.0), dividend("2024-01-05", 0.9)
    bars, _, verdict = undone(rows, actions(*known))
    assert bars["close_raw"].tolist() == [40.0, 36.0, 18.0, 17.1]
    assert bars["volume_raw"].tolist() == [1.0, 1.0, 4.0, 4.0]
    assert verdict["is_trusted"]


def test_prices_below_zero_come_back():
    # 12.00 as traded, 4 paid, then a split of 10: 1.20 in shares of today, and 4 stated undivided leaves 1.20 − 4.
    rows = fully({"2024-01-02": (1.2 * (1 - 4.0 / 1.2), 10.0), "2024-01-03": (0.8, 10.0), "2024-01-04": (0.81, 10.0)})
    assert rows["close_raw"].iloc[0] == pytest.approx(-2.8)
    known = dividend("2024-01-03", 4.0), split("2024-01-04", 10.0)
    assert undone(rows, actions(*known))[0]["close_raw"].tolist() == [12.0, 8.0, 0.81]


def test_a_row_fetched_before_a_dividend_is_not_undone_by_it():
    rows = fully({"2024-01-03": (20.0, 8.0), "2024-01-04": (19.5, 9.0)})
    known = actions(dividend("2024-02-02", 1.0))  # the rows were fetched on 2024-02-01
    assert undone(rows, known)[0]["close_raw"].tolist() == [20.0, 19.5]


def test_the_dividends_of_split_adjusted_prices_are_left_alone():
    rows = yahoo_rows({"2024-01-02": (10.0, 2.0), "2024-01-03": (20.0, 2.0), "2024-01-04": (9.75, 4.0)})
    known = dividend("2024-01-03", 1.0), split("2024-01-04", 2.0)
    assert undone(rows, actions(*known))[0]["close_raw"].tolist() == [20.0, 40.0, 9.75]


def test_what_nobody_states_the_actions_of_keeps_its_basis_and_its_bits():
    rows = fully({"2024-01-02": (9.51234, 7.0)})
    bars, doubtful = undo_adjustments(rows, plan_undoing(rows, actions(stating=())))
    assert bars is rows
    assert not doubtful.any()


def test_a_history_off_the_grid_keeps_its_basis_and_says_how_many_prices_are():
    share = simulated_share(40, dividends={20: 0.03})
    rows, known = yahoo(share)
    rows[list(TRADED_VALUES)] *= 0.9871
    bars, doubtful, verdict = undone(rows, known)
    assert (verdict["state"], verdict["is_trusted"], verdict["prices"]) == ("refused", False, 160)
    assert verdict["off_grid"] > 140
    assert "prices are off the grid" in verdict["reason"]
    assert set(bars["basis"]) == {"fully_adjusted"}
    assert bars["close_raw"].tolist() == rows["close_raw"].tolist()
    assert not doubtful.any()


def test_a_bad_bar_in_a_good_history_is_doubtful_and_the_history_trusted():
    share = simulated_share(120, dividends={60: 0.03})
    rows, known = yahoo(share)
    rows["open_raw"] *= np.where(rows.index == 30, 1.001234, 1.0)
    bars, doubtful, verdict = undone(rows, known)
    assert (verdict["state"], verdict["off_grid"]) == ("undone", 1)
    assert np.flatnonzero(doubtful).tolist() == [30]
    np.testing.assert_array_equal(bars["close_raw"], share.prices[:, 3])


def solved(share, **wrong):
    """The plan and what is known after it, where prices come back to the bit."""
    rows, known = yahoo(share, **wrong)
    plan = plan_undoing(rows, known)
    bars, doubtful = undo_adjustments(rows, plan)
    assert plan.verdicts["state"].tolist() == ["solved"]
    np.testing.assert_array_equal(bars[list(TRADED_VALUES)].to_numpy(), share.prices)
    assert not doubtful.any()
    return plan, with_solved_amounts(known, plan).frame


@pytest.mark.parametrize(
    ("times", "named"), [(100.0, "a hundredfold"), (0.01, "a hundredth"), (4.0, "undivided"), (0.25, "divided twice")]
)
def test_a_dividend_stated_wrong_by_a_known_factor_is_solved_from_the_grid(times, named):
    share = simulated_share(80, splits={60: 4.0}, dividends={40: 0.031})
    right = yahoo(share)[1].frame["amount_try"].dropna().item()
    plan, known = solved(share, stated={40: right * times})
    assert plan.amounts["amount_try"].item() == pytest.approx(right, rel=1e-4), named
    assert f"adjusted for as {right:.4f}"[:-1] in plan.verdicts["reason"].item()
    told = known[known["kind"] == "dividend"].iloc[0]
    assert told["amount_try"] == plan.amounts["amount_try"].item()
    assert told["reason"].startswith(f"stated as {right * times:.6g} per share, adjusted for as")
    assert known.loc[known["kind"] == "split", ["ratio", "reason"]].to_numpy().tolist() == [[4.0, ""]]


def test_a_dividend_stated_with_two_decimals_is_solved_from_the_grid():
    share = simulated_share(80, start=12.0, dividends={40: 0.0321})
    right = share.dividends[40]
    assert abs(right - round(right, 2)) > 0.0005
    plan, _ = solved(share, stated={40: round(right, 2)})
    assert plan.amounts["amount_try"].item() == pytest.approx(right, abs=1e-5)


def test_a_dividend_that_was_never_adjusted_for_is_solved_as_none():
    share = simulated_share(80)
    rows, known = yahoo(share)
    paid = pd.DataFrame([dividend(str(share.days[40])[:10], 1.37)])
    plan = plan_undoing(rows, actions(*paid.to_dict("records")))
    assert plan.amounts["amount_try"].tolist() == [0.0]
    kept = with_solved_amounts(actions(*paid.to_dict("records")), plan).frame
    assert kept["amount_try"].tolist() == [1.37]  # it may have been paid all the same
    np.testing.assert_array_equal(undo_adjustments(rows, plan)[0]["close_raw"], share.prices[:, 3])
    assert known.frame.empty


def test_an_arbitrary_wrong_dividend_is_refused_and_not_fitted():
    share = simulated_share(80, dividends={40: 0.031})
    rows, known = yahoo(share, stated={40: 7.7})
    plan = plan_undoing(rows, known)
    assert plan.verdicts["state"].tolist() == ["refused"]
    assert plan.steps.empty


def test_any_part_of_the_rows_is_undone_as_the_whole_is():
    share = simulated_share(90, seed=4, splits={30: 3.0792917}, dividends={15: 0.04, 60: 0.02})
    rows, known = yahoo(share)
    plan = plan_undoing(rows, known)
    whole = undo_adjustments(rows, plan)[0]
    for part in (rows.iloc[10:20], rows.iloc[[80, 3, 45]]):
        pd.testing.assert_frame_equal(undo_adjustments(part, plan)[0], whole.loc[part.index])


ratios = st.one_of(st.integers(2, 12).map(float), st.floats(1.05, 12.0), st.sampled_from([0.1, 0.5, 3.0792917, 10 / 7]))
events = st.dictionaries(
    st.integers(1, 79), st.tuples(ratios | st.none(), st.floats(0.002, 0.2) | st.none()), max_size=7
)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), start=st.floats(2.0, 900.0), known=events)
def test_what_yahoo_does_to_a_share_is_undone_and_doing_it_again_gives_the_same(seed, start, known):
    splits = {row: ratio for row, (ratio, _) in known.items() if ratio}
    share = simulated_share(
        80, seed, start, splits=splits, dividends={row: part for row, (_, part) in known.items() if part}
    )
    # Below that a tick is a large part of a price, and single precision and six decimals say too little.
    assume(share.prices.min() > 0.5)
    assume(np.prod([max(ratio, 1.0) for ratio in splits.values()]) < 200)
    rows, stated = yahoo(share)
    bars, doubtful, verdict = undone(rows, stated)
    assert verdict["is_trusted"], verdict["reason"]
    np.testing.assert_array_equal(bars[list(TRADED_VALUES)].to_numpy(), share.prices)
    # Whole shares of a reverse split's larger kind.
    merged = float(np.prod([max(1 / ratio, 1.0) for ratio in splits.values()]))
    np.testing.assert_allclose(bars["volume_raw"], share.volume, rtol=1e-6, atol=merged)
    assert not doubtful.any()
    again = total_return(as_bars(bars), factors_of(bars, stated), stated.today)
    for name in TRADED_VALUES:
        np.testing.assert_allclose(again[name.replace("_raw", "_try")], rows[name], rtol=2e-6)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6), start=st.floats(2.0, 900.0), known=events)
def test_splits_alone_are_undone_to_the_bit_and_adjusting_gives_the_closes_back(seed, start, known):
    share = simulated_share(80, seed, start, splits={row: ratio for row, (ratio, _) in known.items() if ratio})
    rows, stated = yahoo(share, basis="split_adjusted")
    bars, doubtful, verdict = undone(rows, stated)
    assert verdict["is_trusted"]
    np.testing.assert_array_equal(bars[list(TRADED_VALUES)].to_numpy(), share.prices)
    assert not doubtful.any()
    again = adjusted(as_bars(bars), factors_of(bars, stated), stated.today)
    np.testing.assert_allclose(again["close_try"], rows["close_raw"], rtol=1e-6)
    np.testing.assert_allclose(again["volume_shares"], rows["volume_raw"], rtol=1e-6, atol=1)


def as_bars(rows):
    names = {name: name.replace("_raw", "_try") for name in TRADED_VALUES}
    return rows.rename(columns=names | {"volume_raw": "volume_shares"})


def factors_of(rows, known):
    nothing = known.frame.iloc[:0]
    closes = as_bars(rows)[["symbol", "session_date", "close_try"]]
    told = action_factors(resolve(known, nothing, nothing).actions, closes, known.today)
    assert told.refused.empty
    return told.factors


@pytest.fixture(scope="module")
def recorded(recordings):
    rows, known = recorded_events(recordings)
    plan = plan_undoing(rows, known)
    bars, doubtful = undo_adjustments(rows, plan)
    return rows, known, plan, bars, doubtful


@pytest.mark.realdata
def test_every_price_of_the_32_recorded_shares_comes_back_to_the_grid(recorded):
    rows, known, plan, bars, doubtful = recorded
    assert rows["symbol"].nunique() == 32
    assert plan.verdicts[["state", "off_grid"]].drop_duplicates().to_numpy().tolist() == [["undone", 0]]
    assert not doubtful.any()
    assert set(bars["basis"]) == {"as_traded"}
    steps = plan.steps.assign(day=plan.steps["ex_date"].to_numpy())
    largest = 0.0
    for name in TRADED_VALUES:  # not snapped: what the arithmetic alone makes of them
        factor = np.ones(len(rows))
        for step in steps.itertuples():
            factor[(rows["symbol"] == step.symbol) & (rows["session_date"] < step.day)] *= step.ratio
        largest = max(largest, float(snap(rows[name] * factor, rows["session_date"].to_numpy())[1].max()))
    print(f"{len(rows)} bars, {len(known.frame)} events, largest residual {largest:.5f} tick")  # noqa: T201
    assert largest < 0.001


@pytest.mark.realdata
def test_adjusting_the_recorded_shares_again_gives_the_files(recorded):
    rows, known, _, bars, _ = recorded
    again = total_return(as_bars(bars), factors_of(bars, known), TODAY.date())
    for name in TRADED_VALUES:
        np.testing.assert_allclose(again[name.replace("_raw", "_try")], rows[name], rtol=1e-6)
    np.testing.assert_allclose(again["volume_shares"], rows["volume_raw"], rtol=1e-6)


@pytest.mark.realdata
def test_no_recorded_return_is_beyond_the_price_limit_once_its_action_is_taken_out(recorded):
    _, known, _, bars, _ = recorded
    factors = factors_of(bars, known)
    ordered = as_bars(bars).sort_values(["symbol", "session_date"])
    before = ordered.groupby("symbol")["close_try"].shift()
    told = ordered.merge(factors, left_on=["symbol", "session_date"], right_on=["symbol", "ex_date"], how="left")
    move = (told["close_try"] / before.to_numpy() / told["price_factor"].fillna(1.0) - 1).abs()
    assert len(factors) == len(known.frame) == 24
    assert (move.dropna() <= limit_on(told["session_date"])[move.notna()] + 1e-9).all()
    crossing = move[told["price_factor"].notna()]
    assert len(crossing) == 24
    assert crossing.max() < 0.06
    naive = (told["close_try"] / before.to_numpy() - 1).abs()
    assert (naive > 0.11).sum() == 5
