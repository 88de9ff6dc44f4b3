"""Drawings of triple tops: legs of 1 % a bar, so ATR is about 1.2 % and sigma 1 %.

Points: the peak and the trough before, three tops with two valleys between them, end.
"""

from bist_pipeline_tests.patterns.drawing import Drawing, Fixture

_TOP = Drawing(
    points=((8, 0.08), (14, 0.02), (32, 0.20), (40, 0.12), (48, 0.20), (56, 0.12), (64, 0.20), (81, 0.03)),
)

DRAWINGS = (
    Fixture(
        "triple_top",
        passes=_TOP.moved({5: (56, 0.125), 6: (64, 0.194)}),
        # The mean of the tops is 0.198, 0.078 above the lower valley.
        ends=(0.12 - 0.078, 0.20),
        breaks={
            "tops_level": _TOP.moved({6: (60, 0.155), 7: (77, 0.01)}),
            "valleys_deep": _TOP.moved({3: (35, 0.17), 4: (38, 0.20), 5: (46, 0.12), 6: (54, 0.20), 7: (71, 0.03)}),
            "no_head": _TOP.moved({4: (50, 0.2075), 5: (60, 0.12), 6: (68, 0.20), 7: (85, 0.03)}),
            "long_enough": _TOP.moved({3: (62, 0.12), 4: (92, 0.20), 5: (124, 0.12), 6: (154, 0.20), 7: (171, 0.03)}),
            # The peak before is higher than the first top.
            "rise_before": Drawing(
                points=(
                    (22, 0.202),
                    (42, 0.02),
                    (60, 0.20),
                    (68, 0.12),
                    (76, 0.20),
                    (84, 0.12),
                    (92, 0.20),
                    (109, 0.03),
                ),
            ),
        },
    ),
)
