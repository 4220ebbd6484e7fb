"""Webhook deliveries as Meta sends them, and their signatures."""
import hashlib
import hmac
import json

SECRET = "segredo-de-teste-da-meta"
OLD_SECRET = "segredo-que-sai-de-cena"
VERIFY_TOKEN = "ficha-de-verificacao"


def signature(body, secret=SECRET):
    return "sha256=" + hmac.digest(secret.encode(), body, hashlib.sha256).hex()


def signed(body, secret=SECRET, **headers):
    """Headers of a delivery."""
    return {"Content-Type": "application/json", "X-Hub-Signature-256": signature(body, secret),
            **{name.replace("_", "-"): value for name, value in headers.items()}}


def lead_change(leadgen_id, **value):
    return {"field": "leadgen",
            "value": {"leadgen_id": leadgen_id, "page_id": "1029384756", "form_id": "564738291",
                      "adgroup_id": "120208", "ad_id": "120209", "created_time": 1749416383, **value}}


def page_delivery(*changes, page="1029384756", time=1749416383):
    return {"object": "page", "entry": [{"id": page, "time": time, "changes": list(changes)}]}


def lead(leadgen_id, **value):
    """The bytes of a delivery with one lead, spaced as no serialiser of ours would."""
    return json.dumps(page_delivery(lead_change(leadgen_id, **value)), indent=1,
                      ensure_ascii=True).encode()


def message(wamid, text="Olá"):
    """The bytes of a WhatsApp message, a form that is archived as an event."""
    value = {"messaging_product": "whatsapp",
             "metadata": {"display_phone_number": "15550783881", "phone_number_id": "1065"},
             "messages": [{"from": "16505551234", "id": wamid, "timestamp": "1749416383",
                           "type": "text", "text": {"body": text}}]}
    return json.dumps({"object": "whatsapp_business_account", "entry": [
        {"id": "102290129340398", "changes": [{"value": value, "field": "messages"}]}]}).encode()
