"""The pages of evaluation papers, democratic appraisals and organization life."""
