"""What PyPI's b24pysdk sends for some calls: python b24pysdk.py PORTAL_URL ACCESS SECRET CALLS.

CALLS is a JSON list of pairs, method and parameters. It speaks https only."""

import json
import sys
from urllib.parse import urlsplit

# The folder of this script stands first in the path, and in it this file, which has the package's name.
del sys.path[0]

from b24pysdk import BitrixApp, BitrixToken, BitrixWebhook

portal, access, secret, calls = sys.argv[1:]
domain = urlsplit(portal).netloc


def webhook():
    return BitrixWebhook(domain=domain, webhook_token=secret)


def token():
    app = BitrixApp(client_id="none", client_secret="none")
    return BitrixToken(domain=domain, auth_token=secret, bitrix_app=app)


client = {"webhook": webhook, "token": token}[access]()
print(json.dumps([client.call_method(method, parameters)["result"] for method, parameters in json.loads(calls)]))
