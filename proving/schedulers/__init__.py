"""Schedulers that contend for one lease while they are killed and stopped."""
