"""What every chart pattern must keep, whichever it is.

Belongs here: properties checked over the whole registry on an INVENTED market; a new pattern is tested by existing.
What one pattern is stands in `drawn/`; where prices turn, in `test_pivots.py`.
"""

from collections import defaultdict
from functools import cache

import numpy as np
import pandas as pd
import pytest

from bist_pipeline.core.bars import PRICE_COLUMNS, Bars
from bist_pipeline.patterns.pivots.tape import Tape, read_tape
from bist_pipeline.patterns.structures.engine import detect
from bist_pipeline.patterns.structures.life import FATES, REASONS, STATES
from bist_pipeline_tests.patterns.answers import Answer, answer, answers
from bist_pipeline_tests.patterns.contract_market import (
    PATTERNS,
    beginning,
    cut_short,
    differing,
    market,
    random_shares,
    rows_until,
    walks,
    whole,
)
from bist_pipeline_tests.patterns.drawing import all_slacks
from bist_pipeline_tests.patterns.markets import rough_bars

CUTS = 50
LAST_SESSIONS = 30
KNIFE_EDGE = 1e-9
KEPT = FATES.index("kept")

# Their points are no turns: a close beyond the range is one at the price limit too, which then is confirmed again.
MAY_BE_LOCKED = ("breakout_", "breakdown_")

every_pattern = pytest.mark.parametrize("name", PATTERNS)

# What may follow a state, by its name; nothing follows the others.
FOLLOWS = {
    None: {"forming", "confirmed"},
    "forming": {"confirmed", "expired"},
    "confirmed": {"confirmed", "target", "stopped", "busted", "expired"},
    "stopped": {"busted"},
}


@cache
def faults_of_cuts() -> dict[str, list[str]]:
    faults = defaultdict(list)
    for name, share, differs in differing(random_shares(CUTS, seed=11)):
        faults[name].append(f"cut at {share:.4f}: {differs}")
    return faults


@cache
def day_by_day() -> dict[str, list[tuple]]:
    """What changed on the last bar of each of the last thirty beginnings of the walks."""
    sizes = np.diff(walks().offsets)
    place = np.arange(len(walks())) - np.repeat(walks().offsets[:-1], sizes)
    found = defaultdict(list)
    for sessions in range(LAST_SESSIONS - 1, -1, -1):
        bars = Bars.from_frame(walks().frame[place < np.repeat(sizes - sessions, sizes)])
        ends = rows_until(bars)
        for name, day in answers(bars, PATTERNS.values()).items():
            found[name] += [row for row in rows_of(day) if row[1] == ends[row[0]] - 1]
    return found


@cache
def of_walks() -> dict[str, Answer]:
    return answers(walks(), PATTERNS.values())


def rows_of(day: Answer) -> list[tuple]:
    """Every change as one tuple, its numbers as their bits."""
    columns = [
        (values.view(np.int64) if values.dtype.kind == "f" else values).tolist() for values in day.changes.values()
    ]
    return [
        (symbol, row, *(tuple(one) if isinstance(one, list) else one for one in rest))
        for symbol, row, *rest in zip(*columns, strict=True)
    ]


def times(bars: Bars, factor: float) -> Bars:
    return Bars.from_frame(bars.frame.assign(**{name: bars.frame[name] * factor for name in PRICE_COLUMNS}))


@every_pattern
def test_it_occurs_in_the_market_and_is_confirmed_there(name):
    found = whole()[name]
    assert (found.structures["fate"] == KEPT).any()
    assert (found.changes["state"] == STATES.index("confirmed")).any()


@every_pattern
def test_later_bars_change_nothing_that_was_known(name):
    assert faults_of_cuts()[name] == []


@every_pattern
def test_changes_found_day_by_day_are_those_of_the_whole_history(name):
    ends = rows_until(walks())
    last = [row for row in rows_of(of_walks()[name]) if row[1] >= ends[row[0]] - LAST_SESSIONS]
    assert sorted(day_by_day()[name]) == sorted(last)


@cache
def scaled(factor: float) -> dict[str, Answer]:
    return answers(times(market(), factor), PATTERNS.values())


@pytest.mark.parametrize("factor", [2.0**-7, 2.0**5])
@every_pattern
def test_prices_times_a_power_of_two_change_no_bit(name, factor):
    assert whole()[name].differences(scaled(factor)[name]) == []


@cache
def in_unit(factor: float) -> tuple[Tape, dict[str, Answer]]:
    """What is found in a market of prices on the tick grid, where many are equal, times a factor."""
    bars = times(rough_bars(12, 420, seed=6, ticked=True), factor)
    return read_tape(bars), answers(bars, PATTERNS.values())


@pytest.mark.parametrize("factor", [0.01, 100.0])
@every_pattern
def test_prices_in_another_unit_change_nothing_but_knife_edges(name, factor):
    tape, own = in_unit(1.0)
    _, other = in_unit(factor)
    one, two = judged_of(own[name]), judged_of(other[name])
    if one == two:
        np.testing.assert_array_equal(own[name].changes["state"], other[name].changes["state"])
    else:
        differing = {key[:3] for key in {*one} ^ {*two}}
        assert differing <= knife_edges(name, tape), sorted(differing)


def judged_of(found: Answer) -> list[tuple]:
    table = found.candidates
    names = ("symbol", "row", "points", "scale", "broken")
    return [
        (symbol, row, tuple(points), scale, broken)
        for symbol, row, points, scale, broken in zip(*(table[name].tolist() for name in names), strict=True)
    ]


def knife_edges(name: str, tape: Tape) -> set[tuple]:
    """Candidates for which some rule's number lies within 1e-9 of a bound: symbol, row and points of each."""
    found, slacks = all_slacks(PATTERNS[name], tape)
    close = np.zeros(len(found), bool)
    for slack in slacks.values():
        close |= np.abs(slack) < KNIFE_EDGE
    symbols = np.array(tape.symbols)[tape.symbol_index[found.known]]
    start = tape.first_row[found.known]
    points = np.where(found.rows < 0, -1, found.rows - start[:, None])
    return {
        (symbol, row, tuple(points))
        for symbol, row, points in zip(
            symbols[close].tolist(), (found.known - start)[close].tolist(), points[close].tolist(), strict=True
        )
    }


@cache
def upside_down() -> dict[str, Answer]:
    tape = read_tape(market())
    return {one.pattern.name: answer(one, tape) for one in detect(tape.mirrored(), PATTERNS.values())}


@pytest.mark.parametrize("name", [name for name, pattern in PATTERNS.items() if pattern.mirror not in {"", name}])
def test_upside_down_it_is_its_mirror_image(name):
    assert whole()[PATTERNS[name].mirror].differences(upside_down()[name]) == []


@pytest.mark.parametrize("name", [name for name, pattern in PATTERNS.items() if pattern.mirror == name])
def test_a_pattern_that_is_its_own_mirror_image_breaks_the_other_way_upside_down(name):
    upright, turned = whole()[name].changes, upside_down()[name].changes
    for column in ("symbol", "row", "known", "points", "state", "reason"):
        np.testing.assert_array_equal(turned[column], upright[column])
    np.testing.assert_array_equal(turned["way"], -upright["way"])
    for column in ("line", "target", "stop"):
        np.testing.assert_allclose(turned[column], -upright[column], rtol=0, atol=1e-12)


@cache
def a_year_later() -> dict[str, Answer]:
    frame = market().frame
    later = Bars.from_frame(frame.assign(session_date=frame["session_date"] + pd.Timedelta(weeks=52)))
    return answers(later, PATTERNS.values())


@every_pattern
def test_other_dates_change_nothing(name):
    assert whole()[name].differences(a_year_later()[name]) == []


@cache
def among_others() -> dict[str, Answer]:
    """The market in the opposite order, without a third of its symbols, and with strangers before and between."""
    symbols = [str(symbol) for symbol in market().frame["symbol"].unique()]
    new = {symbol: f"M{len(symbols) - number:03d}" for number, symbol in enumerate(symbols) if number % 3}
    own = market().frame[market().frame["symbol"].isin(list(new))]
    strangers = rough_bars(4, 150, seed=99).frame
    strangers = strangers.assign(symbol=strangers["symbol"].map({f"R{n:03d}": f"M{30 * n:03d}B" for n in range(4)}))
    bars = Bars.from_frame(pd.concat([own.assign(symbol=own["symbol"].map(new)), strangers], ignore_index=True))
    back = {there: here for here, there in new.items()}
    found = answers(bars, PATTERNS.values(), back)
    return {name: one.chosen(lambda table: np.isin(table["symbol"], list(new))) for name, one in found.items()}


@every_pattern
def test_other_symbols_change_nothing(name):
    own = among_others()[name]
    kept = np.unique(market().frame["symbol"].to_numpy(dtype=str))
    staying = [symbol for number, symbol in enumerate(kept.tolist()) if number % 3]
    mine = whole()[name].chosen(lambda table: np.isin(table["symbol"], staying))
    assert mine.differences(own) == []


@every_pattern
def test_nothing_is_known_before_its_points_are(name):
    found = whole()[name]
    known = found.candidates["known_rows"]
    points = found.candidates["points"]
    assert (known <= found.candidates["row"][:, None]).all()
    assert (points <= np.where(points < 0, -1, known)).all()
    assert (found.changes["row"] >= found.changes["known"]).all()
    assert ((points >= 0).any(axis=1)).all()


@every_pattern
def test_no_point_of_a_structure_is_a_bar_that_cannot_turn_a_price(name):
    tape = read_tape(market())
    (found,) = detect(tape, [PATTERNS[name]])
    rows = found.found.rows
    rows = rows[rows >= 0]
    assert tape.traded[rows].all()
    assert name.startswith(MAY_BE_LOCKED) or tape.usable[rows].all()


@every_pattern
def test_states_follow_each_other_as_written_and_no_session_has_two(name):
    lives = defaultdict(list)
    for symbol, row, known, points, state, reason in zip(
        *(whole()[name].changes[column].tolist() for column in ("symbol", "row", "known", "points", "state", "reason")),
        strict=True,
    ):
        lives[symbol, known, tuple(points)].append((row, STATES[state], REASONS[reason]))
    for life in lives.values():
        rows = [row for row, _, _ in life]
        assert rows == sorted(set(rows))
        before = None
        for _, state, reason in life:
            assert state in FOLLOWS.get(before, set())
            if before == state == "confirmed":
                assert reason == "first close beyond the line that is not locked"
            before = state
        assert sum(reason.startswith("closed beyond the line") for _, _, reason in life) <= 1


@every_pattern
def test_a_confirming_close_lies_beyond_its_line_by_the_margin(name):
    pattern, tape = PATTERNS[name], read_tape(market())
    (found,) = detect(tape, [pattern])
    changes = found.changes
    first = np.isin(changes.reason, [REASONS.index(one) for one in REASONS if one.startswith("closed beyond the line")])
    side = -1.0 if pattern.flipped else 1.0
    beyond = changes.way * (side * tape.close[changes.row] - changes.line)
    margin = pattern.life.margin_atr * found.found.atr[changes.structure]
    assert (beyond[first] > margin[first] - 1e-12).all()
    assert (changes.way[first] != 0).all()
    wanted = {"up": 1, "down": -1}.get(pattern.life.breaks)
    assert wanted is None or (changes.way[first] == wanted).all()


@every_pattern
def test_targets_lie_beyond_the_line_and_stops_before_the_target(name):
    changes = whole()[name].changes
    decided = changes["way"] != 0
    way, line, target, stop = (changes[column][decided] for column in ("way", "line", "target", "stop"))
    assert (way * (target - line) > 0).all()
    assert (way * (target - stop) > 0).all()


@every_pattern
def test_scores_of_a_structure_lie_between_nothing_and_all(name):
    structures = whole()[name].structures
    structures = {column: values[structures["fate"] == KEPT] for column, values in structures.items()}
    for column in ("fit", "structure"):
        assert ((structures[column] >= 0) & (structures[column] <= 1)).all()
    assert (structures["height"] > 0).all()
    assert (structures["earliest"] <= structures["latest"]).all()
    assert (structures["touches"] >= 0).all()


@every_pattern
def test_nothing_is_found_in_no_bars_and_in_too_few(name):
    empty = Bars.from_frame(walks().frame.iloc[:0])
    assert len(answers(empty, [PATTERNS[name]])[name].candidates["row"]) == 0
    few = cut_short(walks(), 0.02)
    assert len(answers(few, [PATTERNS[name]])[name].structures["row"]) == 0


@every_pattern
def test_no_event_comes_before_the_warm_up_is_over(name):
    rows = whole()[name].changes["row"]
    assert rows.min() >= PATTERNS[name].warm_up


@every_pattern
def test_it_states_what_it_is(name):
    pattern = PATTERNS[name]
    for text in (pattern.title, pattern.meaning, pattern.source):
        assert text
    assert pattern.meaning.endswith(".")
    assert pattern.version >= 1
    assert pattern.parameters
    assert all(rule.least > -np.inf or rule.most < np.inf for rule in pattern.rules)


def test_the_beginning_of_an_answer_is_the_answer_itself_at_the_end():
    for name, found in whole().items():
        assert found.differences(beginning(found, rows_until(market()))) == [], name
