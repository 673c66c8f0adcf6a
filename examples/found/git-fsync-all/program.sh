# Commits a change.
cd work && echo two > a &&
  git --git-dir=../state --work-tree=. commit -qam two && echo committed
