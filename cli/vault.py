"""`mem vault`: secrets, sealed. They are never in a prompt, an embedding, a log or an export."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from app.clock import now
from app.errors import BadRequest, NothingFound, Refused
from cli.options import HomeOption, JsonOption, YesOption, confirmed, new_app, opened
from cli.output import document, say, table

app = new_app()

PASSPHRASE = "MEM_VAULT_PASSPHRASE"


@app.callback()
def vault() -> None:
    """Secrets, sealed with a passphrase of their own.

    Example: mem vault set bank-pin
    """


@app.command("set")
def set_(
    name: Annotated[str, typer.Argument(help="What it is called.")],
    kind: Annotated[str, typer.Option("--kind", help="What sort of secret.")] = "secret",
    home: HomeOption = None,
) -> None:
    """Seal a secret: asked for at a terminal, else read from standard input, never taken from the command line.

    Example: mem vault set bank-pin < pin.txt
    """
    from app.vault import Vault

    with opened(home) as memory:
        kept = Vault(memory.store)
        if not kept.ready:
            kept.set_passphrase(_new_passphrase(), now())
        secret = _hidden("Secret: ") if sys.stdin.isatty() else sys.stdin.read().rstrip("\n")
        if not secret:
            raise BadRequest("The secret is empty.", "Type it, or give it on standard input.")
        kept.put(name, secret, now(), kind)
    say(f"Sealed {name}.")


@app.command()
def get(name: Annotated[str, typer.Argument(help="What it is called.")], home: HomeOption = None) -> None:
    """Print a secret in the clear.

    Example: mem vault get bank-pin
    """
    from app.vault import Vault

    with opened(home, read_only=True) as memory:
        print(Vault(memory.store).get(name, _passphrase()))


@app.command("list")
def list_secrets(json: JsonOption = False, home: HomeOption = None) -> None:
    """Names and kinds; never the secrets.

    Example: mem vault list
    """
    from app.vault import Vault

    with opened(home) as memory:
        found = Vault(memory.store).secrets()
    if json:
        document([{"name": s.name, "kind": s.kind, "created_at": s.created_at} for s in found])
    if not found:
        raise NothingFound("The vault is empty.", "Seal something: mem vault set NAME.")
    if not json:
        table([(s.name, s.kind, s.created_at[:10]) for s in found], ("name", "kind", "since"))


@app.command()
def rm(
    name: Annotated[str, typer.Argument(help="What it is called.")],
    yes: YesOption = False,
    home: HomeOption = None,
) -> None:
    """Erase a secret.

    Example: mem vault rm bank-pin --yes
    """
    from app.vault import Vault

    with opened(home) as memory:
        confirmed(f"Erase {name}?", yes)
        Vault(memory.store).remove(name, now())
    say(f"Erased {name}.")


def _passphrase() -> str:
    return os.environ.get(PASSPHRASE) or _hidden("Passphrase of the vault: ")


def _new_passphrase() -> str:
    if given := os.environ.get(PASSPHRASE):
        return given
    first = _hidden("A passphrase for the vault: ")
    if _hidden("Once more: ") != first:
        raise BadRequest("The two are not the same.", "Try again.")
    return first


def _hidden(question: str) -> str:
    if not sys.stdin.isatty():
        raise Refused("The vault needs its passphrase.", f"Run it in a terminal, or set {PASSPHRASE}.")
    from getpass import getpass

    return getpass(question, stream=sys.stderr)
