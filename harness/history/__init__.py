"""What runs left behind: rows in a database, and verdicts on how they moved.

Nothing is imported here: a session that only looks at an option must not load the database.
"""
