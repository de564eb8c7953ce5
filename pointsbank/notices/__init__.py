"""Notices: what is shown in public for some working days, and who objects to it (公示).

Owns notices with their lines as they were shown, and objections with their clock. A notice is
filled from templates only: names masked without consent, no phone, no number of a document, no
attachment. It must never know what a ranking, a grade or a star is; rooms above hand it lines
and ask how it ended.
"""
