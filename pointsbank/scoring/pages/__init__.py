"""The pages of scoring: manual adjustments, versions of the standard and their drafts."""
