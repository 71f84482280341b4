"""The downstream calls of a request, compared by what each protocol means by "the same call"."""
