"""What PyPI's telnyx sends, call by call in the order of telnyx.rs: python telnyx.py BASE_URL."""

import sys

# The folder of this script stands first in the path, and in it this file, which has the package's name.
del sys.path[0]

from telnyx import Telnyx

client = Telnyx(api_key="KEYtest", base_url=sys.argv[1], max_retries=0, timeout=10)
ID = "1293384261075731499"


def status(**query):
    resource = client.sip_registration_status
    if hasattr(resource, "list"):
        resource.list(**query)
    elif query["credential_type"] == "uac_external_credential":
        # The contract of then asks for the owner as well.
        resource.retrieve(**query, user_id="323")
    else:
        # And it has no other credentials: the path is asked for by hand.
        client.get("/sip_registration_status", options={"params": query}, cast_to=object)


status(credential_type="uac_external_credential", connection_id=ID)
status(credential_type="telephony_credential", username="gencred+x y")
status(credential_type="sip_credential_connection", username="office1")

list(
    client.uac_connections.list(
        filter={"connection_name": {"contains": "off"}, "fqdn": "a.uac.telnyx.com", "outbound_voice_profile_id": "17"},
        # The type knows ascending orders alone; the wire takes both.
        sort="-connection_name",
        page_size=2,
    )
)
client.uac_connections.retrieve(ID)
client.uac_connections.create(
    connection_name="Office PBX ü",
    external_uac_settings={
        "proxy": "sip:pbx.example.com:5060",
        "outbound_proxy": "edge.example.com",
        "username": "telnyx-reg",
        "auth_username": "login",
        "from_user": "1001",
        "expiration_sec": 600,
        "password": "s3cret",
        "transport": "TLS",
    },
    internal_uac_settings={"destination_uri": "1006@assistant-abc123.sip.telnyx.com"},
)
client.uac_connections.update(ID, active=False, external_uac_settings={"outbound_proxy": None})
client.uac_connections.delete(ID)

client.credential_connections.retrieve(ID)
client.credential_connections.actions.check_registration_status(ID)
list(client.external_connections.list(page_size=250))
client.external_connections.retrieve(ID)
list(client.external_connections.log_messages.list(filter={"external_connection_id": ID}, page_size=250))
client.external_connections.log_messages.retrieve(ID)
client.siprec_connectors.retrieve("my rec/1")
