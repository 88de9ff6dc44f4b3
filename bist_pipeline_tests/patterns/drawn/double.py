"""Drawings of double tops: legs of 1 % a bar, so ATR is about 1.2 % and sigma 1 %.

Points: the peak and the trough before, first top, valley, second top, end.
"""

from bist_pipeline_tests.patterns.drawing import Drawing, Fixture

_TOP = Drawing(points=((8, 0.08), (14, 0.02), (34, 0.22), (46, 0.10), (58, 0.22), (77, 0.03)))

DRAWINGS = (
    Fixture(
        "double_top",
        passes=_TOP.moved({4: (58, 0.215)}),
        # The mean of the tops is 0.1175 above the valley.
        ends=(0.10 - 0.1175, 0.22),
        breaks={
            "tops_level": _TOP.moved({3: (48, 0.08), 4: (59, 0.185), 5: (77, 0.01)}),
            "valley_deep": _TOP.moved({3: (42, 0.14), 4: (50, 0.22), 5: (69, 0.03)}),
            "tops_spaced": _TOP.moved({4: (100, 0.22), 5: (119, 0.03)}),
            # The peak before is higher than the first top.
            "rise_before": Drawing(points=((22, 0.222), (46, 0.02), (66, 0.22), (78, 0.10), (90, 0.22), (109, 0.03))),
        },
    ),
)
