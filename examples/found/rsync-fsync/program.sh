# Updates two files.
mkdir -p from && echo 'new a' > from/a && echo 'new b' > from/b && rsync --fsync --recursive from/ state/ && echo updated
