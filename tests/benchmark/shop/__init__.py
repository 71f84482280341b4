"""The system of the detection benchmark: gateway → orders → {inventory, pricing, payments}, with regressions to switch on.

`MUT=R04,D01` in the environment makes the named variants real, `NOISE=1` (or ids) the named noise. Without both it is a
well-behaved shop. What each id means stands beside the code that it changes: look for `active("R04")`.
"""
