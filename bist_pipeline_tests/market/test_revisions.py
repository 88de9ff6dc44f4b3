"""What a provider tells differently than before has one class, by what the actions explain of it."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bist_pipeline.market.revisions import ACTION_CHANGES, RATIO_TOLERANCE, VALUES, changed_actions, classify
from bist_pipeline.schemas.trust import REVISION_CLASSES

DAY, EX_DATE, LATER = (pd.Timestamp(day) for day in ("2024-03-01", "2024-03-04", "2024-03-05"))
BAR = {"open_raw": 10.0, "high_raw": 10.5, "low_raw": 9.8, "close_raw": 10.2, "volume_raw": 1000.0}
NO_ACTIONS = pd.DataFrame(columns=list(ACTION_CHANGES))
NOTHING = dict.fromkeys(VALUES, np.nan)


def change(old=BAR, new=BAR, day=DAY, **more):
    columns = {
        "symbol": "ZZAAA",
        "session_date": day,
        **{f"old_{name}": (old or NOTHING)[name] for name in VALUES},
        **{f"new_{name}": (new or NOTHING)[name] for name in VALUES},
        "old_basis": "split_adjusted",
        "new_basis": "split_adjusted",
        "old_source": "archive:ZZAAA.csv",
        "new_source": "archive:ZZAAA.csv",
        "was_told": old is not None,
        "is_told": new is not None,
        **more,
    }
    return pd.DataFrame([columns])


def scaled(factor, volume=1.0):
    return {name: value * (volume if name == "volume_raw" else factor) for name, value in BAR.items()}


def actions(*rows):
    types = {"ex_date": "datetime64[us]", "kind": "str", "ratio": "float64", "amount_try": "float64"}
    return pd.DataFrame(list(rows), columns=list(types)).astype(types)


def bars(*closes, first=DAY):
    days = pd.date_range(first, periods=len(closes), freq="B").astype("datetime64[us]")
    return pd.DataFrame({"session_date": days, "close_raw": np.array(closes, dtype=np.float64)})


def known(factor, kind="split", ex_date=EX_DATE):
    return pd.DataFrame([("ZZAAA", ex_date, kind, factor, f"{kind} of a test")], columns=list(ACTION_CHANGES))


def revised(one, changed=NO_ACTIONS):
    row = classify(one, changed).iloc[0]
    assert row["revision_class"] in REVISION_CLASSES
    return row["revision_class"], row["detail"]


def test_trades_reported_after_the_close_are_late_volume():
    assert revised(change(new=BAR | {"volume_raw": 1200.0})) == ("late_volume", "volume 1000 → 1200")
    assert revised(change(old=BAR | {"volume_raw": np.nan})) == ("late_volume", "volume none → 1000")


def test_one_other_price_is_a_correction_although_the_volume_grew_too():
    assert revised(change(new=BAR | {"close_raw": 10.3, "volume_raw": 1200.0})) == (
        "correction",
        "close 10.2 → 10.3",
    )


def test_a_session_that_one_of_the_answers_lacks_has_appeared_or_vanished():
    assert revised(change(old=None))[0] == "appeared"
    assert revised(change(new=None))[0] == "vanished"


def test_every_price_by_the_ratio_of_a_new_split_is_the_split():
    assert revised(change(new=scaled(0.5, 2.0)), known(0.5)) == ("split", "split of a test")
    # Single precision, as Yahoo tells it.
    rounded = {name: float(np.float32(value)) for name, value in scaled(1 / 3.0792917).items()}
    assert revised(change(new=rounded), known(1 / 3.0792917))[0] == "split"


@pytest.mark.parametrize(
    ("new", "changed"),
    [
        (scaled(0.5), NO_ACTIONS),  # nobody told of a split
        (scaled(0.5), known(0.5, ex_date=DAY)),  # the session is not before the ex-date
        (scaled(0.5 * (1 + 2 * RATIO_TOLERANCE)), known(0.5)),  # another ratio
        (scaled(0.5) | {"high_raw": 10.5}, known(0.5)),  # one price was forgotten
        (scaled(0.5) | {"high_raw": np.nan}, known(0.5)),  # one price is gone
    ],
)
def test_a_near_miss_of_a_split_is_a_correction(new, changed):
    assert revised(change(new=new), changed)[0] == "correction"


def test_several_actions_count_by_their_product_and_a_split_among_them_names_it():
    both = pd.concat([known(0.5), known(0.9, "dividend", LATER)])
    assert revised(change(new=scaled(0.45)), both) == ("split", "split of a test; dividend of a test")
    # Between the two ex-dates only the later one counts.
    assert revised(change(new=scaled(0.9), day=EX_DATE), both) == ("dividend", "dividend of a test")


def test_another_source_or_basis_is_a_correction_that_says_so_whatever_the_values():
    assert revised(change(new_source="yfinance:ZZAAA.IS", new=BAR | {"volume_raw": 1.0})) == (
        "correction",
        "source archive:ZZAAA.csv → yfinance:ZZAAA.IS",
    )
    assert revised(change(new_basis="as_traded"))[1] == "basis split_adjusted → as_traded"


def test_the_ratio_is_that_of_the_closes_where_there_are_two():
    ratios = pd.concat([change(new=scaled(0.5)), change(old=None), change(old=BAR | {"close_raw": 0.0})])
    found = classify(ratios.reset_index(drop=True), NO_ACTIONS)["price_ratio"]
    assert found.iloc[0] == 0.5
    assert found.iloc[1:].isna().all()


def test_a_split_that_is_new_gone_or_another_changes_earlier_prices_by_its_ratio():
    split, other = (EX_DATE, "split", 2.0, np.nan), (EX_DATE, "split", 4.0, np.nan)
    for old, new, factor in (((), (split,), 0.5), ((split,), (), 2.0), ((split,), (other,), 0.5)):
        found = changed_actions(actions(*old), actions(*new), bars(1, 1), symbol="ZZAAA", basis="split_adjusted")
        assert found["factor"].tolist() == [factor]
    same = changed_actions(actions(split), actions(split), bars(1, 1), symbol="ZZAAA", basis="split_adjusted")
    assert not len(same)
    assert not len(changed_actions(actions(), actions(split), bars(1, 1), symbol="ZZAAA", basis="as_traded"))


def test_a_dividend_changes_fully_adjusted_prices_alone():
    paid = actions((EX_DATE, "dividend", np.nan, 1.0))
    # 10 lira before it was paid: 9 once adjusted.
    found = changed_actions(actions(), paid, bars(9.0, 9.1), symbol="ZZAAA", basis="fully_adjusted")
    assert found["factor"].tolist() == pytest.approx([0.9])
    assert found["told"].tolist() == ["dividend none → 1 of 2024-03-04"]
    assert not len(changed_actions(actions(), paid, bars(9.0, 9.1), symbol="ZZAAA", basis="split_adjusted"))


def test_a_dividend_without_a_close_before_it_explains_nothing():
    paid = actions((DAY, "dividend", np.nan, 1.0))
    assert not len(changed_actions(actions(), paid, bars(9.0, 9.1), symbol="ZZAAA", basis="fully_adjusted"))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(0.01, 0.3), min_size=1, max_size=4),
    st.lists(st.booleans(), min_size=4, max_size=4),
    st.integers(0, 10_000),
)
def test_whatever_dividends_become_known_the_new_series_is_the_old_one_by_their_product(shares, was_known, seed):
    """Adjusted by the definition, 1 − d / c, with and without those that are new."""
    rng = np.random.default_rng(seed)
    traded = rng.uniform(5, 50, 3 * len(shares) + 3)
    days = bars(*traded)["session_date"]
    rows = [3 * (n + 1) for n in range(len(shares))]
    paid = [(days[row], "dividend", np.nan, share * traded[row - 1]) for row, share in zip(rows, shares, strict=True)]

    def adjusted(kept):
        factor = np.ones(len(traded))
        for row, share, is_kept in zip(rows, shares, kept, strict=False):
            factor[:row] *= 1 - share * is_kept
        return traded * factor

    old = adjusted(was_known)
    new = adjusted([True] * 4)
    told = [row for row, kept in zip(paid, was_known, strict=False) if kept]
    found = changed_actions(actions(*told), actions(*paid), bars(*new), symbol="ZZAAA", basis="fully_adjusted")
    expected = np.ones(len(traded))
    for one in found.to_dict("records"):
        expected[(days < one["ex_date"]).to_numpy()] *= one["factor"]
    np.testing.assert_allclose(old * expected, new, rtol=1e-9)
