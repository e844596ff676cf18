"""`striate completion`: a script that lets a shell complete commands and flags."""

from __future__ import annotations

from typing import Literal

from striate.cli.output import Output

__all__ = ["completion"]


def completion(shell: Literal["bash", "zsh", "fish", "powershell"], /) -> int:
    """Print a completion script for your shell.

    For bash: striate completion bash > ~/.local/share/bash-completion/completions/striate

    For zsh: striate completion zsh > "${fpath[1]}/_striate"

    For fish: striate completion fish > ~/.config/fish/completions/striate.fish

    Args:
        shell: Your shell.
    """
    from striate.cli.app import whole_app

    Output().text(whole_app().generate_completion(shell=shell) + "\n")
    return 0
