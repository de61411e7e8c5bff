"""Which notifier a deployment has: a webhook, what apprise knows, or one of its own; none where none is named."""

from collections.abc import Mapping

from pydantic import SecretStr

from resources.apprise_notifier import AppriseNotifier
from resources.notifier import Notifier
from resources.webhook import WebhookNotifier
from sql.plugin import fulfilling, plugin_factory

WEBHOOK_VARIABLE = "LOWCAP_WEBHOOK_URL"
SECRET_VARIABLE = "LOWCAP_WEBHOOK_SECRET"
APPRISE_VARIABLE = "LOWCAP_APPRISE_URL"
OWN_VARIABLE = "LOWCAP_NOTIFIER"
CHOICES = (WEBHOOK_VARIABLE, APPRISE_VARIABLE, OWN_VARIABLE)


def read_notifier(environment: Mapping[str, str]) -> Notifier | None:
    """Open the notifier that is named; None where none is.

    Raises
    ------
    ValueError
        If two are named, or the one that is cannot be used; the message repeats no value that may be secret.
    """
    given = {name: text for name in CHOICES if (text := environment.get(name, "").strip())}
    if len(given) > 1:
        raise ValueError(f"Two notifiers: {' and '.join(given)} are set. Unset all but one")
    if WEBHOOK_VARIABLE in given:
        secret = environment.get(SECRET_VARIABLE, "").strip()
        try:
            return WebhookNotifier(SecretStr(given[WEBHOOK_VARIABLE]), SecretStr(secret) if secret else None)
        except ValueError as error:
            raise ValueError(f"{WEBHOOK_VARIABLE}: {error}") from None
    if APPRISE_VARIABLE in given:
        return AppriseNotifier.open(SecretStr(given[APPRISE_VARIABLE]), variable=APPRISE_VARIABLE)
    if OWN_VARIABLE in given:
        made = plugin_factory(given[OWN_VARIABLE], variable=OWN_VARIABLE)()
        notifier: Notifier = fulfilling(made, Notifier, variable=OWN_VARIABLE)
        return notifier
    return None
