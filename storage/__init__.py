"""SQLite, full text, vectors, journal and backup. Knows rows; nothing of models or meaning."""
