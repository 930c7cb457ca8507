"""Why a call over HTTP failed, each way in its own line."""

import http.client
import socket
import ssl

from tisslang.adapters.adapter import failure, given_up, too_slow
from tisslang.adapters.address import Address
from tisslang.adapters.http_call import MAX_BODY, GivenUp, TooLarge
from tisslang.amounts import size_text
from tisslang.errors import TissCommandError


def explain(error: Exception, address: Address, timeout: float) -> TissCommandError:
    """The `agent` error for what a `Call` raised; another exception, a fault of ours, is raised."""
    server = f"the model server at {address}"
    # The order matters: most of these are an OSError, and some are two of the others.
    match error:
        case GivenUp():
            return given_up(server)
        case TooLarge():
            return failure(f"{server} sent an answer of more than {size_text(MAX_BODY)}")
        case TimeoutError():
            return too_slow(server, timeout)
        case ConnectionRefusedError():
            return failure(
                f"nothing listens at {address}: the connection was refused",
                hint="start the model server, or correct the URL of --agent",
            )
        case socket.gaierror() | UnicodeError():
            return failure(
                f"the host {address.host!r} is unknown", hint="correct the URL of --agent"
            )
        case ssl.SSLCertVerificationError():
            return failure(f"{server} has no certificate to be trusted: {error.verify_message}")
        case ConnectionError() | http.client.IncompleteRead() | ssl.SSLEOFError():
            return failure(f"{server} hung up before its answer was complete")
        case ssl.SSLError():
            return failure(
                f"no secure connection to {address}: {error.reason or error}",
                hint="does the server speak plain HTTP? Then write http://",
            )
        case OSError():
            return failure(f"{server} cannot be reached: {error.strerror or error}")
        case http.client.HTTPException():
            return failure(
                f"what answers at {address} does not speak HTTP", hint="is the port right?"
            )
    raise error
