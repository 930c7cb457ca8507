"""After a command the operator's next `git` runs nothing that the command left.

| file | what it says |
|---|---|
| `repositories.py` | the guard: before a command a look at all repositories, after it a repair |
| `names.py` | what git looks for, in a `.git` and in any directory |
| `git_directory.py` | what git takes for a repository; what may stay in a new one |
| `git_config.py` | the keys of a config that run nothing |
| `targets.py` | places outside a `.git` that its links and settings lead to |
| `snapshots.py` | trees as they were, and restoring them |
| `directories.py` | going down a hostile tree on descriptors, and removing one |
"""
