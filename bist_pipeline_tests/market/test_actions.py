"""Whose word counts, and what the actions of a day leave of a price: worked by hand."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from bist_pipeline.market.actions import RESOLVED_COLUMNS, CorporateActionError, resolve
from bist_pipeline.market.desk_actions import parse_desk_actions
from bist_pipeline.market.factors import adjusted, total_return, with_action_factors
from bist_pipeline.market.theoretical import FACTOR_COLUMNS, action_factors
from bist_pipeline_tests.market.splitting import TODAY, actions, dividend, split

NOTHING = pd.DataFrame(columns=["symbol", "ex_date", "kind", "ratio", "amount_try"])
HEADER = "symbol,ex_date,kind,ratio,amount_try,subscription_try,new_symbol,note\n"


def desk(*lines):
    return parse_desk_actions(HEADER + "\n".join(lines))


def inferred(ex_date, ratio, reason="grid"):
    return pd.DataFrame([split(ex_date, ratio) | {"reason": reason}])


def in_force(delivered=(), own=NOTHING, told=NOTHING, **options):
    return resolve(actions(*delivered), own, told, **options).actions


def spelt(resolved):
    return [f"{row.origin} {row.kind} {str(row.ex_date)[:10]}" for row in resolved.itertuples()]


# Whose word counts.


def test_the_desk_replaces_what_the_provider_says_of_the_same_thing_and_says_so():
    # Yahoo told of DAGI's bonus and rights issue of 2025-02-19 as one split of 3.0792917.
    own = desk("THYAO,2025-02-19,bonus,1.5,,,,reserves", "THYAO,2025-02-19,rights,1.0,,1.00,,")
    resolved = in_force([split("2025-02-19", 3.0792917), dividend("2025-02-19", 0.5)], own)
    assert spelt(resolved) == ["desk bonus 2025-02-19", "provider dividend 2025-02-19", "desk rights 2025-02-19"]
    assert resolved["reason"].tolist() == [
        "reserves; overrules split 3.0792917 of 2025-02-19 by provider",
        "",
        "overrules split 3.0792917 of 2025-02-19 by provider",
    ]
    assert tuple(resolved.columns) == RESOLVED_COLUMNS


@pytest.mark.parametrize(
    ("stated", "kept"),
    [
        ("2025-02-14", ["provider split 2025-02-14", "desk split 2025-02-20"]),  # a Friday, four sessions before
        ("2025-02-17", ["desk split 2025-02-20"]),
        ("2025-02-25", ["desk split 2025-02-20"]),  # over a weekend
        ("2025-02-26", ["desk split 2025-02-20", "provider split 2025-02-26"]),
    ],
)
def test_three_sessions_apart_is_the_same_thing_and_four_is_not(stated, kept):
    assert spelt(in_force([split(stated, 2.0)], desk("THYAO,2025-02-20,split,2.1,,,,"))) == kept


def test_sessions_are_counted_where_they_are_known():
    own = desk("THYAO,2025-03-28,split,2.1,,,,")
    days = pd.bdate_range("2025-03-20", "2025-04-10").to_numpy()
    assert spelt(in_force([split("2025-04-04", 2.0)], own)) == ["desk split 2025-03-28", "provider split 2025-04-04"]
    eid = ~np.isin(days, pd.to_datetime(["2025-03-31", "2025-04-01"]).to_numpy())
    assert spelt(in_force([split("2025-04-04", 2.0)], own, sessions=days[eid])) == ["desk split 2025-03-28"]


def test_other_symbols_and_sorts_are_other_things():
    other = split("2025-02-19", 2.0) | {"symbol": "AKBNK"}
    own = desk("THYAO,2025-02-19,dividend,,1.0,,,")
    resolved = in_force([other, split("2025-02-19", 2.0)], own)
    assert spelt(resolved) == ["provider split 2025-02-19", "desk dividend 2025-02-19", "provider split 2025-02-19"]


def test_what_was_inferred_yields_to_what_is_stated_nearby_and_is_remembered():
    resolved = in_force([split("2025-02-19", 2.0)], told=inferred("2025-02-20", 2.02))
    assert spelt(resolved) == ["provider split 2025-02-19"]
    assert resolved["reason"].tolist() == ["overrules split 2.02 of 2025-02-20 by inferred (grid)"]
    assert spelt(in_force(told=inferred("2025-02-20", 2.02))) == ["inferred split 2025-02-20"]


def test_the_desk_can_say_that_nothing_happened():
    own = desk("THYAO,2025-02-19,split,1,,,,no such split", "THYAO,2025-03-19,dividend,,0,,,")
    resolved = in_force([split("2025-02-19", 2.0), dividend("2025-03-19", 1.0)], own, inferred("2025-02-18", 2.0))
    assert spelt(resolved) == ["desk split 2025-02-19", "desk dividend 2025-03-19"]
    assert action_factors(resolved, closes({"2025-02-18": 10.0}), TODAY.date()).factors.empty


def test_a_dividend_of_a_split_adjusted_answer_counts_for_the_shares_it_became():
    known = [dividend("2024-11-22", 1.425), split("2025-05-07", 10.0), dividend("2025-05-08", 2.0)]
    assert in_force(known)["share_scale"].tolist() == [10.0, 1.0, 1.0]
    assert resolve(actions(*known, stating=()), NOTHING, NOTHING).actions["share_scale"].tolist() == [1.0, 1.0, 1.0]
    # What the provider divided by is what the provider says, whatever the desk knows better.
    own = desk("THYAO,2025-05-07,bonus,7,,,,")
    assert in_force(known, own)["share_scale"].tolist() == [10.0, 1.0, 1.0]


def test_unusable_statements_of_providers_are_listed_and_those_of_the_desk_refused():
    told = resolve(actions(split("2025-02-19", 0.0), dividend("2025-03-19", 1.0)), NOTHING, NOTHING)
    assert spelt(told.actions) == ["provider dividend 2025-03-19"]
    assert told.refused["reason"].tolist() == ["ratio must be above 0"]
    wrong = pd.DataFrame([split("2025-02-19", -1.0) | {"source": "list.csv:3"}])
    with pytest.raises(CorporateActionError, match=r"THYAO 2025-02-19 split of the desk \(list.csv:3\): ratio must"):
        in_force(own=wrong)
    with pytest.raises(CorporateActionError, match="stated twice"):
        in_force(own=pd.DataFrame([split("2025-02-19", 2.0), split("2025-02-19", 3.0)]))


# What they leave of a price.


def closes(known, symbol="THYAO"):
    days = pd.Series(pd.to_datetime(list(known))).dt.as_unit("us")
    symbols = pd.array([symbol] * len(days), dtype="str")
    return pd.DataFrame({"symbol": symbols, "session_date": days, "close_try": list(known.values())})


def factors(own, known, until=None, delivered=()):
    return action_factors(in_force(delivered, own), closes(known), until or TODAY.date())


def test_a_bonus_a_rights_issue_and_a_dividend_of_one_day_by_hand():
    # 20.00 before; 50 % paid for with 1 lira, 150 % free, 2 lira paid out: (20 + 0.5 × 1 − 2) / (1 + 0.5 + 1.5).
    own = desk(
        "THYAO,2025-02-19,bonus,1.5,,,,", "THYAO,2025-02-19,rights,0.5,,1.00,,", "THYAO,2025-02-19,dividend,,2,,,"
    )
    told = factors(own, {"2025-02-17": 19.0, "2025-02-18": 20.0, "2025-02-19": 6.2})
    assert tuple(told.factors.columns) == FACTOR_COLUMNS
    row = told.factors.iloc[0]
    assert (row["base_close_try"], row["share_ratio"], row["kinds"]) == (20.0, 3.0, "bonus,rights,dividend")
    assert row["theoretical_try"] == pytest.approx(18.5 / 3)
    assert row["price_factor"] == pytest.approx(18.5 / 3 / 20)
    assert row["split_factor"] == pytest.approx(20.5 / 3 / 20)
    assert told.refused.empty
    assert told.solved.empty


@pytest.mark.parametrize(
    ("line", "price", "shares"),
    [
        ("split,2,,,,", 0.5, 2.0),
        ("split,0.1,,,,", 10.0, 0.1),
        ("split,3.0792917,,,,", 1 / 3.0792917, 3.0792917),
        ("bonus,10,,,,", 1 / 11, 11.0),
        ("rights,1,,1,,", 0.525, 2.0),  # (20 + 1) / 2
        ("dividend,,5,,,", 0.75, 1.0),
    ],
)
def test_each_kind_alone_by_hand(line, price, shares):
    row = factors(desk(f"THYAO,2025-02-19,{line}"), {"2025-02-18": 20.0}).factors.iloc[0]
    assert (row["price_factor"], row["share_ratio"]) == (pytest.approx(price, rel=1e-15), pytest.approx(shares))


def test_a_split_multiplies_what_the_others_leave():
    own = desk("THYAO,2025-02-19,split,10,,,,", "THYAO,2025-02-19,dividend,,2,,,", "THYAO,2025-02-19,bonus,1,,,,")
    row = factors(own, {"2025-02-18": 20.0}).factors.iloc[0]
    assert row["theoretical_try"] == pytest.approx((20 - 2) / 2 / 10)
    assert row["share_ratio"] == 20.0


def test_the_last_close_before_is_the_base_however_old_and_the_days_own_is_not():
    own = desk("THYAO,2025-02-19,dividend,,2,,,")
    row = factors(own, {"2025-01-02": 40.0, "2025-02-19": 10.0, "2025-02-20": 11.0}).factors.iloc[0]
    assert row["base_close_try"] == 40.0


def test_without_a_close_before_only_what_needs_none_has_a_factor():
    own = desk("THYAO,2025-02-19,split,2,,,,", "THYAO,2025-03-19,dividend,,2,,,")
    told = factors(own, {})
    assert told.factors[["price_factor", "share_ratio"]].values.tolist() == [[0.5, 2.0]]  # noqa: PD011
    assert told.factors["base_close_try"].isna().all()
    assert told.refused.empty


def test_actions_of_the_future_and_renames_have_no_factor():
    own = desk("THYAO,2025-02-19,split,2,,,,", "THYAO,2025-02-18,rename,,,,TRALT,")
    assert factors(own, {"2025-02-17": 20.0}, until=date(2025, 2, 18)).factors.empty
    assert len(factors(own, {"2025-02-17": 20.0}, until=date(2025, 2, 19)).factors) == 1


def test_a_dividend_above_the_price_is_refused_and_the_split_of_its_day_is_not():
    own = desk("THYAO,2025-02-19,split,2,,,,", "THYAO,2025-02-19,dividend,,21,,,")
    told = factors(own, {"2025-02-18": 20.0})
    assert told.factors["price_factor"].tolist() == [0.5]
    assert told.refused["kind"].tolist() == ["dividend"]
    assert "THYAO 2025-02-19: dividend leaves no price: 21 paid out of the close 20" in told.refused["reason"].item()
    nearly = factors(desk("THYAO,2025-02-19,dividend,,19.99,,,"), {"2025-02-18": 20.0})
    assert nearly.refused.empty


def test_a_dividend_stated_undivided_by_a_later_split_is_solved_by_the_ex_dates_close():
    # 14.25 were paid out of 100 and stated as 14.25, though ten shares have become of one: 142.5 out of 100.
    known = [dividend("2024-11-22", 14.25), split("2025-05-07", 10.0)]
    told = factors(NOTHING, {"2024-11-21": 100.0, "2024-11-22": 87.0}, delivered=known)
    assert told.refused.empty
    assert told.factors["theoretical_try"].iloc[0] == pytest.approx(85.75)
    assert told.solved["amount_try"].tolist() == [14.25]
    assert "14.25 per share, not 142.5 out of 100: stated undivided by later splits" in told.solved["reason"].item()
    # A hundredth would be 1.425; the price fell by 13, which is beyond the limit then.
    refused = factors(NOTHING, {"2024-11-21": 100.0, "2024-11-22": 60.0}, delivered=known)
    assert refused.solved.empty
    assert len(refused.refused) == 1
    unknown = factors(NOTHING, {"2024-11-21": 100.0}, delivered=known)
    assert len(unknown.refused) == 1


def test_a_dividend_a_hundred_times_too_large_is_solved_by_the_ex_dates_close():
    told = factors(NOTHING, {"2024-11-21": 20.0, "2024-11-22": 19.1}, delivered=[dividend("2024-11-22", 90.0)])
    assert told.solved["amount_try"].tolist() == [0.9]
    assert told.factors["price_factor"].tolist() == [pytest.approx(19.1 / 20)]


# Using them.


def test_readers_factors_and_series_as_of_a_day():
    own = desk("THYAO,2025-02-19,rights,1,,10,,", "THYAO,2025-02-20,dividend,,3,,,")
    known = {"2025-02-18": 20.0, "2025-02-19": 15.0, "2025-02-20": 12.0}
    told = factors(own, known).factors
    assert told["split_factor"].tolist() == [0.75, 1.0]
    assert told["price_factor"].tolist() == [0.75, 0.8]
    bars = closes(known).assign(basis="as_traded", adjustment_factor=1.0, total_return_factor=1.0)
    filled = with_action_factors(bars, told)
    assert filled["adjustment_factor"].tolist() == [0.75, 1.0, 1.0]
    assert filled["total_return_factor"].tolist() == pytest.approx([0.6, 0.8, 1.0])
    prices = {f"{name}_try": bars["close_try"] for name in ("open", "high", "low")}
    bars = bars.assign(**prices, volume_shares=[10.0, 20.0, 30.0])
    early = total_return(bars, told, date(2025, 2, 19))
    assert early["close_try"].tolist() == [15.0, 15.0, 12.0]
    assert early["volume_shares"].tolist() == [20.0, 20.0, 30.0]
    assert total_return(bars, told, date(2025, 2, 20))["open_try"].tolist() == pytest.approx([12.0, 12.0, 12.0])
    assert adjusted(bars, told, date(2025, 2, 20))["low_try"].tolist() == [15.0, 15.0, 12.0]
    assert adjusted(bars, told, date(2025, 2, 18))["high_try"].tolist() == [20.0, 15.0, 12.0]
