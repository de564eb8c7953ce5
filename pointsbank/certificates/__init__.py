"""Certificates: stars of volunteers and of organizations, awarded after a public notice.

Owns the levels of service time, applications for a star, and the plans of organizations that
apply for theirs (五星创建). A star is applied for, shown in public and then awarded; it is
never given by a machine alone.
"""
