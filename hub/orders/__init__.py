"""Room 2, what we hold true: facts fold into orders, orders' changes become events. Pure, no `await`."""
