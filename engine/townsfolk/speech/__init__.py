"""Speech: voices that say lines, ears that understand players, and what keeps words and sound together."""
