"""Pictures in and out: safe decoding, colour, one resize, drawing, writing, views."""
