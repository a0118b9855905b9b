"""What PyPI's fast-bitrix24 sends for some calls: python fast_bitrix24.py PORTAL_URL ACCESS SECRET CALLS.

CALLS is a JSON list of pairs, method and parameters. Its raw calls only: the others are wrapped into a batch."""

import json
import sys

# The folder of this script stands first in the path, and in it this file, which has the package's name.
del sys.path[0]

from fast_bitrix24 import Bitrix

portal, access, secret, calls = sys.argv[1:]


async def give_token():
    return secret


if access == "webhook":
    client = Bitrix(f"{portal.rstrip('/')}/rest/{secret}/", verbose=False)
else:
    client = Bitrix(f"{portal.rstrip('/')}/rest/", token_func=give_token, verbose=False)
print(json.dumps([client.call(method, parameters, raw=True)["result"] for method, parameters in json.loads(calls)]))
