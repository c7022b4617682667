"""Every number, text and behaviour of Braze's REST API that this server imitates, each with its ground.

Marks after a value: ``D`` documented by Braze, ``R`` seen in a recorded real answer, ``C`` seen in public code or
tests of other clients, ``I`` inferred (Braze does not say it). ``S1`` to ``S12`` are the rows of the contract.
"""

from typing import Final

# --- endpoints and permissions -------------------------------------------------------------------------------- S2
TRACK_PATH: Final = "/users/track"  # D
BULK_PATH: Final = "/users/track/bulk"  # D
EXPORT_PATH: Final = "/users/export/ids"  # D
TRACK_PERMISSION: Final = "users.track"  # D
BULK_PERMISSION: Final = "users.track.bulk"  # D; the partner page says that users.track suffices, hence the switch
EXPORT_PERMISSION: Final = "users.export.ids"  # D
ALL_PERMISSIONS: Final = frozenset({TRACK_PERMISSION, BULK_PERMISSION, EXPORT_PERMISSION})

# --- limits --------------------------------------------------------------------------------------------- S3 and S4
TRACK_PROFILE: Final = "combined_75"  # D: 75 objects in total over the three arrays
BULK_PROFILE: Final = "bulk_1000"  # D
BULK_OBJECTS_PER_USER: Final = 100  # D
BODY_BYTES: Final = 4_000_000  # D "4 MB"; read as decimal, the stricter reading (I)
BULK_BODY_BYTES: Final = 2_000_000  # D "2 MB"; the same reading (I)
OVER_BODY_STATUS: Final = 413  # D: 413, or 400 on some endpoints
BULK_OVER_BODY_STATUS: Final = 400  # D
EXPORT_IDS: Final = 50  # D
EXTERNAL_ID_BYTES: Final = 987  # D
PRODUCT_ID_CHARACTERS: Final = 255  # D
QUANTITY: Final = 100  # D

# --- rate limits ------------------------------------------------------------------------------------------------ S11
TRACK_BURST: Final = 3_000  # D, data-point contracts: per 3 seconds
TRACK_BURST_SECONDS: Final = 3  # D
BULK_BURST: Final = 50  # D: per second
BULK_BURST_SECONDS: Final = 1  # D
EXPORT_PER_MINUTE: Final = 250  # D, workspaces since 2024-08-22
MINUTE: Final = 60  # R: windows end on the clock minute
HOUR: Final = 3_600  # D: windows end on the clock hour
LIMIT_HEADER: Final = "X-Ratelimit-Limit"  # D, letter case as recorded (R)
REMAINING_HEADER: Final = "X-Ratelimit-Remaining"  # D, R
RESET_HEADER: Final = "X-Ratelimit-Reset"  # D, R: an epoch second, or seconds left on MAU plans
RETRY_AFTER_HEADER: Final = "X-Ratelimit-Retry-After"  # D: alone on a 429 of MAU plans, integer seconds

# --- whole-request answers ------------------------------------------------------------------------------------------
SUCCESS: Final = "success"  # D, R
QUEUED: Final = "queued"  # D, older text: 202 while Braze is in maintenance
INVALID_KEY: Final = "Invalid API key: "  # R, S1: followed by the key as given
ACCESS_DENIED: Final = "Access Denied"  # D names the error; the body's shape is I, S2
NOT_FOUND: Final = "Not Found"  # D names the error; the body's shape is I, S2
UNSUPPORTED_TYPE: Final = "Unsupported Media Type"  # D names the error; the body's shape is I, S3
TOO_LARGE: Final = "Request Entity Too Large"  # I, S3
UNPARSABLE: Final = "Error while parsing request body. Please check your syntax."  # D, under the key "error", S3
TOO_MANY_OBJECTS: Final = "Max Input Length Exceeded"  # D names the error; the body's shape is I, S4
TOO_MANY_IDS: Final = "The max number of external_ids and aliases per request was exceeded"  # D
NO_IDS: Final = "No external_ids, user_aliases, device_id, braze_id, email_address or phone given"  # I
NO_VALID_DATA: Final = "Valid data must be provided in the 'attributes', 'events', or 'purchases' fields."  # C, S6
RATE_LIMITED: Final = "Rate limited"  # C, S11: the body of a 429 is not documented
SERVER_ERROR: Final = "Internal Server Error"  # D names the error; the body's shape is I, S12
CLIENT_CLOSED: Final = 499  # nobody sees it; counted when a client goes away in the middle of its body
GATEWAY_STATUSES: Final = frozenset({502, 503, 504})  # D; their bodies are HTML here, as a gateway's would be (I)

# --- refusals of single objects: documented name, or "" where Braze documents none ------------------------------- S6
# The enumeration is D. The sentences are C unless marked; a refusal without a documented name is always a sentence.
NOT_AN_OBJECT: Final = ("", "The property '#/' was not of type object")  # I, after the schema texts in C
IDENTIFIER_MISSING: Final = ("", "'external_id', 'braze_id', 'user_alias', 'email' or 'phone' is required")  # C
IDENTIFIERS_CLASH: Final = ("", "You must specify only one of 'external_id', 'user_alias' or 'braze_id'")  # C, live
ALIAS_INCOMPLETE: Final = ("", "'user_alias' must have an 'alias_name' and an 'alias_label'")  # D rule, I text
EXTERNAL_ID_TOO_LARGE: Final = ("EXTERNAL_USER_ID_TOO_LARGE", "'external_id' must be fewer than 988 bytes")  # D, C
EMAIL_INVALID: Final = ("EMAIL_BAD_FORMAT", "The value provided for the 'email' field is not a valid email.")  # D, C
SUBSCRIPTION_STATES: Final = frozenset({"subscribed", "unsubscribed", "opted_in"})  # D
EMAIL_SUBSCRIBE_INVALID: Final = (
    "BAD_EMAIL_SUBSCRIPTION_STATE",
    "'email_subscribe' must be 'subscribed', 'unsubscribed', or 'opted_in'",
)  # D, C live
PUSH_SUBSCRIBE_INVALID: Final = (
    "BAD_PUSH_SUBSCRIPTION_STATE",
    "'push_subscribe' must be 'subscribed', 'unsubscribed', or 'opted_in'",
)  # D, C live
EVENT_NAME_MISSING: Final = ("", "'name' is required")  # D rule, I text
TIME_INVALID: Final = ("", "Time must be string in ISO8601 Format")  # D, from the import's row errors
PRODUCT_ID_INVALID: Final = ("", "'product_id' is not valid")  # D rule, I text
CURRENCY_INVALID: Final = ("", "'currency' is not valid")  # D rule, I text
PRICE_INVALID: Final = ("", "'price' is not valid")  # D rule, I text
QUANTITY_INVALID: Final = ("", "'quantity' is not valid")  # C
PROPERTIES_INVALID: Final = ("", "'properties' is not valid")  # D rule, I text

# --- profiles ------------------------------------------------------------------------------------------- S5 and S8
# Keys that steer a request or name the user; every other key of an attribute object is an attribute.
NOT_ATTRIBUTES: Final = frozenset({"external_id", "user_alias", "braze_id", "_update_existing_only", "_merge_objects"})
# Exported beside custom_attributes, not inside it (D, the user attributes object).
STANDARD_ATTRIBUTES: Final = frozenset(
    {"country", "current_location", "date_of_first_session", "date_of_last_session", "dob", "email"}
    | {"email_subscribe", "email_open_tracking_disabled", "email_click_tracking_disabled", "first_name", "gender"}
    | {"home_city", "image_url", "language", "last_name", "marked_email_as_spam_at", "phone", "push_subscribe"}
    | {"push_tokens", "subscription_groups", "time_zone"}
)
