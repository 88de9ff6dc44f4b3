"""How well formed a structure is: shares of one, weighed, what is not known left out.

Belongs here: the terms of the shape confidence as the rows tell them. Does not belong here: what a pattern's own fit
and structure say of its shape.
"""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from bist_pipeline.core.bars import Bars
from bist_pipeline.patterns.pivots.tape import read_tape
from bist_pipeline.patterns.registry import registered_charts
from bist_pipeline.patterns.structures.confidence import WEIGHTS, shape_confidence
from bist_pipeline.patterns.structures.engine import detect
from bist_pipeline.patterns.structures.events import chart_events
from bist_pipeline_tests.patterns.contract_market import market
from bist_pipeline_tests.patterns.drawing import fixtures

PATTERNS = registered_charts()
# Peak and trough before, top, valley, top; here both tops lie at one level.
TOP = fixtures()["double_top"].passes.moved({4: (58, 0.22)})


def double_tops(bars: Bars) -> pd.DataFrame:
    tape = read_tape(bars)
    return chart_events(tape, detect(tape, [PATTERNS["double_top"]]))


def test_the_terms_are_shares_and_the_whole_is_their_weighted_mean():
    tape = read_tape(market())
    rows = chart_events(tape, detect(tape, PATTERNS.values()))
    terms = rows[[f"confidence_{name}" for name in WEIGHTS]].to_numpy()
    weights = np.array([0.30, 0.25, 0.20, 0.15, 0.10])
    known = ~np.isnan(terms)
    assert known[:, :4].all()
    assert set(known[:, 4].tolist()) == {True, False}
    assert ((terms[known] >= 0) & (terms[known] <= 1)).all()
    mean = np.where(known, terms, 0) @ weights / (known @ weights)
    np.testing.assert_allclose(rows["shape_confidence"], mean, rtol=1e-12)


def test_a_term_that_is_not_known_is_left_out():
    terms = {name: np.array([1.0, 0.5]) for name in WEIGHTS}
    terms["fit"] = np.array([0.0, 0.5])
    terms["volume"] = np.array([np.nan, np.nan])
    np.testing.assert_allclose(shape_confidence(terms), [0.65 / 0.9, 0.5], rtol=1e-15)


@pytest.mark.parametrize(("last", "term"), [(0.5, 1.0), (1.0, 0.5), (1.25, 0.25), (2.0, 0.0)])
def test_volume_that_dries_up_speaks_for_it(last, term):
    # The 25 bars from the first top to the second are thirds of 8, 8 and 9.
    volumes = dict.fromkeys(range(34, 42), 1.0) | dict.fromkeys(range(42, 50), 3.0) | dict.fromkeys(range(50, 59), last)
    told = double_tops(replace(TOP, volumes=volumes).bars())
    thirds = told[[f"volume_{name}_third" for name in ("first", "middle", "last")]]
    assert thirds.iloc[0].tolist() == pytest.approx([1.0, 3.0, last], rel=1e-12)
    assert told["confidence_volume"].tolist() == pytest.approx([term, term], abs=1e-12)
    # Touches, fit and structure are perfect; it was known one bar after its second top, which is 24 after the first.
    recency = 1 - 1 / 24
    assert told["confidence_recency"].tolist() == pytest.approx([recency] * 2, rel=1e-12)
    assert told["shape_confidence"].tolist() == pytest.approx([0.75 + 0.15 * recency + 0.1 * term] * 2, rel=1e-12)


def test_an_index_has_no_volume_and_its_patterns_are_weighed_without_it():
    frame = TOP.bars().frame.assign(symbol="XDRAW", volume_shares=0.0)
    told = double_tops(Bars.from_frame(frame))
    assert len(told) == 2
    assert told[["confidence_volume", "volume_z", "volume_last_third"]].isna().all(axis=None)
    assert told["shape_confidence"].tolist() == pytest.approx([(0.75 + 0.15 * (1 - 1 / 24)) / 0.9] * 2, rel=1e-12)
