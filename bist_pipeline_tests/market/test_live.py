"""What each live answer means, one hit and one near miss per state."""

from datetime import UTC, date, datetime

import numpy as np
import pandas as pd
import pytest

from bist_pipeline.core.calendar import load_calendar
from bist_pipeline.market.live import judge_quotes
from bist_pipeline.schemas.market import QUOTE_STATES

NAN = float("nan")
MONDAY = date(2024, 1, 8)  # the session before is Friday, 2024-01-05
NOW = datetime(2024, 1, 8, 9, 30, tzinfo=UTC)

_GOOD = {
    "symbol": "THYAO",
    "as_of": "2024-01-08T09:10:00Z",
    "last_try": 255.0,
    "open_try": 250.0,
    "high_try": 256.0,
    "low_try": 249.5,
    "volume_shares": 1000.0,
    "previous_close_try": 252.0,
    "payload_hash": "ab",
}


def quotes(*changes):
    frame = pd.DataFrame([_GOOD | change for change in changes], columns=list(_GOOD))
    return frame.assign(as_of=pd.to_datetime(frame["as_of"], utc=True).dt.as_unit("us"))


def stored(close=252.0, last="2024-01-05", **more):
    return pd.DataFrame({"symbol": ["THYAO"], "last_session": [pd.Timestamp(last)], "close_try": [close], **more})


def splits(*pairs):
    return pd.DataFrame(pairs, columns=["symbol", "ratio"]).astype({"symbol": "str", "ratio": "float64"})


def judged(changes, history=None, known=None, *, session=MONDAY, now=NOW, explained=(), **columns):
    frame = quotes(changes).assign(**columns)
    history, known = (stored() if history is None else history), (splits() if known is None else known)
    moment = {"session": session, "calendar": load_calendar(), "now": now}
    row = judge_quotes(frame, history, known, explained=explained, **moment).iloc[0]
    return row["state"], row["reason"]


def test_a_share_that_trades_needs_no_reason():
    assert judged({}) == ("trading", "")


def test_the_first_second_of_the_day_in_istanbul_is_of_the_session_and_the_one_before_is_not():
    assert judged({"as_of": "2024-01-07T21:00:00Z"})[0] == "trading"
    assert judged({"as_of": "2024-01-07T20:59:59Z"})[0] == "no_trade_yet"


@pytest.mark.parametrize(
    ("as_of", "state"),
    [("2024-01-05T15:00:00Z", "no_trade_yet"), ("2024-01-04T15:00:00Z", "halted"), ("2023-06-01T15:00:00Z", "halted")],
)
def test_a_time_of_another_session_is_no_trade(as_of, state):
    assert judged({"as_of": as_of}) == (state, f"last traded on {as_of[:10]}")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"as_of": "2024-01-08T09:30:01Z"}, "has not reached 2024-01-08 09:30:01 UTC"),
        ({"as_of": None}, "no time"),
        ({"last_try": NAN}, "no last price"),
        ({"last_try": 0.0}, "no last price"),
        ({"last_try": np.inf}, "no last price"),
    ],
)
def test_an_answer_that_cannot_be_tells_nothing(change, words):
    state, reason = judged(change)
    assert state == "failed"
    assert words in reason


def test_an_answer_of_a_later_session_tells_nothing_of_this_one():
    state, reason = judged({}, session=date(2024, 1, 5), history=stored(last="2024-01-04"))
    assert state == "failed"
    assert "after 2024-01-05" in reason


@pytest.mark.parametrize("missing", ["open_try", "high_try", "low_try"])
def test_without_open_high_or_low_there_is_a_price_only(missing):
    assert judged({missing: NAN})[0] == "price_only"


def test_a_provider_without_bars_tells_a_price_only_and_one_with_a_missing_volume_a_bar():
    assert judged({}, has_bar=False)[0] == "price_only"
    assert judged({"volume_shares": NAN}, has_bar=True)[0] == "trading"


@pytest.mark.parametrize(
    ("previous", "state"),
    [(252.25, "trading"), (251.75, "trading"), (252.26, "action_pending"), (251.74, "action_pending")],
)
def test_a_previous_close_more_than_a_tick_from_ours_holds_the_symbol(previous, state):
    assert judged({"previous_close_try": previous})[0] == state


def test_the_reason_of_a_hold_has_both_numbers_and_our_session():
    reason = judged({"previous_close_try": 126.0})[1]
    for told in ("126", "252", "2024-01-05"):
        assert told in reason


def test_a_split_that_is_known_ends_the_hold():
    halved = {"previous_close_try": 126.0, "last_try": 127.0, "high_try": 128.0, "low_try": 125.0}
    assert judged(halved)[0] == "action_pending"
    assert judged(halved, known=splits(("THYAO", 2.0)))[0] == "trading"
    assert judged(halved, known=splits(("AKBNK", 2.0)))[0] == "action_pending"
    assert judged({}, known=splits(("THYAO", 2.0)))[0] == "action_pending"


def test_a_divided_close_may_be_rounded_to_a_tick():
    split = {"previous_close_try": 81.83, "last_try": 82.0, "high_try": 82.0, "low_try": 82.0}
    assert judged(split, stored(252.0), splits(("THYAO", 3.0792917)))[0] == "trading"


def test_the_tick_is_that_of_the_sessions_table():
    old = {"session": date(2023, 11, 3), "now": datetime(2023, 11, 3, 12, tzinfo=UTC)}
    at = {"as_of": "2023-11-03T10:00:00Z", "previous_close_try": 252.2}
    assert judged(at, stored(last="2023-11-02"), **old)[0] == "action_pending"
    new = {"session": date(2023, 11, 6), "now": datetime(2023, 11, 6, 12, tzinfo=UTC)}
    assert judged(at | {"as_of": "2023-11-06T10:00:00Z"}, stored(last="2023-11-03"), **new)[0] == "trading"


NO_CLOSE = {"previous_close_try": NAN}
QUARTERED = {"last_try": 75.0, "open_try": 75.0, "high_try": 75.0, "low_try": 75.0}


def test_without_a_previous_close_the_price_is_held_against_our_close():
    assert judged(NO_CLOSE) == ("trading", "")
    assert judged(NO_CLOSE | QUARTERED, stored(300.0)) == (
        "action_pending",
        "its last is 75, beyond ±10% of our close, 300",
    )


def test_our_close_is_taken_in_the_shares_of_the_session():
    assert judged(NO_CLOSE | QUARTERED, stored(300.0), splits(("THYAO", 4.0)))[0] == "trading"
    assert judged(NO_CLOSE, stored(252.0), splits(("THYAO", 4.0)))[0] == "action_pending"


def test_a_split_that_is_not_yet_in_the_previous_close_holds_the_symbol():
    assert judged({"previous_close_try": 300.0} | QUARTERED, stored(300.0)) == (
        "action_pending",
        "its last is 75, beyond ±10% of its previous close, 300",
    )


# A tick is 25 kuruş from 250 lira up and 10 below; the close before is 250.
@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"last_try": 275.25, "high_try": 275.25}, ""),
        ({"last_try": 275.5, "high_try": 275.5}, "its last is 275.5,"),
        ({"last_try": 224.9, "low_try": 224.9}, ""),
        ({"last_try": 224.8, "low_try": 224.8}, "its last is 224.8,"),
        ({"high_try": 275.5}, "its high is 275.5,"),
        ({"low_try": 224.8}, "its low is 224.8,"),
        ({"high_try": float(np.float32(275.25)), "low_try": float(np.float32(224.9))}, ""),
    ],
)
def test_no_price_may_be_beyond_the_limit_of_the_day_by_more_than_a_tick(change, told):
    state, reason = judged({"previous_close_try": 250.0} | change, stored(250.0))
    assert state == ("action_pending" if told else "trading")
    assert reason.startswith(told)


@pytest.mark.parametrize(("session", "before", "state"), [(12, 11, "trading"), (13, 12, "action_pending")])
def test_the_limit_is_that_of_the_session(session, before, state):
    day = date(2020, 3, session)
    moved = {"previous_close_try": 252.0, "last_try": 210.0, "low_try": 210.0, "as_of": f"{day}T10:00:00Z"}
    now = datetime(2020, 3, session, 12, tzinfo=UTC)
    assert judged(moved, stored(last=f"2020-03-{before}"), session=day, now=now)[0] == state


def test_the_limit_holds_no_symbol_again_whose_chart_has_explained_it():
    free_margin = {"last_try": 400.0, "high_try": 400.0}
    assert judged(free_margin)[0] == "action_pending"
    assert judged(free_margin, explained=["THYAO"]) == ("trading", "")
    assert judged(free_margin, explained={"ASELS"})[0] == "action_pending"
    assert judged(free_margin | {"previous_close_try": 126.0}, explained=["THYAO"])[0] == "action_pending"


def test_an_index_has_no_limit():
    crash = {"symbol": "XU100", "last_try": 200.0, "low_try": 200.0}
    assert judged(crash, stored().assign(symbol="XU100")) == ("trading", "")


def test_a_price_alone_is_held_against_the_limit_too():
    assert judged({"last_try": 75.0}, has_bar=False)[0] == "action_pending"
    assert judged({"last_try": 250.0, "high_try": NAN, "low_try": NAN})[0] == "price_only"


def test_the_limit_is_not_that_of_a_session_before():
    jumped = {"last_try": 252.0, "previous_close_try": 200.0}
    assert judged(jumped | {"as_of": "2024-01-05T15:00:00Z"}, stored(earlier_close_try=[200.0]))[0] == "no_trade_yet"
    assert judged(jumped | {"as_of": "2024-01-04T15:00:00Z"}, stored(earlier_close_try=[200.0]))[0] == "halted"


def test_a_share_without_history_waits_for_it():
    for change in ({}, {"open_try": NAN}, {"as_of": "2024-01-05T15:00:00Z"}):
        assert judged(change | {"symbol": "ASELS"}) == ("action_pending", "no history yet")


OLD_ANSWER = {"as_of": "2024-01-05T15:00:00Z", "last_try": 252.0, "previous_close_try": 240.0}


def test_a_share_that_has_not_traded_may_still_carry_the_answer_of_its_last_session():
    assert judged(OLD_ANSWER)[0] == "no_trade_yet"
    assert judged(OLD_ANSWER, stored(earlier_close_try=[240.0]))[0] == "no_trade_yet"
    assert judged(OLD_ANSWER | {"previous_close_try": 252.0})[0] == "no_trade_yet"


def test_a_split_before_its_first_trade_holds_it_until_the_split_is_known():
    halved = OLD_ANSWER | {"last_try": 126.0, "previous_close_try": 120.0}
    assert judged(halved, stored(earlier_close_try=[240.0]))[0] == "action_pending"
    assert judged(halved, stored(earlier_close_try=[240.0]), splits(("THYAO", 2.0)))[0] == "no_trade_yet"
    half_told = OLD_ANSWER | {"previous_close_try": 126.0}
    assert judged(half_told, stored(earlier_close_try=[240.0]))[0] == "action_pending"


def test_a_share_that_trades_must_stand_on_our_newest_close_not_on_an_earlier_one():
    carried = {"last_try": 252.0, "previous_close_try": 240.0}
    assert judged(carried, stored(earlier_close_try=[240.0]))[0] == "action_pending"


def test_a_halted_share_is_not_held_against_its_old_close():
    assert judged(OLD_ANSWER | {"as_of": "2024-01-04T15:00:00Z", "last_try": 1.0})[0] == "halted"


def test_many_quotes_keep_their_order_and_index_and_every_state_is_a_known_one():
    frame = quotes({}, {"symbol": "ASELS"}, {"as_of": None}, {"open_try": NAN}).set_index(pd.Index([7, 3, 5, 1]))
    answer = judge_quotes(frame, stored(), splits(), session=MONDAY, calendar=load_calendar(), now=NOW)
    assert answer.index.tolist() == [7, 3, 5, 1]
    assert answer["state"].tolist() == ["trading", "action_pending", "failed", "price_only"]
    assert set(answer["state"]) <= set(QUOTE_STATES)


@pytest.mark.parametrize("empty", [quotes(), pd.DataFrame(columns=[*_GOOD, "has_bar"])], ids=["typed", "untyped"])
def test_no_quote_is_no_judgement(empty):
    answer = judge_quotes(empty, stored(), splits(), session=MONDAY, calendar=load_calendar(), now=NOW)
    assert len(answer) == 0
    assert {"state", "reason"} <= set(answer)


def test_the_first_session_of_all_has_none_before_it():
    first = date(2010, 1, 4)
    frame = quotes({"as_of": "2010-01-04T10:00:00Z"})
    now = datetime(2010, 1, 4, 12, tzinfo=UTC)
    answer = judge_quotes(frame, stored(last="2009-12-31"), splits(), session=first, calendar=load_calendar(), now=now)
    assert answer["state"].tolist() == ["trading"]
