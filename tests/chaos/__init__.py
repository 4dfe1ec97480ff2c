"""Real processes killed at any moment: `make chaos` and `make killpoints`. Not part of the suite."""
