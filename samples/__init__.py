"""The sample system, sample captures and the frozen files of every format version."""
