"""The contestants. What each does, and what of its work is left out in its favour, is in the README."""
