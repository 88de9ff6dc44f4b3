import numpy as np
import pytest

from bist_pipeline.plots.scores import score_histogram, top_scores_bar
from bist_pipeline_tests.plots.pictures import coloured, make_signals

DEEP_BLUE, DEEP_VERMILION = "#005A94", "#B34700"


def test_the_histogram_puts_sells_left_and_buys_right():
    png = score_histogram(make_signals(600), buy=0.2, strong=0.6)
    assert np.nonzero(coloured(png, DEEP_VERMILION))[1].max() < 200
    assert np.nonzero(coloured(png, DEEP_BLUE))[1].min() > 440


def test_the_thresholds_are_the_models_own():
    signals = make_signals(200)
    assert score_histogram(signals, buy=0.2, strong=0.6) != score_histogram(signals, buy=0.3, strong=0.6)


def test_scores_at_the_very_ends_are_drawn():
    signals = make_signals(2).assign(score=[-1.0, 1.0], action=["strong_sell", "strong_buy"])
    png = score_histogram(signals, buy=0.2, strong=0.6)
    assert coloured(png, DEEP_BLUE).any()
    assert coloured(png, DEEP_VERMILION).any()


def test_the_ranking_holds_the_ends_and_nothing_else():
    signals = make_signals(300)
    ordered = signals.sort_values("score")
    ends = ordered.iloc[[*range(10), *range(-10, 0)]]
    assert top_scores_bar(ends) == top_scores_bar(signals)


def test_equal_scores_are_ranked_by_symbol_whatever_their_order():
    signals = make_signals(40).assign(score=0.5, action="buy", confidence=0.5)
    assert top_scores_bar(signals) == top_scores_bar(signals.sample(frac=1, random_state=2))


@pytest.mark.parametrize(("sign", "half"), [(1, slice(320, 640)), (-1, slice(0, 320))])
def test_a_positive_score_is_never_among_the_lowest(sign, half):
    signals = make_signals(30)
    signals["score"] = sign * signals["score"].abs()
    signals["action"] = "strong_buy" if sign > 0 else "strong_sell"
    png = top_scores_bar(signals)
    colour = DEEP_BLUE if sign > 0 else DEEP_VERMILION
    assert coloured(png, colour).any()
    assert not coloured(png, colour)[:, half].any()
