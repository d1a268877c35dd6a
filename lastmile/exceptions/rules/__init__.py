"""The rules, by what they look at: promises, the road, goods and their papers, places and people, the day's frame."""
