"""What PyPI's telnyx sends for one scenario: python telnyx.py BASE_URL SCENARIO."""

import sys

# The folder of this script stands first in the path, and in it this file, which has the package's name.
del sys.path[0]

from telnyx import Telnyx

base_url, scenario = sys.argv[1:]
client = Telnyx(api_key="KEYtest", base_url=base_url, max_retries=0, timeout=10)


def status():
    resource = client.sip_registration_status
    if hasattr(resource, "list"):
        resource.list(credential_type="uac_external_credential", connection_id="1293384261075731499")
    else:
        # The contract of then wants the owner as well; it is left to the one that it has in common with ours.
        resource.retrieve(
            credential_type="uac_external_credential", connection_id="1293384261075731499", user_id="323"
        )


{"status": status}[scenario]()
