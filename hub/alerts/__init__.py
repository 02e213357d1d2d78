"""The room that wakes people: what is wrong becomes news for the world and messages for whom it concerns.

watch      an exception that opens or closes: an event, and an alarm for each alert that wants it
voice      alarms become messages, gathered and bounded, and are remembered as said
message    the words; pure
"""
