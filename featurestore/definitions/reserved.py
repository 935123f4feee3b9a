"""Names of the columns that every feature table has besides keys and values."""

EVENT_TIME = "event_timestamp"
AVAILABLE_TIME = "available_timestamp"
SEQUENCE = "_seq"
DELETED = "_deleted"
ROW_HASH = "_row_hash"

RESERVED = (EVENT_TIME, AVAILABLE_TIME, SEQUENCE, DELETED, ROW_HASH)
