# Compresses a file, whose original goes.
gzip --synchronous state/numbers && echo compressed
