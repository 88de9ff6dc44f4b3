"""The tape: one basis across actions, units that leave no trace, and which bars are locked, traded and usable.

Belongs here: what `read_tape` makes of bars and actions. Does not belong here: where prices turned (`test_pivots.py`).
"""

from collections.abc import Sequence
from dataclasses import fields
from datetime import date

import numpy as np
import pandas as pd
import pytest

from bist_pipeline.core.bars import PRICE_COLUMNS, Bars
from bist_pipeline.patterns.pivots.tape import Tape, read_tape
from bist_pipeline_tests.patterns.markets import rough_bars

LOGS = ("open", "high", "low", "close")
PLAIN = rough_bars(2, 160, seed=3)
OWN = PLAIN.frame[PLAIN.frame["symbol"] == "R001"].reset_index(drop=True)
DAYS = OWN["session_date"].dt.date.tolist()
CUT = 90
MISSED = next(
    day.date() for day in pd.bdate_range(DAYS[60], DAYS[-1]) if day.date() not in DAYS
)  # a weekday on which it did not trade

# What an action leaves of a price, and makes of a share.
ACTIONS = {"split": (0.25, 4.0), "bonus": (1 / 1.35, 1.35), "dividend": (0.96, 1.0)}


def told(*rows: tuple[date, float, float]) -> dict[str, pd.DataFrame]:
    """What is known of R001's actions: ex-date, price factor, share ratio."""
    frame = pd.DataFrame(list(rows), columns=["ex_date", "price_factor", "share_ratio"])
    return {"R001": frame.assign(ex_date=frame["ex_date"].astype("datetime64[us]"))}


def as_traded(*rows: tuple[date, float, float]) -> Bars:
    """The market where these actions of R001 have an effect on prices and volumes; without them it is `PLAIN`."""
    frame = PLAIN.frame.copy()
    for ex_date, price, shares in rows:
        later = (frame["symbol"] == "R001") & (frame["session_date"] >= pd.Timestamp(ex_date))
        frame.loc[later, list(PRICE_COLUMNS)] *= price
        frame.loc[later, "volume_shares"] *= shares
    return Bars.from_frame(frame)


def bars_of(symbol: str, rows: Sequence[tuple[float, float, float, float, float]], first: str = "2024-03-04") -> Bars:
    """Open, high, low, close, volume of consecutive weekdays."""
    frame = pd.DataFrame(rows, columns=[*PRICE_COLUMNS, "volume_shares"])
    days = np.busday_offset(np.datetime64(first), np.arange(len(rows))).astype("datetime64[us]")
    return Bars.from_frame(frame.astype("float64").assign(symbol=symbol, session_date=days, is_final=True))


def columns(tape: Tape) -> dict[str, np.ndarray]:
    """Every array of a tape with one item a bar."""
    named = {field.name: getattr(tape, field.name) for field in fields(tape)}
    return {name: values for name, values in named.items() if name not in {"symbols", "offsets", "flipped"}}


def assert_same(one: Tape, other: Tape, *, but: Sequence[str] = (), until: int | None = None) -> None:
    """Two tapes hold the same bits (of the first bars)."""
    for name, values in columns(one).items():
        if name not in but:
            np.testing.assert_array_equal(values[:until], columns(other)[name][:until], err_msg=name)


def assert_near(one: Tape, other: Tape) -> None:
    """Two tapes show the same market, but for the last bits of a factor."""
    for name in (*LOGS, "atr", "sigma", "volume_z", "volume_ratio"):
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), rtol=1e-9, atol=1e-12, err_msg=name)
    np.testing.assert_allclose(one.volume, other.volume, rtol=1e-12)
    for name in ("usable", "traded", "locked"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)


# ── actions ──


@pytest.mark.parametrize("kind", ACTIONS)
def test_across_an_action_the_tape_is_one_series(kind):
    rows = [(DAYS[CUT], *ACTIONS[kind])]
    tape, plain = read_tape(as_traded(*rows), told(*rows)), read_tape(PLAIN)
    for name in LOGS:
        np.testing.assert_allclose(getattr(tape, name), getattr(plain, name), rtol=0, atol=1e-12)
    assert_near(tape, plain)


@pytest.mark.parametrize("kind", ACTIONS)
def test_bars_before_the_ex_date_and_other_symbols_keep_every_bit(kind):
    rows = [(DAYS[CUT], *ACTIONS[kind])]
    tape, plain = read_tape(as_traded(*rows), told(*rows)), read_tape(PLAIN)
    assert tape.symbols == ("R000", "R001")
    assert_same(tape, plain, until=int(tape.offsets[1]) + CUT)


def test_without_knowing_of_it_the_tape_would_break():
    rows = [(DAYS[CUT], *ACTIONS["split"])]
    start = int(read_tape(PLAIN).offsets[1])
    blind = read_tape(as_traded(*rows))
    assert blind.close[start + CUT] - blind.close[start + CUT - 1] < np.log(0.3)


@pytest.mark.parametrize("kind", ACTIONS)
def test_the_basis_turns_prices_of_the_tape_into_prices_as_traded(kind):
    rows = [(DAYS[CUT], *ACTIONS[kind])]
    bars = as_traded(*rows)
    tape = read_tape(bars, told(*rows))
    for name, column in zip(LOGS, ("open_try", "high_try", "low_try", "close_try"), strict=True):
        lira = np.exp(getattr(tape, name)) * tape.unit_try * tape.basis
        np.testing.assert_allclose(lira, bars.frame[column], rtol=1e-14)
    np.testing.assert_allclose(tape.price_close * tape.basis, bars.frame["close_try"], rtol=3e-16)
    assert np.unique(tape.basis[: tape.offsets[1] + CUT]).tolist() == [1.0]
    assert np.unique(tape.basis[tape.offsets[1] + CUT :]).tolist() == [ACTIONS[kind][0]]


def test_two_actions_of_one_day_count_both():
    rows = [(DAYS[CUT], *ACTIONS["bonus"]), (DAYS[CUT], *ACTIONS["dividend"])]
    tape = read_tape(as_traded(*rows), told(*rows))
    assert_near(tape, read_tape(PLAIN))
    assert tape.basis[-1] == pytest.approx(0.96 / 1.35, rel=1e-15)


def test_actions_of_different_days_add_up():
    rows = [(DAYS[50], *ACTIONS["split"]), (DAYS[CUT], *ACTIONS["dividend"])]
    tape = read_tape(as_traded(*rows), told(*rows))
    assert_near(tape, read_tape(PLAIN))
    assert tape.basis[tape.offsets[1] + np.array([49, 50, CUT - 1, CUT])].tolist() == [1.0, 0.25, 0.25, 0.24]


def test_an_action_on_a_day_without_a_bar_counts_from_the_next_one():
    rows = [(MISSED, *ACTIONS["split"])]
    tape = read_tape(as_traded(*rows), told(*rows))
    assert_near(tape, read_tape(PLAIN))
    later = tape.day[tape.offsets[1] :] > np.datetime64(MISSED)
    np.testing.assert_array_equal(tape.basis[tape.offsets[1] :], np.where(later, 0.25, 1.0))


@pytest.mark.parametrize("day", [DAYS[0], date(2010, 1, 4), date(2040, 1, 2)], ids=["first bar", "before", "after"])
def test_an_action_that_parts_no_two_bars_changes_nothing(day):
    assert_same(read_tape(PLAIN, told((day, *ACTIONS["split"]))), read_tape(PLAIN))


def test_actions_of_a_symbol_that_is_not_there_change_nothing():
    others = {"NOBODY": told((DAYS[CUT], 0.5, 2.0))["R001"]}
    assert_same(read_tape(PLAIN, others), read_tape(PLAIN))


def test_a_bar_does_not_depend_on_later_actions():
    first, second = (DAYS[50], *ACTIONS["split"]), (DAYS[CUT], *ACTIONS["bonus"])
    both, one = read_tape(as_traded(first, second), told(first, second)), read_tape(as_traded(first), told(first))
    assert_same(both, one, until=int(both.offsets[1]) + CUT)


# ── units ──


@pytest.mark.parametrize("power", [-9, -1, 1, 6])
def test_prices_times_a_power_of_two_give_the_same_bits(power):
    scaled = PLAIN.frame.assign(**{name: PLAIN.frame[name] * 2.0**power for name in PRICE_COLUMNS})
    tape, plain = read_tape(Bars.from_frame(scaled)), read_tape(PLAIN)
    assert_same(tape, plain, but=("unit_try", "price_close"))
    np.testing.assert_array_equal(tape.unit_try, plain.unit_try * 2.0**power)


def test_the_unit_is_a_power_of_two_near_the_first_close():
    tape = read_tape(bars_of("ONE", [(12.0, 12.5, 11.5, 12.0, 5), (12.0, 99.0, 12.0, 90.0, 5)]))
    assert tape.unit_try.tolist() == [16.0, 16.0]


def test_nothing_at_all_is_an_empty_tape():
    tape = read_tape(Bars.from_frame(PLAIN.frame.iloc[:0]))
    assert (len(tape), tape.symbols, tape.offsets.tolist()) == (0, (), [0])
    assert len(tape.mirrored()) == 0


# ── bars of all kinds ──

USUAL = (10.0, 10.2, 9.9, 10.0, 1000)


@pytest.mark.parametrize(
    ("symbol", "bar", "traded", "usable", "locked"),
    [
        ("ONE", USUAL, True, True, 0),
        # 9.9 % up with the close at the high: the limit of 10 % is rounded inward to a tick.
        ("ONE", (10.5, 10.99, 10.4, 10.99, 1000), True, True, 1),
        ("ONE", (9.5, 9.6, 9.01, 9.01, 1000), True, True, -1),
        # At the limit in between, but not at the close.
        ("ONE", (10.5, 11.0, 10.4, 10.95, 1000), True, True, 0),
        # A close at the high after an ordinary rise.
        ("ONE", (10.0, 10.5, 9.9, 10.5, 1000), True, True, 0),
        # One price alone: the whole day at the limit, or a handful of trades at one price.
        ("ONE", (11.0, 11.0, 11.0, 11.0, 1000), True, False, 1),
        ("ONE", (9.0, 9.0, 9.0, 9.0, 1000), True, False, -1),
        ("ONE", (10.1, 10.1, 10.1, 10.1, 1000), True, False, 1),
        ("ONE", (10.0, 10.0, 10.0, 10.0, 1000), True, False, 0),
        # No trade: the close before is carried on.
        ("ONE", (10.0, 10.0, 10.0, 10.0, 0), False, False, 0),
        # A range without volume was traded, says the range; but its extremes turn no price.
        ("ONE", (10.0, 10.2, 9.9, 10.0, 0), True, False, 0),
        # An index has no volume, and trades every session.
        ("XU100", (10.0, 10.2, 9.9, 10.0, 0), True, True, 0),
        ("XU100", (10.0, 10.0, 10.0, 10.0, 0), True, False, 0),
    ],
)
def test_a_bar_is_what_its_prices_and_volume_say(symbol, bar, traded, usable, locked):
    tape = read_tape(bars_of(symbol, [USUAL, bar]))
    assert (bool(tape.traded[1]), bool(tape.usable[1]), int(tape.locked[1])) == (traded, usable, locked)


def test_the_limit_is_that_of_its_day():
    rise = [USUAL, (10.5, 10.99, 10.4, 10.99, 1000)]
    assert read_tape(bars_of("ONE", rise, first="2020-03-09")).locked.tolist() == [0, 0]  # 20 % then
    assert read_tape(bars_of("ONE", rise, first="2020-03-16")).locked.tolist() == [0, 1]


def test_a_first_bar_is_never_locked_whatever_another_symbol_closed_at():
    two = pd.concat([bars_of("AAA", [USUAL]).frame, bars_of("BBB", [(11.0, 11.0, 11.0, 11.0, 9)]).frame])
    assert read_tape(Bars.from_frame(two)).locked.tolist() == [0, 0]


def test_the_gap_that_a_split_makes_is_no_locked_day():
    bars = bars_of("ONE", [USUAL, (5.0, 5.1, 4.9, 4.9, 2000), (4.95, 5.39, 4.9, 5.39, 2000)])
    action = pd.DataFrame({"ex_date": [bars.frame["session_date"][1]], "price_factor": [0.5], "share_ratio": [2.0]})
    assert read_tape(bars, {"ONE": action}).locked.tolist() == [0, 0, 1]
    assert read_tape(bars).locked.tolist() == [0, -1, 1]


def test_a_forming_bar_stays_one():
    frame = PLAIN.frame.assign(is_final=np.arange(len(PLAIN)) < len(PLAIN) - 1)
    assert np.flatnonzero(~read_tape(Bars.from_frame(frame)).is_final).tolist() == [len(PLAIN) - 1]


# ── upside down ──


def test_upside_down_every_rise_is_the_equal_fall():
    tape = read_tape(PLAIN)
    turned = tape.mirrored()
    np.testing.assert_array_equal(turned.high, -tape.low)
    np.testing.assert_array_equal(turned.low, -tape.high)
    np.testing.assert_array_equal(turned.close, -tape.close)
    np.testing.assert_array_equal(turned.locked, -tape.locked)
    assert (tape.flipped, turned.flipped) == (False, True)
    assert {1, -1} <= set(tape.locked.tolist())
    assert_same(turned, tape, but=(*LOGS, "locked"))


def test_turned_over_twice_it_is_the_same():
    tape = read_tape(PLAIN)
    for name in ("day_text", "volume_z", "volume_ratio"):  # what was computed before is handed on
        assert len(getattr(tape, name)) == len(tape)
    again = tape.mirrored().mirrored()
    assert not again.flipped
    assert_same(again, tape)
    for name in ("symbol_index", "first_row", "end_row", "day_text", "volume_z", "volume_ratio"):
        np.testing.assert_array_equal(getattr(again, name), getattr(tape, name))


def test_a_usual_move_of_the_mirror_image_is_the_same():
    """The mirror image of a share: 100 over its price, which falls where it rises."""
    inverse = {"open_try": "open_try", "high_try": "low_try", "low_try": "high_try", "close_try": "close_try"}
    frame = PLAIN.frame.assign(**{name: 100.0 / PLAIN.frame[other] for name, other in inverse.items()})
    tape, turned = read_tape(PLAIN), read_tape(Bars.from_frame(frame)).mirrored()
    for name in ("atr", "sigma"):
        np.testing.assert_allclose(getattr(turned, name), getattr(tape, name), rtol=1e-9)
    np.testing.assert_array_equal(turned.usable, tape.usable)
