"""Memory: SQL lives here and nowhere else. One text for SQLite and PostgreSQL, every operation takes many."""
