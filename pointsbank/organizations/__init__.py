"""Organizations: the tree from the district to the building, and the merchants beside it.

Owns which organization stands under which, by a materialized path, and which merchant belongs
where, so that every other room can scope by subtree. What a merchant offers is not its
business. It must never know a person.
"""
