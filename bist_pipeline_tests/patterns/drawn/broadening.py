"""Broadening patterns, drawn."""

from bist_pipeline_tests.patterns.drawing import Drawing, Fixture

TOP = Drawing(((12, 0.10), (18, 0.06), (25, 0.12), (33, 0.03), (42, 0.145), (58, -0.05)))

DRAWINGS = (
    Fixture(
        "broadening_top",
        passes=TOP,
        # At bar 56 the line through the troughs is at −1.6 %, that through the peaks (least squares) at 16.6 %; they
        # are 13.3 % apart at the last peak.
        ends=(-0.149144, 0.166123),
        breaks={
            "top_rises": TOP.moved({2: (25, 0.1026), 4: (42, 0.1052)}),
            "bottom_falls": TOP.moved({3: (33, 0.0572)}),
            "each_swing_wider": Drawing(((12, 0.10), (16, 0.05), (20, 0.108), (25, 0.02), (31, 0.107), (45, -0.06))),
            "length": Drawing(((12, 0.10), (47, 0.05), (82, 0.14), (117, 0.01), (152, 0.18), (175, -0.1))),
            "tall_enough": Drawing(
                ((12, 0.04), (20, 0.016), (28, 0.046), (36, 0.010), (44, 0.052), (54, -0.03)), reach=0.008
            ),
            "touches": TOP.moved({2: (25, 0.108)}),
            "side_to_side": TOP.moved({3: (29, 0.05), 4: (52, 0.17), 5: (70, -0.05)}),
            "contained": TOP.moved(closes={26: 0.125}, locked=(26,)),
        },
    ),
)
