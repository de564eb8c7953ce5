"""Jobs: what the scheduler runs, each as one transaction under a unique (job, period) row.

Owns the table of jobs, the scheduler's lease and the record of runs. A job calls the services
of the rooms and has no rule of its own. It must never send anything outward or keep state in
memory.
"""
