"""The demonstration district: real organizations, invented people, three months made by the
real services.
"""
