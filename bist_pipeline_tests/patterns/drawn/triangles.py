"""Triangles, drawn."""

from bist_pipeline_tests.patterns.drawing import Drawing, Fixture

# Peaks at 12 %, troughs at 4 % and 6.5 %; the lines meet 56 bars after the first peak.
ASCENDING = Drawing(((12, 0.12), (20, 0.04), (29, 0.12), (35, 0.065), (41, 0.12), (45, 0.09), (52, 0.17)))
SYMMETRICAL = Drawing(((12, 0.14), (20, 0.03), (29, 0.122), (35, 0.055), (41, 0.11), (45, 0.08), (50, 0.15)))

DRAWINGS = (
    Fixture(
        "ascending_triangle",
        passes=ASCENDING,
        # The line through the troughs rises by 1/6 % a bar, from 0.02667 at the first peak to 0.08667 at bar 48.
        ends=(0.12 + 0.093333, 0.086667),
        breaks={
            "top_flat": ASCENDING.moved({2: (29, 0.124), 4: (41, 0.1272)}),
            "bottom_rises": Drawing(
                ((12, 0.05), (24, 0.01), (36, 0.045), (48, 0.0145), (60, 0.04), (66, 0.0), (72, 0.09)), reach=0.006
            ),
            # Sixty bars long: a top that rises by less than 0.02 ATR a bar rises by more than an ATR.
            "flat_over_length": Drawing(
                ((12, 0.10), (27, 0.0), (42, 0.1037), (57, 0.03), (72, 0.1074), (78, 0.07), (90, 0.2))
            ),
            "way_to_apex": ASCENDING.moved({3: (35, 0.05)}),
            "length": Drawing(((12, 0.12), (47, 0.0), (82, 0.12), (117, 0.05), (152, 0.12), (160, 0.09), (170, 0.17))),
            "tall_enough": Drawing(
                ((12, 0.05), (20, 0.018), (28, 0.05), (36, 0.026), (44, 0.05), (49, 0.01), (54, 0.09)), reach=0.008
            ),
            "touches": ASCENDING.moved({2: (29, 0.11)}),
            "side_to_side": ASCENDING.moved(
                {1: (32, 0.04), 2: (38, 0.12), 3: (42, 0.06), 4: (48, 0.12), 5: (52, 0.1), 6: (58, 0.17)}
            ),
            "contained": ASCENDING.moved(closes={25: 0.1235}, locked=(25,)),
        },
    ),
    Fixture(
        "symmetrical_triangle",
        passes=SYMMETRICAL,
        # Least squares through the peaks: 0.139887 at bar 12, 0.103623 at bar 47; through the troughs 0.016667, 0.075.
        ends=(0.103623 + 0.123220, 0.075),
        breaks={
            "both_close_in": SYMMETRICAL.moved({2: (29, 0.114), 3: (35, 0.0333), 4: (41, 0.09), 5: (45, 0.05)}),
            "way_to_apex": SYMMETRICAL.moved({2: (29, 0.134), 3: (35, 0.039), 4: (41, 0.13)}),
            "length": Drawing(((12, 0.14), (47, 0.0), (82, 0.12), (117, 0.05), (152, 0.10), (160, 0.09), (170, 0.17))),
            "tall_enough": Drawing(
                ((12, 0.052), (20, 0.018), (28, 0.047), (36, 0.024), (44, 0.0415), (49, 0.01), (54, 0.09)), reach=0.008
            ),
            "touches": SYMMETRICAL.moved({2: (29, 0.112)}),
            "side_to_side": SYMMETRICAL.moved(
                {1: (32, 0.04), 2: (38, 0.125), 3: (43, 0.065), 4: (49, 0.118), 5: (54, 0.06), 6: (60, 0.17)}
            ),
            "contained": SYMMETRICAL.moved({5: (46, 0.05)}, closes={24: 0.1315}, locked=(24,)),
        },
    ),
)
