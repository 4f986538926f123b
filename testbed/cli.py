# SPDX-License-Identifier: MIT
"""The command line for people: `python -m testbed up|status|logs|down`, and the pieces: `engine|base|image`."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence

from testbed import leftovers
from testbed.baseimage import ensure_base
from testbed.bed import Testbed, end_on_sigterm
from testbed.container import Container
from testbed.docker import ensure_engine
from testbed.errors import TestbedError
from testbed.images import TESTBED, WORKLOAD, ensure_image


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; what a script wants to read is on stdout, everything else on stderr."""
    arguments = _parser().parse_args(argv)
    end_on_sigterm()
    try:
        code: int = arguments.run(arguments)
    except TestbedError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; everything that was started is removed", file=sys.stderr)
        return 130
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m testbed", description="Real parts for kit's tests and demo, in containers."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    up = commands.add_parser("up", help="start a testbed, print what it offers, stay until Ctrl-C")
    up.add_argument("--clusters", type=int, default=1, choices=range(9), metavar="N", help="how many clusters (1)")
    up.add_argument("--detach", action="store_true", help="print the testbed's id on stdout and leave it running")
    up.set_defaults(run=_up)
    status = commands.add_parser("status", help="list the testbeds that exist, and their parts")
    status.set_defaults(run=_status)
    logs = commands.add_parser("logs", help="print a part's log: registry, git, cluster-a, or cluster-a/kubelet")
    logs.add_argument("part", help="a part's name; for a program of a cluster, cluster-a/kube-apiserver and the like")
    logs.add_argument(
        "--testbed", metavar="ID", default=os.environ.get("KIT_TESTBED"), help="which one, where several run"
    )
    logs.set_defaults(run=_logs)
    info = commands.add_parser("info", help="print what a running testbed offers, and write its kubeconfigs")
    info.add_argument(
        "testbed", nargs="?", metavar="ID", default=os.environ.get("KIT_TESTBED"), help="which one, where several run"
    )
    info.set_defaults(run=_info)
    down = commands.add_parser("down", help="remove a testbed (all of them without an id)")
    down.add_argument("testbed", nargs="*", metavar="ID")
    down.set_defaults(run=_down)
    for name, function, text in (
        ("engine", _engine, "make sure that a Docker engine answers; prints its version"),
        ("base", _base, "make sure that a base image is here; prints the reference for --build-arg BASE="),
        ("image", _image, "build the testbed's images if they are not here; prints the reference"),
    ):
        commands.add_parser(name, help=text).set_defaults(run=function)
    return parser


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _engine(_: argparse.Namespace) -> int:
    print(ensure_engine(_say))
    return 0


def _base(_: argparse.Namespace) -> int:
    print(ensure_base(_say))
    return 0


def _image(_: argparse.Namespace) -> int:
    print(ensure_image(TESTBED, _say))
    ensure_image(WORKLOAD, _say)
    return 0


def _up(arguments: argparse.Namespace) -> int:
    bed = Testbed.start(arguments.clusters, progress=_say, detach=arguments.detach)
    if arguments.detach:
        _describe(bed)
        print(bed.id)
        return 0
    with bed:
        _describe(bed)
        _say("Ctrl-C removes it.")
        while True:
            time.sleep(3600)


def _describe(bed: Testbed) -> None:
    folder = leftovers.folder(bed.id)
    folder.mkdir(mode=0o700, exist_ok=True)
    _say(f"testbed {bed.id}")
    _say(f"  docker network   {bed.network}")
    _say(f"  image registry   {bed.registry.outside} on this machine, {bed.registry.inside} in the network")
    _say(f"  git              http://127.0.0.1:{bed.git.http_port}/NAME.git, in the network http://git/NAME.git")
    _say(f"                   user {bed.git.username}, password {bed.git.password}")
    for cluster in bed.clusters:
        file = folder / f"{cluster.name}.yaml"
        file.touch(mode=0o600)
        file.write_text(cluster.kubeconfig_outside)
        _say(f"  {cluster.name}        {cluster.server_outside}, in the network {cluster.server_inside}")
        _say(f"                   export KUBECONFIG={file}")
    _say(f"  tests use it with KIT_TESTBED={bed.id}")


def _info(arguments: argparse.Namespace) -> int:
    _describe(Testbed.attach(_only(arguments.testbed)))
    return 0


def _status(_: argparse.Namespace) -> int:
    beds = leftovers.find()
    if not beds:
        _say("no testbed runs; `python -m testbed up` starts one")
    for found in beds:
        print(f"testbed {found.bed}{' (left over; `down` removes it)' if found.is_leftover else ''}")
        for part in found.parts:
            print(f"  {part.part:<12} {part.status:<24} {part.ports}")
    return 0


def _logs(arguments: argparse.Namespace) -> int:
    part, _, program = arguments.part.partition("/")
    container = Container(_only(arguments.testbed), part)
    print(container.execute("cat", f"/var/log/kit/{program}.log").stdout if program else container.logs(), end="")
    return 0


def _only(wanted: str | None) -> str:
    """The testbed that is meant: the named one, or the only one there is."""
    beds = [found.bed for found in leftovers.find()]
    if wanted:
        return wanted
    if len(beds) != 1:
        raise TestbedError(f"{len(beds)} testbeds run ({', '.join(beds) or 'none'}); name one of them")
    return beds[0]


def _down(arguments: argparse.Namespace) -> int:
    wanted = arguments.testbed or [found.bed for found in leftovers.find()]
    for bed in wanted:
        _say(f"testbed {bed}: removing")
        leftovers.remove(bed)
    return 0
