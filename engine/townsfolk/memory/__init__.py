"""What characters remember: pure ranking and records, and the stores that keep them."""
