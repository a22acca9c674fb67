"""Which edition of the program this is. The build of ddns.exe puts a module of its own in the place of this one."""

#: Follows the version in `ddns --version`; empty, or a blank and a remark in parentheses.
NOTE = ""
