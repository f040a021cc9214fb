"""Numbers that say whether an evolution still learns."""
