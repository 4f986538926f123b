# SPDX-License-Identifier: MIT
"""One cluster, from looking at it to the end of its deploy.

`preparing` reads the cluster (first `namespaces`, then `survey`) and makes the plan. `rollout` carries it out:
`applying` sends an action (`refusals` says what a server's no means), `depending` holds back what waits for others,
`healthy` waits (`waiting`) until `health` has its verdict, `switching` lets Services change over and takes away what
nobody needs. `record` knows at any moment what has been done, `remembering` keeps it on the cluster.
"""
