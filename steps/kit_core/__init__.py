# SPDX-License-Identifier: MIT
"""What every step shares; knows no step.

In the order in which a run uses it: `entry` takes arguments and signals and turns errors into exit codes;
`settings` turns environment variables and options into the step's typed settings (`declare` holds what a declaration
is, `convert` the types, `names` the rules for variables, `cli` the command line); `secrets` keeps values from being
printed, `credentials` knows what looks like one; `ci` knows what each CI service sets and how its log folds;
`console` is everything a person sees (`render` draws it for people, CI services and machines, `live` what is awaited
on a terminal; `libraries` hands on what those log); `yamlio` reads YAML with positions (`yamlnodes` its nodes,
`yamlwords` what a plain word means); `files` reads and writes files with errors that say what to do, `network` knows
proxies and certificates; `errors` holds the error tree, each class with its exit code; `container` is process 1's child
in the images; `reference` writes the settings tables of READMEs.
Steps that read encrypted files use `keys` (the AES key and where it comes from), `envfile` (the forms; `jet` for those
that only CodeShip's program reads) and `dotenv` (KEY=value lines). `memory` has files for those who take only paths.
"""
