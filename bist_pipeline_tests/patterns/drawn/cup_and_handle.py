"""Drawings of cups with handle: a rise of 1 % a bar, a round bottom of six straight pieces, a handle of three bars.

Points: left rim, two on the way down, low, two on the way up, right rim, the handle's low, end. The bars that leave the
handle have five times the usual volume.
"""

from bist_pipeline_tests.patterns.drawing import Drawing, Fixture

_CUP = Drawing(
    points=(
        (40, 0.40),
        (48, 0.28),
        (56, 0.22),
        (64, 0.20),
        (72, 0.22),
        (80, 0.28),
        (92, 0.40),
        (95, 0.37),
        (103, 0.45),
    ),
    volumes={98: 5.0, 99: 5.0, 100: 5.0},
)

DRAWINGS = (
    Fixture(
        "cup_and_handle",
        passes=_CUP,
        # 20 % deep, rims at 40 %.
        ends=(0.60, 0.30),
        breaks={
            "rims_level": _CUP.moved({6: (86, 0.34), 7: (88, 0.32), 8: (101, 0.45)}),
            "depth": _CUP.moved({1: (48, 0.33), 2: (56, 0.30), 3: (64, 0.29), 4: (72, 0.30), 5: (80, 0.33)}),
            # The right rim is the second, lower one of two peaks.
            "rims_highest": Drawing(
                points=(*_CUP.points[:6], (93, 0.415), (96, 0.385), (98, 0.405), (101, 0.375), (109, 0.45)),
            ),
            # One bar takes the handle from the rim to below the middle.
            "handle_high": _CUP.moved({7: (93, 0.28)}),
            # From 0 to the left rim it is 20 %.
            "rise_before": Drawing(
                points=(
                    (20, 0.20),
                    (28, 0.10),
                    (36, 0.05),
                    (44, 0.03),
                    (52, 0.05),
                    (60, 0.10),
                    (70, 0.20),
                    (73, 0.17),
                    (80, 0.25),
                ),
            ),
            # Steep walls and a flat floor: a box.
            "round": Drawing(
                points=(
                    (40, 0.40),
                    (43, 0.22),
                    (75, 0.20),
                    (105, 0.22),
                    (108, 0.40),
                    (111, 0.37),
                    (119, 0.45),
                ),
            ),
            "not_a_v": Drawing(points=((40, 0.40), (64, 0.20), (88, 0.40), (91, 0.37), (99, 0.45))),
        },
    ),
)
