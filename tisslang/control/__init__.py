"""The statements that hold other statements: one file an idea, one function `fn(walk, node)` each.

They are found in `tisslang.walk.BLOCKS`, and use `walk.body(…)` to run what they hold.
"""
