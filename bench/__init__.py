"""The performance suite: Seamline and its peers in one run, as ratios."""
