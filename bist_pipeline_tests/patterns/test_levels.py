"""Levels, trendlines and what lies around a candlestick, against the definitions worked out slowly."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from bist_pipeline.core.bars import Bars
from bist_pipeline.patterns.chart import trendlines
from bist_pipeline.patterns.engine import detect_candlesticks
from bist_pipeline.patterns.level_context import level_distances, with_context
from bist_pipeline.patterns.pivots.tape import Tape, read_tape
from bist_pipeline.patterns.pivots.zigzag import find_pivots
from bist_pipeline.patterns.structures.levels import SCALE, Levels, find_levels, nearest_level
from bist_pipeline.patterns.structures.view import look_at
from bist_pipeline_tests.market_maker import make_bar_frame
from bist_pipeline_tests.patterns.drawing import Drawing

SESSIONS = 420
FRAME = make_bar_frame(4, SESSIONS, seed=11)
BARS = Bars.from_frame(FRAME)
TAPE = read_tape(BARS)
EVENTS = detect_candlesticks(BARS)


def levels_of(tape: Tape) -> Levels:
    return find_levels(tape, find_pivots(tape, SCALE))


LEVELS = levels_of(TAPE)


def touches_of(levels: Levels, level: int) -> list[int]:
    return levels.touches[levels.touch_begins[level] : levels.touch_begins[level + 1]].tolist()


def gathered(levels: Levels, j: int) -> dict[tuple[int, ...], tuple[float, float, float]]:
    """The levels of one gathering: touches, and price, strength, spread."""
    return {
        tuple(touches_of(levels, m)): (levels.price[m], levels.strength[m], levels.spread_atr[m])
        for m in range(levels.begins[j], levels.begins[j + 1])
    }


def gathered_by_hand(tape: Tape, j: int) -> dict[tuple[int, ...], tuple[float, float, float]]:
    """From the definition: everything at the j-th confirmation is found anew."""
    pivots = find_pivots(tape, SCALE)
    now = pivots.known[j]
    inside = [
        i for i in range(j + 1) if pivots.symbol[i] == pivots.symbol[j] and pivots.row[i] > now - 250
    ]  # those of the last 250 bars
    groups: list[list[int]] = []
    for i in sorted(inside, key=lambda i: pivots.price[i]):
        if groups and pivots.price[i] - pivots.price[groups[-1][-1]] <= 0.5 * tape.atr[now]:
            groups[-1].append(i)
        else:
            groups.append([i])
    answer = {}
    for group in groups:
        if len(group) > 1:
            prices = pivots.price[group]
            usual = [tape.volume[row - 20 : row].mean() for row in pivots.row[group]]
            ratio = tape.volume[pivots.row[group]] / usual
            age = now - pivots.row[group]
            strength = (0.5 ** (age / 60) * np.maximum(1 + np.log(ratio), 0)).sum()
            spread = (prices.max() - prices.min()) / tape.atr[now]
            answer[tuple(sorted(group))] = (np.average(prices, weights=ratio), strength, spread)
    return answer


def test_levels_are_those_of_the_definition():
    compared = 0
    for j in range(0, len(LEVELS.pivots), 3):
        expected, found = gathered_by_hand(TAPE, j), gathered(LEVELS, j)
        assert found.keys() == expected.keys()
        for touches, values in expected.items():
            assert found[touches] == pytest.approx(values, rel=1e-9)
        compared += len(expected)
    assert compared > 50


def test_a_level_is_kept_with_three_touches_that_lie_near_each_other():
    kept = LEVELS.kept
    assert kept.any()
    assert not kept.all()
    np.testing.assert_array_equal(kept, (LEVELS.counts >= 3) & (LEVELS.spread_atr <= 1.5))


def test_peaks_and_troughs_count_alike():
    kinds = [set(LEVELS.pivots.kind[touches_of(LEVELS, m)]) for m in np.flatnonzero(LEVELS.kept)]
    assert {1, -1} in kinds


def test_levels_of_the_tape_upside_down_are_the_same_bit_for_bit():
    mirrored = levels_of(TAPE.mirrored())
    for j in range(len(LEVELS.pivots)):
        upright = {touches: (-price, *rest) for touches, (price, *rest) in gathered(LEVELS, j).items()}
        assert gathered(mirrored, j) == upright


@pytest.mark.parametrize("sessions", [150, 233, 391])
def test_levels_do_not_depend_on_what_came_after(sessions):
    early = levels_of(read_tape(Bars.from_frame(FRAME.groupby("symbol").head(sessions))))
    by_place = {
        (early.pivots.symbol[j], early.pivots.known[j] % sessions): sorted(gathered(early, j).values())
        for j in range(len(early.pivots))
    }
    assert len(by_place) > 10
    for j in range(len(LEVELS.pivots)):
        place = (LEVELS.pivots.symbol[j], LEVELS.pivots.known[j] % SESSIONS)
        if place[1] < sessions:
            assert by_place.pop(place) == sorted(gathered(LEVELS, j).values())
    assert not by_place


def test_the_nearest_level_is_the_nearest_of_the_last_gathering():
    nearest = nearest_level(TAPE, LEVELS)
    pivots, seen = LEVELS.pivots, 0
    for row in range(0, len(TAPE), 7):
        known = np.flatnonzero((pivots.symbol == TAPE.symbol_index[row]) & (pivots.known <= row))
        kept = [] if not len(known) else range(LEVELS.begins[known[-1]], LEVELS.begins[known[-1] + 1])
        prices = [LEVELS.price[m] for m in kept if LEVELS.kept[m]]
        if prices:
            assert nearest[row] == min(prices, key=lambda price: abs(price - TAPE.close[row]))
            seen += 1
        else:
            assert np.isnan(nearest[row])
    assert seen > 50


def test_a_close_above_a_level_lies_at_a_positive_distance():
    drawing = Drawing(points=((10, 0.10), (20, 0.0), (30, 0.10), (40, 0.0), (50, 0.10), (60, 0.02), (72, 0.14)))
    tape = drawing.tape()
    distance = level_distances(tape)
    above, below = drawing.row(72), drawing.row(56)
    at_level = np.log(10) + 0.10 - np.log(tape.unit_try[0])
    assert distance[above] == pytest.approx((tape.close[above] - at_level) / tape.atr[above], rel=1e-6)
    assert distance[above] > 2
    assert -6 < distance[below] < -2
    assert np.isnan(distance[: drawing.row(33)]).all()


def test_candlesticks_get_the_context_of_their_own_bar():
    found = with_context(EVENTS, TAPE)
    distances = level_distances(TAPE)
    rows = {(TAPE.symbols[s], day): row for row, (s, day) in enumerate(zip(TAPE.symbol_index, TAPE.day, strict=True))}
    at = [
        rows[symbol, np.datetime64(day, "D")]
        for symbol, day in zip(EVENTS["symbol"], EVENTS["session_date"], strict=True)
    ]
    np.testing.assert_array_equal(found["level_distance_atr"], distances[at])
    assert found["level_distance_atr"].notna().mean() > 0.4
    pd.testing.assert_frame_equal(found[EVENTS.columns], EVENTS)
    assert found.dtypes.astype(str).to_dict() == {
        **EVENTS.dtypes.astype(str).to_dict(),
        "level_distance_atr": "float64",
        "is_locked": "bool",
    }


def test_the_context_does_not_depend_on_other_symbols_nor_on_the_order_of_the_events():
    shuffled = EVENTS.sample(frac=1.0, random_state=1)
    whole = with_context(EVENTS, TAPE)
    pd.testing.assert_frame_equal(with_context(shuffled, TAPE).sort_index(), whole)
    own = EVENTS[EVENTS["symbol"] == "ZZAAC"]
    alone = read_tape(Bars.from_frame(FRAME[FRAME["symbol"] == "ZZAAC"]))
    pd.testing.assert_frame_equal(with_context(own, alone), whole.loc[own.index], check_exact=True)


def test_bars_at_the_limit_or_of_one_price_are_locked():
    frame = FRAME[FRAME["symbol"] == "ZZAAA"].reset_index(drop=True)
    close = frame["close_try"].to_numpy()
    for row, price in ((200, close[199] * 1.0999), (250, close[249] * 0.9001), (300, close[299])):
        frame.loc[row, ["open_try", "high_try", "low_try", "close_try"]] = price
    frame.loc[200, "low_try"] = close[199]  # it traded below the limit before it closed there
    every_day = frame[["symbol", "session_date"]]
    locked = with_context(every_day, read_tape(Bars.from_frame(frame)))["is_locked"]
    assert locked.dtype == bool
    assert locked[[200, 250, 300]].all()
    assert not with_context(every_day, TAPE)["is_locked"][[200, 250, 300]].any()


def test_a_bar_without_a_trade_is_not_locked():
    frame = FRAME[FRAME["symbol"] == "ZZAAA"].reset_index(drop=True)
    frame.loc[300, ["open_try", "high_try", "low_try", "close_try"]] = frame.loc[299, "close_try"]
    frame.loc[300, "volume_shares"] = 0.0
    found = with_context(frame[["symbol", "session_date"]], read_tape(Bars.from_frame(frame)))
    assert not found.loc[300, "is_locked"]


@pytest.mark.parametrize("change", [{"symbol": "ZZZZZ"}, {"session_date": pd.Timestamp("2020-01-06")}])
def test_an_event_without_a_bar_is_an_error(change):
    with pytest.raises(KeyError, match="no bar of ZZ"):
        with_context(EVENTS.head(3).assign(**change), TAPE)


def test_no_events_and_no_bars_give_no_error():
    empty = with_context(EVENTS.head(0), read_tape(Bars.from_frame(FRAME.head(0))))
    assert list(empty.columns) == [*EVENTS.columns, "level_distance_atr", "is_locked"]


def test_a_share_without_volume_has_levels_of_equal_weights():
    silent = replace(TAPE, volume=np.zeros(len(TAPE)))
    levels = levels_of(silent)
    for m in np.flatnonzero(levels.kept)[::5]:
        assert levels.price[m] == pytest.approx(levels.pivots.price[touches_of(levels, m)].mean(), rel=1e-12)


def best_line_by_hand(tape: Tape, peaks: list[tuple[int, float]], known: int) -> tuple[int, int, float] | None:
    """From the definition: first row, touches and score of the best line to the last peak that keeps every rule."""
    end, price = peaks[-1]
    usual = tape.atr[end]
    best = None
    for start, value in peaks[:-1]:
        if not 8 <= end - start <= 250:
            continue
        slope = (price - value) / (end - start)
        touches, away = [start], []
        for row, height in peaks:
            off = abs(height - (value + slope * (row - start))) / usual
            if row - touches[-1] >= 8 and end - row >= 8 and off <= 0.25:
                touches.append(row)
                away.append(off)
        count = len(touches) + 1
        over = max(tape.close[t] - (value + slope * (t - start)) for t in range(start, known + 1) if tape.traded[t])
        score = count + 0.5 * np.log(end - start) - sum(away) / count
        keeps = slope / usual <= -0.02 and count >= 3 and over / usual <= 0.25
        if keeps and (best is None or score > best[2]):
            best = (start, count, score)
    return best


def test_the_trendline_to_a_peak_is_the_best_of_all_that_keep_the_rules():
    tape = read_tape(Bars.from_frame(make_bar_frame(12, SESSIONS, seed=3)))
    view = look_at(tape)
    found = trendlines.FALLING_TRENDLINE_BREAK.candidates(view)
    rules = {rule.name: rule.slack(rule.measure(found)) >= 0 for rule in trendlines.RULES}
    keeps = rules["falling"] & rules["touches"] & rules["no_close_through"]
    lines = {
        int(found.last_row[i]): (int(found.first_row[i]), int(found.own["touches"][i])) for i in np.flatnonzero(keeps)
    }
    pivots = view.pivots[1]
    for symbol in range(12):
        own = np.flatnonzero((pivots.symbol == symbol) & (pivots.kind > 0))
        for k in range(1, len(own)):
            peaks = [(int(pivots.row[i]), float(pivots.price[i])) for i in own[: k + 1]]
            best = best_line_by_hand(tape, peaks, int(pivots.known[own[k]]))
            assert lines.pop(peaks[-1][0], None) == (None if best is None else best[:2])
    assert not lines
    assert keeps.sum() > 5
