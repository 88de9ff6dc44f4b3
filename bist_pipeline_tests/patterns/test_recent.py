"""Asked for the newest sessions alone, the detectors leave out what is long over, and answer the same."""

import numpy as np
import pandas as pd
import pytest

from bist_pipeline.core.bars import Bars
from bist_pipeline.patterns.pivots.tape import read_tape
from bist_pipeline.patterns.registry import registered_charts
from bist_pipeline.patterns.structures.census import reject_census
from bist_pipeline.patterns.structures.engine import detect
from bist_pipeline.patterns.structures.events import chart_events
from bist_pipeline.patterns.structures.recent import TAIL_BARS
from bist_pipeline_tests.patterns.markets import driftless_bars

PATTERNS = registered_charts().values()
SESSIONS = 1_300


@pytest.fixture(scope="module")
def tape():
    """Twelve shares; one is halted for most of a year, until a week before the end."""
    frame = driftless_bars(12, SESSIONS, seed=5).frame
    halted = frame["symbol"] == frame["symbol"].iloc[0]
    place = frame.groupby("symbol").cumcount()
    still = halted & place.between(SESSIONS - 230, SESSIONS - 6)
    price = float(frame.loc[halted & (place == SESSIONS - 231), "close_try"].iloc[0])
    frame.loc[still, ["open_try", "high_try", "low_try", "close_try"]] = price
    frame.loc[still, "volume_shares"] = 0.0
    return read_tape(Bars.from_frame(frame))


@pytest.fixture(scope="module")
def whole(tape):
    found = detect(tape, PATTERNS)
    return chart_events(tape, found), reject_census(tape, found)


@pytest.mark.parametrize("back", [1, 2, 3, 40, 200, 700, SESSIONS])
def test_the_newest_sessions_alone_give_the_rows_of_the_whole_history(tape, whole, back):
    since = np.unique(tape.day)[-back].astype(object)
    found = detect(tape, PATTERNS, since)
    for rows, all_rows in zip(
        (chart_events(tape, found, since), reject_census(tape, found, since)), whole, strict=True
    ):
        wanted = all_rows[all_rows["session_date"] >= pd.Timestamp(since)].reset_index(drop=True)
        assert len(wanted)
        pd.testing.assert_frame_equal(rows, wanted, check_exact=True)


def test_most_of_the_past_is_left_out_and_what_may_matter_is_looked_at_again(tape):
    since = np.unique(tape.day)[-1].astype(object)
    found, everything = detect(tape, PATTERNS, since), detect(tape, PATTERNS)
    searched, all_of_it = (sum(len(one.judged.candidates) for one in answers) for answers in (found, everything))
    assert searched < 0.6 * all_of_it
    assert SESSIONS > 2 * TAIL_BARS
    again = [one for one in found[len(PATTERNS) :] if one.symbols.any()]
    assert again
    for one in again:
        first = next(other for other in found if other.pattern is one.pattern)
        assert (first.symbols ^ one.symbols).all()  # each symbol is answered for once
