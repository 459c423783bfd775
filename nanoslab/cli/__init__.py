"""The command: one thin file per sub-command, imported only when it is chosen; its line is in the table of `main`.

A command lies in the room of what it is given: `building` a crystal and numbers, `measuring` a structure, `campaign`
a study or a campaign, `runs` folders of finished runs, `beam` a voltage or a dose.
"""
