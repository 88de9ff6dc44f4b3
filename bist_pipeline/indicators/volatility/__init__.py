"""How widely the price moves: ranges, bands, channels.

Belongs here: one small file per indicator: its declaration and its formula. Does not belong here: what to conclude from
its value (`signals/`), nor symbols, sessions or missing bars.
"""
