"""The pages of the passbook and of what members do with their points by themselves."""
