"""The routing benchmark: engines side by side on seeded instances and on real files, static and mid-day."""
