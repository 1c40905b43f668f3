"""Where h2, the crate below hyper, departs from the letter. A case that names one fails when that changes."""

from steps import Known, answered, goaway

# A connection may end for what is an error of one stream (RFC 9113 §5.4.1, last paragraph).
WHOLE_CONNECTION = Known(
    goaway("PROTOCOL_ERROR"), "h2 ends the connection where the stream would do, as it may"
)
COARSE = Known(goaway("PROTOCOL_ERROR"), "h2 has no finer code for a frame that it cannot read")
LEFT_OUT = Known(answered(201), "h2 leaves pseudo-headers in trailers out, so that nobody sees them")
