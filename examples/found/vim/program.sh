# Edits a file as a user does, without a configuration.
vim -Es -u NONE -i NONE --cmd 'set nocompatible' -c 's/old/newer/' -c wq state/file && echo written
