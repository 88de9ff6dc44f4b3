"""Rectangle and channels, drawn."""

from bist_pipeline_tests.patterns.drawing import Drawing, Fixture

RECTANGLE = Drawing(((12, 0.10), (20, 0.03), (28, 0.10), (36, 0.03), (44, 0.10), (48, 0.06), (56, 0.16)))
CHANNEL = Drawing(((12, 0.10), (18, 0.05), (28, 0.13), (34, 0.08), (44, 0.16), (54, 0.05)))
_LONG = {1: (32, 0.03), 2: (37, 0.10), 3: (42, 0.03), 4: (47, 0.10), 5: (51, 0.06), 6: (58, 0.16)}

DRAWINGS = (
    Fixture(
        "rectangle",
        passes=RECTANGLE,
        ends=(0.17, 0.03),
        breaks={
            "both_flat": RECTANGLE.moved({3: (36, 0.034)}),
            # Sixty bars long: lines that rise by less than 0.02 ATR a bar rise by more than an ATR.
            "flat_over_length": Drawing(
                ((12, 0.10), (27, 0.03), (42, 0.1035), (57, 0.0335), (72, 0.107), (78, 0.07), (90, 0.2))
            ),
            # 7 % high at first, 4.7 % at the end.
            "same_height": Drawing(
                ((12, 0.07), (24, 0.003), (36, 0.064), (48, 0.009), (60, 0.058), (64, 0.035), (70, 0.12)), reach=0.008
            ),
            "length": Drawing(((12, 0.10), (47, 0.0), (82, 0.10), (117, 0.0), (152, 0.10), (160, 0.07), (175, 0.17))),
            "tall_enough": Drawing(
                ((12, 0.059), (20, 0.018), (28, 0.059), (36, 0.018), (44, 0.059), (49, 0.02), (54, 0.09)), reach=0.008
            ),
            "touches": RECTANGLE.moved({2: (28, 0.09)}),
            "side_to_side": RECTANGLE.moved(_LONG),
            "contained": RECTANGLE.moved(closes={29: 0.103}, locked=(29,)),
        },
    ),
    Fixture(
        "rising_channel",
        passes=CHANNEL,
        # The lines rise by 0.1875 % a bar, 6.125 % apart; at bar 49 the lower one is at 0.108125.
        ends=(0.108125 - 0.06125, 0.108125 + 0.06125),
        breaks={
            "top_rises": CHANNEL.moved({2: (28, 0.1022), 3: (34, 0.0532), 4: (44, 0.1044)}),
            "bottom_rises": CHANNEL.moved({2: (28, 0.105), 3: (34, 0.0525), 4: (44, 0.11)}),
            "parallel": CHANNEL.moved({3: (34, 0.0765)}),
            "length": Drawing(((12, 0.10), (47, 0.0), (82, 0.17), (117, 0.07), (152, 0.24), (175, 0.0))),
            "tall_enough": Drawing(
                ((12, 0.057), (20, 0.02), (28, 0.067), (36, 0.03), (44, 0.077), (54, 0.0)), reach=0.008
            ),
            "touches": CHANNEL.moved({2: (28, 0.119)}),
            "side_to_side": CHANNEL.moved(
                {1: (15, 0.04), 2: (33, 0.163), 3: (36, 0.103), 4: (41, 0.187), 5: (48, 0.08)}
            ),
            "contained": CHANNEL.moved(closes={29: 0.135}, locked=(29,)),
        },
    ),
)
