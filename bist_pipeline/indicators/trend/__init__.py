"""Where the price is heading: averages, stops, directional movement.

Belongs here: one small file per indicator: its declaration and its formula. Does not belong here: what to conclude from
its value (`signals/`), nor symbols, sessions or missing bars.
"""
