"""The command: one thin file per sub-command, imported only when it is chosen."""
