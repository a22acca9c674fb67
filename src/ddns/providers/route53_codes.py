"""What Route 53's error codes stand for, and what to do about each.

Source: https://docs.aws.amazon.com/Route53/latest/APIReference/CommonErrors.html
"""

from __future__ import annotations

from ddns.errors import BadCredentials, ClockSkew, NoSuchZone, NotPermitted, RateLimited, ServerSide
from ddns.providers.codes import Codes, Means
from ddns.providers.route53_wire import WHO
from ddns.providers.rows import Refusal

CHANGE_IT = "Change what Route 53 refuses: the record's TTL, or what stands at its name. Then: ddns run --now"
ZONE = "Check the record's name, and that a public hosted zone holds it; name a private one with hosted_zone_id."
_RIGHTS = (
    "Give the IAM user route53:ListHostedZonesByName (or GetHostedZone with hosted_zone_id),"
    " ListResourceRecordSets, ChangeResourceRecordSets and GetChange for the hosted zone. Then: ddns run --now"
)
_KEY = (
    "Check that the IAM user's access key is there and active (IAM console, Security credentials), that access_key_id"
    " names it, and store its secret again with `ddns secret set`. Then: ddns run --now"
)
_SESSION = (
    "Make a new temporary key, and store its secret and session token with `ddns secret set`. Then: ddns run --now"
)

CODES = Codes(
    WHO,
    {
        "InvalidChangeBatch": Means(Refusal),  # perhaps only not as it was read: it is read again
        "Throttling": Means(RateLimited),
        "ThrottlingException": Means(RateLimited),
        "PriorRequestNotComplete": Means(RateLimited),  # the hosted zone is busy
        "AccessDenied": Means(NotPermitted, _RIGHTS),
        "AccessDeniedException": Means(NotPermitted, _RIGHTS),
        "NotAuthorized": Means(NotPermitted, _RIGHTS),
        "OptInRequired": Means(NotPermitted, _RIGHTS),
        "InvalidClientTokenId": Means(BadCredentials, _KEY),
        "UnrecognizedClientException": Means(BadCredentials, _KEY),
        "SignatureDoesNotMatch": Means(BadCredentials, _KEY),
        "InvalidSignatureException": Means(BadCredentials, _KEY),
        "IncompleteSignature": Means(BadCredentials, _KEY),
        "MissingAuthenticationToken": Means(BadCredentials, _KEY),
        "ExpiredToken": Means(BadCredentials, _SESSION),
        "ExpiredTokenException": Means(BadCredentials, _SESSION),
        "RequestExpired": Means(ClockSkew),
        "NoSuchHostedZone": Means(NoSuchZone, ZONE),
        "InternalFailure": Means(ServerSide),
        "InternalError": Means(ServerSide),
        "ServiceUnavailable": Means(ServerSide),
    },
    otherwise=CHANGE_IT,
)
