"""Pure: decides what is sensitive and replaces it before anything is written."""
