"""The language server: what `tisslang.editing` knows, spoken in the Language Server Protocol.

`documents` are the open files, kept equal to the editor's text; `checking` publishes problems as
one types; `answers` are the replies to an editor's questions; `server` puts them together, and
`connection` is the conversation over standard input and output. Only this package needs pygls, and
loads it when a server starts.
"""
