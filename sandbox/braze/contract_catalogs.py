"""Every number and error of Braze's catalog endpoints that this server imitates (row S14). Marks as in ``contract``.

The identifiers of the errors are D. Their sentences are D or R where marked, else our own wording (I).
"""

from typing import Final

ITEMS: Final = 50  # D: items in a request
ID_CHARACTERS: Final = 250  # D, for items; the same for the names of catalogs and fields, and for descriptions
STRING_CHARACTERS: Final = 5_000  # D
NESTING: Final = 50  # D: levels of an object value
FIELDS: Final = 500  # D, newest text (30 in the oldest)
FIELD_TYPES: Final = ("string", "number", "boolean", "time", "object", "array")  # D
NAME_PATTERN: Final = r"[A-Za-z0-9_-]+"  # D, for items, catalogs and fields
INVALID_REQUEST: Final = "Invalid Request"  # D, R

CATALOG_NOT_FOUND: Final = ("catalog-not-found", "Could not find catalog")
ITEM_ARRAY_INVALID: Final = ("item-array-invalid", "The items must be an array of objects")
TOO_MANY_ITEMS: Final = ("request-includes-too-many-items", "The request includes too many items")
ITEMS_MISSING_IDS: Final = ("items-missing-ids", "There are {count} item(s) that do not have ids")  # D
IDS_NOT_STRINGS: Final = ("ids-not-strings", "Some of the ids are not strings")
IDS_NOT_UNIQUE: Final = ("ids-not-unique", "Some of the ids stand in the request more than once")
IDS_TOO_LARGE: Final = ("ids-too-large", "Some of the ids are too large")
INVALID_IDS: Final = ("invalid-ids", "Some of the ids have characters that are not allowed")
INVALID_FIELDS: Final = ("invalid-fields", "Some of the fields given do not exist in the catalog")  # D
ITEMS_TOO_LARGE: Final = ("items-too-large", "Some of the values are too large")
INVALID_KEYS: Final = ("invalid-keys-in-value-object", "Some of the keys of object values are not allowed")
TOO_DEEP: Final = ("too-deep-nesting-in-value-object", "Some of the object values are nested too deeply")
NOT_COERCED: Final = ("unable-to-coerce-value", "Some of the values do not have the type of their field")

CATALOG_ARRAY_INVALID: Final = ("catalog-array-invalid", "The catalogs must be an array of objects")
TOO_MANY_CATALOGS: Final = ("too-many-catalog-atoms", "A request creates one catalog")
INVALID_CATALOG_NAME: Final = ("invalid-catalog-name", "The name has characters that are not allowed")
CATALOG_NAME_TOO_LARGE: Final = ("catalog-name-too-large", "The name is too large")
CATALOG_EXISTS: Final = ("catalog-name-already-exists", "A catalog with that name already exists")  # D
DESCRIPTION_TOO_LONG: Final = ("description-too-long", "The description is too long")
FIELDS_MALFORMED: Final = ("invalid-fields", "The fields must be an array of objects with a name and a type")
TOO_MANY_FIELDS: Final = ("too-many-fields", "The catalog has too many fields")
ID_NOT_FIRST: Final = ("id-not-first-column", "The first field must be id, of type string")
INVALID_FIELD_NAMES: Final = ("invalid-field-names", "Some of the field names have characters that are not allowed")
FIELD_NAMES_TOO_LARGE: Final = ("field-names-too-large", "Some of the field names are too large")
FIELD_NAMES_NOT_UNIQUE: Final = ("field-names-not-unique", "Some of the field names stand there more than once")
INVALID_FIELD_TYPES: Final = ("invalid-field-types", "Some of the field types do not exist")
