# Compresses a file, whose original goes.
gzip state/numbers && echo compressed
