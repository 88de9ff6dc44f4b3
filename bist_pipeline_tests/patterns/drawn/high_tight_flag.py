"""The high-tight flag, drawn."""

from bist_pipeline_tests.patterns.drawing import Drawing, Fixture

# A doubling in forty bars, then a rest of eighteen.
FLAG = Drawing(((5, -0.02), (45, 0.70), (55, 0.55), (63, 0.60), (68, 0.80)))

DRAWINGS = (
    Fixture(
        "high_tight_flag",
        passes=FLAG,
        ends=(0.70 + 0.72, 0.55),
        breaks={
            "rise": FLAG.moved({1: (45, 0.58), 2: (55, 0.43), 3: (63, 0.48), 4: (68, 0.68)}),
            "at_the_top": FLAG.moved({2: (52, 0.55), 3: (57, 0.706), 4: (64, 0.60)}),
            "pullback": FLAG.moved({2: (55, 0.608), 3: (63, 0.638)}),
        },
    ),
)
