"""What stays true of values that are new in each run: which ids stand for each other, how far a time lies from its
request, how a token is made."""
