"""Drawings of a falling line through three peaks; the legs rise and fall by 1 % a bar, so that ATR stays near 1.2 %."""

from bist_pipeline_tests.patterns.drawing import Drawing, Fixture

_PASSES = Drawing(
    points=((20, 0.20), (33, 0.07), (44, 0.176), (57, 0.046), (68, 0.152), (78, 0.05), (95, 0.22)),
)

DRAWINGS = (
    Fixture(
        pattern="falling_trendline_break",
        passes=_PASSES,
        # The line falls by 0.1 % a bar; at bar 87 it is at 0.133. Both troughs lie 0.117 below it. The last peak is
        # confirmed three bars later, at a low of 0.1186.
        ends=(0.133 + 0.117, 0.1186),
        breaks={
            "falling": _PASSES.moved({2: (46, 0.195), 3: (59, 0.07), 4: (72, 0.19), 5: (82, 0.10), 6: (84, 0.12)}),
            "touches": Drawing(points=((20, 0.20), (33, 0.07), (44, 0.176), (52, 0.10))),
            # A peak between the second touch and the third rises 0.5 % over the line.
            "no_close_through": Drawing(
                points=(
                    *((20, 0.20), (33, 0.07), (44, 0.176), (56, 0.06), (68, 0.157)),
                    *((82, 0.06), (92, 0.128), (100, 0.05)),
                )
            ),
            # The bar that confirms the third touch falls by 11 %.
            "within_reach": _PASSES.moved({5: (69, 0.04), 6: (73, 0.0)}),
        },
    ),
)
