"""Tasks: every kind of work that can be claimed, its shifts, and who claimed a place.

Owns tasks, shifts and claims, the waiting list and its order. Nobody is ever assigned: a claim
is made by the person it is for (Regulations on Volunteer Service, article 25). It must never
know whether somebody came; attendance does.
"""
