"""The pages of merchants' statements, and of what is reported from them."""
