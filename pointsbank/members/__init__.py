"""Members: people, the roles they hold, how they sign in, and the cards and codes they show.

Owns names, phones, passwords, sessions, roles, personal handles, redemption codes and paper
cards. Each member has one ledger account, member:{id}, opened with the member. It must never
know what a task or a reward is, and never hand a phone or a name to a log.
"""
