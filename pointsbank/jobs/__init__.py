"""Jobs: what the scheduler runs, each as one transaction under a unique (job, period) row."""
