"""Room 1, the world's words come in: intake → messages → normalise → facts and orders."""
