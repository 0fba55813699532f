"""Puts the rules of firewalld into this network namespace, without D-Bus: firewalld.py CONFIG STOCK."""

import sys

import firewall.config as config

config.set_system_config_paths(sys.argv[1])
config.set_default_config_paths(sys.argv[2])

from firewall.core.fw import Firewall  # noqa: E402: it reads the paths as it is imported

Firewall().start()
