# SPDX-License-Identifier: MIT
"""Files that lie encrypted in a repository: made, read, edited, and brought to another key.

`place` reads what is named and puts files in their place, whole or not at all; `git` says whether it would take a file
along. `sealed` goes from the bytes of an encrypted file to its text and back, and knows what is a mistake (`kit_core`'s
`envfile` knows the forms). `keys` makes a key and finds one. `editing` opens an editor on a text in a folder that no
disk holds (`ramfolder`). For another key, `search` finds the files of a repository, `turning` turns one file, with
`inline` for the encrypted values within it, and `rekeying` does so with all of them or with none.
"""
