# The state is the repository; its work tree is beside it, because nobody promises anything of that.
set -e
git init -q --bare -b main .
git config core.bare false
git config user.name A
git config user.email a@example.org
git config gc.auto 0
git config core.fsync all
git config core.logAllRefUpdates false
rm -rf hooks info description branches
mkdir -p "$(dirname "$0")/work"
cd "$(dirname "$0")/work"
export GIT_DIR="$OLDPWD"
echo one > a
git --work-tree=. add a
git --work-tree=. commit -qm one
