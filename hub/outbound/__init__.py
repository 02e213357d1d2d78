"""Room 3, our words go out: deliveries to endpoints, writes to far sides, behind one guard."""
