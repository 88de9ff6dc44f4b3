"""Rows of chart patterns: names that last, the money of each session, what could be traded, what a person draws.

Belongs here: what `chart_events` says of structures that were found. Does not belong here: which are found
(`test_drawn.py`), nor how they live.
"""

import json
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from bist_pipeline.core.bars import PRICE_COLUMNS, Bars
from bist_pipeline.patterns.pivots.tape import read_tape
from bist_pipeline.patterns.registry import registered_charts
from bist_pipeline.patterns.structures.contract import ChartPattern
from bist_pipeline.patterns.structures.engine import detect
from bist_pipeline.patterns.structures.events import chart_events
from bist_pipeline.patterns.structures.life import FATES, STATES
from bist_pipeline_tests.patterns.contract_market import cut_short, market
from bist_pipeline_tests.patterns.drawing import Drawing, fixtures
from bist_pipeline_tests.patterns.markets import continued

PATTERNS = registered_charts()
ENDS = {"target", "stopped", "busted"}
PRICED = ("close_try", "line_try", "target_try", "stop_try")
# Peak and trough before, top at 22 %, valley at 10 %, top at 22 % as well, and down through the valley.
TOP = fixtures()["double_top"].passes.moved({4: (58, 0.22)})

Action = tuple[str, int, float, float]  # symbol, place of the ex-date's bar, price factor, share ratio


def rows_of(
    bars: Bars, patterns: Sequence[ChartPattern] = tuple(PATTERNS.values()), actions: Sequence[Action] = ()
) -> pd.DataFrame:
    """All rows of bars in which these actions took place."""
    factors = {}
    for symbol, place, price, shares in actions:
        ex_date = bars.frame.loc[bars.frame["symbol"] == symbol, "session_date"].iloc[place]
        factors[symbol] = pd.DataFrame({"ex_date": [ex_date], "price_factor": [price], "share_ratio": [shares]})
    tape = read_tape(bars, factors)
    return chart_events(tape, detect(tape, patterns))


def with_action(bars: Bars, symbol: str, place: int, price: float, shares: float) -> Bars:
    """The same market as it would have been traded had one share become several."""
    frame = bars.frame.copy()
    later = np.flatnonzero(frame["symbol"] == symbol)[place:]
    for name in PRICE_COLUMNS:
        frame.loc[later, name] *= price
    frame.loc[later, "volume_shares"] *= shares
    return Bars.from_frame(frame)


def of_drawing(drawing: Drawing, name: str = "double_top") -> pd.DataFrame:
    return rows_of(drawing.bars(), [PATTERNS[name]])


def day(drawing: Drawing, bar: int) -> str:
    return str(drawing.bars().frame["session_date"].iloc[drawing.row(bar)].date())


@pytest.fixture(scope="module")
def rows():
    """Everything that happens to every pattern in the INVENTED market."""
    return rows_of(market())


# ── a drawing, by hand ──


def test_a_double_top_is_told_as_it_was_drawn():
    forming, confirmed = (row for _, row in of_drawing(TOP).iterrows())
    assert json.loads(forming["pivots"]) == [
        {"session": day(TOP, bar), "price_try": round(10 * np.exp(price), 6), "known": day(TOP, known)}
        for (bar, price), known in zip(TOP.points[:5], (10, 16, 36, 48, 59), strict=True)
    ]
    for row in (forming, confirmed):
        assert row["event_id"] == f"DRAWN:double_top:{day(TOP, 34)}:{day(TOP, 59)}"
        assert [str(row[name].date()) for name in ("started_on", "last_pivot_on", "formed_on")] == [
            day(TOP, bar) for bar in (34, 58, 59)
        ]
        assert row["line_try"] == pytest.approx(10 * np.exp(0.10), abs=1e-6)
        assert row["direction"] == "bearish"
    assert (forming["state"], forming["because"]) == ("forming", "complete, not left yet")
    assert np.isnan([forming["target_try"], forming["stop_try"]]).all()
    assert (confirmed["state"], confirmed["because"]) == ("confirmed", "closed beyond the line")
    # As far below the valley as the tops lie above it; the stop is the tops' level.
    assert confirmed["target_try"] == pytest.approx(10 * np.exp(-0.02), abs=1e-6)
    assert confirmed["stop_try"] == pytest.approx(10 * np.exp(0.22), abs=1e-6)
    close = TOP.bars().frame.set_index("session_date")["close_try"]
    assert confirmed["close_try"] == round(close[confirmed["session_date"]], 6) < confirmed["line_try"]
    # The leg falls by 1 % a bar: the first close beyond the line by a quarter ATR is the second one beyond it.
    assert close[confirmed["session_date"] - pd.offsets.BDay(2)] > confirmed["line_try"]


def test_upside_down_it_is_a_double_bottom_of_the_same_session():
    top, bottom = of_drawing(TOP), of_drawing(TOP.flipped(), "double_bottom")
    assert bottom["direction"].tolist() == ["bullish", "bullish"]
    assert bottom["event_id"].str.replace("bottom", "top").tolist() == top["event_id"].tolist()
    # 10 lira stand where the log price is 0.
    np.testing.assert_allclose(bottom[list(PRICED)] * top[list(PRICED)], np.where(top[list(PRICED)] > 0, 100, np.nan))
    assert [line["name"] for text in bottom["lines"] for line in json.loads(text)] == [
        line["name"] for text in top["lines"] for line in json.loads(text)
    ]


def test_a_forming_bar_makes_a_forming_row():
    bars = TOP.bars().frame
    until = of_drawing(TOP)["session_date"].iloc[-1]
    cut = bars[bars["session_date"] <= until]
    told = rows_of(Bars.from_frame(cut.assign(is_final=cut["session_date"] < until)), [PATTERNS["double_top"]])
    assert told["state"].tolist() == ["forming", "confirmed"]
    assert told["is_final"].tolist() == [True, False]


# ── names ──


def test_the_market_has_every_pattern_and_every_state(rows):
    assert set(rows["pattern"]) == set(PATTERNS)
    assert set(rows["state"]) == set(STATES)


def test_a_session_changes_an_event_once_at_most(rows):
    assert not rows.duplicated(["symbol", "session_date", "event_id"]).any()


def test_every_structure_has_a_name_of_its_own(rows):
    kept = sum(int((one.fates == FATES.index("kept")).sum()) for one in detect(read_tape(market()), PATTERNS.values()))
    assert rows["event_id"].nunique() == kept
    assert (rows["state"] == "forming").sum() <= kept


def test_an_event_is_one_structure_over_its_whole_life(rows):
    same = [
        "symbol",
        "pattern",
        "started_on",
        "last_pivot_on",
        "formed_on",
        "height_atr",
        "touches",
        "shape_confidence",
    ]
    told = rows[["event_id", *same, "pivots", "lines", "version"]].drop_duplicates()
    assert not told["event_id"].duplicated().any()
    parts = rows["event_id"].str.split(":", expand=True)
    assert (parts[0] == rows["symbol"]).all()
    assert (parts[1] == rows["pattern"]).all()
    assert (parts[2] == rows["started_on"].dt.strftime("%Y-%m-%d")).all()
    assert (parts[3] == rows["formed_on"].dt.strftime("%Y-%m-%d")).all()
    assert (rows["formed_on"] <= rows["session_date"]).all()


def test_rows_are_sorted_by_symbol_session_and_event(rows):
    keys = ["symbol", "session_date", "event_id"]
    pd.testing.assert_frame_equal(rows, rows.sort_values(keys, ignore_index=True))


@pytest.mark.parametrize("share", [0.35, 0.8])
def test_what_was_told_of_a_beginning_is_told_of_the_whole(rows, share):
    short = cut_short(market(), share)
    last = short.frame.groupby("symbol")["session_date"].max()
    known = rows[rows["session_date"] <= rows["symbol"].map(last).astype("datetime64[us]")]
    pd.testing.assert_frame_equal(rows_of(short), known.reset_index(drop=True))


def test_the_first_session_that_is_asked_for_changes_no_row(rows):
    tape = read_tape(market())
    detected = detect(tape, PATTERNS.values())
    for since in (rows["session_date"].sort_values().iloc[len(rows) // 2], rows["session_date"].max()):
        asked = chart_events(tape, detected, since.date())
        pd.testing.assert_frame_equal(asked, rows[rows["session_date"] >= since].reset_index(drop=True))
    nothing = chart_events(tape, detected, (rows["session_date"].max() + pd.Timedelta(days=1)).date())
    assert len(nothing) == 0
    assert nothing.dtypes.to_dict() == rows.dtypes.to_dict()


# ── points and lines ──


def test_points_stand_in_order_and_are_known_after_they_were_made(rows):
    days = [rows[name].dt.strftime("%Y-%m-%d") for name in ("started_on", "last_pivot_on", "formed_on")]
    for text, started, last, formed in zip(rows["pivots"], *days, strict=True):
        points = json.loads(text)
        sessions = [point["session"] for point in points]
        assert sessions == sorted(sessions)
        assert sessions[-1] == last
        assert started in sessions  # points before it belong to the trend before it
        assert all(point["session"] <= point["known"] <= formed for point in points)
        assert all(point["price_try"] > 0 for point in points)


def test_lines_are_drawn_up_to_the_session_at_which_all_was_known(rows):
    for text, formed in zip(rows["lines"], rows["formed_on"].dt.strftime("%Y-%m-%d"), strict=True):
        lines = json.loads(text)
        assert len({line["name"] for line in lines}) == len(lines)
        for line in lines:
            assert line["from"] <= line["to"] == formed
            assert line["from_try"] > 0 < line["to_try"]


def test_while_it_forms_the_line_that_decides_is_the_one_that_is_drawn(rows):
    forming = rows[(rows["state"] == "forming") & rows["line_try"].notna()]
    assert len(forming) > 100
    assert (forming["session_date"] == forming["formed_on"]).all()
    for text, value in zip(forming["lines"], forming["line_try"], strict=True):
        assert value in [line["to_try"] for line in json.loads(text)] or not json.loads(text)


# ── the money of each session ──

EXAMPLES = {name: one for name, one in fixtures().items() if one.passes.points}


def lived(name: str) -> Bars:
    """A drawing that goes on at random, so that its pattern also ends."""
    return Bars.from_frame(continued("DRAWN", fixtures()[name].passes, 60, seed=4))


@pytest.mark.parametrize(("price", "shares"), [(0.5, 2.0), (0.96, 1.0)], ids=["split", "dividend"])
@pytest.mark.parametrize("name", EXAMPLES)
def test_an_event_over_an_ex_date_speaks_in_the_shares_of_each_session(name, price, shares):
    plain = lived(name)
    expected = rows_of(plain, [PATTERNS[name]])
    assert len(expected) >= 2
    longest = expected.groupby("event_id")["session_date"].agg(lambda days: days.max() - days.min()).idxmax()
    first, last = expected.loc[expected["event_id"] == longest, "session_date"].iloc[[0, -1]]
    assert first < last
    # The ex-date is the last session of the longest life.
    place = int(plain.frame["session_date"].searchsorted(last))
    action = ("DRAWN", place, price, shares)
    bars = with_action(plain, *action)
    told = rows_of(bars, [PATTERNS[name]], [action])

    later = (expected["session_date"] >= last).to_numpy()
    assert not later.all()
    assert later.any()
    factor = np.where(later, price, 1.0)
    closes = told["session_date"].map(bars.frame.set_index("session_date")["close_try"])
    np.testing.assert_allclose(told["close_try"], closes, rtol=0, atol=1e-6)
    for column in PRICED:
        np.testing.assert_allclose(told[column], expected[column] * factor, rtol=0, atol=1.01e-6, err_msg=column)
    for column in ("pivots", "lines"):
        pairs = zip(told[column].map(json.loads), expected[column].map(json.loads), factor, strict=True)
        for ours, theirs, times in pairs:
            assert ours == [{key: _times(key, value, times) for key, value in one.items()} for one in theirs]
    other = [name for name in expected.columns if name not in {*PRICED, "pivots", "lines"}]
    pd.testing.assert_frame_equal(told[other], expected[other], rtol=1e-9)


def _times(key, value, factor):
    return pytest.approx(value * factor, abs=1.01e-6) if key.endswith("_try") else value


# ── what could be traded ──


@pytest.mark.parametrize("locked_bars", [1, 2])
@pytest.mark.parametrize("name", ["double_top", "double_bottom"])
def test_a_break_locked_at_the_limit_is_confirmed_again_on_the_first_close_that_is_not(name, locked_bars):
    top = name == "double_top"
    usual = of_drawing(TOP)
    at = TOP.bars().frame["session_date"].searchsorted(usual["session_date"].iloc[-1]) - TOP.row(0)
    drawing = replace(TOP, locked=tuple(range(at, at + locked_bars)))
    told = of_drawing(drawing if top else drawing.flipped(), name)
    assert told["state"].tolist() == ["forming", "confirmed", "confirmed"]
    assert told["tape"].tolist() == ["", "limit_down" if top else "limit_up", ""]
    assert told["is_tradeable"].tolist() == [pd.NA, False, True]
    assert told["because"].tolist()[1:] == [
        "closed beyond the line, locked at the price limit",
        "first close beyond the line that is not locked",
    ]
    assert [str(one.date()) for one in told["session_date"][1:]] == [day(TOP, at), day(TOP, at + locked_bars)]
    assert len(set(told["event_id"])) == 1
    assert told["target_try"].iloc[1] == told["target_try"].iloc[2]


# ── how strong a break was ──

AT = 70  # the bar of TOP that closes beyond the neckline by enough


def broken(volume: float, place: float, *, flipped: bool) -> pd.DataFrame:
    """The double top left on a multiple of the usual volume, at a place between the bar's low (0) and high (1)."""
    close = np.log(TOP.bars().frame["close_try"].iloc[TOP.row(AT)] / 10)  # 10 lira stand where the log price is 0
    low = close - place * 0.01
    drawing = replace(TOP, volumes={AT: volume}, shapes={AT: (close, low + 0.01, low, close)})
    return of_drawing(drawing.flipped(), "double_bottom") if flipped else of_drawing(drawing)


@pytest.mark.parametrize("flipped", [False, True], ids=["down", "up"])
@pytest.mark.parametrize(
    ("volume", "place", "strong"),
    [(5.0, 0.0, True), (5.0, 0.32, True), (5.0, 0.35, False), (5.0, 1.0, False), (1.0, 0.1, False)],
)
def test_a_break_is_strong_on_much_volume_and_a_close_in_the_third_on_its_side(volume, place, strong, flipped):
    told = broken(volume, place, flipped=flipped)
    assert told["state"].tolist() == ["forming", "confirmed"]
    assert str(told["session_date"].iloc[1].date()) == day(TOP, AT)
    assert told["is_strong"].tolist() == [pd.NA, strong]


def test_without_a_known_volume_nobody_says_how_strong_a_break_was():
    bars = TOP.bars().frame.assign(symbol="XINDX", volume_shares=0.0)  # an index has none
    told = rows_of(Bars.from_frame(bars), [PATTERNS["double_top"]])
    assert told["state"].tolist() == ["forming", "confirmed"]
    assert told["is_strong"].isna().all()


def test_only_confirmations_are_strong_or_not(rows):
    confirmed = rows["state"] == "confirmed"
    assert rows.loc[~confirmed, "is_strong"].isna().all()
    assert (rows.loc[confirmed, "is_strong"].isna() == rows.loc[confirmed, "volume_z"].isna()).all()
    strong = rows[confirmed & rows["is_strong"].fillna(False)]
    assert 0 < len(strong) < confirmed.sum() / 2
    assert (strong["volume_z"] >= 2).all()


def test_nobody_sells_to_a_buyer_at_the_upper_limit_and_forming_asks_for_nothing(rows):
    assert set(rows["tape"]) == {"", "limit_up", "limit_down"}
    asks = rows["state"].isin(ENDS | {"confirmed"})
    assert rows.loc[~asks, "is_tradeable"].isna().all()
    assert rows.loc[asks, "is_tradeable"].notna().all()
    refused = rows[asks & (rows["is_tradeable"] == False)]  # noqa: E712 - NULL is neither
    enters = refused["state"] == "confirmed"
    buys = enters == (refused["direction"] == "bullish")  # to enter upward, and to leave downward
    assert (refused["tape"] == np.where(buys, "limit_up", "limit_down")).all()
    assert enters.any()
    assert (~enters).any()
    done = rows[asks & (rows["is_tradeable"] == True)]  # noqa: E712
    at_limit = done[done["tape"] != ""]
    assert len(at_limit) > 0
    buys = (at_limit["state"] == "confirmed") == (at_limit["direction"] == "bullish")
    assert (at_limit["tape"] == np.where(buys, "limit_down", "limit_up")).all()
