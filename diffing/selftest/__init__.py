"""The self-test: does the differ see what a change could do to this very capture?"""
