# Delivers a message as safecat(1) says, and prints what safecat prints once its exit status is 0.
name=$(echo 'a message' | safecat state/tmp state/new) && echo "$name"
