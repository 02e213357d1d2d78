"""The admin's small endpoints: the route table, who may call, problems, and nothing that decides."""
