"""Rectangle and channels, drawn."""

from bist_pipeline_tests.patterns.drawing import Drawing, Fixture

RECTANGLE = Drawing(((12, 0.10), (20, 0.03), (28, 0.10), (36, 0.03), (44, 0.10), (48, 0.06), (56, 0.16)))
CHANNEL = Drawing(((12, 0.10), (18, 0.05), (28, 0.13), (34, 0.08), (44, 0.16), (54, 0.05)))
_LONG = {1: (32, 0.03), 2: (37, 0.10), 3: (42, 0.03), 4: (47, 0.10), 5: (51, 0.06), 6: (58, 0.16)}

DRAWINGS = (
    Fixture(
        "rectangle",
        passes=RECTANGLE,
        breaks={
            "both_flat": RECTANGLE.moved({3: (36, 0.035)}),
            "length": Drawing(((12, 0.10), (47, 0.0), (82, 0.10), (117, 0.0), (152, 0.10), (160, 0.07), (175, 0.17))),
            "tall_enough": Drawing(
                ((12, 0.05), (20, 0.018), (28, 0.05), (36, 0.018), (44, 0.05), (49, 0.02), (54, 0.09)), reach=0.008
            ),
            "touches": RECTANGLE.moved({2: (28, 0.09)}),
            "side_to_side": RECTANGLE.moved(_LONG),
            "contained": RECTANGLE.moved(closes={29: 0.12}, locked=(29,)),
        },
    ),
    Fixture(
        "rising_channel",
        passes=CHANNEL,
        breaks={
            "top_rises": CHANNEL.moved({2: (28, 0.1016), 3: (34, 0.0532), 4: (44, 0.1032)}),
            "bottom_rises": CHANNEL.moved({2: (28, 0.105), 3: (34, 0.0525), 4: (44, 0.11)}),
            "parallel": CHANNEL.moved({3: (34, 0.0745)}),
            "length": Drawing(((12, 0.10), (47, 0.0), (82, 0.17), (117, 0.07), (152, 0.24), (175, 0.0))),
            "tall_enough": Drawing(
                ((12, 0.05), (20, 0.02), (28, 0.06), (36, 0.03), (44, 0.07), (54, 0.0)), reach=0.008
            ),
            "touches": CHANNEL.moved({2: (28, 0.119)}),
            "side_to_side": CHANNEL.moved(
                {1: (15, 0.04), 2: (33, 0.163), 3: (36, 0.103), 4: (41, 0.187), 5: (48, 0.08)}
            ),
            "contained": CHANNEL.moved(closes={29: 0.15}, locked=(29,)),
        },
    ),
)
