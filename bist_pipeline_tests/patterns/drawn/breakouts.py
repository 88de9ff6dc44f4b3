"""Drawings of breakouts: quiet bars below 0.2 %, then a rise."""

from dataclasses import replace

from bist_pipeline_tests.patterns.drawing import Drawing, Fixture, wilder


def breakout(name: str, quiet_bars: int) -> Fixture:
    rise = Drawing(points=((3, 0.06),), quiet_bars=quiet_bars)
    return Fixture(
        name,
        passes=rise,
        # The level is the high of the quiet bars; the bar that breaks it reaches from their close, 0, to 2.2 %.
        ends=(0.002 + 4 * wilder(0.022), 0.002 - 2 * wilder(0.022)),
        breaks={
            "beyond_margin": Drawing(points=((1, 0.0066), (6, -0.03)), quiet_bars=quiet_bars),
            # The level is the high of a bar whose volume is lost.
            "ordinary_level": replace(rise, shapes={-4: (0.0, 0.01, -0.002, 0.0)}, volumes={-4: 0.0}),
            # The second bar of the rise closes beyond the high of the first.
            "first_for_a_while": rise,
        },
    )


DRAWINGS = (breakout("breakout_20_day", 90), breakout("breakout_55_day", 90), breakout("breakout_52_week", 300))
