"""Wedges, drawn."""

from bist_pipeline_tests.patterns.drawing import Drawing, Fixture

RISING = Drawing(((12, 0.12), (20, 0.04), (29, 0.15), (36, 0.10), (43, 0.175), (50, 0.08)))

DRAWINGS = (
    Fixture(
        "rising_wedge",
        passes=RISING,
        # Least squares through the peaks: 0.119952 at bar 12, 0.180263 at bar 46; through the troughs 0.01 and 0.1375.
        ends=(0.1375 - 0.109952, 0.180263),
        breaks={
            "top_rises": RISING.moved({2: (29, 0.123), 3: (36, 0.07), 4: (43, 0.1254)}),
            # A hundred bars long, so that lines which nearly run side by side meet soon enough.
            "bottom_rises_faster": Drawing(
                ((12, 0.10), (37, 0.051), (62, 0.13), (87, 0.0995), (112, 0.16), (130, 0.0)), reach=0.0105
            ),
            "way_to_apex": RISING.moved({3: (36, 0.081)}),
            "length": Drawing(((12, 0.12), (47, 0.0), (82, 0.14), (117, 0.06), (152, 0.16), (170, 0.0))),
            "tall_enough": Drawing(
                ((12, 0.05), (20, 0.018), (28, 0.057), (36, 0.032), (44, 0.064), (54, 0.0)), reach=0.008
            ),
            "touches": RISING.moved({2: (29, 0.139)}),
            "side_to_side": RISING.moved(
                {1: (16, 0.05), 2: (36, 0.156), 3: (40, 0.105), 4: (46, 0.171), 5: (54, 0.05)}
            ),
            "contained": RISING.moved(closes={30: 0.156}, locked=(30,)),
        },
    ),
)
