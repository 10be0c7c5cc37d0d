"""The results as people read them: tables, the goals, plots."""
