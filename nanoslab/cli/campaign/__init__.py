"""Commands that are given a study or the folder of a campaign."""
