"""The pages of the rankings: the list and why a rank is so, the dashboard, its reports."""
