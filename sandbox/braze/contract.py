"""Every number, text and behaviour of Braze's REST API that this server imitates, each with its ground.

Marks after a value: ``D`` documented by Braze, ``R`` seen in a recorded real answer, ``C`` seen in public code or
tests of other clients, ``I`` inferred (Braze does not say it). ``S1`` to ``S16`` are the rows of the contract; what
concerns catalogs alone (S14) stands in ``contract_catalogs``.
"""

from typing import Final

# --- endpoints and permissions -------------------------------------------------------------------------------- S2
TRACK_PATH: Final = "/users/track"  # D
BULK_PATH: Final = "/users/track/bulk"  # D
SYNC_PATH: Final = "/users/track/sync"  # D
EXPORT_PATH: Final = "/users/export/ids"  # D
DELETE_PATH: Final = "/users/delete"  # D
CATALOGS_PATH: Final = "/catalogs"  # D
ITEMS_PATH: Final = "/catalogs/{catalog_name}/items"  # D
CDI_LIST_PATH: Final = "/cdi/integrations"  # D
CDI_SYNC_PATH: Final = "/cdi/integrations/{integration_id}/sync"  # D
CDI_STATUS_PATH: Final = "/cdi/integrations/{integration_id}/job_sync_status"  # D
TRACK_PERMISSION: Final = "users.track"  # D; the partner page says that it suffices for bulk too, hence a switch
ALL_PERMISSIONS: Final = frozenset(
    {TRACK_PERMISSION, "users.track.bulk", "users.track.sync", "users.export.ids", "users.delete"}
    | {"catalogs.get", "catalogs.create", "catalogs.add_items", "catalogs.update_items", "catalogs.delete_items"}
    | {"catalogs.replace_items"}  # the community specification writes replace_item
    | {"cdi.integration_list", "cdi.integration_sync", "cdi.integration_job_status"}
)  # D

# --- limits --------------------------------------------------------------------------------------------- S3 and S4
TRACK_PROFILE: Final = "combined_75"  # D: 75 objects in total over the three arrays
BULK_PROFILE: Final = "bulk_1000"  # D
BULK_OBJECTS_PER_USER: Final = 100  # D
BODY_BYTES: Final = 4_000_000  # D "4 MB"; read as decimal, the stricter reading (I)
BULK_BODY_BYTES: Final = 2_000_000  # D "2 MB"; the same reading (I)
OVER_BODY_STATUS: Final = 413  # D: 413, or 400 on some endpoints
BULK_OVER_BODY_STATUS: Final = 400  # D
EXPORT_IDS: Final = 50  # D
DELETE_IDS: Final = 50  # D
SYNC_OBJECTS: Final = 1  # D
EXTERNAL_ID_BYTES: Final = 987  # D
PRODUCT_ID_CHARACTERS: Final = 255  # D
QUANTITY: Final = 100  # D
PROPERTIES_BYTES: Final = 50_000  # D "50 KB" for properties with arrays or objects; taken for all of them, decimal (I)

# --- rate limits ------------------------------------------------------------------------------------------------ S11
TRACK_BURST: Final = 3_000  # D, data-point contracts: per 3 seconds
TRACK_BURST_SECONDS: Final = 3  # D
BULK_BURST: Final = 50  # D: per second
BULK_BURST_SECONDS: Final = 1  # D
EXPORT_PER_MINUTE: Final = 250  # D, workspaces since 2024-08-22
SYNC_PER_MINUTE: Final = 500  # D
USERS_PER_MINUTE: Final = 20_000  # D: deletes share it with aliases, identify and merge
CATALOG_ITEMS_PER_MINUTE: Final = 16_000  # D, R: all asynchronous item calls together
CATALOGS_PER_MINUTE: Final = 50  # D, R
CDI_LIST_PER_MINUTE: Final = 50  # D
CDI_SYNC_PER_MINUTE: Final = 20  # D
CDI_STATUS_PER_MINUTE: Final = 100  # D
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
DELETE_TOO_MANY: Final = "The max number of ids per request was exceeded"  # I: only the limit and the 400 are D, S13
DELETE_ONE_KIND: Final = "Only one kind of identifier can be included in a request"  # D rule, I text and status, S13
DELETE_NO_IDS: Final = "No external_ids, user_aliases, braze_ids, email_addresses or phone_numbers given"  # I, S13
DELETE_BAD_ID: Final = "An identifier is not of the documented form"  # I, S13
INVALID_CURSOR: Final = "Invalid cursor"  # D, S15
INVALID_INTEGRATION: Final = "Invalid integration ID"  # D, S15
UNKNOWN_INTEGRATION: Final = "Integration not found"  # D rule, I text, S15
SYNC_IN_PROGRESS: Final = "A job is already in progress"  # D rule, I text, S15
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
PROPERTIES_TOO_LARGE: Final = ("", "'properties' must be at most 50 KB")  # D limit, I text and consequence

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

# --- nested attributes ------------------------------------------------------------------------------------------- S9
NESTED_BYTES: Final = 100_000  # D "100 KB" for an object or array; read as decimal, the stricter reading (I)
NESTED_CHARACTERS: Final = 255  # D: keys and strings in nested values; that a longer one drops the update is I
KEY_FORBIDDEN: Final = frozenset(" .$")  # D
TIME_YEARS: Final = range(3_001)  # D: 0 to 3000
ARRAY_ELEMENTS: Final = 25  # D, older text: up to 100 on request; the newer number is not verified
# Why an update was dropped although the answer says success. Braze tells nobody; the read-back of this server does.
DROPPED_NULL: Final = "null inside a nested value"  # D
DROPPED_TIME: Final = "$time is not a time between the years 0 and 3000"  # D
DROPPED_KEY: Final = "a key has a space, a period or a dollar sign"  # D
DROPPED_LENGTH: Final = "a key or string is longer than 255 characters"  # D limit, I consequence
DROPPED_SIZE: Final = "the value would be larger than 100 KB"  # D
DROPPED_OPERATOR: Final = "an operator is not of the documented form"  # I
DROPPED_TARGET: Final = "the stored value is not of the kind that the operator changes"  # I
DROPPED_WITH_ANOTHER: Final = "another update of this attribute in the request is invalid"  # D
TRUNCATED: Final = "the array was cut to the number of elements allowed"  # D older text; what is cut off: the end (I)

# --- delete by address ------------------------------------------------------------------------------------------ S13
IDENTIFIED: Final = "identified"  # D: prefer a user with an external id
UNIDENTIFIED: Final = "unidentified"  # D: prefer one without
MOST_RECENT: Final = "most_recently_updated"  # D
PRIORITIES: Final = frozenset({IDENTIFIED, UNIDENTIFIED, MOST_RECENT})  # D

# --- the import's own endpoints ---------------------------------------------------------------------------------- S15
CDI_PAGE: Final = 10  # D
JOB_STATUSES: Final = ("running", "success", "partial", "error", "config_error")  # D
