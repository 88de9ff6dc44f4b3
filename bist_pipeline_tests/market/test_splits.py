"""Undoing splits: by hand, against what Yahoo does to a price, and on recorded shares."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bist_pipeline.market.splits import Actions, is_undoable, undo_splits
from bist_pipeline_tests.market.raw_rows import raw_rows
from bist_pipeline_tests.market.splitting import TODAY, actions, split, yahoo_rows

PRICES = ("open_raw", "high_raw", "low_raw", "close_raw")


def closes(rows, *known, stating=("THYAO",)):
    undone, doubtful = undo_splits(rows, actions(*known, stating=stating))
    return undone["close_raw"].tolist(), undone["volume_raw"].tolist(), doubtful.tolist()


def test_prices_before_a_split_are_multiplied_and_volumes_divided_and_others_left():
    rows = yahoo_rows({"2024-01-03": (6.17, 2000.0), "2024-01-04": (12.34, 1000.0)})
    assert closes(rows, split("2024-01-04", 2.0)) == ([12.34, 12.34], [1000.0, 1000.0], [False, False])


def test_several_splits_multiply_and_only_those_after_the_session_count():
    rows = yahoo_rows({"2024-01-03": (1.0, 60.0), "2024-01-04": (2.0, 30.0), "2024-01-05": (6.0, 10.0)})
    known = split("2024-01-03", 7.0), split("2024-01-04", 2.0), split("2024-01-05", 3.0)
    assert closes(rows, *known)[:2] == ([6.0, 6.0, 6.0], [10.0, 10.0, 10.0])


def test_all_four_prices_are_undone_and_the_adjusted_close_is_not():
    rows = raw_rows({"open_raw": 1.5, "high_raw": 2.5, "low_raw": 1.25, "close_raw": 2.0, "adj_close_raw": 0.5})
    undone, _ = undo_splits(fetched(rows, "2024-02-01"), actions(split("2024-01-10", 4.0)))
    assert undone[[*PRICES, "adj_close_raw"]].iloc[0].tolist() == [6.0, 10.0, 5.0, 8.0, 0.5]
    assert undone["basis"].tolist() == ["as_traded"]


def test_a_row_fetched_before_the_split_is_not_undone_by_it():
    rows = yahoo_rows({"2024-01-03": (12.34, 1000.0)}, fetched_at="2024-01-09T20:59:00Z")
    assert closes(rows, split("2024-01-10", 2.0))[0] == [12.34]


def test_a_row_fetched_on_the_morning_of_the_split_is_undone_though_the_share_has_not_traded_yet():
    rows = yahoo_rows({"2024-01-03": (6.17, 2000.0)}, fetched_at="2024-01-09T21:00:00Z")
    assert rows["as_of"].max() < pd.Timestamp("2024-01-09", tz="UTC")
    assert closes(rows, split("2024-01-10", 2.0))[0] == [12.34]


def test_a_split_of_the_future_counts_for_nothing():
    rows = yahoo_rows({"2024-01-03": (12.34, 1000.0)}, fetched_at="2030-01-01T12:00:00Z")
    assert closes(rows, split(str(TODAY + pd.Timedelta(days=1))[:10], 2.0))[0] == [12.34]


def test_another_symbols_split_and_a_dividend_count_for_nothing():
    rows = yahoo_rows({"2024-01-03": (12.34, 1000.0)})
    known = split("2024-01-04", 2.0) | {"symbol": "AKBNK"}, split("2024-01-05", np.nan) | {"kind": "dividend"}
    assert closes(rows, *known)[0] == [12.34]


def test_a_missing_number_stays_missing_and_raises_no_doubt():
    rows = yahoo_rows({"2024-01-03": (6.17, 2000.0)}).assign(open_raw=np.nan, volume_raw=np.nan)
    undone, doubtful = undo_splits(rows, actions(split("2024-01-04", 2.0)))
    assert np.isnan(undone[["open_raw", "volume_raw"]].to_numpy()).all()
    assert not doubtful.any()


def test_a_price_off_the_grid_keeps_its_bits_and_is_doubtful():
    rows = yahoo_rows({"2024-01-03": (6.1732, 2000.0), "2024-01-04": (6.17, 1.0)})
    assert closes(rows, split("2024-01-05", 2.0)) == ([6.1732 * 2.0, 12.34], [1000.0, 0.0], [True, False])


def test_a_wrong_ratio_is_off_the_grid():
    rows = yahoo_rows({"2024-01-03": (6.17, 2000.0)})
    assert closes(rows, split("2024-01-04", 2.003))[2] == [True]


def test_an_index_has_no_grid():
    rows = yahoo_rows({"2020-07-24": (1182.64537, 7.0)}).assign(symbol="XU100")
    prices, _, doubtful = closes(rows, split("2020-07-27", 0.01) | {"symbol": "XU100"}, stating=("XU100",))
    assert prices == [1182.64537 * 0.01]
    assert doubtful == [False]


def test_volumes_are_whole_shares():
    rows = yahoo_rows({"2024-01-03": (4.0, 3079.0)})
    assert closes(rows, split("2024-01-04", 3.0792917))[1] == [1000.0]


@pytest.mark.parametrize(
    ("basis", "symbol", "undoable"),
    [("split_adjusted", "THYAO", True), ("split_adjusted", "AKBNK", False), ("as_traded", "THYAO", False)],
)
def test_only_split_adjusted_rows_of_an_answer_that_states_its_splits_can_be_undone(basis, symbol, undoable):
    rows = raw_rows({"basis": basis, "symbol": symbol})
    assert is_undoable(rows, actions(stating=("THYAO",))).tolist() == [undoable]


ratios = st.one_of(
    st.integers(2, 30).map(float),
    st.tuples(st.integers(2, 60), st.integers(2, 60)).map(lambda pair: (pair[0] + pair[1]) / pair[1]),
    st.floats(1.05, 30.0),
)


@given(
    kurus=st.lists(st.integers(5, 1999), min_size=1, max_size=5),
    exact=st.lists(ratios, max_size=6),
)
def test_what_yahoo_does_to_a_price_is_undone_to_the_bit(kurus, exact):
    """Divide and round to single precision split by split; state the ratio as the shortest single-precision text."""
    traded = np.array(kurus) / 100.0
    shown = traded.astype(np.float32)
    for ratio in exact:
        shown = (shown.astype(np.float64) / ratio).astype(np.float32)
    stated = [float(str(np.float32(ratio))) for ratio in exact]
    known = [split(f"2024-01-{10 + place}", ratio) for place, ratio in enumerate(stated)]
    rows = raw_rows(*({name: float(price) for name in PRICES} for price in shown))
    undone, doubtful = undo_splits(fetched(rows, "2024-02-01"), actions(*known))
    assert undone["close_raw"].tolist() == traded.tolist()
    assert not doubtful.any()


def fetched(rows, day):
    return rows.assign(basis="split_adjusted", fetched_at=pd.Timestamp(day, tz="UTC").as_unit("us"))


@pytest.mark.realdata
@pytest.mark.parametrize("symbol", ["FROTO", "DAGI", "VAKFN", "EREGL", "FONET"])
def test_recorded_shares_come_back_to_the_grid_and_with_a_wrong_ratio_they_do_not(recordings, symbol):
    frame = pd.read_csv(recordings / "bist_with_events" / f"{symbol}_1d_cache.csv", index_col=0)
    frame.index = pd.to_datetime(frame.index.str[:10])
    # The files are adjusted for dividends too, as Yahoo's adjusted close is: the later close less the dividend.
    factor, columns = 1.0, {name: frame[name].to_numpy(copy=True) for name in ("open", "high", "low", "close")}
    paid = frame["dividends"].to_numpy()
    for row in range(len(frame) - 1, 0, -1):
        if paid[row]:
            before = columns["close"][row - 1] / factor
            factor *= before / (before + paid[row])
        for values in columns.values():
            values[row - 1] /= factor
    rows = raw_rows(*({"session_date": str(day)[:10]} for day in frame.index)).assign(
        **{f"{name}_raw": values for name, values in columns.items()}, symbol=symbol
    )
    rows = fetched(rows, "2026-01-01")
    events = frame["stock splits"][frame["stock splits"] > 0]
    known = [split(str(day)[:10], ratio) | {"symbol": symbol} for day, ratio in events.items()]
    assert len(known) == 1
    before = (rows["session_date"] < known[0]["ex_date"]).to_numpy()
    undone, doubtful = undo_splits(rows, actions(*known, stating=(symbol,)))
    assert not doubtful.any()
    assert undone.loc[before, "close_raw"].iloc[-1] > 1.2 * rows.loc[before, "close_raw"].iloc[-1]
    wrong = [known[0] | {"ratio": known[0]["ratio"] * 1.01}]
    assert undo_splits(rows, actions(*wrong, stating=(symbol,)))[1][before].mean() > 0.9


def test_nothing_known_undoes_nothing():
    nothing = Actions(actions().frame, frozenset(), TODAY.date())
    assert not is_undoable(raw_rows({"basis": "split_adjusted"}), nothing).any()
