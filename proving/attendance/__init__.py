"""Claims and scans against a reference model: a small world, its steps, and what must hold."""
