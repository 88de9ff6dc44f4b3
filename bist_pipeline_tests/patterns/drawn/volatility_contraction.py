"""Drawings of volatility contractions: quiet for most of a year, a rise to 0.40, falls that become shallower.

Points: first high and its low, and so on, end. The bars that leave it have five times the usual volume.
"""

from bist_pipeline_tests.patterns.drawing import Drawing, Fixture

_THREE = Drawing(
    points=((50, 0.40), (65, 0.25), (79, 0.39), (89, 0.29), (98, 0.38), (104, 0.32), (115, 0.43)),
    quiet_bars=220,
    volumes=dict.fromkeys(range(108, 116), 5.0),
)
_TWO = Drawing(points=((50, 0.40), (60, 0.30), (69, 0.39), (75, 0.33), (85, 0.43)), quiet_bars=220)

DRAWINGS = (
    Fixture(
        "volatility_contraction",
        passes=_THREE,
        # The first fall is 0.15 deep.
        ends=(0.38 + 0.15, 0.32),
        breaks={
            "first_depth": _TWO.moved({1: (58, 0.325), 2: (65, 0.395), 3: (69, 0.355), 4: (77, 0.43)}),
            "contracting": _TWO.moved({3: (77, 0.31), 4: (89, 0.43)}),
            "first_highest": _TWO.moved({2: (71, 0.41), 3: (77, 0.35), 4: (87, 0.45)}),
            "highs_level": _TWO.moved({2: (65, 0.345), 3: (69, 0.30), 4: (82, 0.43)}),
            # A month and a half before the first high it stood 7 % higher.
            "highest_of_window": Drawing(
                points=((18, 0.47), (33, 0.20), (55, 0.40), (65, 0.30), (74, 0.39), (80, 0.33), (90, 0.43)),
                quiet_bars=220,
            ),
            "length": _TWO.moved({1: (54, 0.30), 2: (58, 0.39), 3: (61, 0.34), 4: (67, 0.43)}),
            # Half a year after a fall by half it still lies under its longest average and its year's high.
            "trend_template": Drawing(
                points=((60, -0.60), (150, -0.30), (160, -0.40), (169, -0.31), (175, -0.37), (185, -0.27)),
                quiet_bars=220,
            ),
        },
    ),
)
