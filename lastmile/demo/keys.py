"""Under which settings a database keeps that it holds the demo, and what the demo is unless somebody says otherwise."""

KEY = "demo"
BREAKDOWNS = "demo_breakdowns"

SEED = 7
DAYS = 28
SPEED = 1.0
