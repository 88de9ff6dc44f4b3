"""The checks on 32 recorded shares once dividends and splits are undone: as traded, nothing is out of the ordinary.

The files state every action, so that each check that holds prices against actions sees real ones.
"""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from bist_pipeline.market.undo import plan_undoing, undo_adjustments
from bist_pipeline.quality import (
    actions_without_effect,
    bar_range,
    effects_without_action,
    off_tick_prices,
    price_limit_moves,
    volume_unit_changes,
)
from bist_pipeline.quality.contract import ACTION_COLUMNS
from bist_pipeline_tests.market.events import recorded_events
from bist_pipeline_tests.quality.inputs import hits
from bist_pipeline_tests.quality.recorded import input_of

pytestmark = pytest.mark.realdata

SPLITS = [
    *(("EREGL", "2024-11-27"), ("DAGI", "2025-02-19"), ("FROTO", "2025-05-07"), ("VAKFN", "2025-09-11")),
    ("FONET", "2025-10-20"),
]


def with_factors(known, bars):
    """What each action leaves of the price before it; amounts are per share of today."""
    rows = []
    for action in known.itertuples():
        own = bars[bars["symbol"] == action.symbol]
        before = own.loc[own["session_date"] < action.ex_date, "close_raw"].iloc[-1]
        splits = known[(known["symbol"] == action.symbol) & (known["kind"] == "split")]
        later = splits.loc[splits["ex_date"] > action.ex_date, "ratio"].prod()
        left = 1 / action.ratio if action.kind == "split" else 1 - action.amount_try * later / before
        rows.append(action._asdict() | {"price_factor": left, "share_ratio": np.nan_to_num(action.ratio, nan=1.0)})
    frame = pd.DataFrame(rows).assign(subscription_try=np.nan, origin="provider")
    return frame[list(ACTION_COLUMNS)].astype({"symbol": "str", "kind": "str", "origin": "str"})


@pytest.fixture(scope="module")
def given(recordings):
    rows, actions = recorded_events(recordings)
    traded, _ = undo_adjustments(rows, plan_undoing(rows, actions))
    return input_of(traded, actions=with_factors(actions.frame, traded))


def test_every_price_as_traded_lies_on_the_grid_within_its_limits_and_each_action_has_its_effect(given):
    assert (given.raw["basis"] == "as_traded").all()
    checks = (off_tick_prices, bar_range, price_limit_moves, actions_without_effect, effects_without_action)
    for check in (*checks, volume_unit_changes):
        finding = check.find(given)
        assert finding.passed, finding.rows.to_string()
    assert off_tick_prices.find(given).counts["bars"] > 8000
    assert actions_without_effect.find(given).counts["ex_dates"] == 24


def test_without_the_list_of_actions_exactly_the_splits_are_beyond_the_limit(given):
    unstated = dataclasses.replace(given, actions=given.actions.head(0))
    assert hits(price_limit_moves.find(unstated)) == SPLITS
    assert {symbol for symbol, _ in hits(effects_without_action.find(unstated))} <= {symbol for symbol, _ in SPLITS}
    assert ("FROTO", "2025-05-07") in hits(effects_without_action.find(unstated))


def test_the_files_as_served_have_splits_without_effect_when_they_pass_for_prices_as_traded(given, recordings):
    rows, _ = recorded_events(recordings)
    passed_off = dataclasses.replace(given, raw=rows.assign(basis="as_traded"))
    assert hits(actions_without_effect.find(passed_off)) == SPLITS


def test_prices_as_traded_have_jumps_when_they_pass_for_adjusted_ones(given):
    passed_off = dataclasses.replace(given, raw=given.raw.assign(basis="fully_adjusted"))
    assert hits(actions_without_effect.find(passed_off)) == SPLITS
