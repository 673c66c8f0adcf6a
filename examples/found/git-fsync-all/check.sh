# git's own check passes, and after "committed" the branch names the new commit.
export GIT_DIR=.
git fsck --strict --no-dangling > fsck 2>&1 || { echo "git fsck: $(grep -vi notice fsck | sed 's/[0-9a-f]\{20,\}/ID/g' | sort | tail -n 1)"; exit 1; }
text=$(git show main:a 2>&1) || { echo 'the branch cannot be read'; exit 1; }
if grep -q committed "$HOLDFAST_ACKS" && [ "$text" != two ]; then
  echo 'the commit is gone, the branch shows the one before'
  exit 1
fi
