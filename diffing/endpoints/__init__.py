"""What is asked of whom: paths, keys and statements with their values taken out."""
