"""Plain statistics of the price: dispersion, regression, rank.

Belongs here: one small file per indicator: its declaration and its formula. Does not belong here: what to conclude from
its value (`signals/`), nor symbols, sessions or missing bars.
"""
