"""One folder is one channel; each knows `hub.contract` and nothing else of the hub."""
