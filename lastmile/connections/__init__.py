"""Other systems: which there are, the credentials they show, what those allow, and how often they may knock."""

from lastmile.connections.connection import RESERVED, Connection
from lastmile.connections.credentials import Credential, Kind, Made, TokenScope, token_hash
from lastmile.connections.rates import Buckets, TooMany
from lastmile.connections.register import Register, connections, credentials
from lastmile.connections.signing import SCHEMES, is_signed, sign

__all__ = [
    "RESERVED",
    "SCHEMES",
    "Buckets",
    "Connection",
    "Credential",
    "Kind",
    "Made",
    "Register",
    "TokenScope",
    "TooMany",
    "connections",
    "credentials",
    "is_signed",
    "sign",
    "token_hash",
]
