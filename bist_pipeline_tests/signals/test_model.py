import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bist_pipeline.signals.contract import SUB_SIGNALS
from bist_pipeline.signals.explain import weights_table
from bist_pipeline.signals.model import MODEL
from bist_pipeline_tests.signals.published import published_file, weights

WEIGHTS = dict(MODEL.weights)


def test_the_published_weights_of_this_version_never_change():
    """A difference here means: raise `MODEL.version`, then `python -m bist_pipeline_tests.signals` adds a file."""
    published = pd.read_csv(published_file())
    pd.testing.assert_frame_equal(weights()[list(published.columns)], published, check_dtype=False, rtol=1e-12)


def test_a_version_that_was_published_is_never_edited():
    first = hashlib.sha256(Path(__file__).with_name("weights_1.csv").read_bytes()).hexdigest()
    assert first == "67b78e9df1f539117f87d57a1ea96cca4ae5aea8e3fca77476c82268638ccb28"


def test_the_weights_table_sums_to_one_within_and_across():
    table = weights_table()
    assert (table["sub_signal_weight"] * table["term_weight"]).sum() == pytest.approx(1, abs=1e-12)
    assert table.groupby("sub_signal")["term_weight"].sum().to_numpy() == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"weights": WEIGHTS | {"trend": 0.5}}, "sum to"),
        ({"weights": dict.fromkeys(SUB_SIGNALS[:4], 0.25)}, "needs a weight"),
        ({"weights": WEIGHTS | {"trend": 0.6, "momentum": 0.0}}, "needs a weight"),
        ({"buy": 0.0}, "0 < buy"),
        ({"buy": 0.7}, "0 < buy"),
        ({"strong": 1.0}, "0 < buy"),
        ({"reasons": {"trend": "because"}}, "no reason given for buy"),
    ],
)
def test_an_unsound_model_is_refused(changes, named):
    with pytest.raises(ValueError, match=named):
        replace(MODEL, **changes)


@pytest.mark.parametrize(
    ("score", "action"),
    [
        (-1.0, "strong_sell"),
        (-0.6, "strong_sell"),
        (np.nextafter(-0.6, 0), "sell"),
        (-0.2, "sell"),
        (np.nextafter(-0.2, 0), "hold"),
        (0.0, "hold"),
        (np.nextafter(0.2, 0), "hold"),
        (0.2, "buy"),
        (np.nextafter(0.6, 0), "buy"),
        (0.6, "strong_buy"),
        (1.0, "strong_buy"),
    ],
)
def test_a_score_on_a_threshold_belongs_to_the_stronger_action(score, action):
    assert list(MODEL.actions(np.array([score]))) == [action]


def test_trend_and_momentum_at_their_limit_reach_a_strong_action():
    assert MODEL.weights["trend"] + MODEL.weights["momentum"] >= MODEL.strong
