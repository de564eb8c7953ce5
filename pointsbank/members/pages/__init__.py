"""The HTML doors of people, one file for each kind of visitor."""
