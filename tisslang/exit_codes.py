"""How `tiss` ends (language reference, sections 9 and 15); `errors.KINDS` has those of errors."""

EXIT_PASSED = 0
EXIT_FOUND = 1  # lint has findings, fmt would change a file
EXIT_USAGE = 2
EXIT_SCRIPT = 3  # syntax or static error
EXIT_SECURITY = 5
EXIT_INTERNAL = 70
EXIT_INTERRUPTED = 130
