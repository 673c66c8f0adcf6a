# Edits a file.
sed -i 's/old/new/' state/file && echo edited
