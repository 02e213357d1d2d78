"""What each channel's words mean, as YAML an operator can read, edit and override file by file."""
