"""Rankings: the standing of members and branches in an evaluation period, and why it is so.

Owns the roll-up of score entries into standings, which a job makes again from its sources at
any time. Spending points changes no standing. Who may see a ranking is a setting, off for
members by default. It must never write to another room.
"""
