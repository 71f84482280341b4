"""PostgreSQL's wire protocol 3.0 and 3.2, after the PostgreSQL 18 docs, chapter 54. PURE."""
