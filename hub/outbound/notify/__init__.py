"""The room that speaks to people: mail, short messages, chat bots and plain webhooks, by one interface."""
