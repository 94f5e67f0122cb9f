"""What each repair decides: plans and merges, without any bucket."""
