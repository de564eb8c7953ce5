"""The HTML doors of tasks: finding and claiming, drafting and publishing."""
