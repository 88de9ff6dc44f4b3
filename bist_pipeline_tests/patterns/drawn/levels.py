"""Drawings of breaks of a horizontal level: three peaks at 10 %, legs of 1 % a bar, so that ATR stays near 1.2 %."""

from bist_pipeline_tests.patterns.drawing import Drawing, Fixture, wilder

_PASSES = Drawing(points=((10, 0.10), (20, 0.0), (30, 0.10), (40, 0.0), (50, 0.10), (60, 0.02), (72, 0.14)))

DRAWINGS = (
    Fixture(
        pattern="level_breakout",
        passes=_PASSES,
        # The third peak is confirmed four bars later, at a low of 0.0656. The first leg has 0.98 % a bar, the others
        # 0.96 %.
        ends=(0.10 + 0.0344, 0.10 - wilder(*(0.0118,) * 10, *(0.0116,) * 40)),
        breaks={
            "touches": Drawing(points=((10, 0.10), (21, 0.0), (32, 0.10), (38, 0.04))),
            # Each peak half an ATR above the one before: all are chained together.
            "narrow": Drawing(
                points=(
                    *((10, 0.1), (20, 0.0), (30, 0.1055), (40, 0.0), (50, 0.111), (60, 0.0)),
                    *((70, 0.1165), (80, 0.0), (90, 0.122), (100, 0.0)),
                )
            ),
            "lasting": Drawing(points=((10, 0.10), (14, 0.06), (18, 0.10), (22, 0.06), (26, 0.10), (32, 0.04))),
            # The bar that confirms the third peak falls by 9 %: five times what ATR is after it.
            "within_reach": _PASSES.moved({5: (51, 0.008), 6: (54, -0.02)}),
        },
    ),
)
