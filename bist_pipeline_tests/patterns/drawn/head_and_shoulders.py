"""Drawings of head and shoulders: legs of 1 % a bar, so ATR is about 1.2 % and sigma 1 %.

Points: the peak and the trough before, left shoulder, armpit, head, armpit, right shoulder, end.
"""

from bist_pipeline_tests.patterns.drawing import Drawing, Fixture

_TOP = Drawing(
    points=((10, 0.10), (15, 0.05), (30, 0.20), (38, 0.12), (52, 0.26), (66, 0.12), (74, 0.20), (90, 0.04)),
)

DRAWINGS = (
    Fixture(
        "head_and_shoulders",
        passes=_TOP.moved({5: (66, 0.127)}),
        # The neckline rises by 0.025 % a bar: at the head it is at 0.1235, at bar 81 at 0.13075.
        ends=(0.13075 - 0.1365, 0.20),
        breaks={
            "head_above_shoulders": _TOP.moved({4: (46, 0.206), 5: (54, 0.12), 6: (62, 0.20), 7: (78, 0.04)}),
            "shoulders_level": _TOP.moved({6: (71, 0.165), 7: (87, 0.01)}),
            "armpits_level": _TOP.moved({5: (69, 0.085), 6: (81, 0.20), 7: (97, 0.04)}),
            # The peak before is higher than the left shoulder.
            "rise_before": Drawing(
                points=(
                    (21, 0.202),
                    (37, 0.05),
                    (52, 0.20),
                    (60, 0.12),
                    (74, 0.26),
                    (88, 0.12),
                    (96, 0.20),
                    (112, 0.04),
                ),
            ),
            "symmetric_in_time": _TOP.moved({5: (90, 0.12), 6: (120, 0.20), 7: (136, 0.04)}),
            # Shoulders so shallow that 2.8 % between them is more than half of one.
            "shoulders_above_middle": _TOP.moved(
                {3: (35, 0.15), 4: (46, 0.26), 5: (59, 0.13), 6: (63, 0.172), 7: (79, 0.01)}
            ),
            "armpits_below_middle": _TOP.moved(
                {3: (34, 0.16), 4: (44, 0.26), 5: (52, 0.185), 6: (55, 0.21), 7: (75, 0.01)}
            ),
            "tall_enough": _TOP.moved(
                {2: (32, 0.22), 3: (34, 0.20), 4: (38, 0.229), 5: (42, 0.20), 6: (44, 0.22), 7: (60, 0.06)}
            ),
        },
    ),
)
